"""The words of a row: what was asked, run or answered. Read only for those who may see content."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from audit import leaf, parts
from audit.export.native import ERASED
from audit.models import Content, Erased, Event
from audit.timeline.rows import TOOL_USE, Row, Text

_TEXTS = ("prompt", "prompt_text", "response", "error")
_TELLING = ("url", "query", "sql", "pattern", "subagent_type", "skill_name", "skill", "description", "prompt")
_LONGEST = 300


def fill(rows: Iterable[Row], uses: Mapping[UUID, Text], *, shown: bool) -> None:
    """Notes which rows have content and, if it may be shown, puts it in. `uses`: what is projected of tool uses."""
    rows = list(rows)
    ids = [event for row in rows for event in row.events]
    found = Content.objects.filter(event_id__in=ids)
    stored = dict(found.values_list("event_id", "bytes")) if shown else dict.fromkeys(_ids(found))
    _note_erased(rows, [event for event in ids if event not in stored])
    if not shown:
        for row in rows:
            row.has_content = any(event in stored for event in row.events)
        return
    for row in rows:
        own = [parts.values(parts.attributes(stored[event])) for event in row.events if event in stored]
        row.has_content = bool(own)
        row.content = _of_use(row, uses, own) if row.kind == TOOL_USE else _of_event(own)


def _ids(found: QuerySet[Content]) -> Iterable[UUID]:
    return found.values_list("event_id", flat=True)


def _note_erased(rows: Iterable[Row], without: Sequence[UUID]) -> None:
    """Flags the rows with an event that had content once: what is gone was not withheld by the client."""
    if not without or not Erased.objects.filter(part="content").exists():
        return
    had_some = Event.objects.filter(pk__in=without).exclude(content_commitment=leaf.ABSENT)
    gone = set(had_some.values_list("pk", flat=True))
    for row in rows:
        if any(event in gone for event in row.events):
            row.flags = [*row.flags, ERASED]


def _of_event(own: list[dict[str, Any]]) -> Text:
    return Text(text=next(filter(None, (parts.text_of(values, *_TEXTS) for values in own)), None))


def _of_use(row: Row, uses: Mapping[UUID, Text], own: list[dict[str, Any]]) -> Text:
    known = uses[row.id]
    if known.command or known.path:
        return known
    gists = (gist(values.get(name)) for values in reversed(own) for name in ("tool_input", "tool_parameters"))
    return Text(known.command, known.path, known.host, next(filter(None, gists), None))


def gist(details: Any) -> str | None:
    """The telling words of a tool's input, for one line: it is JSON in a text, and may be odd."""
    if not isinstance(details, str):
        return None
    try:
        values = json.loads(details, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    texts = {key: value for key, value in values.items() if isinstance(value, str) and value}
    told = [texts[key] for key in _TELLING if key in texts] or list(texts.values())
    return " · ".join(text[:_LONGEST] for text in told[:2]) or None
