"""What a vendor says of a day replaces what it said before, and nothing else."""

import datetime as dt
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies as st

from connectors.models import Connection, Identity
from connectors.usage import pricing, store
from connectors.vendors.shape import UsageRow
from tests.connectors.usage.telling import MODEL, TODAY, connection, price, rolled_up, told

pytestmark = pytest.mark.django_db
DANA, LEE = "dana@acme.example", "lee@acme.example"


def row(email=DANA, day=TODAY, **said):
    return UsageRow(day, Identity.Kind.EMAIL, email, "claude_code", **said)


def test_the_same_again_changes_nothing():
    held = connection()
    rows = [row(sessions=2, tools={"Edit": (3, 1)}), row(model=MODEL, input_tokens=7, cost_reported=Decimal("1.5"))]
    assert store.replace(held, "claude_code", TODAY, rows) == store.Replaced(2, 0)
    before = told("id", "sessions", "input_tokens", "cost_reported", "tools")
    assert store.replace(held, "claude_code", TODAY, rows) == store.Replaced(2, 0)
    assert told("id", "sessions", "input_tokens", "cost_reported", "tools") == before


def test_it_counts_what_was_restated():
    held = connection()
    store.replace(
        held, "claude_code", TODAY, [row(sessions=2), row(LEE, sessions=1), row("gone@acme.example", sessions=4)]
    )
    said = [row(sessions=3), row(LEE, sessions=1), row("new@acme.example", sessions=1)]
    assert store.replace(held, "claude_code", TODAY, said) == store.Replaced(3, 3)
    assert told("identity__value", "sessions") == [(DANA, 3), (LEE, 1), ("new@acme.example", 1)]


def test_it_leaves_other_days_endpoints_and_connections_alone():
    one, other = connection("one"), connection("other")
    yesterday = TODAY - dt.timedelta(days=1)
    store.replace(one, "claude_code", TODAY, [row(sessions=1)])
    store.replace(one, "claude_code", yesterday, [row(day=yesterday, sessions=2)])
    store.replace(one, "users", TODAY, [row(sessions=4)])
    store.replace(other, "claude_code", TODAY, [row(sessions=8)])
    assert store.replace(one, "claude_code", TODAY, []) == store.Replaced(0, 1)
    assert told("sessions") == [(2,), (4,), (8,)]


def test_rows_of_one_key_are_added_up_however_the_address_is_spelled():
    rows = [row(sessions=1, tools={"Edit": (1, 0)}), row("Dana@Acme.example", sessions=2, tools={"Edit": (0, 1)})]
    assert store.replace(connection(), "claude_code", TODAY, rows).rows == 1
    assert told("sessions", "tools") == [(3, {"Edit": [1, 1]})]


def test_a_row_of_another_day_is_refused():
    with pytest.raises(ValueError, match="another day"):
        store.replace(connection(), "claude_code", TODAY, [row(day=dt.date(2026, 1, 1))])


def test_costs_are_computed_from_the_days_price():
    price(input=5, output=25, first_day=TODAY)
    price(input=1, output=1, cache_read=0, last_day=TODAY - dt.timedelta(days=1))
    held = connection()
    store.replace(
        held, "claude_code", TODAY, [row(model=f"us.anthropic.{MODEL}-20260901-v1:0", input_tokens=1_000_000)]
    )
    store.replace(held, "users", TODAY, [row(model="claude-opus-5-1", input_tokens=1_000_000)])
    assert told("cost_computed", endpoint="claude_code") == [(Decimal(5),)]
    assert told("cost_computed", endpoint="users") == [(None,)]


amounts = st.decimals(min_value=0, max_value=10**6, places=9)


@hypothesis.settings(max_examples=25, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(st.lists(amounts, min_size=1, max_size=20))
def test_money_is_added_up_exactly(costs):
    Connection.objects.all().delete()
    store.replace(connection(), "claude_code", TODAY, [row(model=MODEL, cost_reported=cost) for cost in costs])
    assert told("cost_reported") == [(sum(costs),)]


def test_a_changed_price_reaches_what_was_stored():
    held = connection()
    store.replace(held, "claude_code", TODAY, [row(model=MODEL, input_tokens=1_000_000)])
    assert told("cost_computed") == [(None,)]
    pricing.compute_again(price(input=7))
    rolled_up()
    assert told("cost_computed") == [(Decimal(7),)]
