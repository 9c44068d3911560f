"""A text that somebody remembers: a word of a prompt, a piece of a command, the name of a tool.

Words are found in content (audit.words cuts them on both sides), pieces with three letters or digits and more in
commands, paths and hosts. Without the right to see content only names and identifiers are searched: what a search
finds tells what is there.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, F, Func, Model, OuterRef, Q, QuerySet, TextField
from django.db.models.lookups import Contains

from audit import words
from audit.models import Event, McpServer, SearchText, Session, ToolUse
from audit.search import lookups
from audit.vocabulary import Kind

Condition = Q | Exists | Contains

_INDEXED = re.compile(r"(?:[^\W_][\W_]*){3}")
"""Three letters or digits: fewer, and the trigram index is no help."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the rows of a list say something: names on the row itself, words of content, pieces of commands.

    Each condition is one that PostgreSQL can begin at either end: at the newest row, where many match, or at the index
    of what is sought, where few do. A tool use is found by its vendor's id or, without one, by its only event.
    """

    names: Callable[[str], Q]
    words: Callable[[SearchQuery], Sequence[Condition]]
    pieces: Callable[[str], Sequence[Condition]]


def saying(found: QuerySet, text: str, *, with_content: bool) -> Sequence[QuerySet]:
    """Rows of a list of events, tool uses, sessions or servers that say a text: each in one alternative at least."""
    return [found.filter(condition) for condition in _conditions(_PLACES[_model(found)], text, with_content)]


def _conditions(places: _Places, text: str, with_content: bool) -> Iterator[Condition]:
    yield places.names(text)
    if not with_content:
        return
    if query := words.of_text(text):
        yield from places.words(SearchQuery(query, config="simple", search_type="websearch"))
    if _INDEXED.search(text):
        yield from places.pieces(text.lower())


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


def _uses_with(piece: str) -> QuerySet[ToolUse]:
    return ToolUse.objects.filter(_haystack_has(piece), _HAS_HAYSTACK)


_HAYSTACK = Func(F("command"), F("path"), F("host"), function="audit_haystack_v1", output_field=TextField())
_HAS_HAYSTACK = Q(command__isnull=False) | Q(path__isnull=False) | Q(host__isnull=False)
"""The condition of the trigram index."""


def _haystack_has(piece: str) -> Contains:
    return Contains(_HAYSTACK, piece)


_PLACES: dict[type[Model], _Places] = {
    Event: _Places(
        _event_names,
        lambda query: [Q(search_text__words=query)],
        lambda piece: [
            Exists(_uses_with(piece).filter(tool_use_id=OuterRef("tool_use_id"))),
            Exists(_uses_with(piece).filter(tool_use_id=None, position=OuterRef("id"))),
        ],
    ),
    ToolUse: _Places(
        _use_names,
        lambda query: [
            Exists(Event.objects.filter(search_text__words=query, tool_use_id=OuterRef("tool_use_id"))),
            Exists(SearchText.objects.filter(words=query, event_id=OuterRef("position"))),
        ],
        lambda piece: [Q(_haystack_has(piece)) & _HAS_HAYSTACK],
    ),
    Session: _Places(
        _session_names,
        lambda query: [Exists(Event.objects.filter(session=OuterRef("id"), search_text__words=query))],
        lambda piece: [Exists(_uses_with(piece).filter(session=OuterRef("id")))],
    ),
    McpServer: _Places(lambda text: Q(name__icontains=text), lambda query: [], lambda piece: []),
}
