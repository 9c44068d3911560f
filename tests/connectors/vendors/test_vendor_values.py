"""Whatever JSON comes in place of an answer: rows that can be stored, or VendorError; never another exception."""

import contextlib
import copy
import datetime as dt
import functools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.vendors import values
from connectors.vendors.anthropic_admin import AnthropicAdmin
from connectors.vendors.anthropic_analytics import AnthropicAnalytics
from connectors.vendors.openai import OpenAI
from connectors.vendors.shape import Reading, UsageRow, VendorError
from connectors.vendors.user_days import COUNTS
from tests.vendor import FakeVendor

DAY = dt.date(2026, 11, 2)
CLIENTS = [AnthropicAdmin(), AnthropicAnalytics(), OpenAI()]
ENDPOINTS = [(client, endpoint) for client in CLIENTS for endpoint in client.endpoints]
NAMES = [
    "actor", "email_address", "email", "user_id", "api_key_name", "user", "id", "name", "type", "date", "starting_at",
    "start_time", "results", "core_metrics", "num_sessions", "lines_of_code", "added", "removed", "tool_actions",
    "edit_tool", "accepted", "rejected", "model_breakdown", "tokens", "input", "cache_creation", "estimated_cost",
    "amount", "value", "currency", "model", "product", "claude_code_metrics", "commit_count", "uncached_input_tokens",
    "input_tokens", "input_cached_tokens", "requests", "is_remote", "terminal_type", "added_at", "skill_name",
]  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-5, 10**6),
    st.sampled_from(
        [2**63 - 1, 2**63, 10**400, -(10**30), 0.5, 1e308, 1e-9, "12", "12.5", "1e9", "1E+999999", "NaN", "١"]
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(max_size=6),
    st.sampled_from(["\x00", "\ud800", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "x" * 9000]),
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=3)), inner)
    ),
    max_leaves=15,
)
ANSWERS = st.one_of(
    JSON,
    st.builds(
        lambda rows, list_name, more: {list_name: rows, **more},
        st.one_of(JSON, st.lists(JSON, max_size=3)),
        st.sampled_from(["data", "summaries"]),
        st.dictionaries(st.sampled_from(["has_more", "next_page", "last_id"]), SCALARS),
    ),
    st.builds(
        lambda rows: {"data": [{"results": rows}]}, st.lists(st.dictionaries(st.sampled_from(NAMES), JSON), max_size=3)
    ),
)


def storable(reading: Reading) -> None:
    """All of it fits the database's columns, and each row is there once."""
    for row in reading.usage:
        assert all(0 <= getattr(row, name) <= 2**63 - 1 for name in COUNTS)
        assert row.identity
        assert row.cost_reported is None or (
            abs(row.cost_reported) < 10**11 and row.cost_reported.as_tuple().exponent == -9
        )
        for text in (row.identity, row.model, row.surface, row.customer_type, *row.tools):
            text.encode()
            assert "\x00" not in text
    assert len({about(row) for row in reading.usage}) == len(reading.usage)
    for report in reading.reports:
        assert "\\u0000" not in json.dumps(report.data, allow_nan=False)
        json.dumps(report.data, ensure_ascii=False).encode()
        report.key.encode()
    assert len({report.key for report in reading.reports}) == len(reading.reports)
    for seat in reading.seats or ():
        assert seat.external_id


def about(row: UsageRow) -> tuple[Any, ...]:
    return (row.day, row.identity_kind, row.identity, row.agent, row.model, row.surface, row.customer_type, row.remote)


@st.composite
def spoilt(draw: st.DrawFn, page: Any) -> Any:
    """The page with some of its values replaced by others."""
    page = copy.deepcopy(page)
    for _ in range(draw(st.integers(1, 4))):
        inside, name = page, draw(st.sampled_from(list(page)))
        while isinstance(inside[name], dict | list) and inside[name] and draw(st.integers(0, 5)):
            inside = inside[name]
            name = draw(st.sampled_from(list(inside) if isinstance(inside, dict) else range(len(inside))))
        inside[name] = draw(JSON)
    return page


def read(client: Any, endpoint: Any, answer: Any) -> None:
    told = "something"
    try:
        storable(client.read(endpoint.name, DAY if endpoint.daily else None, [json.dumps(answer).encode()]))
        client.feeds[endpoint.name].next_of(answer).encode("ascii")
    except VendorError as error:
        told = error.told
    assert told


@pytest.mark.parametrize(("client", "endpoint"), ENDPOINTS, ids=lambda each: getattr(each, "name", "") or each.slug)
@settings(max_examples=30)
@given(data=st.data())
def test_a_spoilt_page_gives_rows_or_an_error_in_words(client: Any, endpoint: Any, data: st.DataObject) -> None:
    read(client, endpoint, data.draw(spoilt(genuine(client, endpoint.name))))


