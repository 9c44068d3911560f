"""Whatever a record holds, it becomes a draft that keeps every attribute once and that PostgreSQL can store."""

import base64
import datetime as dt
from collections import Counter
from dataclasses import fields
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audit.drafts import Attribute, EventDraft
from audit.vocabulary import Kind
from ingest.agents import SessionMemory, claude_code, draft, drafts
from ingest.agents.claude_events import FACTS
from ingest.otlp.records import Emitter, LogRecord
from ingest.secrets import Scrubber
from tests.ingest.agents.captured import CLAUDE_SCOPE, RECEIVED_AT_US

KNOWN_KEYS = sorted({key for keys in FACTS.values() for key in keys} | {"tool_parameters", "tool_input", "prompt"})
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.sampled_from(sorted(FACTS)).map(lambda name: f"claude_code.{name}"),
    st.sampled_from(sorted(FACTS)),
    st.sampled_from(["true", "accept", "user_permanent", "9" * 30, "-1", "1e5", "x" * 400, "a\0b", "mcp__a__b", "cli"]),
    st.sampled_from(['{"full_command":"ls","mcp_server_name":"a"}', '{"command":[1]}', '{"a":' * 40, '{"url":"://"}']),
    st.sampled_from(["<REDACTED>", "custom", "2026-11-21T05:53:38.548Z", "+292278994-08-17T07:12:55Z"]),
)
KEYS = st.one_of(st.sampled_from(KNOWN_KEYS), TEXTS)
BASE64 = st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
SCALARS = st.one_of(
    TEXTS.map(lambda value: ("string", value)),
    st.booleans().map(lambda value: ("bool", value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: ("int", value)),
    st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["NaN", "Infinity", "-Infinity"])).map(
        lambda value: ("double", value)
    ),
    BASE64.map(lambda value: ("bytes", value)),
    BASE64.map(lambda value: ("invalid_utf8", value)),
    st.just(("null", None)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner.map(list), max_size=3).map(lambda items: ("array", items)),
        st.lists(st.tuples(KEYS, inner).map(lambda item: [item[0], *item[1]]), max_size=3).map(
            lambda items: ("map", items)
        ),
    ),
    max_leaves=5,
)
ATTRIBUTES = st.lists(st.tuples(KEYS, VALUES).map(lambda item: (item[0], *item[1])), max_size=12)
EMITTERS = st.builds(
    Emitter,
    resource=ATTRIBUTES.map(tuple),
    scope=ATTRIBUTES.map(tuple),
    scope_name=st.one_of(st.just(CLAUDE_SCOPE), TEXTS),
    scope_version=TEXTS,
    resource_schema_url=TEXTS,
    scope_schema_url=TEXTS,
    resource_dropped=st.integers(0, 2**32 - 1),
    scope_dropped=st.integers(0, 2**32 - 1),
    flags=st.frozensets(st.sampled_from(["nul", "invalid_utf8"])),
)
TIMES = st.one_of(st.just(0), st.integers(-(2**63), 2**64 - 1), st.just(RECEIVED_AT_US * 1000))
RECORDS = st.builds(
    LogRecord,
    emitter=EMITTERS,
    time_unix_nano=TIMES,
    observed_time_unix_nano=TIMES,
    severity_number=st.integers(-(2**31), 2**31 - 1),
    severity_text=TEXTS,
    event_name=TEXTS,
    body=st.none() | VALUES,
    attributes=ATTRIBUTES,
    dropped_attributes_count=st.integers(0, 2**32 - 1),
    trace_flags=st.integers(0, 2**32 - 1),
    trace_id=st.sampled_from(["", "0af7651916cd43dd8448eb211c80319c"]),
    span_id=st.sampled_from(["", "b7ad6b7169203331"]),
    flags=st.lists(st.sampled_from(["nul", "duplicate_key", "lenient"])).map(tuple),
)
HINTS = st.one_of(st.none(), st.sampled_from(["claude", "codex", "x"]))

BIGINT = 2**63
NOT_TEXT = {"subject", "origin", "facts", "content", "flags", "known", "occurred_at", "command", "path", "apart"}


def parts_of(made: EventDraft) -> list[Attribute]:
    return [*made.subject, *made.origin, *made.facts, *made.content]


