"""The side panel of a session: the chosen event, with the tool use it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.http import Http404

from audit import timeline
from audit.admin import event_detail, fields, rows, telling
from audit.admin.rights import Rights
from audit.listing import markup
from audit.models import Event, Session, ToolUse
from audit.timeline.keys import Key
from audit.timeline.pages import events_of
from audit.timeline.rows import of_event, of_use
from audit.timeline.shows import STEP_KINDS, TOOL_KINDS


@dataclass(frozen=True, slots=True)
class Chosen:
    """An event of a session, and the tool use that tells of it, if one does."""

    event: Event
    use: ToolUse | None

    @property
    def key(self) -> Key:
        """Where its row stands in the timeline."""
        return of_use(self.use).key if self.use else of_event(self.event, {}).key

    @property
    def is_step(self) -> bool:
        return self.use is not None or self.event.kind in STEP_KINDS


@dataclass(frozen=True, slots=True)
class Panel:
    """Its fields, and everything of the event or events it stands for."""

    title: str
    url: str
    badge: str
    sections: Sequence[fields.Section]
    detail: event_detail.Detail


def choose(session: Session, event_id: UUID) -> Chosen:
    """Raises Http404 if the session has no such event."""
    event = events_of(session).select_related("subject", "origin").filter(pk=event_id).first()
    if event is None:
        raise Http404("No such event in this session")
    return Chosen(event, use_of(session, event))


def of(chosen: Chosen, session: Session, rights: Rights) -> Panel:
    event, use = chosen.event, chosen.use
    if use is None:
        return Panel(
            rows.name(event),
            telling.event_url(event.pk),
            "",
            fields.of_event(event, rights),
            event_detail.of_events([event], rights),
        )
    (row,) = timeline.rows_of([use], session)
    return Panel(
        telling.tool(use),
        telling.event_url(event.pk),
        markup.badge(use.decision, use.decided_by, use.basis),
        fields.of_use(use, row, rights),
        event_detail.of_use(use, rights),
    )


def use_of(session: Session, event: Event) -> ToolUse | None:
    """The tool use that tells of this event; a further decision on it is told by itself."""
    if event.kind not in TOOL_KINDS:
        return None
    uses = ToolUse.objects.select_related("subject", "origin").filter(session=session.pk)
    mine = uses.filter(tool_use_id=event.tool_use_id) if event.tool_use_id else uses.filter(position=event.pk)
    return mine.filter(Q(decision_event=event.pk) | Q(result_event=event.pk)).first()
