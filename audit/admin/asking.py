"""What each list can be asked, and how an answer is found: the words of the query bar on top of `audit.search`.

The same look-ups serve the REST lists, so both give the same rows for the same question.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from audit import query, search
from audit.admin.rights import Rights
from audit.listing import words
from audit.models import Session
from audit.query import WORDS, Fault, Field, Query, Term
from audit.vocabulary import Agent, DecidedBy, Decision, Grade, Grant, Kind, Outcome

GAP = "gap"
_CONTENT_ONLY = "{} is seen only with the right to see content."
_PIECES = ("command", "path", "host")

Narrow = Callable[..., QuerySet]
Condition = Q | Exists


@dataclass(frozen=True, slots=True)
class Grammar:
    """The fields of one list. `narrow` finds rows by the arguments of `audit.search`; `arguments` names them by field.

    `pieces` finds the rows whose command, path or host has a piece of text in it, `has` those that have something,
    `other` what only this list knows.
    """

    fields: Mapping[str, Field]
    narrow: Narrow
    arguments: Mapping[str, str]
    pieces: Callable[[search.Piece], Q] | None = None
    has: Mapping[str, Condition] = dataclasses.field(default_factory=dict)
    other: Mapping[str, Callable[[str], Q]] = dataclasses.field(default_factory=dict)

    def for_reader(self, rights: Rights) -> dict[str, Field]:
        """The fields as this reader may use them."""
        if rights.content:
            return dict(self.fields)
        refused = {name: _CONTENT_ONLY.format(name) for name in _PIECES}
        return {name: dataclasses.replace(field, refused=refused.get(name, "")) for name, field in self.fields.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as one reader may ask it of one list."""

    query: Query
    grammar: Grammar
    rights: Rights

    def answer(self, rows: QuerySet) -> QuerySet:
        """Of these rows those that match every term that was understood; words to search for aside."""
        positive: dict[str, Any] = {}
        rest: list[Term] = []
        for term in self.query.terms:
            argument = self.grammar.arguments.get(term.name)
            if argument and not term.negated and argument not in positive:
                positive[argument] = self._value(term)
            elif term.name or term.negated:
                rest.append(term)
        found = rows & self.grammar.narrow(**positive) if positive else rows
        for term in rest:
            found = found.filter(self._condition(found, term))
        return found

    def saying(self, rows: QuerySet) -> list[QuerySet]:
        """The rows that say the words: alternatives for paging, none if there are no words."""
        if not self.query.words:
            return []
        return list(search.saying(rows, self.query.words, with_content=self.rights.content))

    @property
    def reads_texts(self) -> bool:
        """Whether it looks for words or pieces of text, which costs more than the columns of a row."""
        return any(term.name in (WORDS, *_PIECES) for term in self.query.terms)

    def _condition(self, rows: QuerySet, term: Term) -> Any:
        condition = self._positive(term) if term.name else self._says(rows, term.value)
        return ~condition if term.negated else condition

    def _says(self, rows: QuerySet, text: str) -> Q:
        every = rows.model._default_manager.all()
        condition = Q()
        for found in search.saying(every, text, with_content=self.rights.content):
            condition |= Q(Exists(found.filter(pk=OuterRef("pk"))))
        return condition

    def _positive(self, term: Term) -> Any:
        if term.name in self.grammar.other:
            return self.grammar.other[term.name](term.value)
        if term.name == "has":
            return self.grammar.has[term.value]
        if term.name in _PIECES and self.grammar.pieces:
            return self.grammar.pieces(search.Piece(term.value, term.name))
        argument = self.grammar.arguments[term.name]
        return Exists(self.grammar.narrow(**{argument: self._value(term)}).filter(pk=OuterRef("pk")))

    def _value(self, term: Term) -> Any:
        field = self.grammar.fields[term.name]
        return query.moment(term.value, dt.datetime.now(dt.UTC)) if field.time else term.value


def read(text: str, grammar: Grammar, rights: Rights) -> Asked:
    """A query bar's text. People are asked for by name only by those who may see who they are."""
    parsed = query.parse(text.replace("\0", ""), grammar.for_reader(rights))
    if rights.identity:
        return Asked(parsed, grammar, rights)
    named = [term for term in parsed.terms if term.name == "person" and not search.is_pseudonym(term.value)]
    faults = [Fault(term.start, term.end, "People are asked for by pseudonym, like p-1a2b3c4d.") for term in named]
    terms = [term for term in parsed.terms if term not in named]
    return Asked(Query(parsed.text, terms, [*parsed.faults, *faults]), grammar, rights)


