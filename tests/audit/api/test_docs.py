"""docs/api.md names what there is."""

import re
from pathlib import Path

import pytest
from django.urls import get_resolver

from audit.admin import asking
from audit.api import filters, pagination, problem, views
from audit.export import feed, native, shapes
from audit.export.shapes import NativeEvent
from audit.timeline import SHOWS
from connectors import scopes

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
NAMED = set(re.findall(r"`([^`]+)`", PROSE))
LISTED = {name.strip() for each in NAMED for name in re.split(r"[{},]", each)}


def test_every_address():
    routes = {
        str(each.pattern).replace("<uuid:", "{").replace(">", "}")
        for each in get_resolver("audit.api.urls").url_patterns
    }
    assert routes - {"schema/"} <= NAMED


@pytest.mark.parametrize("filterset", [filters.EventFilter, filters.SessionFilter, filters.McpServerFilter])
def test_every_filter(filterset):
    assert set(filterset.base_filters) <= NAMED


@pytest.mark.parametrize(
    "bar", [asking.EVENTS, asking.DECISIONS, asking.SESSIONS], ids=["events", "decisions", "sessions"]
)
def test_every_word_of_the_query_bar_that_is_another_parameter(bar):
    table = TEXT[TEXT.index("| in the bar |") : TEXT.index("### Text")]
    rows = [row for row in table.splitlines() if row.startswith("|")]
    for word in bar.fields:
        parameter = bar.arguments.get(word)
        if parameter != word:
            row = next(row for row in rows if f"`{word}:" in row)
            assert parameter is None or f"`{parameter}`" in row


def test_every_show_of_a_timeline():
    assert set(SHOWS) <= NAMED


def test_every_key_of_a_line():
    nested = (shapes.Sender, shapes.Actor, shapes.Origin, shapes.Tool, shapes.Mcp, shapes.Tokens)
    keys = {key for struct in (NativeEvent, *nested) for key in struct.__struct_fields__}
    assert keys <= LISTED


def test_every_flag_that_the_renderer_sets():
    assert {native.ERASED, native.UNREADABLE, native.DUPLICATE_KEY} <= NAMED


def test_every_scope_that_opens_evidence():
    assert {"events:read", "content:read", "identity:read", "export:read"} <= NAMED & scopes.API_SCOPES.keys()


def test_the_limits():
    assert f"{views.CSV_ROWS:,}".replace(",", " ") in TEXT
    assert f"1…{feed.LIMIT}" in TEXT
    assert f"1 to {pagination.LARGEST_SIZE}, {pagination.DEFAULT_SIZE} without it" in TEXT
    assert problem.MEDIA_TYPE in NAMED
