"""A token's state, its end and its uses in words, for lists and pages."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.listing import markup, words
from connectors import scopes
from connectors.models import EXPIRING, STATES, Token

WAITING = {scopes.INGEST: "Waiting for first event", scopes.API: "Not used yet"}
WORDS = {
    "active": ("state ok", "check", "Active"),
    "expiring": ("state warn", "clock", "Expires soon"),
    "rotating": ("badge warn", "clock", "Rotating"),
    "replaced": ("state off", "slash", "Replaced"),
    "expired": ("state bad", "x", "Expired"),
    "revoked": ("state off", "slash", "Revoked"),
}
REASONS = {
    "revoked": "after it was revoked",
    "expired": "after it had expired",
    "replaced": "after its successor had taken over",
    "wrong_kind": "where a token of the other kind belongs",
    "wrong_scope": "for something it has no scope for",
    "wrong_network": "from outside its networks",
    "wrong_signal": "of a signal that its source does not take",
    "budget": "above its records a minute",
    "source_budget": "above its source's records a minute",
    "malformed": "that could not be decoded",
    "too_large": "that were too large",
    "content_type": "of a content type that is not OTLP's",
    "content_encoding": "in an encoding other than gzip",
}

NEVER = SafeString('<span class="quiet">never</span>')


def label(state: str, kind: str) -> str:
    return WAITING[kind] if state == "waiting" else WORDS[state][2]


def choices(kind: str) -> list[tuple[str, str]]:
    return [(state, label(state, kind)) for state in STATES]


def badge(token: Token) -> SafeString:
    """The state as icon and words."""
    state = token.state
    classes, icon, text = ("badge unknown", "clock", WAITING[token.kind]) if state == "waiting" else WORDS[state]
    return format_html('<span class="{}">{}<span>{}</span></span>', classes, markup.icon(icon), text)


def end(token: Token) -> SafeString:
    """When it stops or stopped."""
    now = timezone.now()
    if token.revoked_at:
        return _quiet("revoked {}", markup.time(token.revoked_at, "date"))
    if token.valid_until and token.valid_until <= now:
        return _quiet("stopped {}", markup.time(token.valid_until, "date"))
    if token.expires_at and token.expires_at <= now:
        return markup.state("bad", f"expired {words.span(now - token.expires_at)} ago")
    if token.valid_until:
        return _quiet("stops in {}", words.span(token.valid_until - now))
    if token.expires_at is None:
        return NEVER
    if token.expires_at <= now + EXPIRING:
        return markup.state("warn", f"in {words.span(token.expires_at - now)}", "clock")
    return _quiet("{}", markup.time(token.expires_at, "date"))


def _quiet(text: str, *values: Any) -> SafeString:
    return format_html('<span class="quiet">' + text + "</span>", *values)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What has come with a token so far, in a headline and a sentence."""

    waiting: bool
    headline: str
    detail: str


def sighting(token: Token) -> Sighting:
    if not token.is_waiting:
        headline = "First event received." if token.kind == scopes.INGEST else "First request received."
        return Sighting(False, headline, _told("Last seen", token.last_used_at, token.last_used_address))
    if token.last_refused_at:
        detail = _told(f"Refused: {refusals(token)}. The last came", token.last_refused_at, token.last_refused_address)
    elif token.last_used_at:
        detail = _told("A request without a record came", token.last_used_at, token.last_used_address)
    else:
        detail = _told("Listening since", token.created_at, "")
    return Sighting(True, "Nothing received yet.", detail)


def _told(what: str, at: dt.datetime | None, address: str) -> str:
    parts = (what, f"{at:%H:%M:%S} UTC" if at else "", f"from {address}" if address else "")
    return f"{' '.join(filter(None, parts))}."


def refusals(token: Token) -> str:
    """How often it was refused, and why; empty if it never was."""
    told = [f"{count} {REASONS.get(reason, reason)}" for reason, count in sorted(token.refusals.items())]
    return ", ".join(told)
