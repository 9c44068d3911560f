"""What holds for all requests: both encodings mean the same, and no bytes do any harm."""

import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from ingest.otlp import Export, Limits, LogRecord, Malformed, TooLarge, decode
from ingest.otlp.limits import Budget
from ingest.otlp.protobuf_values import ValueReader, usual
from tests.ingest.otlp.messages import fill, json_logs, json_record, json_value, protobuf_logs
from tests.ingest.otlp.test_captures import CLAUDE_CODE, SPECIMENS

LIMITS = Limits(records=200, envelope_fields=1_000, elements=5_000, record_elements=2_000)

texts = st.text(max_size=12) | st.sampled_from(["", "\0", '"', "\\", '\\"', "{[,]}", "\U0001f600", "k" * 130])
scalars = st.one_of(
    st.tuples(st.just("string"), texts),
    st.tuples(st.just("int"), st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 300)),
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("double"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("bytes"), st.binary(max_size=8)),
    st.just(("null", None)),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.tuples(st.just("array"), st.lists(inner, max_size=3))
        | st.tuples(st.just("map"), st.lists(st.tuples(texts, inner), max_size=3))
    ),
    max_leaves=6,
)
attributes = st.lists(st.tuples(texts, values), max_size=6)
times = st.integers(0, 2**64 - 1)
records = st.fixed_dictionaries(
    {"time_unix_nano": times, "attributes": attributes},
    optional={
        "observed_time_unix_nano": times,
        "severity_number": st.integers(0, 24),
        "severity_text": texts,
        "event_name": texts,
        "body": values,
        "dropped_attributes_count": st.integers(0, 2**32 - 1),
        "trace_flags": st.integers(0, 2**32 - 1),
        "trace_id": st.binary(min_size=16, max_size=16).map(bytes.hex),
        "span_id": st.binary(min_size=8, max_size=8).map(bytes.hex),
    },
)


@given(st.lists(records, min_size=1, max_size=5))
@settings(deadline=None)
def test_it_reads_the_same_from_both_encodings(fields: list[dict[str, Any]]) -> None:
    in_protobuf = attempt("logs", "protobuf", protobuf_logs(*fields))
    for ascii_only in (True, False):
        written = [json.dumps(json_record(**record), ensure_ascii=ascii_only).encode() for record in fields]
        in_json = attempt("logs", "json", json_logs(*written))
        assert in_json == in_protobuf


@given(records)
@settings(deadline=None)
def test_it_reads_what_was_written(fields: dict[str, Any]) -> None:
    export = attempt("logs", "protobuf", protobuf_logs(fields))
    if export is None:  # no time, no attribute and no body
        assert not fields["time_unix_nano"]
        assert not fields["attributes"]
        return
    (record,) = export.records
    assert isinstance(record, LogRecord)
    for name, value in fields.items():
        if name == "body":
            assert (record.body or ("null", None))[0] == value[0]
        elif name != "attributes":
            assert getattr(record, name) == value
    assert [(key, kind) for key, kind, _ in record.attributes] == [
        (key, kind) for key, (kind, _) in fields["attributes"]
    ]
    in_texts = [value for _, kind, value in record.attributes if kind == "string"]
    assert in_texts == [value for _, (kind, value) in fields["attributes"] if kind == "string"]


@st.composite
def key_values(draw: st.DrawFn) -> bytes:
    """A KeyValue message, perhaps after an accident."""
    pair = KeyValue(key=draw(texts), value=AnyValue())
    fill(pair.value, draw(scalars))
    raw = pair.SerializeToString()
    at, noise = draw(st.integers(0, len(raw))), draw(st.binary(max_size=3))
    return raw[:at] + noise + raw[at + draw(st.sampled_from([0, len(noise)])) :]


@given(key_values() | st.binary(max_size=12))
@settings(deadline=None, max_examples=1000)
def test_it_reads_a_usual_attribute_as_protobuf_would(raw: bytes) -> None:
    flags: set[str] = set()
    shortly = usual(raw)
    if shortly is not None:
        thoroughly = ValueReader(Budget(Limits())).attribute(raw, flags)
        assert (shortly, set()) == (thoroughly, flags)


def test_it_reads_usual_attributes_shortly() -> None:
    for value in (AnyValue(string_value="v"), AnyValue(int_value=1), AnyValue(int_value=2**63 - 1)):
        assert usual(KeyValue(key="k", value=value).SerializeToString()) is not None
    for value in (AnyValue(string_value="\0"), AnyValue(int_value=-1), AnyValue(bool_value=True), AnyValue()):
        assert usual(KeyValue(key="k", value=value).SerializeToString()) is None


def size(content: bytes) -> bytes:
    return bytes([len(content)])


