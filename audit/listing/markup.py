"""Evidence as HTML: one place for icon, class and words. The same functions are template tags (`{% load portal %}`).

Everything that came over the wire goes through `visible`. No style attributes anywhere: the policy forbids them.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from re import Pattern
from typing import Any

from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from audit.listing import escapes, words


def icon(name: str) -> SafeString:
    """A drawing of the sprite, hidden from screen readers: words stand beside it."""
    return format_html('<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-{}"/></svg>', name)


def visible(value: Any) -> SafeString:
    """Hostile text for one line: escaped, with everything that cannot be seen spelled out."""
    return _spelled_out(value, escapes.HIDDEN)


def visible_lines(value: Any) -> SafeString:
    """As `visible`, but tabs and line breaks stay: for text in `.code` and the like."""
    return _spelled_out(value, escapes.HIDDEN_IN_LINES)


def visible_plain(value: Any) -> str:
    """As `visible`, without markup: for attributes such as aria-label."""
    return escapes.HIDDEN.sub(lambda match: escapes.spell(match.group()), "" if value is None else str(value))


def _spelled_out(value: Any, hidden: Pattern[str]) -> SafeString:
    text = "" if value is None else str(value)
    parts, end = [], 0
    for match in hidden.finditer(text):
        found = match.group()
        parts += [
            conditional_escape(text[end : match.start()]),
            format_html('<span class="esc" title="{}">{}</span>', _names(found), escapes.spell(found)),
        ]
        end = match.end()
    return mark_safe("".join([*parts, conditional_escape(text[end:])]))  # noqa: S308 - each part was escaped


def _names(characters: str) -> str:
    names = ", ".join(escapes.name(character) for character in characters[:3])
    return f"{names} and {len(characters) - 3} more" if len(characters) > 3 else names


def badge(decision: str | None, decided_by: str | None, basis: str | None = None) -> SafeString:
    """The decision and who made it. Inferred ones have a dashed edge and say so."""
    verdict = words.verdict(decision, decided_by)
    inferred = mark_safe(' title="Inferred: the record does not state it"') if basis == "inferred" else ""
    return format_html(
        '<span class="badge {}{}"{}>{}{}</span>',
        verdict.colour,
        " inferred" if inferred else "",
        inferred,
        icon(verdict.icon),
        verdict.words,
    )


def warning(text: str, symbol: str = "warn") -> SafeString:
    """A badge for what needs a person: a gap, something due, a derived risk."""
    return format_html('<span class="badge warn">{}{}</span>', icon(symbol), text)


_STATE_ICONS = {"ok": "check", "warn": "warn", "bad": "x", "off": "slash"}


def state(kind: str, text: str, symbol: str = "") -> SafeString:
    """The usual state of a column: kind is ok, warn, bad or off."""
    return format_html('<span class="state {}">{}{}</span>', kind, icon(symbol or _STATE_ICONS[kind]), text)


_OUTCOMES = {
    "success": ("ok", "success"),
    "failure": ("bad", "failed"),
    "not_run": ("off", "not run"),
}


def outcome(value: str | None, duration_ms: int | None = None) -> SafeString:
    """How a tool use ended, with how long it ran. Nothing recorded is said in words."""
    ran = words.milliseconds(duration_ms) if duration_ms is not None else ""
    if value not in _OUTCOMES:
        return format_html('<span class="state off">{}no result recorded</span>', icon("q"))
    kind, text = _OUTCOMES[value]
    told = " · ".join(filter(None, ("" if value == "success" and ran else text, ran)))
    return state(kind, told)


def tag(text: Any) -> SafeString:
    """A neutral fact that is not a verdict."""
    return format_html('<span class="tag">{}</span>', visible(text))


def claim(text: Any, told_by: str = "the client's own attributes") -> SafeString:
    """Something the sender says of itself; never shown as fact."""
    return format_html('<span class="claim" title="A claim from {}">{}</span>', told_by, visible(text))


def mode(value: str | None, provenance: str | None = "stated") -> SafeString:
    """A permission mode in the vendor's word. What was derived is italic and says so."""
    if not value:
        return mark_safe('<span class="mode unknown">not known</span>')
    derived = mark_safe(' title="Derived from earlier records of the session; not stated with this one"')
    return format_html(
        '<span class="mode {}{}"{}>{}</span>',
        words.mode_class(value),
        " derived" if provenance == "derived" else "",
        derived if provenance == "derived" else "",
        visible(value),
    )


