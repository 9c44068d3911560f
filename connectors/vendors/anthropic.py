"""What both of Anthropic's interfaces share: its headers, its kinds of keys, and how it writes money and tokens.

Sources: platform.claude.com/docs/en/manage-claude/admin-api-keys (kinds of keys), …/en/api/admin (headers).
"""

from collections.abc import Mapping
from typing import Any

from connectors.vendors import values
from connectors.vendors.shape import KeyKind

URL = "https://api.anthropic.com"
NAME = "Anthropic"
API_VERSION = "2023-06-01"

ADMIN_KEY_MADE = (
    "Claude Console (platform.claude.com) › Settings › Admin keys, by a member of the organisation with the role "
    "admin. It is shown once"
)
ANALYTICS_KEY_MADE = (
    "claude.ai › Organization settings › API, by the primary owner, after public API access is switched on there; "
    "with the scope read:analytics, as scopes cannot be changed afterwards. It is shown once"
)
_OURS = "This is a token of this portal's own. Here a key of the vendor's is needed. {made}."
_OPENAI = "This is a key of OpenAI's. Choose OpenAI as the vendor, or make a key here: {made}."
_STANDARD = (
    "This is a standard API key: it may use models, and reads neither usage nor members. "
    "The right one is made in {made}."
)
_OAUTH = (
    "This is a login token of one person's (OAuth): it ends with that person's session and is not for this. "
    "The right key is made in {made}."
)
_ADMIN = (
    "This is an Admin key of the Claude Console. It belongs in a connection to the Console; the Enterprise Analytics "
    "API does not take it. The key for that is made in {made}."
)
_ANALYTICS = (
    "This is a key of Claude Enterprise's. It belongs in a connection to Claude Enterprise; the Console's Admin API "
    "does not take it. The key for that is made in {made}."
)


def key_kinds(*, takes: str, made: str) -> list[KeyKind]:
    """Anthropic's kinds of keys and those of others that are pasted here, refused in words but for the one taken."""
    kinds = [
        ("admin", "Console admin key", "sk-ant-admin", _ADMIN),
        ("analytics", "Enterprise key", "sk-ant-api01", _ANALYTICS),
        ("standard", "standard API key", "sk-ant-api", _STANDARD),
        ("oauth", "OAuth token", "sk-ant-oat", _OAUTH),
        ("anthropic", "Anthropic key of an unknown kind", "sk-ant-", ""),
        ("openai", "OpenAI key", "sk-", _OPENAI),
        ("portal", "token of this portal", "agp_", _OURS),
    ]
    return [
        KeyKind(slug, title, prefix, "" if slug == takes else words.format(made=made))
        for slug, title, prefix, words in kinds
    ]


def headers(key: str) -> Mapping[str, str]:
    return {"x-api-key": key, "anthropic-version": API_VERSION}


def cache_creation(row: Mapping[str, Any]) -> int:
    """Tokens written to a cache, for five minutes and for an hour: an object of both, or one number."""
    split = row.get("cache_creation")
    if isinstance(split, dict):
        return values.summed([values.count(each, f"cache_creation.{name}") for name, each in split.items()], "cache")
    number = split if split is not None else row.get("cache_creation_input_tokens")
    return values.count(number, "cache_creation")


def is_dollars(currency: Any) -> bool:
    return values.text(currency).upper() in ("", "USD")
