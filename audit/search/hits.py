"""What the indexes of texts find, where that is little enough to be named one by one.

PostgreSQL begins a search at the newest row, if it expects a text often, or at the index of texts. How often words come
together it cannot know: each may be everywhere and no text say all of them, and then it reads every row to find none
(measured: 700 ms instead of 16 at two million events). Nor does it begin at the index and go on from a tool use to its
events, which are joined by more than one column. So the index is asked first, whatever is expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from audit.folding import tool_uses
from audit.listing import counting
from audit.models import ToolUse

AT_MOST = 2000
"""Reading rows until a page is full is faster for a text that is found more often."""
PATIENCE_MS = 100


class _Told(NamedTuple):
    """What the key of a tool use is made of."""

    id: str
    session: str | None
    source_id: int
    tool_use_id: str | None


@dataclass(frozen=True)
class Said:
    """All events whose content says some words."""

    events: Sequence[UUID]

    @cached_property
    def tool_uses(self) -> Sequence[str]:
        """The keys of the tool uses that these events tell of; those of other events are no tool use's."""
        with connection.cursor() as cursor:
            cursor.execute(_TOLD, [list(self.events)])
            return [tool_uses.key(_Told(*row)) for row in cursor.fetchall()]  # type: ignore[arg-type]


def saying(query: str) -> Said | None:
    """What says the words of a web search; None if that is more than AT_MOST events, or takes long to tell."""
    try:
        with counting.deadline(PATIENCE_MS), connection.cursor() as cursor:
            cursor.execute(_SAYING, {"query": query, "most": AT_MOST})
            (events,) = cursor.fetchone()
    except counting.TooSlow:
        return None
    return None if events is None else Said(events)


def telling(uses: QuerySet[ToolUse]) -> Sequence[UUID] | None:
    """The events that tell of tool uses; None if these are more than AT_MOST, or take long to find."""
    try:
        with counting.deadline(PATIENCE_MS), connection.cursor() as cursor:
            first = uses.order_by().values_list("pk", flat=True)[: AT_MOST + 1]
            if first.count() > AT_MOST:
                return None
            cursor.execute(_TELLING, {"uses": list(first)})
            return [event for (event,) in cursor.fetchall()]
    except counting.TooSlow:
        return None


# Materialized: so that the limit does not lead PostgreSQL away from the index. Keys that are too many are not sent.
_SAYING = """
    WITH found AS MATERIALIZED (
        SELECT event_id FROM audit_searchtext WHERE words @@ websearch_to_tsquery('simple', %(query)s)
    )
    SELECT CASE WHEN count(*) <= %(most)s THEN coalesce(array_agg(event_id), '{}') END
    FROM (SELECT event_id FROM found LIMIT %(most)s + 1) AS first
"""
_TOLD = "SELECT id::text, session::text, source_id, tool_use_id FROM audit_event WHERE id = ANY(%s)"
_TELLING = """
    SELECT event.id FROM audit_tooluse AS use JOIN audit_event AS event ON event.tool_use_id = use.tool_use_id AND (
        event.session = use.session_id
        OR event.session IS NULL AND use.session_id IS NULL AND event.source_id = use.source_id
    )
    WHERE use.id = ANY(%(uses)s)
    UNION ALL
    SELECT position FROM audit_tooluse WHERE id = ANY(%(uses)s) AND tool_use_id IS NULL
"""