def attempt(signal: Any, encoding: Any, body: bytes) -> Export | None:
    """The export, or None where the request is refused; any other exception is a failure."""
    try:
        export = decode(signal, encoding, body, LIMITS)
    except (Malformed, TooLarge):
        return None
    assert signal == "traces" or len(export.records) + len(export.unusable) == export.total
    json.dumps([record.attributes for record in export.records if isinstance(record, LogRecord)], allow_nan=False)
    return export


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@given(body=st.binary(max_size=200))
@settings(deadline=None)
def test_it_survives_any_bytes(signal: str, encoding: str, body: bytes) -> None:
    attempt(signal, encoding, body)
    attempt(signal, encoding, b"\x0a" + size(body) + body)
    attempt(signal, encoding, b'{"resourceLogs":[' + body + b"]}")


NAMES = [
    *("resource", "scope", "scopeLogs", "logRecords", "scopeMetrics", "metrics", "schemaUrl", "attributes", "key"),
    *("value", "values", "stringValue", "intValue", "doubleValue", "boolValue", "bytesValue", "arrayValue"),
    *("kvlistValue", "body", "timeUnixNano", "severityNumber", "traceId", "flags", "name", "sum", "histogram"),
    *("dataPoints", "asInt", "asDouble", "bucketCounts", "explicitBounds", "quantileValues", "positive"),
]
json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)


@given(json_texts)
@settings(deadline=None)
def test_it_survives_any_json_in_any_place(tree: Any) -> None:
    text = json.dumps(tree).encode()
    attempt("logs", "json", b'{"resourceLogs":%b}' % text)
    attempt("logs", "json", json_logs(text))
    attempt("logs", "json", b'{"resourceLogs":[{"resource":%b,"scopeLogs":[{"logRecords":[{}]}]}]}' % text)
    attempt("metrics", "json", b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[%b]}]}]}' % text)
    for name in (b"sum", b"histogram", b"summary", b"exponentialHistogram"):
        points = b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"%b":{"dataPoints":[%b]}}]}]}]}'
        attempt("metrics", "json", points % (name, text))


@cache
def bodies() -> list[tuple[str, str, bytes]]:
    """A few real requests of every signal and encoding."""
    names = [
        "a-plain-prompt.json/0001.logs.json",
        "a-plain-prompt.pb/0001.logs.pb",
        "a-plain-prompt.json/0002.metrics.json",
        "a-plain-prompt.pb/0002.metrics.pb",
        "l-traces.pb/0004.traces.pb",
    ]
    paths = [CLAUDE_CODE / name for name in names] + sorted((SPECIMENS / "otlp").glob("[goq]*.json"))
    signals = [(set(path.name.split(".")) & {"logs", "metrics", "traces"}).pop() for path in paths]
    return [
        (signal, "json" if path.suffix == ".json" else "protobuf", path.read_bytes())
        for signal, path in zip(signals, paths, strict=True)
    ]


def mutated(body: bytes, chance: random.Random) -> bytes:
    """The body after one to four accidents."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(body) + 1), chance.choice([1, 1, 1, 2, 8, 100])
        piece = chance.choice(
            [
                b"",
                chance.randbytes(length),
                body[at : at + length] * 2,
                chance.choice(
                    [b"\x00", b"\xff", b"\xff\xff\xff\xff\x0f", b"\x0a\x00", b'"', b"\\", b"{", b"}", b"[", b"]"]
                ),
                chance.choice([b"null", b"1e999", b"NaN", b'"\\ud800"', b"{}", b"[]", b"-1", b"9" * 500, b'"NaN"']),
            ]
        )
        body = body[:at] + piece + body[at + length :]
    return body


@pytest.mark.parametrize(
    "rounds", [pytest.param(150, id="short"), pytest.param(30_000, id="long", marks=pytest.mark.slow)]
)
def test_it_survives_real_requests_after_accidents(rounds: int) -> None:
    outcomes = set()
    for seed in range(rounds):
        chance = random.Random(seed)
        for signal, encoding, body in bodies():
            export = attempt(signal, encoding, mutated(body, chance))
            outcomes.add("refused" if export is None else "unusable" if export.unusable else "kept")
            for unusable in export.unusable if export else ():
                again = attempt(signal, encoding, unusable.request)
                assert again is None or [one.reason for one in again.unusable] == [unusable.reason]
    assert outcomes == {"refused", "unusable", "kept"}


@given(values)
@settings(deadline=None)
def test_it_reads_a_value_whatever_way_it_comes(typed: tuple[str, Any]) -> None:
    """At once by msgspec, and by the thorough reader, to which an unknown member leads."""
    value = json_value(typed)
    plain = attempt("logs", "json", json_logs({"timeUnixNano": "1", "attributes": [{"key": "k", "value": value}]}))
    odd = attempt(
        "logs", "json", json_logs({"timeUnixNano": "1", "attributes": [{"key": "k", "value": value}], "later": 1})
    )
    assert plain == odd
