"""Which key is for which connection, told by its prefix before anything is asked."""

import re
from typing import Any

import pytest

from connectors.vendors.anthropic_admin import AnthropicAdmin
from connectors.vendors.anthropic_analytics import AnthropicAnalytics
from connectors.vendors.openai import OpenAI
from connectors.vendors.shape import Vendor, VendorError
from tests.vendor import FakeVendor, Fault

VENDORS = [AnthropicAdmin, AnthropicAnalytics, OpenAI]
RIGHT = {"anthropic_admin": "admin", "anthropic_analytics": "analytics", "openai": "openai_admin"}


@pytest.mark.parametrize("made", VENDORS, ids=lambda made: made.slug)
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk-ant-admin01-x", {"anthropic_analytics": "Admin key of the Claude Console", "openai": "Anthropic's"}),
        ("sk-ant-api01-x", {"anthropic_admin": "Claude Enterprise's", "openai": "Anthropic's"}),
        ("sk-ant-api03-x", {"anthropic_admin": "standard API key", "anthropic_analytics": "standard API key"}),
        ("sk-ant-oat01-x", {"anthropic_admin": "login token", "anthropic_analytics": "login token"}),
        ("sk-admin-x", {"anthropic_admin": "OpenAI's", "anthropic_analytics": "OpenAI's"}),
        ("sk-proj-x", {"anthropic_admin": "OpenAI's", "openai": "project's key"}),
        ("sk-svcacct-x", {"openai": "service account's key"}),
        ("sk-x", {"anthropic_admin": "OpenAI's", "openai": "user's own key"}),
        ("agp_ing_x", dict.fromkeys(RIGHT, "this portal's own")),
    ],
)
def test_it_says_what_a_wrong_key_is_and_where_the_right_one_is_made(
    vendor: FakeVendor, made: Any, key: str, words: dict[str, str]
) -> None:
    client: Vendor = made(base_url=vendor.url)
    kind = client.kind_of(key)
    assert kind is not None
    if expected := words.get(client.slug):
        assert expected in kind.refusal
        assert "Settings" in kind.refusal or "Organization settings" in kind.refusal
        with pytest.raises(VendorError, match=re.escape(kind.refusal)) as caught:
            client.organization(key)
        assert caught.value.refused
        assert vendor.requests == [], "a wrong key is not sent to anybody"


@pytest.mark.parametrize("made", VENDORS, ids=lambda made: made.slug)
def test_it_takes_its_own_key(vendor: FakeVendor, made: Any) -> None:
    client = made(base_url=vendor.url)
    key = getattr(vendor.keys, RIGHT[client.slug])
    assert client.kind_of(key).refusal == ""
    assert client.organization(key).name in ("Acme", "acme-org")


@pytest.mark.parametrize("made", VENDORS, ids=lambda made: made.slug)
@pytest.mark.parametrize("key", ["", "hunter2", "Bearer sk-ant-admin01-x", "-----BEGIN PRIVATE KEY-----"])
def test_what_looks_like_no_key_is_of_no_kind(made: Any, key: str) -> None:
    assert made().kind_of(key) is None


@pytest.mark.parametrize("made", VENDORS, ids=lambda made: made.slug)
def test_a_revoked_key_is_told(vendor: FakeVendor, made: Any) -> None:
    client = made(base_url=vendor.url)
    key = getattr(vendor.keys, RIGHT[client.slug])
    vendor.revoked.add(key)
    with pytest.raises(VendorError, match="revoked, has expired, or was not copied whole") as caught:
        client.organization(key)
    assert (caught.value.status, caught.value.refused) == (401, True)


def test_a_missing_scope_is_told_in_the_vendors_words(vendor: FakeVendor) -> None:
    client = AnthropicAnalytics(base_url=vendor.url)
    with pytest.raises(VendorError, match=r"Held: \[read:members\]\. Needed: \[read:analytics\]") as caught:
        client.fetch(vendor.keys.without_scope, "users", vendor.company.last_day, "")
    assert (caught.value.status, caught.value.refused) == (403, True)


@pytest.mark.parametrize("me", [True, False])
def test_an_enterprise_key_names_its_organisation_one_way_or_another(vendor: FakeVendor, me: bool) -> None:
    vendor.me_for_enterprise = me
    found = AnthropicAnalytics(base_url=vendor.url).organization(vendor.keys.analytics)
    assert found.id == vendor.company.id
    assert found.name == ("Acme" if me else "")


def test_an_enterprise_key_that_may_read_summaries_only_is_good_enough(vendor: FakeVendor) -> None:
    vendor.me_for_enterprise = False
    root = "/v1/organizations/analytics"
    vendor.faults.push(f"{root}/usage_report", Fault(404, "not_found_error", "not on this plan"))
    assert AnthropicAnalytics(base_url=vendor.url).organization(vendor.keys.analytics).id == ""
    assert vendor.requests[-1].path == f"{root}/summaries"


def test_a_key_without_the_scope_connects_to_nothing(vendor: FakeVendor) -> None:
    vendor.me_for_enterprise = False
    with pytest.raises(VendorError, match="read:analytics"):
        AnthropicAnalytics(base_url=vendor.url).organization(vendor.keys.without_scope)


@pytest.mark.parametrize("made", VENDORS, ids=lambda made: made.slug)
def test_the_help_says_who_makes_the_key_where(made: Any) -> None:
    client = made()
    where, who = {
        "anthropic_admin": ("Settings › Admin keys", "role admin"),
        "anthropic_analytics": ("Organization settings › API", "primary owner"),
        "openai": ("Admin keys", "owner"),
    }[client.slug]
    assert where in client.key_help
    assert who in client.key_help
    assert "only ever reads" in client.key_help.replace("\n", " ")
