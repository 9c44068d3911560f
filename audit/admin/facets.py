"""The facets beside a list: each value is a link that puts its term into the query bar, or takes it out again."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from audit import query
from audit.admin import telling
from audit.admin.changelist import EvidenceChangeList
from audit.listing import words
from audit.models import McpServer, Origin
from audit.search import lookups
from audit.vocabulary import Kind

AT_MOST = 8

Values = Callable[[], Sequence[tuple[str, str]]]
"""(value, how it is shown), read anew for each page."""


class Facet(admin.ListFilter):
    name = ""
    values: Values

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.shown = list(type(self).values())

    def has_output(self) -> bool:
        return bool(self.shown)

    def expected_parameters(self) -> list[str | None]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        assert isinstance(changelist, EvidenceChangeList)
        asked = changelist.asked.query
        chosen = asked.values(self.name)
        strange = [(value, value) for value in chosen if value not in dict(self.shown)]
        for value, shown in [*self.shown, *strange]:
            selected = value in chosen
            changed = query.with_value(asked, self.name, None if selected else value)
            yield {"selected": selected, "query_string": changelist.asking(changed), "display": shown}


def facet(title: str, name: str, values: Values) -> type[Facet]:
    """A facet for one field of the list's grammar."""
    return type("Facet", (Facet,), {"title": title, "name": name, "values": staticmethod(values)})


def fixed(*values: tuple[str, str]) -> Values:
    return lambda: values


def _same(names: Sequence[str | None]) -> list[tuple[str, str]]:
    return [(name, name) for name in names if name]


def _claimed(column: str) -> Values:
    def values() -> Sequence[tuple[str, str]]:
        found = Origin.objects.exclude(**{column: None}).order_by(column).values_list(column, flat=True).distinct()
        return _same(list(found[:AT_MOST]))

    return values


def _servers() -> Sequence[tuple[str, str]]:
    named = McpServer.objects.exclude(name="").order_by("-last_at").values_list("name", flat=True)
    return _same(list(named[:AT_MOST]))


AGENT = facet("Agent", "agent", fixed(*telling.AGENTS.items()))
MODE = facet("Mode", "mode", lambda: _same([*reversed(words.MODES)]))
TEAM = facet("Team", "team", _claimed("team"))
REPOSITORY = facet("Repository", "repository", _claimed("repository"))
TOOL = facet("Tool", "tool", lambda: _same(lookups.tool_names()[:AT_MOST]))
SERVER = facet("MCP server", "mcp_server", _servers)
DECISION = facet("Decision", "decision", fixed(("accept", "Accepted"), ("reject", "Rejected"), ("cancel", "Cancelled")))
DECIDED_BY = facet(
    "Decided by",
    "decided_by",
    fixed(
        ("person", "Person"), ("policy", "Policy"), ("hook", "Hook"), ("reviewer_model", "Reviewer model"),
        ("nobody", "Nobody asked"), ("unknown", "Not known"),
    ),
)  # fmt: skip
OUTCOME = facet("Outcome", "outcome", fixed(("success", "Success"), ("failure", "Failed"), ("not_run", "Not run")))
TIME = facet(
    "Time", "after", fixed(("-1h", "Last hour"), ("-1d", "Last day"), ("-7d", "Last 7 days"), ("-30d", "Last 30 days"))
)
GRADE = facet(
    "Evidence",
    "grade",
    fixed(
        ("a", "A complete"),
        ("b", "B small gaps"),
        ("c", "C cannot be judged"),
        ("d", "D fragments"),
        ("unjudged", "Not judged yet"),
    ),
)
KIND = facet("Kind", "kind", lambda: [(kind.value, telling.spoken(kind)) for kind in Kind])
TRANSPORT = facet("Transport", "transport", fixed(("stdio", "stdio"), ("http", "http")))
SCOPE = facet("Scope", "scope", lambda: _same(["managed", "user", "project", "plugin", "dynamic"]))
