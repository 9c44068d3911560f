"""One state, with its reason, for whatever should report. Pure: no database, no clock.

Days are UTC. What a vendor knows of use counts only where telemetry of it could have come: by an agent that sends it,
on a machine of the organisation's and not in the vendor's cloud.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

DECIDABLE = (
    "OTEL_LOG_TOOL_DETAILS",
    "OTEL_METRICS_INCLUDE_ENTRYPOINT",
    "OTEL_METRICS_INCLUDE_REPOSITORY",
    "OTEL_METRICS_INCLUDE_VERSION",
)
"""Switches without which decisions cannot be told apart. Those that send content are a choice, not a gap."""

UNTOLD_DAYS = 2
"""So many days of use without telemetry, among days with it, are no accident at midnight: another machine is used."""

GAP, SILENT, UNKNOWN, PARTIAL, UNSEATED, NEVER, UNSEEN, REPORTING = (
    "gap", "silent", "unknown_sender", "partial", "no_seat", "never_reported", "cannot_be_seen", "reporting",
)  # fmt: skip
RANKS = {state: rank for rank, state in enumerate((GAP, SILENT, UNKNOWN, PARTIAL, UNSEATED, NEVER, UNSEEN, REPORTING))}
REPORTS = (REPORTING, PARTIAL)
"""What counts as covered."""


@dataclass(frozen=True, slots=True)
class Rule:
    silent_after_days: int = 7
    window_days: int = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """Telemetry of somebody or something: its first and last day, the days in the window on which it told of use (none:
    not known by day), and the switches that are off by what came last."""

    first: dt.date
    last: dt.date
    days: frozenset[dt.date] = frozenset()
    off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Used:
    """What vendors know of use in the window: days on which telemetry could have come, and days on which it could not.

    `agents` are those that send none; `remote`: there was use in the vendor's cloud.
    """

    days: frozenset[dt.date] = frozenset()
    unseeable: frozenset[dt.date] = frozenset()
    agents: frozenset[str] = frozenset()
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`since` is the day from which on it is so, where that can be told."""

    state: str
    reason: str
    since: dt.date | None = None
    last_seen: dt.date | None = None
    usage_days: int = 0
    off: Sequence[str] = field(default=())

    @property
    def rank(self) -> int:
        return RANKS[self.state]


NO_USE = Used()


def judge(seen: Seen | None, used: Used, rule: Rule, today: dt.date, *, since: dt.date | None, told: bool) -> Verdict:
    """A seat, person or device. `since`: when it was first listed; `told`: whether any vendor tells of use at all."""
    usage_days = len(used.days | used.unseeable)
    if seen is None:
        return _unreported(used, rule, usage_days, since, told)
    later = sorted(day for day in used.days if day > seen.last)
    if (today - seen.last).days > rule.silent_after_days:
        if later:
            reason = f"Used on {_days(later)} since its last telemetry, none of which came."
            return Verdict(GAP, reason, later[0], seen.last, usage_days)
        reason = f"Nothing came for {(today - seen.last).days} days" + (", and no use is known." if told else ".")
        return Verdict(SILENT, reason, seen.last, seen.last, usage_days)
    untold = _untold(seen, used.days, today)
    off = sorted(seen.off)
    if len(untold) >= UNTOLD_DAYS:
        reason = (
            f"Reports, but was used on {_days(untold)} of which no telemetry came: another machine, or switched off."
        )
        return Verdict(PARTIAL, reason, untold[0], seen.last, usage_days, off)
    if off:
        return Verdict(PARTIAL, f"Reports with {_listed(off)} off.", seen.first, seen.last, usage_days, off)
    return Verdict(REPORTING, "Reports, with all that makes decisions decidable.", seen.first, seen.last, usage_days)


def _unreported(used: Used, rule: Rule, usage_days: int, since: dt.date | None, told: bool) -> Verdict:
    if used.days:
        reason = f"Used on {_days(used.days)} in the last {rule.window_days}, no telemetry."
        return Verdict(GAP, reason, min(used.days), None, usage_days)
    if used.unseeable:
        return Verdict(UNSEEN, _unseeable(used), min(used.unseeable), None, usage_days)
    reason = "No telemetry so far"
    if told:
        reason += f", and no use is known in the last {rule.window_days} days"
    return Verdict(NEVER, f"{reason}.", since)


def _unseeable(used: Used) -> str:
    told = []
    if used.remote:
        told.append("sessions in the vendor’s cloud, which do not read a machine’s settings")
    if used.agents:
        told.append("products that send no telemetry here")
    return f"Uses only {' and '.join(told) or 'what sends no telemetry'}."


def _untold(seen: Seen, used: Collection[dt.date], today: dt.date) -> list[dt.date]:
    """Days of use without telemetry between its first and its last day; today and yesterday may still come."""
    if not seen.days:
        return []
    settled = today - dt.timedelta(days=2)
    return sorted(day for day in used if seen.first < day < seen.last and day <= settled and day not in seen.days)


def sender(*, shared: bool, account: bool, seen: Seen) -> Verdict:
    """Telemetry of nobody who is known."""
    if shared:
        reason = (
            "Several people were seen on this machine on the same days, and it does not say which of them sent this."
        )
    elif account:
        reason = "Says an account that nobody here is known by."
    else:
        reason = (
            "Says only an installation. Claude Code with an API key, Bedrock, Vertex or Foundry sends no address: "
            "say whose it is, or add enduser.id to its resource attributes."
        )
    return Verdict(UNKNOWN, reason, seen.first, seen.last, 0, sorted(seen.off))


def nameless(seen: Seen) -> Verdict:
    return Verdict(UNKNOWN, "Says nothing of who it is.", seen.first, seen.last, 0, sorted(seen.off))


def api_key(used: Used) -> Verdict:
    """Use by a key, which is nobody's."""
    days = used.days | used.unseeable
    reason = "An API key, and telemetry says no key: say whose it is, and its use is compared with theirs."
    return Verdict(UNSEEN, reason, min(days), None, len(days))


def _days(days: Collection[dt.date]) -> str:
    return "1 day" if len(days) == 1 else f"{len(days)} days"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
