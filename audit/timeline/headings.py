"""Prompts as headings: which rows follow which prompt, its number in the session, and what came of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, Sum, Window
from django.db.models.functions import RowNumber

from audit import parts
from audit.models import Session, ToolUse
from audit.timeline.pages import Page, events_of
from audit.timeline.rows import GAP_ROW, Row
from audit.vocabulary import Kind

START, PROMPT, REST = "start", "prompt", "rest"


@dataclass(slots=True)
class Heading:
    """`kind`: before the first prompt (start), a prompt, or the rest of what no prompt is known for.

    `row` is the prompt's own row where it is on this page; otherwise the group goes on from another page.
    """

    kind: str
    prompt_id: str | None = None
    row: Row | None = None
    number: int | None = None
    characters: int | None = None
    command: str | None = None
    uses: int = 0
    cost: Decimal | None = None
    mode: str | None = None

    @property
    def continued(self) -> bool:
        return self.kind == PROMPT and self.row is None


@dataclass(slots=True)
class Group:
    heading: Heading
    rows: list[Row] = field(default_factory=list)


def groups(session: Session, page: Page) -> list[Group]:
    """The page's rows under their prompts, in the page's order."""
    found = grouped(page.rows, first_page=page.previous is None, narrowed=page.show not in ("steps", "all"))
    _number(session, [group.heading for group in found])
    _total(session, [group.heading for group in found])
    for group in found:
        group.heading.mode = next((row.mode for row in group.rows if row.mode), None)
    return found


def grouped(rows: Sequence[Row], *, first_page: bool, narrowed: bool) -> list[Group]:
    """In a whole timeline a prompt's row opens its group; in a narrowed one, the prompt its rows say they belong to."""
    found: list[Group] = []
    for row in rows:
        if row.kind == Kind.PROMPT:
            found.append(Group(_heading(row)))
            continue
        if not found or (narrowed and row.kind != GAP_ROW and row.prompt_id != found[-1].heading.prompt_id):
            found.append(Group(_opening(row, first_page=first_page and not found, narrowed=narrowed)))
        found[-1].rows.append(row)
    return found


def _opening(row: Row, *, first_page: bool, narrowed: bool) -> Heading:
    if first_page and not narrowed:
        return Heading(START)
    return Heading(PROMPT, row.prompt_id) if row.prompt_id else Heading(START if first_page else REST)


def _heading(row: Row) -> Heading:
    command = row.facts.get("command_name")
    return Heading(
        PROMPT,
        row.prompt_id,
        row,
        characters=parts.number_of(row.facts, "prompt_length"),
        command=command if isinstance(command, str) and command else None,
    )


def _number(session: Session, headings: Iterable[Heading]) -> None:
    """The prompt's place among all of the session's, whatever page it is on."""
    prompts = [heading for heading in headings if heading.kind == PROMPT]
    if not prompts:
        return
    place = Window(RowNumber(), order_by=[F("occurred_at").asc(), F("id").asc()])
    numbered = events_of(session).filter(kind=Kind.PROMPT).annotate(place=place)
    by_event: dict[UUID, int] = {}
    by_prompt: dict[str | None, int] = {}
    for event, prompt_id, number in numbered.values_list("id", "prompt_id", "place"):
        by_event[event] = number
        by_prompt.setdefault(prompt_id, number)
    for heading in prompts:
        heading.number = by_event.get(heading.row.id) if heading.row else by_prompt.get(heading.prompt_id)


def _total(session: Session, headings: Iterable[Heading]) -> None:
    by_id = {heading.prompt_id: heading for heading in headings if heading.prompt_id}
    if not by_id:
        return
    uses = ToolUse.objects.filter(session=session.pk, prompt_id__in=by_id)
    for prompt_id, count in uses.order_by().values_list("prompt_id").annotate(Count("id")):
        by_id[prompt_id].uses = count
    requests = events_of(session).filter(kind=Kind.API_REQUEST, prompt_id__in=by_id)
    for prompt_id, cost in requests.order_by().values_list("prompt_id").annotate(Sum("cost_usd")):
        by_id[prompt_id].cost = cost
