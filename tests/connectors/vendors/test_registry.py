"""Connections are offered every vendor there is a module for, at the addresses that are set."""

import dataclasses

import pytest
from django.conf import settings

from connectors.models import UsageDay
from connectors.vendors import registry
from connectors.vendors.shape import UsageRow
from connectors.vendors.user_days import COUNTS

URLS = {
    "anthropic_admin": settings.CONNECTORS_ANTHROPIC_URL,
    "anthropic_analytics": settings.CONNECTORS_ANTHROPIC_URL,
    "openai": settings.CONNECTORS_OPENAI_URL,
}


@pytest.mark.parametrize("slug", URLS)
def test_each_vendor_is_asked_at_its_address_and_told_who_asks(slug: str) -> None:
    vendor = registry.vendor(slug)
    assert vendor.slug == slug
    assert vendor.client.base_url == URLS[slug]
    assert settings.PUBLIC_URL in vendor.client.user_agent


@pytest.mark.parametrize("slug", URLS)
def test_its_endpoints_are_told_apart_by_name_and_by_title(slug: str) -> None:
    endpoints = registry.vendor(slug).endpoints
    for names in ([each.name for each in endpoints], [each.title for each in endpoints]):
        assert len(set(names)) == len(names)


def test_every_figure_of_a_row_has_its_column() -> None:
    columns = {field.name for field in UsageDay._meta.get_fields()}
    names = {field.name for field in dataclasses.fields(UsageRow)} - {"identity_kind"}
    assert names <= columns
    assert set(COUNTS) < names