def grade(letter: str, reason: str, *, told: bool = True) -> SafeString:
    """Completeness a to d. The reason stands beside it, or in its title where a column leaves no room for an A's."""
    letter_box = format_html(
        '<span class="grade {}" role="img" aria-label="Completeness {}: {}" title="{}">{}</span>',
        *(letter, letter.upper(), reason, reason, letter.upper()),
    )
    return format_html('<span class="evidence">{}{}</span>', letter_box, reason if told else "")


def unjudged(so_far: str) -> SafeString:
    """In place of a grade, until there can be one."""
    told = f"not judged yet: {so_far}" if so_far else "not judged yet"
    return format_html('<span class="quiet" title="{}">{}</span>', words.UNJUDGED, told)


def minibar(modes: Mapping[str, int]) -> SafeString:
    """Shares of permission modes, in the order of permissiveness; words name the most permissive."""
    total = sum(modes.values())
    if not total:
        return mark_safe('<span class="faint">no decision</span>')
    order = [*words.MODES, *sorted(set(modes) - set(words.MODES))]
    shares = [(mode, modes[mode] * 100 / total) for mode in order if modes.get(mode)]
    told = ", ".join(f"{escapes.HIDDEN.sub('', mode)} {share:.0f} %" for mode, share in shares)
    widest = words.most_permissive(modes)
    drawing = format_html(
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        told,
        format_html_join("", '<rect class="fill-{}" x="{}" width="{}" height="10"/>', _bars(shares)),
    )
    share = "" if len(shares) == 1 else f" {modes[widest or ''] * 100 / total:.0f} %"
    return format_html('<span class="minibar">{}<span>{}{}</span></span>', drawing, visible(widest), share)


def _bars(shares: list[tuple[str, float]]) -> list[tuple[str, str, str]]:
    left, bars = 0.0, []
    for name, share in shares:
        bars.append((words.mode_class(name), f"{left:.1f}", f"{max(share - 0.8, 0.4):.1f}"))
        left += share
    return bars


def time(value: dt.datetime | None, shape: str = "moment", note: str = "") -> SafeString:
    """A moment in UTC; times.js puts it into the viewer's zone. Shapes: moment, clock, precise, date, ago.

    `note` adds lines to the hover text: when it was received, when it was sealed.
    """
    if value is None:
        return mark_safe('<span class="faint">not known</span>')
    at = value.astimezone(dt.UTC)
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        at.isoformat().replace("+00:00", "Z"),
        "\n".join(filter(None, (f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC", note))),
        "" if shape == "ago" else format_html(' data-shape="{}"', shape),
        _told(at, shape),
    )


def _told(at: dt.datetime, shape: str) -> str:
    now = timezone.now()
    if shape == "ago":
        return f"in {words.span(at - now)}" if at > now else f"{words.span(now - at)} ago"
    if shape == "clock":
        return f"{at:%H:%M:%S}"
    if shape == "date":
        return f"{at.day} {at:%b %Y}"
    if shape == "precise":
        return f"{at.day} {at:%b %Y %H:%M:%S}.{at.microsecond // 1000:03d}"
    return f"{at.day} {at:%b}{'' if at.year == now.year else f' {at.year}'} {at:%H:%M:%S}"


def zone() -> SafeString:
    """The zone that this page's times are in: UTC until times.js has changed them."""
    return mark_safe('<span class="zone">Times in <span data-zone>UTC</span></span>')


def number(value: int | Decimal | float | None) -> SafeString:
    """Thin spaces between thousands; zero is faint, nothing known is said."""
    if value is None:
        return mark_safe('<span class="faint">not known</span>')
    return format_html('<span class="zero">0</span>' if not value else "{}", words.number(value))


def size(count: int | None) -> str:
    return words.size(count) if count is not None else "not known"


def money(amount: Decimal | None) -> str:
    return words.money(amount) if amount is not None else "not known"


def milliseconds(count: int | None) -> str:
    return words.milliseconds(count) if count is not None else "not known"