def sent_in(record: LogRecord) -> list[Attribute]:
    emitter = record.emitter
    named: list[tuple[str, str, Any]] = [
        ("scope.name", "string", emitter.scope_name),
        ("scope.version", "string", emitter.scope_version),
        ("resource.schema_url", "string", emitter.resource_schema_url),
        ("scope.schema_url", "string", emitter.scope_schema_url),
        ("resource.dropped_attributes_count", "int", emitter.resource_dropped),
        ("scope.dropped_attributes_count", "int", emitter.scope_dropped),
        ("time_unix_nano", "int", record.time_unix_nano),
        ("observed_time_unix_nano", "int", record.observed_time_unix_nano),
        ("severity_number", "int", record.severity_number),
        ("severity_text", "string", record.severity_text),
        ("event_name", "string", record.event_name),
        ("dropped_attributes_count", "int", record.dropped_attributes_count),
        ("flags", "int", record.trace_flags),
        ("trace_id", "string", record.trace_id),
        ("span_id", "string", record.span_id),
    ]
    return [
        *(field for field in named if field[2]),
        *((f"@{key}", kind, value) for key, kind, value in record.attributes),
        *((f"resource@{key}", kind, value) for key, kind, value in emitter.resource),
        *((f"scope@{key}", kind, value) for key, kind, value in emitter.scope),
        *([("body", *record.body)] if record.body else []),
    ]


def mapped(record: LogRecord, hint: str | None) -> EventDraft:
    knowledge = SessionMemory().of(1)
    return draft(record, hint, knowledge, scrubber=Scrubber(b"k" * 32), received_at_us=RECEIVED_AT_US)


@given(RECORDS, HINTS)
def test_it_makes_a_draft_of_anything_and_keeps_everything_once(record: LogRecord, hint: str | None) -> None:
    made = mapped(record, hint)
    if "secret_redacted" not in made.flags:
        assert Counter(map(repr, parts_of(made))) == Counter(map(repr, sent_in(record)))
    assert Counter(key for key, _, _ in parts_of(made)) == Counter(key for key, _, _ in sent_in(record))


@given(RECORDS, HINTS)
def test_it_makes_columns_that_the_database_takes(record: LogRecord, hint: str | None) -> None:
    made = mapped(record, hint)
    for name in (field.name for field in fields(made) if field.name not in NOT_TEXT):
        value = getattr(made, name)
        if isinstance(value, str):
            assert type(value) is str
            assert len(value) <= (1024 if name == "decision_raw" else 256)
            assert "\0" not in value.encode().decode()
        else:
            assert value is None or (type(value) is int and -BIGINT <= value < BIGINT), name
    assert made.kind in set(Kind)
    assert made.event_name is not None
    assert made.cost_usd is None or Decimal(made.cost_usd).is_finite()
    assert made.occurred_at is None or made.occurred_at.tzinfo is dt.UTC
    assert len(set(made.flags)) == len(made.flags)
    for part in (made.subject, made.origin, made.facts, made.content):
        msgspec.json.encode(part)


@given(st.lists(RECORDS, max_size=4), HINTS)
def test_it_maps_a_request_as_it_would_map_its_records_one_by_one(records: list[LogRecord], hint: str | None) -> None:
    scrubber = Scrubber(b"k" * 32)
    together = drafts(records, hint, SessionMemory().of(1), scrubber=scrubber, received_at_us=RECEIVED_AT_US)
    for record, made in zip(records, together, strict=True):
        alone = draft(record, hint, SessionMemory().of(1), scrubber=scrubber, received_at_us=RECEIVED_AT_US)
        assert (alone.facts, alone.content, alone.flags) == (made.facts, made.content, made.flags)


def test_it_places_endless_new_keys_without_remembering_them_all() -> None:
    for start in range(0, 20_000, 1000):
        attributes = [("event.name", "string", "user_prompt")] + [
            (f"hostile.{number}", "int", 1) for number in range(start, start + 1000)
        ]
        record = LogRecord(Emitter(scope_name=CLAUDE_SCOPE), 1, 1, 0, "", "", None, list(attributes), 0, 0, "", "", ())
        assert len(mapped(record, None).content) == 1000
    assert len(claude_code._PLACES["user_prompt"]) <= 4096 + 1
