"""Who may read and write over REST: holders of an API token, and nobody else.

A browser's session opens no REST address: the admin is for people, the API for programs, and with one way in there is
no CSRF to think of. The token is asked for in the database by every request, so a revocation holds from the next.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from connectors import addresses, scopes, tokens

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, as the settings name it


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer agp_api_…`. `request.auth` is the token's record, `request.user` is anonymous.

    Raises 401 for no token and for one that is malformed, unknown, expired or revoked; 403 for an ingestion token and
    for an address outside the token's networks.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, tokens.TokenRecord]:
        secret = tokens.secret_of(request.headers.get("Authorization"))
        if isinstance(secret, tokens.Refusal):
            raise _refused(secret)
        digest = tokens.digest(secret)
        with connection.cursor() as cursor:
            record = tokens.lookup(cursor, [digest]).get(digest)
        address = client_address(request)
        refusal = tokens.check(record, scopes.API, None, address, timezone.now())
        _note(record, refusal, address)
        if refusal is not None or record is None:
            raise _refused(refusal or tokens.UNKNOWN)
        return AnonymousUser(), record

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class RequiresScope(BasePermission):
    """The view's `required_scopes`, all of them; for requests that change something its `required_scopes_to_write`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        name = "required_scopes" if request.method in SAFE_METHODS else "required_scopes_to_write"
        required = getattr(view, name, None)
        if required is None:
            raise ImproperlyConfigured(f"{type(view).__name__} must say what it takes: {name}")
        held = request.auth.scopes if isinstance(request.auth, tokens.TokenRecord) else frozenset()
        missing = [scope for scope in required if scope not in held]
        if missing:
            self.message = f"This token lacks the scope {missing[0]}."
        return not missing


def client_address(request: Any) -> str:
    """The client's address: the peer's, or what a trusted proxy says it is. Empty for a unix socket."""
    forwarded_for = request.headers.get("X-Forwarded-For", "")
    return addresses.client_address(request.META.get("REMOTE_ADDR", ""), forwarded_for, settings.INGEST_TRUSTED_PROXIES)


def _refused(refusal: tokens.Refusal) -> AuthenticationFailed | PermissionDenied:
    error = AuthenticationFailed if refusal.status == 401 else PermissionDenied
    return error(refusal.message, code=refusal.reason)


def _note(record: tokens.TokenRecord | None, refusal: tokens.Refusal | None, address: str) -> None:
    if record is None or connection.connection is None:
        return
    if refusal is not None:
        tokens.note_refusals(connection.connection, {(record.id, refusal.reason): tokens.Refused(1, address)})
    elif tokens.is_due(record, timezone.now()):
        tokens.touch(connection.connection, [tokens.Use(record.id, address)])
