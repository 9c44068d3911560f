"""A pack in words: how far it is, what it discloses, what can be had of it."""

from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from audit.listing import markup, words
from audit.models import EvidencePack

_State = EvidencePack.State


def badge(pack: EvidencePack) -> SafeString:
    if pack.discarded_at is not None:
        return markup.state("off", "file deleted")
    return {
        _State.WAITING: markup.state("off", "waiting", "clock"),
        _State.RUNNING: markup.state("off", "being made", "clock"),
        _State.READY: markup.state("ok", "ready"),
        _State.FAILED: markup.state("bad", "not made"),
    }[_State(pack.state)]


def told(pack: EvidencePack) -> str:
    """Its state as a sentence, with counts and an estimate while it is made."""
    if pack.discarded_at is not None:
        return f"Its file was deleted: {pack.discard_reason}."
    if pack.state == _State.FAILED:
        return f"Not made. {pack.error}"
    if pack.state == _State.READY:
        return f"Ready: {words.number(pack.done)} event{'' if pack.done == 1 else 's'}, {size(pack)}."
    if pack.state == _State.WAITING:
        return "Waiting for a worker."
    left = pack.time_left(timezone.now())
    estimate = f", about {words.span(left)} left" if left is not None else ""
    return f"{words.number(pack.done)} of {words.number(pack.total)} events{estimate}"


def discloses(pack: EvidencePack) -> str:
    names = [name for name, held in (("content", pack.with_content), ("identities", pack.with_identity)) if held]
    return " and ".join(["facts, " + names[0], *names[1:]]) if names else "facts only"


def size(pack: EvidencePack) -> str:
    return words.size(pack.size_bytes) if pack.size_bytes is not None else ""


def facts(pack: EvidencePack) -> list[tuple[str, Any]]:
    """The head of its page."""
    by = format_html("{} by {}", markup.time(pack.asked_at), markup.visible(pack.asked_by))
    numbers = mark_safe('<span class="faint">not known yet</span>')
    if pack.first_seq is not None and pack.last_seq is not None:
        numbers = format_html("#{} – #{}", words.number(pack.first_seq), words.number(pack.last_seq))
    named = (
        ("Asked for", by),
        ("Reason", markup.visible(pack.reason)),
        ("Numbers", numbers),
        ("Discloses", discloses(pack)),
        ("Made", markup.time(pack.finished_at) if pack.state == _State.READY and pack.finished_at else ""),
        ("Kept until", markup.time(pack.expires_at) if pack.can_be_had else ""),
        ("SHA-256", format_html('<span class="id">{}</span>', pack.sha256) if pack.sha256 else ""),
    )
    return [(label, value) for label, value in named if value]
