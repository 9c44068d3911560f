"""What a token's scopes open. Which class reads the token is a setting; only `request.auth.scopes` counts here."""

from dataclasses import dataclass

from rest_framework.request import Request

EVENTS, CONTENT, IDENTITY, EXPORT = "events:read", "content:read", "identity:read", "export:read"


@dataclass(frozen=True, slots=True)
class Rights:
    """What of an event may be shown: `content` (prompts, commands, tool input), `identity` (who a pseudonym is)."""

    content: bool
    identity: bool


def rights(request: Request) -> Rights:
    scopes = getattr(request.auth, "scopes", ())
    return Rights(CONTENT in scopes, IDENTITY in scopes)
