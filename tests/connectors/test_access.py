import datetime as dt
from dataclasses import replace

import pytest

from connectors import addresses, tokens
from tests.connectors.records import TOKEN

NOW = dt.datetime(2026, 11, 21, 7, 2, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def check(record=TOKEN, kind="ingest", scope="logs", address="192.0.2.1", now=NOW):
    return tokens.check(record, kind, scope, address, now)


def within(*networks):
    return replace(TOKEN, networks=tuple(map(addresses.network, networks)))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(TOKEN, id="plain"),
        pytest.param(replace(TOKEN, expires_at=NOW + SECOND), id="before-expiry"),
        pytest.param(replace(TOKEN, valid_until=NOW + SECOND), id="in-the-overlap"),
        pytest.param(within("192.0.2.0/24"), id="inside-network"),
        pytest.param(within("10.0.0.0/8", "192.0.2.1"), id="inside-second-network"),
    ],
)
def test_it_opens(record):
    assert check(record) is None


@pytest.mark.parametrize(
    ("record", "status", "reason"),
    [
        pytest.param(None, 401, "unknown", id="unknown"),
        pytest.param(replace(TOKEN, revoked_at=NOW), 401, "revoked", id="revoked"),
        pytest.param(replace(TOKEN, revoked_at=NOW + SECOND), 401, "revoked", id="revoked-by-a-faster-clock"),
        pytest.param(replace(TOKEN, expires_at=NOW), 401, "expired", id="expired"),
        pytest.param(replace(TOKEN, valid_until=NOW), 401, "replaced", id="overlap-over"),
        pytest.param(replace(TOKEN, kind="api"), 403, "wrong_kind", id="other-kind"),
        pytest.param(replace(TOKEN, scopes=frozenset({"metrics"})), 403, "wrong_scope", id="lacks-the-scope"),
        pytest.param(within("10.0.0.0/8"), 403, "wrong_network", id="outside-network"),
        pytest.param(replace(TOKEN, kind="api", revoked_at=NOW), 401, "revoked", id="401-comes-before-403"),
    ],
)
def test_it_refuses(record, status, reason):
    refusal = check(record)
    assert (refusal.status, refusal.reason) == (status, reason)


@pytest.mark.parametrize(
    ("networks", "address", "opens"),
    [
        (["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        (["::ffff:10.0.0.0/104"], "10.1.2.3", True),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["2001:db8::/32"], "10.1.2.3", False),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["10.0.0.0/8"], "", False),
        (["10.0.0.0/8"], "10.1.2.3, 192.0.2.1", False),
    ],
)
def test_it_compares_networks(networks, address, opens):
    assert (check(within(*networks), address=address) is None) == opens


def test_without_a_scope_it_asks_for_the_kind_only():
    assert check(scope=None) is None
    assert check(kind="api", scope=None).reason == "wrong_kind"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  ", " Bearer "])
def test_it_reads_the_header(scheme):
    secret = tokens.generate("ingest")
    assert tokens.secret_of(scheme + secret) == secret


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Token x", "Bearerx"])
def test_it_says_that_a_token_is_missing(header):
    assert tokens.secret_of(header).reason == "missing"


@pytest.mark.parametrize("secret", ["x", "agp_ing_", "agp_ing_" + "A" * 43 + "0Zadj1", "a b", "é", "0" * 100_000])
def test_it_says_that_a_token_is_malformed(secret):
    refusal = tokens.secret_of(f"Bearer {secret}")
    assert (refusal.status, refusal.reason) == (401, "malformed")
    assert secret not in refusal.message or len(secret) < 4


@pytest.mark.parametrize(
    ("last_used_at", "first_event_at", "recorded", "due"),
    [
        (None, None, False, True),
        (NOW - SECOND, None, False, False),
        (NOW - SECOND, None, True, True),
        (NOW - SECOND, NOW, True, False),
        (NOW - 60 * SECOND, NOW, True, False),
        (NOW - 61 * SECOND, NOW, False, True),
    ],
)
def test_a_use_is_worth_noting_once_a_minute(last_used_at, first_event_at, recorded, due):
    record = replace(TOKEN, last_used_at=last_used_at, first_event_at=first_event_at)
    assert tokens.is_due(record, NOW, recorded=recorded) == due


@pytest.mark.parametrize(
    ("taken", "sent", "refused"),
    [
        ("all", "logs", False),
        ("all", "metrics", False),
        ("logs", "logs", False),
        ("metrics", "metrics", False),
        ("logs", "metrics", True),
        ("metrics", "logs", True),
        ("metrics", "traces", True),
        ("metrics", None, False),
    ],
)
def test_a_source_takes_its_signals_only(taken, sent, refused):
    refusal = check(replace(TOKEN, signals=taken, scopes=frozenset({"logs", "metrics", "traces"})), scope=sent)
    if not refused:
        assert refusal is None
        return
    assert (refusal.status, refusal.reason) == (403, "wrong_signal")
    assert refusal.message == f"The source of this token takes {taken} only: no {sent}."
