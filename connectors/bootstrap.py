"""The first tokens: those the environment names, else new ones that are shown once, by whoever starts the portal."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, transaction

from connectors import scopes, tokens
from connectors.models import Token

BY = "first start"
NAME = "default"


@dataclass(frozen=True, slots=True)
class FirstToken:
    """A token made or taken at start. `secret` is None for one taken from the environment: it is known there."""

    kind: str
    name: str
    secret: str | None = field(repr=False)


class BootstrapError(Exception):
    """An environment variable that holds no token; the message names it."""


def first_tokens() -> list[FirstToken]:
    """Take the tokens that the environment names, unless ever known; of a kind never known before, issue one.

    Several processes may call it at once. Raises BootstrapError for a token that is malformed or of the other kind.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('connectors.first_tokens'))")
        return [
            *_first(scopes.INGEST, "PORTAL_BOOTSTRAP_INGEST_TOKEN", settings.CONNECTORS_BOOTSTRAP_INGEST_TOKEN),
            *_first(scopes.API, "PORTAL_BOOTSTRAP_API_TOKEN", settings.CONNECTORS_BOOTSTRAP_API_TOKEN),
        ]


def _first(kind: str, variable: str, given: str) -> list[FirstToken]:
    if given:
        check_given(kind, variable, given)
        return [FirstToken(kind, NAME, None)] if tokens.adopt(given, NAME, by=variable) else []
    if Token.objects.filter(kind=kind).exists():
        return []
    _, secret = tokens.issue(kind, NAME, by=BY, scopes=tuple(scopes.SCOPES[kind]))
    return [FirstToken(kind, NAME, secret)]


def check_given(kind: str, variable: str, given: str) -> None:
    if tokens.kind_of(given) != kind:
        raise BootstrapError(
            f"{variable} is not a token of its kind: it begins with {tokens.PREFIXES[kind]}, "
            "goes on with 43 letters and digits, and ends with the 6 that are their checksum."
        )
