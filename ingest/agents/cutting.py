"""A record cut into the four parts, and the values that its columns are read from; the same for every agent."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from audit.drafts import Attribute
from ingest.agents import clock
from ingest.agents.emitters import CutEmitter
from ingest.agents.parts import Placement
from ingest.agents.values import PLAIN_TYPES, plain
from ingest.otlp.records import LogRecord
from ingest.secrets import Scrubber


@dataclass(slots=True)
class Cut:
    """One record's parts in arrival order, its columns by name, and the flags so far."""

    subject: list[Attribute]
    origin: list[Attribute]
    facts: list[Attribute]
    content: list[Attribute]
    columns: dict[str, Any]
    flags: list[str]


def cut(record: LogRecord, emitter: CutEmitter, places: Placement, body_is_fact: bool, scrubber: Scrubber) -> Cut:
    """Resource, scope, the record's fields, its body, its attributes: each goes where `places` says, scrubbed.

    Of a key that comes twice the last gives the column; the parts keep both.
    """
    subject, origin, facts, content = parts = [part.copy() for part in emitter.parts]
    flags = [*emitter.flags, *record.flags]
    attributes, redacted = scrubber.attributes(record.attributes)
    redacted |= _cut_fields(record, facts, scrubber)
    if record.body is not None:
        redacted |= _cut_body(record.body, facts if body_is_fact else content, scrubber)
    columns: dict[str, Any] = {}
    for key, kind, value in attributes:
        part, name, column, read = places[key]
        parts[part].append((name, kind, value))
        if column is not None:
            columns[column] = read(value if kind in PLAIN_TYPES else plain(kind, value), flags)
    if redacted:
        flags.append("secret_redacted")
    return Cut(subject, origin, facts, content, columns, flags)


def occurred_at(record: LogRecord, received_at_us: int, flags: list[str]) -> dt.datetime | None:
    """When the record says it happened (ingest.agents.clock)."""
    iso = None
    if not (record.time_unix_nano or record.observed_time_unix_nano):
        iso = last_text(record, "event.timestamp")
    return clock.occurred_at(record.time_unix_nano, record.observed_time_unix_nano, iso, received_at_us, flags)


def last_text(record: LogRecord, key: str) -> str | None:
    """The last value of an attribute, if that is a string."""
    for name, kind, value in reversed(record.attributes):
        if name == key:
            return value if kind == "string" else None
    return None


def distinct(flags: list[str]) -> tuple[str, ...]:
    """Flags in their order, each once."""
    return tuple(dict.fromkeys(flags)) if flags else ()


def _cut_fields(record: LogRecord, facts: list[Attribute], scrubber: Scrubber) -> bool:
    """Append the fields that are there, in their fixed order, without the body; whether one held a secret."""
    numbers_and_texts: list[Attribute] = []
    add = numbers_and_texts.append
    if record.time_unix_nano:
        add(("time_unix_nano", "int", record.time_unix_nano))
    if record.observed_time_unix_nano:
        add(("observed_time_unix_nano", "int", record.observed_time_unix_nano))
    if record.severity_number:
        add(("severity_number", "int", record.severity_number))
    if record.severity_text:
        add(("severity_text", "string", record.severity_text))
    if record.event_name:
        add(("event_name", "string", record.event_name))
    if record.dropped_attributes_count:
        add(("dropped_attributes_count", "int", record.dropped_attributes_count))
    if record.trace_flags:
        add(("flags", "int", record.trace_flags))
    if record.trace_id:
        add(("trace_id", "string", record.trace_id))
    if record.span_id:
        add(("span_id", "string", record.span_id))
    if not (record.severity_text or record.event_name):
        facts.extend(numbers_and_texts)
        return False
    scrubbed, redacted = scrubber.attributes(numbers_and_texts)
    facts.extend(scrubbed)
    return redacted


def _cut_body(body: tuple[str, Any], part: list[Attribute], scrubber: Scrubber) -> bool:
    kind, value = body
    scrubbed = scrubber.value(kind, value)
    part.append(("body", kind, scrubbed))
    return bool(scrubbed != value)
