"""A text that somebody remembers: a word of a prompt, a piece of a command, the name of a tool.

Words are found in content (audit.words cuts them on both sides), pieces with three letters or digits and more in
commands, paths and hosts. Without the right to see content only names and identifiers are searched: what a search
finds tells what is there.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, Exists, F, Func, Model, OuterRef, Q, QuerySet

from audit import words
from audit.models import Event, McpServer, SearchText, Session, ToolUse
from audit.search import hits, lookups
from audit.search.hits import Said
from audit.search.pieces import Piece, same_use
from audit.vocabulary import Kind

Condition = Q | Exists | Func

_INDEXED = re.compile(r"(?:[^\W_][\W_]*){3}")
"""Three letters or digits: fewer, and the trigram index is no help."""


class Sought:
    """A text that is looked for in several lists: what the indexes of texts know of it is asked once."""

    def __init__(self, text: str, *, with_content: bool) -> None:
        self.text, self._with_content = text, with_content

    def among(self, found: QuerySet) -> Sequence[QuerySet]:
        """Rows of a list of events, tool uses, sessions or servers that say it: each in one alternative at least."""
        return [found.filter(condition) for condition in self._conditions(_PLACES[_model(found)])]

    def _conditions(self, places: "_Places") -> Iterator[Condition]:
        yield places.names(self.text)
        if not self._with_content:
            return
        if self._said:
            yield from places.words(self._said)
        if _INDEXED.search(self.text):
            yield from places.pieces(self._piece)

    @cached_property
    def _piece(self) -> Piece:
        return Piece(self.text)

    @cached_property
    def _said(self) -> "_Said | None":
        query = words.of_text(self.text)
        return _Said(query, hits.saying(query)) if query else None


@dataclass(frozen=True, slots=True)
class _Said:
    """Words of content: `few` is all that says them, None if that is much.

    What is said often is read from the newest row on: called by its function, the comparison is none that PostgreSQL
    could begin at the index for, however rarely it expects the words together.
    """

    query: str
    few: Said | None

    def in_texts(self, texts: QuerySet[SearchText]) -> QuerySet[SearchText]:
        return texts.filter(self._often("words") if self.few is None else Q(pk__in=self.few.events))

    def of_events(self) -> Q | Func:
        return self._often("search_text__words") if self.few is None else Q(pk__in=self.few.events)

    def of_uses(self) -> Sequence[Condition]:
        if self.few is not None:
            return [Q(pk__in=self.few.tool_uses)]
        return [
            Exists(Event.objects.filter(same_use(), self.of_events())),
            Q(Exists(self.in_texts(SearchText.objects.filter(event_id=OuterRef("position")))), tool_use_id=None),
        ]

    def of_sessions(self) -> Exists:
        return Exists(self.in_texts(SearchText.objects.filter(session=OuterRef("id"))))

    def _often(self, column: str) -> Func:
        query = SearchQuery(self.query, config="simple", search_type="websearch")
        return Func(F(column), query, function="ts_match_vq", output_field=BooleanField())


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the rows of a list say something: names on the row itself, words of content, pieces of commands.

    Each condition is one that PostgreSQL can begin at either end: at the newest row, where many match, or at the index
    of what is sought, where few do. A tool use is found by its vendor's id or, without one, by its only event.
    """

    names: Callable[[str], Q]
    words: Callable[[_Said], Sequence[Condition]]
    pieces: Callable[[Piece], Sequence[Condition]]


def saying(found: QuerySet, text: str, *, with_content: bool) -> Sequence[QuerySet]:
    """As `Sought.among`, of a text that is looked for in one list only."""
    return Sought(text, with_content=with_content).among(found)


def _model(found: QuerySet) -> type[Model]:
    return next(model for model in _PLACES if issubclass(found.model, model))


def _any_of(**columns: Sequence[Any]) -> Q:
    """Rows with one of the values in one of the columns; no values, no rows."""
    condition = Q(pk__in=[])
    for column, values in columns.items():
        if values:
            condition |= Q(**{column: values})
    return condition


def _tools(text: str) -> list[str]:
    return [name for name in lookups.tool_names() if text.lower() in name.lower()]


def _servers(text: str) -> list[str]:
    named = McpServer.objects.filter(name__icontains=text).exclude(name="")
    return list(named.values_list("name", flat=True)[: lookups.NAMES_AT_MOST])


def _event_names(text: str) -> Q:
    kinds = [kind.value for kind in Kind if text.lower() in kind.value]
    named = _any_of(kind__in=kinds, session__in=lookups.session_keys(text))
    return named | Q(tool_use_id=text) | _any_of(tool_name__in=_tools(text), mcp_server__in=_servers(text))


def _use_names(text: str) -> Q:
    named = _any_of(tool_name__in=_tools(text), mcp_server__in=_servers(text))
    return named | _any_of(session__in=lookups.session_keys(text)) | Q(tool_use_id=text)


def _session_names(text: str) -> Q:
    used = _any_of(tools__overlap=_tools(text), mcp_servers__overlap=_servers(text))
    return used | Q(session_id__startswith=text) | Q(team=text) | Q(repository__in=lookups.repositories(text))


_PLACES: dict[type[Model], _Places] = {
    Event: _Places(_event_names, lambda said: [said.of_events()], Piece.of_events),
    ToolUse: _Places(_use_names, _Said.of_uses, lambda piece: [piece.of_uses()]),
    Session: _Places(_session_names, lambda said: [said.of_sessions()], lambda piece: [piece.of_sessions()]),
    McpServer: _Places(lambda text: Q(name__icontains=text), lambda said: [], lambda piece: []),
}
