"""How the witnesses stand, in words for people: who cosigned last and when, and what is wrong."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from audit.checkpoints import FRESH
from audit.listing import words
from audit.models import Witness


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` is ok, warn or bad, `verdict` a few words, `reason` a sentence; `size`, `at`: of the last cosignature."""

    state: str
    verdict: str
    reason: str
    size: int | None = None
    at: dt.datetime | None = None


def standing(now: dt.datetime) -> Standing | None:
    """None where no witness is configured. One small query."""
    names = [each.key.name for each in settings.AUDIT_WITNESSES]
    if not names:
        return None
    asked = list(Witness.objects.filter(name__in=names).order_by("name"))
    signed = sorted(((each.cosigned_at, each.size, each.name) for each in asked if each.cosigned_at), reverse=True)
    at, size = signed[0][:2] if signed else (None, None)
    told = "; ".join(f"{each.name}: {each.problem}" for each in asked if each.problem)
    if any(each.contradicts for each in asked):
        return Standing("bad", "Witness contradicts", told, size, at)
    fresh = [name for cosigned_at, _, name in signed if now - cosigned_at <= FRESH]
    if not fresh:
        since = f"for {words.span(now - at)}" if at else "yet"
        state = "bad" if asked else "warn"
        return Standing(state, "Not cosigned", f"No witness has cosigned {since}. {told}".strip(), size, at)
    if len(fresh) < settings.AUDIT_WITNESS_QUORUM:
        verdict = f"Cosigned by {len(fresh)} of {settings.AUDIT_WITNESS_QUORUM}"
        return Standing("warn", verdict, f"Fewer witnesses than the quorum have cosigned of late. {told}", size, at)
    reason = f"by {', '.join(fresh)}"
    return Standing("ok", "Cosigned", reason, size, at)
