"""Whether the evidence can be trusted right now, in words: read on every page, so four small queries and no more."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from audit import verifications, witnesses
from audit.listing import words
from audit.models import Heartbeat, Seal
from portal.health import ALIVE_WITHIN, LOOPS, RECEIVER, halted


@dataclass(frozen=True, slots=True)
class Trust:
    """`state` is ok, warn or bad; `verdict` is short enough for a phone, `detail` follows it where there is room."""

    state: str
    verdict: str
    detail: str
    reason: str


def trust() -> Trust:
    """The newest number of the ledger, whether the sealer is at work and witnesses follow, what verifying found."""
    newest = Seal.objects.order_by("-seq").values_list("seq", "sealed_at").first()
    beat, detail = Heartbeat.objects.filter(name="sealer").values_list("at", "detail").first() or (None, {})
    now = timezone.now()
    if beat is None and newest is None:
        return Trust("warn", "Nothing sealed", " yet", "No event has been numbered, and the sealer has not reported.")
    if beat is None or now - beat > ALIVE_WITHIN:
        silence = "" if beat is None else f" {words.span(now - beat)} ago"
        return Trust("bad", "Sealing stopped", silence, "New events are kept, but get no numbers. Look at the sealer.")
    if why := halted(detail):
        return Trust("bad", "Sealing halted", "", why)
    standing = witnesses.standing(now)
    if standing and standing.state != "ok":
        ago = f", last {words.span(now - standing.at)} ago" if standing.at else ""
        return Trust(standing.state, standing.verdict, ago, standing.reason)
    verified = verifications.newest()
    if verified and verified.faults:
        return Trust(
            "bad", "Ledger at fault", "", f"The last verification found {words.number(verified.faults)} faults."
        )
    if newest is None:
        return Trust("ok", "Nothing to seal", " yet", "The sealer is at work; no event has arrived.")
    number, sealed_at = newest
    told = f" to #{words.number(number)}, {words.span(now - sealed_at)} ago"
    return Trust("ok", "Sealed", told, "The newest event that has its number in the ledger.")


def silent_loops(now: dt.datetime) -> list[str]:
    """What does not work at the moment, each in words with how long it has been silent."""
    seen: dict[str, dt.datetime] = {}
    for name, at in Heartbeat.objects.values_list("name", "at"):
        process = "receiver" if name.startswith(RECEIVER) else name
        seen[process] = max(at, seen.get(process, at))
    expected = ("receiver", *LOOPS)
    return [
        f"{name} silent for {words.span(now - seen[name])}" if name in seen else f"{name} has never run"
        for name in expected
        if name not in seen or now - seen[name] > ALIVE_WITHIN
    ]
