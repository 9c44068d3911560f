"""When a record says it happened, and whether to believe it (DESIGN §5.3: timeUnixNano, observed, event.timestamp)."""

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_AHEAD_US = 10 * 60 * 10**6
_BEHIND_US = 30 * 24 * 3600 * 10**6
_LATEST_US = 253_402_300_800 * 10**6  # the first microsecond of the year 10000


def occurred_at(
    time_unix_nano: int, observed_time_unix_nano: int, iso: object, received_at_us: int, flags: list[str]
) -> dt.datetime | None:
    """The record's own time in UTC, to the microsecond.

    None and `unknown_time` if it has none that a calendar knows; `skew` if it lies more than ten minutes after or
    thirty days before it was received.
    """
    nanoseconds = time_unix_nano or observed_time_unix_nano
    microseconds = nanoseconds // 1000 if nanoseconds else _from_iso(iso)
    if microseconds is None or not 0 < microseconds < _LATEST_US:
        flags.append("unknown_time")
        return None
    if not -_BEHIND_US <= microseconds - received_at_us <= _AHEAD_US:
        flags.append("skew")
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def _from_iso(iso: object) -> int | None:
    """Microseconds since the epoch; a time without a zone is taken as UTC."""
    if not isinstance(iso, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(iso)
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
        return (moment - _EPOCH) // dt.timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
