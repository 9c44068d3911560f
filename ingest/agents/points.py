"""Metric points of any agent as drafts: identity and emitter cut as for log records, everything else kept with them."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

from audit.points import PointDraft
from ingest.agents.emitters import CutEmitter, cut_emitter
from ingest.agents.parts import ORIGIN, SUBJECT, Placement
from ingest.agents.recognition import agent_of_name, agent_of_sender
from ingest.agents.values import IDENTIFIER_CHARACTERS, bounded, identifier
from ingest.otlp.records import MetricPoint
from ingest.secrets import Scrubber

_SESSION_KEYS = ("session.id", "conversation.id", "gen_ai.conversation.id")
_PLACES = Placement("@", _SESSION_KEYS, {key: (f"_{key}", identifier) for key in _SESSION_KEYS})
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LATEST_MICROSECONDS = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // dt.timedelta(microseconds=1)


def point_drafts(points: Sequence[MetricPoint], hint: str | None, scrubber: Scrubber) -> list[PointDraft]:
    """One draft for each point of a request, in order."""
    emitters: dict[int, CutEmitter] = {}
    drafts = []
    for point in points:
        emitter = emitters.get(id(point.emitter))
        if emitter is None:
            emitter = emitters[id(point.emitter)] = cut_emitter(point.emitter, scrubber)
        drafts.append(_draft(point, emitter, hint, scrubber))
    return drafts


def _draft(point: MetricPoint, emitter: CutEmitter, hint: str | None, scrubber: Scrubber) -> PointDraft:
    subject, origin, facts, content = (part.copy() for part in emitter.parts)
    kept = facts + content
    parts = {SUBJECT: subject, ORIGIN: origin}
    flags = [*emitter.flags, *point.flags]
    attributes, redacted = scrubber.attributes(point.attributes)
    session = None
    for key, kind, value in attributes:
        part, name, column, read = _PLACES[key]
        parts.get(part, kept).append((name, kind, value))
        if column is not None and session is None:
            session = read(value, flags) if kind == "string" else None
    if redacted:
        flags.append("secret_redacted")
    agent = emitter.agent_by_scope or agent_of_name(point.name) or agent_of_sender(point.emitter, hint)
    return PointDraft(
        agent=agent,
        name=bounded(point.name, IDENTIFIER_CHARACTERS, flags),
        unit=bounded(point.unit, IDENTIFIER_CHARACTERS, flags),
        instrument=point.instrument,
        temporality=point.temporality,
        monotonic=point.monotonic,
        started_at=moment(point.start_time_unix_nano),
        occurred_at=moment(point.time_unix_nano),
        value=number(point.value),
        data=point.data,
        subject=subject,
        origin=origin,
        attributes=kept,
        identity=(point.unit, point.monotonic, point.start_time_unix_nano, point.time_unix_nano, point.value),
        session_id=session,
        flags=tuple(dict.fromkeys(flags)),
    )


def moment(unix_nano: int) -> dt.datetime | None:
    """Nanoseconds since the epoch to UTC, to the microsecond; None for 0 (not given) and for what no date can be."""
    microseconds = unix_nano // 1000
    return _EPOCH + dt.timedelta(microseconds=microseconds) if 0 < microseconds <= _LATEST_MICROSECONDS else None


def number(value: Any) -> float | None:
    """A point's number as a float; "NaN" and the infinities are numbers to PostgreSQL too."""
    if value is None:
        return None
    converted = float(value)
    return converted if math.isfinite(converted) or isinstance(value, str) else None
