"""The captured requests of tests/specimens/claude_code as records and drafts, and records made by hand."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audit.drafts import Attribute, EventDraft
from ingest.agents import SessionMemory, drafts
from ingest.otlp import Limits, decode
from ingest.otlp.records import Emitter, LogRecord
from ingest.secrets import Scrubber

SPECIMENS = Path(__file__).parents[2] / "specimens" / "claude_code"
SCENARIOS = sorted(folder.name for folder in SPECIMENS.iterdir() if any(folder.glob("*.logs.*")))

SCRUBBER = Scrubber(b"k" * 32)
RECEIVED_AT_US = 1_795_240_414_000_000
"""2026-11-21, the day of the captures."""


def bodies(scenario: str) -> Iterator[list[LogRecord]]:
    """The records of each captured logs request of a scenario, in the order they were sent."""
    for path in sorted((SPECIMENS / scenario).glob("*.logs.*")):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        export = decode("logs", "json" if ".json" in path.name else "protobuf", body, Limits())
        assert not export.unusable
        yield [record for record in export.records if isinstance(record, LogRecord)]


def mapped(scenario: str) -> list[EventDraft]:
    """A scenario's drafts, request by request, with what earlier requests showed of its sessions.

    Each request is received a second after its last record.
    """
    knowledge = SessionMemory().of(1)
    return [
        draft
        for records in bodies(scenario)
        for draft in drafts(
            records,
            None,
            knowledge,
            scrubber=SCRUBBER,
            received_at_us=max(record.time_unix_nano for record in records) // 1000 + 1_000_000,
        )
    ]


CLAUDE_SCOPE = "com.anthropic.claude_code.events"
_TYPES = {str: "string", bool: "bool", int: "int", float: "double", type(None): "null"}


def attribute(key: str, value: Any) -> Attribute:
    return (key, _TYPES[type(value)], value)


def log_record(
    attributes: dict[str, Any] | list[Attribute],
    *,
    resource: dict[str, Any] | None = None,
    scope_name: str = CLAUDE_SCOPE,
    **fields: Any,
) -> LogRecord:
    """A record with the defaults of Claude Code's: body and event.name agree."""
    listed = attributes if isinstance(attributes, list) else [attribute(*item) for item in attributes.items()]
    name = {key: value for key, _, value in listed}.get("event.name")
    emitter = Emitter(
        resource=tuple(attribute(*item) for item in (resource or {}).items()),
        scope_name=scope_name,
        scope_version="2.1.329",
    )
    values: dict[str, Any] = {
        "time_unix_nano": RECEIVED_AT_US * 1000,
        "observed_time_unix_nano": RECEIVED_AT_US * 1000,
        "severity_number": 0,
        "severity_text": "",
        "event_name": "",
        "body": ("string", f"claude_code.{name}") if name and scope_name == CLAUDE_SCOPE else None,
        "dropped_attributes_count": 0,
        "trace_flags": 0,
        "trace_id": "",
        "span_id": "",
        "flags": (),
    }
    return LogRecord(emitter=emitter, attributes=listed, **(values | fields))


def map_one(record: LogRecord, *before: LogRecord, hint: str | None = None) -> EventDraft:
    """The draft of a record that came after `before` in the same request."""
    knowledge = SessionMemory().of(1)
    return drafts([*before, record], hint, knowledge, scrubber=SCRUBBER, received_at_us=RECEIVED_AT_US)[-1]


def claude(event: str, /, **attributes: Any) -> EventDraft:
    """The draft of one Claude Code event; `__` in a name stands for a dot."""
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return map_one(log_record({"event.name": event, "session.id": "s-1"} | named))
