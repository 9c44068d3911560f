"""Against the official messages: what protobuf's own parser reads of a request, the decoder reads too."""

import base64
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from ingest.otlp import Limits, LogRecord, Malformed, decode
from tests.ingest.otlp.test_captures import CLAUDE_CODE, SPECIMENS

REQUESTS = [*sorted(CLAUDE_CODE.glob("*/*.logs*.pb")), SPECIMENS / "otlp" / "codex.logs.pb"]


def typed(value: Any) -> list[Any]:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return ["array", [typed(item) for item in value.array_value.values]]
    if kind == "kvlist_value":
        return ["map", [[pair.key, *typed(pair.value)] for pair in value.kvlist_value.values]]
    if kind == "bytes_value":
        return ["bytes", base64.b64encode(value.bytes_value).decode()]
    if kind == "double_value" and not math.isfinite(value.double_value):
        return ["double", {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value.double_value)]]
    return [kind.removesuffix("_value"), getattr(value, kind)] if kind in SCALARS else ["null", None]


SCALARS = {"string_value", "int_value", "bool_value", "double_value"}


def reference(body: bytes) -> Iterator[tuple[Any, ...]]:
    for group in LogsData.FromString(body).resource_logs:
        for scope in group.scope_logs:
            for record in scope.log_records:
                attributes = [(pair.key, *typed(pair.value)) for pair in record.attributes]
                resource = tuple((pair.key, *typed(pair.value)) for pair in group.resource.attributes)
                body_typed = typed(record.body)
                yield (
                    record.time_unix_nano,
                    record.observed_time_unix_nano,
                    record.severity_number,
                    record.severity_text,
                    record.event_name,
                    None if body_typed[0] == "null" else tuple(body_typed),
                    attributes,
                    record.dropped_attributes_count,
                    record.flags,
                    record.trace_id.hex(),
                    record.span_id.hex(),
                    resource,
                    scope.scope.name,
                    scope.scope.version,
                )


def shown(record: LogRecord) -> tuple[Any, ...]:
    return (
        record.time_unix_nano,
        record.observed_time_unix_nano,
        record.severity_number,
        record.severity_text,
        record.event_name,
        record.body,
        record.attributes,
        record.dropped_attributes_count,
        record.trace_flags,
        record.trace_id,
        record.span_id,
        record.emitter.resource,
        record.emitter.scope_name,
        record.emitter.scope_version,
    )


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.parent.name)
def test_it_reads_a_real_request_as_the_official_messages_do(path: Path) -> None:
    body = path.read_bytes()
    export = decode("logs", "protobuf", body, Limits())
    assert [shown(record) for record in export.records] == list(reference(body))  # type: ignore[arg-type]


def damaged_somewhere(body: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 3)):
        damaged[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(damaged)


@pytest.mark.parametrize("path", [REQUESTS[0], REQUESTS[-1]], ids=lambda path: path.parent.name)
def test_it_reads_a_damaged_request_as_the_official_messages_do(path: Path) -> None:
    body, compared = path.read_bytes(), 0
    for seed in range(600):
        damaged = damaged_somewhere(body, random.Random(seed))
        try:
            expected = list(reference(damaged))
        except DecodeError:
            continue
        try:
            export = decode("logs", "protobuf", damaged, Limits())
        except Malformed:
            assert not any(time or observed or body or pairs for time, observed, _, _, _, body, pairs, *_ in expected)
            continue
        if not export.unusable:
            assert [shown(record) for record in export.records] == expected  # type: ignore[arg-type]
            assert not {"lenient", "invalid_utf8"} & {flag for record in export.records for flag in record.flags}
            compared += 1
    assert compared > 100
