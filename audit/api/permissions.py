"""What a token's scopes open. Which class reads the token is a setting; only `request.auth.scopes` counts here."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

EVENTS, CONTENT, IDENTITY, EXPORT = "events:read", "content:read", "identity:read", "export:read"
LEDGER = "ledger:read"


@dataclass(frozen=True, slots=True)
class Rights:
    """What of an event may be shown: `content` (prompts, commands, tool input), `identity` (who a pseudonym is)."""

    content: bool
    identity: bool


def consumer(request: Request) -> str:
    """Who asks, for acts and for what is kept with a token that was issued over REST."""
    token: Any = request.auth
    return f"API token {token.name} (#{token.id})"


def rights(request: Request) -> Rights:
    scopes = getattr(request.auth, "scopes", ())
    return Rights(CONTENT in scopes, IDENTITY in scopes)
