"""The vendors that connections can be made to, by slug."""

from django.conf import settings

from connectors.vendors.anthropic_admin import AnthropicAdmin
from connectors.vendors.anthropic_analytics import AnthropicAnalytics
from connectors.vendors.openai import OpenAI
from connectors.vendors.shape import Endpoint, Vendor

_MADE: tuple[Vendor, ...] = (
    AnthropicAdmin(settings.CONNECTORS_ANTHROPIC_URL, about=settings.PUBLIC_URL),
    AnthropicAnalytics(settings.CONNECTORS_ANTHROPIC_URL, about=settings.PUBLIC_URL),
    OpenAI(settings.CONNECTORS_OPENAI_URL, about=settings.PUBLIC_URL),
)
VENDORS: dict[str, Vendor] = {vendor.slug: vendor for vendor in _MADE}

LIMITED: frozenset[str] = frozenset({"anthropic_analytics"})
"""Those that let an organisation ask only so often: 60 requests a minute over all endpoints and all who ask
(Analytics API, "Rate limits"). The others publish no number; they answer 429, and it is waited."""


class UnknownVendor(Exception):
    """A slug that no module has: its row was made by another version."""


def vendor(slug: str) -> Vendor:
    """Raises UnknownVendor."""
    try:
        return VENDORS[slug]
    except KeyError:
        raise UnknownVendor(f"This version knows no vendor “{slug}”.") from None


def title(slug: str) -> str:
    return VENDORS[slug].title if slug in VENDORS else slug


def endpoint(slug: str, name: str) -> Endpoint | None:
    found = VENDORS.get(slug)
    return next((each for each in found.endpoints if each.name == name), None) if found else None


def endpoint_title(slug: str, name: str) -> str:
    found = endpoint(slug, name)
    return found.title if found else name
