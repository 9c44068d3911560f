"""System checks: what a person could get wrong in the environment is said before traffic does."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from connectors import addresses, snippets


@register
def trusted_proxies(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Networks whose X-Forwarded-For is believed must be networks."""
    try:
        for each in settings.INGEST_TRUSTED_PROXIES:
            addresses.network(each)
    except addresses.NotANetwork as error:
        return [Error(f"PORTAL_TRUSTED_PROXIES: {error}", id="connectors.E001")]
    return []


@register(deploy=True)
def public_addresses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Snippets that name this machine's loopback work on no other machine."""
    return [
        Warning(
            f"{variable} is {url}: what is pasted from the portal works on this machine only.",
            hint=f"Set {variable} to the address other machines reach.",
            id="connectors.W001",
        )
        for variable, url in (("PORTAL_PUBLIC_URL", settings.PUBLIC_URL), ("OTLP_PUBLIC_URL", settings.OTLP_PUBLIC_URL))
        if snippets.is_local(url)
    ]
