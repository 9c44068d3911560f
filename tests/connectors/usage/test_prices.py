"""Prices: which one holds, what tokens come to, and the table that administrators keep."""

import datetime as dt
import importlib
from decimal import Decimal

import hypothesis
import pytest
from django.apps import apps
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from hypothesis import strategies as st

from connectors.models import Price, StaleDay
from connectors.usage import pricing
from connectors.usage.prices import Rate, Table, Tokens, plain
from tests.connectors.people import person
from tests.connectors.usage.telling import MODEL, TODAY, price, request, rolled_up, told
from tests.factories import acts, record, seal

DAY = dt.date(2026, 10, 1)
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0[1m]", "claude-sonnet-4-5"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-opus-5-v1", "claude-opus-5"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5"),
        ("publishers/anthropic/models/claude-opus-4-5@default", "claude-opus-4-5"),
        ("claude-sonnet-5-5[1m]", "claude-sonnet-5-5"),
        ("Claude-Haiku-5-5-latest", "claude-haiku-5-5"),
        ("gpt-5.4-2026-03-05", "gpt-5.4"),
        ("gpt-6.2-sol", "gpt-6.2-sol"),
        ("claude-opus-4-1", "claude-opus-4-1"),
        ("", ""),
    ],
)
def test_names_lose_cloud_region_date_and_window(spelled, name):
    assert plain(spelled) == name


@hypothesis.given(st.text(max_size=80))
def test_any_text_can_be_a_models_name(text):
    assert plain(plain(text)) == plain(text)


def rate(model="m", cost=1, **more):
    return Rate(model, Decimal(cost), Decimal(cost), Decimal(cost), Decimal(cost), **more)


def test_an_unknown_model_has_no_price():
    table = Table([rate("claude-opus-4")])
    assert table.cost("claude-opus-4", DAY, [Tokens(MILLION)]) == 1
    assert table.cost("claude-opus-4-1", DAY, [Tokens(MILLION)]) is None
    assert table.cost("", DAY, [Tokens(MILLION)]) is None


def test_a_beginning_holds_for_what_has_no_name_of_its_own():
    table = Table([rate("claude-*", 1), rate("claude-opus-*", 2), rate("claude-opus-4", 3)])
    assert [table.cost(f"claude-{name}", DAY, [Tokens(MILLION)]) for name in ("haiku-9", "opus-9", "opus-4")] == [
        1,
        2,
        3,
    ]


def test_bands_and_days_and_speed_choose_the_rate():
    table = Table(
        [
            rate(cost=1, last_day=dt.date(2026, 9, 30)),
            rate(cost=2, first_day=dt.date(2026, 10, 1)),
            rate(cost=5, first_day=dt.date(2026, 10, 1), above=100_000),
            rate(cost=9, fast=True),
        ]
    )
    assert table.cost("m", dt.date(2026, 9, 30), [Tokens(MILLION)]) == 1
    assert table.cost("m", DAY, [Tokens(MILLION), Tokens(MILLION, above=200_000)]) == 7
    assert table.cost("m", DAY, [Tokens(MILLION, fast=True)]) == 9


def test_tokens_of_a_kind_without_a_price_have_none():
    table = Table([Rate("m", Decimal(1), Decimal(1))])
    assert table.cost("m", DAY, [Tokens(1, 1)]) == Decimal("0.000002")
    assert table.cost("m", DAY, [Tokens(1, 1, cache_read=1)]) is None


@hypothesis.given(*[st.integers(0, 10**12)] * 4, st.decimals(0, 1000, places=6))
def test_costs_are_exact(tokens_in, out, read, written, cost):
    table = Table([Rate("m", cost, cost, cost, cost)])
    exact = (tokens_in + out + read + written) * cost / MILLION
    assert table.cost("m", DAY, [Tokens(tokens_in, out, read, written)]) == exact


@pytest.mark.django_db
def test_the_seeded_prices_are_those_of_the_reference():
    importlib.import_module("connectors.migrations.0005_prices").seed(apps, database.schema_editor())
    table = pricing.table()
    read = [Tokens(0, 0, MILLION)]
    assert table.cost("claude-fable-5-1", DAY, read) == Decimal("0.25")
    assert table.cost("claude-sonnet-5-5", dt.date(2026, 10, 6), read) == Decimal("0.2")
    assert table.cost("claude-sonnet-5-5", dt.date(2026, 10, 7), read) == Decimal("0.1")
    assert table.cost("claude-haiku-5-5", DAY, [Tokens(MILLION, above=100_000)]) == Decimal("0.5")
    assert table.cost("us.anthropic.claude-opus-4-5-20251101-v1:0", DAY, [Tokens(0, MILLION)]) == 25
    assert table.cost("gpt-5.6-sol", DAY, [Tokens(1, 1, 1)]) is None
    assert set(Price.objects.filter(verified=False).values_list("model", flat=True)) == {
        "claude-sonnet-5-5", "claude-haiku-5-5", "gpt-6.2-astra", "gpt-5.6-sol", "gpt-5.6-luna",
    }  # fmt: skip


@pytest.fixture
def administrator(db):
    client = Client()
    client.force_login(person("Connector administrator"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def form(**changes):
    usual = {
        "model": MODEL,
        "above_tokens": "0",
        "input": "5",
        "output": "25",
        "cache_read": "0.5",
        "cache_write_5m": "6",
    }
    return usual | changes


@pytest.mark.django_db
class TestTable:
    add = "admin:connectors_price_add"

    def test_a_new_price_is_recorded_and_computes_costs_again(self, administrator, monkeypatch):
        record(request())
        seal()
        rolled_up()
        assert told("cost_computed", model=MODEL) == [(None,)]
        response = administrator.post(reverse(self.add), form(), follow=True)
        assert "of sources are being put together again" in response.content.decode()
        rolled_up()
        assert told("cost_computed", model=MODEL) == [(Decimal("0.00125"),)]
        (act,) = acts("price.created")
        assert (act["price.model"], act["input"]) == (MODEL, "5")

    def test_only_days_that_a_price_holds_on_are_computed_again(self, administrator):
        record(request(), request(day=TODAY - dt.timedelta(days=3)))
        seal()
        rolled_up()
        administrator.post(reverse(self.add), form(first_day=str(TODAY - dt.timedelta(days=1))))
        assert [stale.day for stale in StaleDay.objects.all()] == [TODAY]

    def test_changing_and_deleting_compute_again_too(self, administrator):
        record(request())
        seal()
        administrator.post(reverse(self.add), form())
        rolled_up()
        held = Price.objects.get()
        change = reverse("admin:connectors_price_change", args=[held.pk])
        administrator.post(change, form(input="10"))
        rolled_up()
        assert told("cost_computed", model=MODEL) == [(Decimal("0.00175"),)]
        administrator.post(reverse("admin:connectors_price_delete", args=[held.pk]), {"post": "yes"})
        rolled_up()
        assert told("cost_computed", model=MODEL) == [(None,)]
        assert [act["name"] for act in acts("price.changed", "price.deleted")] == ["price.changed", "price.deleted"]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"input": "-1"}, "cannot be below 0"),
            ({"first_day": "2026-02-02", "last_day": "2026-02-01"}, "before the first day"),
            ({"first_day": "2026-01-01"}, "There is a price already"),
            ({"above_tokens": "12345"}, "not one of the available choices"),
            ({"model": ""}, "required"),
        ],
        ids=str,
    )
    def test_what_cannot_be_is_refused(self, administrator, changes, message):
        price(MODEL)
        response = administrator.post(reverse(self.add), form(**changes))
        assert message in response.content.decode()
        assert Price.objects.count() == 1