@functools.cache
def genuine(client: Any, endpoint: str) -> Any:
    """A page as the fake vendor answers it."""
    vendor, feed = genuine_vendor(), client.feeds[endpoint]
    query: dict[str, list[str]] = {}
    for name, value in feed.query(DAY):
        query.setdefault(name, []).append(value)
    keys = {"anthropic_admin": vendor.keys.admin, "anthropic_analytics": vendor.keys.analytics}
    key = keys.get(client.slug, vendor.keys.openai_admin)
    headers = {name.lower(): value for name, value in client.headers(key).items()}
    page = json.loads(json.dumps(vendor.answer(feed.path, query, headers)))
    assert client.read(endpoint, DAY, [json.dumps(page).encode()]) != Reading()
    return page


@functools.cache
def genuine_vendor() -> FakeVendor:
    """It is asked without its server."""
    vendor = FakeVendor(users=6, days=1, last_day=DAY)
    vendor._server.server_close()
    return vendor


@settings(max_examples=300)
@given(answer=ANSWERS, which=st.sampled_from(ENDPOINTS))
@example(
    answer={"data": [{"actor": None, "model_breakdown": [{"tokens": {"input": 2**63 - 1}}] * 2}]}, which=ENDPOINTS[0]
)
def test_any_json_gives_rows_or_an_error_in_words(answer: Any, which: tuple[Any, Any]) -> None:
    if isinstance(answer, dict):
        read(*which, answer)


@given(st.binary(max_size=300))
@example(b"[" * 100_000)
@example(b"9" * 10_000)
@example(b'{"a":' + b"9" * 10_000 + b"}")
@example(b'{"a": NaN}')
@example(b'{"a": 1e9999999999999999999999}')
@example(b'{"a": 0.' + b"1" * 10_000 + b"}")
def test_any_bytes_are_an_object_or_an_error(body: bytes) -> None:
    with contextlib.suppress(VendorError):
        assert isinstance(values.parsed(body), dict)


def test_deep_nesting_is_an_error() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep}
    with pytest.raises(VendorError, match="too deep"):
        values.plain(deep)


@given(st.decimals(min_value=-(10**10), max_value=10**10, places=11))
def test_cents_become_dollars_exactly(cents: Decimal) -> None:
    dollars = values.dollars(str(cents), "amount", cents=True)
    assert dollars is not None
    with values.decimal.localcontext(values.EXACT):
        assert dollars * 100 == cents


@given(st.integers(0, 2**63 - 1))
def test_numbers_may_come_as_text(number: int) -> None:
    assert values.count(number, "n") == values.count(str(number), "n") == number


def test_a_number_of_cents_in_json_loses_nothing() -> None:
    cents = values.parsed(b'{"amount": 0.1234567890123456789}')["amount"]
    assert values.dollars(cents, "amount", cents=True) == Decimal("0.001234567890123456789")


@pytest.mark.parametrize("number", ["1E+9999999", "1E-9999999", "-1E+9999999", "1" + 60 * "0"])
def test_numbers_far_from_any_amount_are_refused(number: str) -> None:
    for read_as in (
        lambda: values.dollars(Decimal(number), "n", cents=True),
        lambda: values.count(Decimal(number), "n"),
    ):
        with pytest.raises(VendorError, match="out of range"):
            read_as()


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=9), min_size=1, max_size=30))
def test_many_fractions_of_a_cent_sum_up_exactly(amounts: list[Decimal]) -> None:
    rows = [
        {"actor": {"email_address": "ada@acme.example"}, "model_breakdown": [
            {"model": "claude-opus-5-5", "estimated_cost": {"amount": str(each), "currency": "USD"}}]}
        for each in amounts
    ]  # fmt: skip
    reading = AnthropicAdmin().read("claude_code", DAY, [json.dumps({"data": rows}).encode()])
    (spent,) = [row for row in reading.usage if row.model]
    assert spent.cost_reported == (sum(amounts) / 100).quantize(Decimal("1E-9"))


@pytest.mark.parametrize("amount", ["12", "-0.000000001", "0", "1000000.5"])
def test_amounts_are_written_without_exponent_or_needless_zeros(amount: str) -> None:
    assert values.written(Decimal(amount)) == amount


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-02T00:00:00Z", dt.datetime(2026, 11, 2, tzinfo=dt.UTC)),
        ("2026-11-02T00:00:00+02:00", dt.datetime(2026, 11, 1, 22, tzinfo=dt.UTC)),
        ("2026-11-02", dt.datetime(2026, 11, 2, tzinfo=dt.UTC)),
        (1793577600, dt.datetime(2026, 11, 2, tzinfo=dt.UTC)),
        (10**40, None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (True, None),
        (None, None),
    ],
)
def test_it_reads_times(written: Any, moment: dt.datetime | None) -> None:
    assert values.moment(written) == moment