_MODE_ALIASES = {"bypass": "bypassPermissions", "edits": "acceptEdits"}
_COMMON = {
    "agent": Field("the agent", choices=tuple(Agent)),
    "session": Field("the vendor’s session id"),
    "person": Field("e-mail, account, installation or pseudonym"),
    "team": Field("the team, as claimed"),
    "repository": Field("the repository, as claimed"),
    "tool": Field("the tool’s name"),
    "mcp_server": Field("the MCP server’s name"),
    "decision": Field("how it was decided", choices=tuple(Decision)),
    "decided_by": Field("who or what decided", choices=tuple(DecidedBy)),
    "mode": Field("the permission mode", choices=tuple(words.MODES), open=True, aliases=_MODE_ALIASES),
    "after": Field("not before", time=True),
    "before": Field("before", time=True),
    "command": Field("a part of a command"),
    "path": Field("a part of a path"),
    "host": Field("a part of a host name"),
}
_SINGLE = {
    "prompt": Field("the prompt’s id"),
    "tool_use": Field("the tool use’s id"),
    "mcp_tool": Field("the MCP tool’s name"),
    "grant": Field("how far a permission reaches", choices=tuple(Grant)),
    "outcome": Field("how it ended", choices=tuple(Outcome)),
    "received_after": Field("received not before", time=True),
    "received_before": Field("received before", time=True),
    "has": Field("what its session has", choices=(GAP,)),
}
_ARGUMENTS = {
    "agent": "agent",
    "session": "session",
    "person": "actor",
    "team": "team",
    "repository": "repository",
    "tool": "tool",
    "mcp_server": "mcp_server",
    "decision": "decision",
    "decided_by": "decided_by",
    "mode": "mode",
    "after": "occurred_after",
    "before": "occurred_before",
}
_SINGLE_ARGUMENTS = _ARGUMENTS | {
    "prompt": "prompt",
    "tool_use": "tool_use_id",
    "mcp_tool": "mcp_tool",
    "grant": "grant",
    "outcome": "outcome",
    "received_after": "received_after",
    "received_before": "received_before",
}


def _gappy(column: str) -> Exists:
    return Exists(Session.objects.filter(pk=OuterRef(column), missing__gt=0))


def _of_grade(letter: str) -> Q:
    """As `Session.grade` grades."""
    if letter == Grade.NO_NUMBERS:
        return Q(chains=[])
    if letter == Grade.UNJUDGED:
        return ~Q(unjudged=[])
    judged = ~Q(chains=[]) & Q(unjudged=[])
    tenth = (F("events") + F("missing")) / 10
    if letter == Grade.COMPLETE:
        return judged & Q(missing=0)
    return judged & (Q(missing__gt=0, missing__lte=tenth) if letter == Grade.SMALL_GAPS else Q(missing__gt=tenth))


EVENTS = Grammar(
    {"kind": Field("the kind of event", choices=tuple(Kind)), **_COMMON, **_SINGLE},
    search.events,
    {"kind": "kind", **_SINGLE_ARGUMENTS},
    pieces=lambda piece: reduce(or_, piece.of_events()),
    has={GAP: _gappy("session")},
)

DECISIONS = Grammar(
    {**_COMMON, **_SINGLE},
    search.decisions,
    _SINGLE_ARGUMENTS,
    pieces=search.Piece.of_uses,
    has={GAP: _gappy("session_id")},
)

SESSIONS = Grammar(
    {
        **_COMMON,
        "has": Field("what it has", choices=(GAP,)),
        "grade": Field("how complete it is", choices=tuple(Grade)),
    },
    search.sessions,
    _ARGUMENTS,
    pieces=search.Piece.of_sessions,
    has={GAP: Q(missing__gt=0)},
    other={"grade": _of_grade},
)

SERVERS = Grammar(
    {
        "name": Field("a part of the name"),
        "transport": Field("how it was reached", choices=("stdio", "http", "sse"), open=True),
        "scope": Field(
            "where it was configured", choices=("user", "project", "dynamic", "managed", "plugin"), open=True
        ),
        "after": Field("seen since", time=True),
    },
    search.mcp_servers,
    {"name": "name", "transport": "transport", "scope": "scope"},
    other={"after": lambda value: Q(last_at__gte=query.moment(value, dt.datetime.now(dt.UTC)))},
)
