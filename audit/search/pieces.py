"""A piece of a command, path or host: which events, tool uses and sessions hold it, letter case aside."""

from collections.abc import Sequence
from functools import cached_property
from uuid import UUID

from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Lower, StrIndex
from django.db.models.lookups import Contains, GreaterThan, IsNull

from audit.models import ToolUse
from audit.search import hits

_HAYSTACK = Func(F("command"), F("path"), F("host"), function="audit_haystack_v1", output_field=TextField())
_INDEXED = Q(command__isnull=False) | Q(path__isnull=False) | Q(host__isnull=False)
"""The condition of the trigram index."""


class Piece:
    """A piece of text in any of the three, or in the one that `column` names.

    The column itself is looked through by a function: of a second LIKE, PostgreSQL would again expect only a share to
    match, take what is frequent for rare, and gather all of it instead of reading from the newest row on.
    """

    def __init__(self, text: str, column: str = "") -> None:
        self._condition = Q(Contains(_HAYSTACK, text.lower())) & _INDEXED
        if column:
            told = Lower(Coalesce(column, Value("")))  # never null, so that it may be negated
            self._condition &= Q(GreaterThan(StrIndex(told, Lower(Value(text))), 0))

    def of_uses(self) -> Q:
        return self._condition

    def of_events(self) -> Sequence[Q]:
        """All that tell of few tool uses; of many, those by the vendor's id, and those that are a use's only event."""
        if self._few is not None:
            return [Q(pk__in=self._few)]
        by_id = Exists(self._uses.filter(same_use()))
        return [Q(by_id), Q(Exists(self._uses.filter(tool_use_id=None, position=OuterRef("id"))))]

    def of_sessions(self) -> Q:
        return Q(Exists(self._uses.filter(session=OuterRef("id"))))

    @property
    def _uses(self) -> QuerySet[ToolUse]:
        return ToolUse.objects.filter(self._condition)

    @cached_property
    def _few(self) -> Sequence[UUID] | None:
        return hits.telling(self._uses)


def same_use() -> Q:
    """What makes a tool use and an event one, seen from either: vendors' ids are unique in their session only."""
    told = Q(session=OuterRef("session"))
    without = Q(IsNull(OuterRef("session"), True), session=None, source_id=OuterRef("source_id"))
    return Q(told | without, tool_use_id=OuterRef("tool_use_id"))
