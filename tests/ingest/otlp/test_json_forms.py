"""The forms that OTLP/JSON allows, and what becomes of a record in another form."""

import json
from typing import Any

import pytest

from tests.ingest.otlp.messages import decode_logs, json_logs, only

GOOD = {"timeUnixNano": "1", "body": {"stringValue": "good"}}
TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def value_of(value: Any) -> Any:
    (attribute,) = only(decode_logs(json_logs({"attributes": [{"key": "k", "value": value}]}))).attributes
    return attribute[1:]


def reason_for(record: Any) -> str:
    """Why a record is unusable, whose neighbours are kept."""
    export = decode_logs(json_logs(GOOD, record, GOOD))
    (unusable,) = export.unusable
    assert (len(export.records), export.total) == (2, 3)
    assert all(record.body == ("string", "good") for record in export.records)
    return unusable.reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"intValue": 13}, ("int", 13), id="number"),
        pytest.param({"intValue": "13"}, ("int", 13), id="text"),
        pytest.param({"intValue": "-9223372036854775808"}, ("int", -(2**63)), id="lowest"),
        pytest.param({"intValue": 2**63 - 1}, ("int", 2**63 - 1), id="highest"),
        pytest.param({"intValue": 1e3}, ("int", 1000), id="with-an-exponent"),
        pytest.param({"intValue": 2.0}, ("int", 2), id="whole-number-with-a-point"),
        pytest.param({"doubleValue": 1}, ("double", 1.0), id="double-without-a-point"),
        pytest.param({"doubleValue": "1.5"}, ("double", 1.5), id="double-as-text"),
        pytest.param({"doubleValue": "-Infinity"}, ("double", "-Infinity"), id="infinity"),
        pytest.param({"boolValue": False}, ("bool", False), id="false"),
        pytest.param({"stringValue": ""}, ("string", ""), id="empty-text"),
        pytest.param({"bytesValue": "/+8="}, ("bytes", "/+8="), id="bytes"),
        pytest.param({"bytesValue": "_-8"}, ("bytes", "/+8="), id="bytes-url-safe-without-padding"),
        pytest.param({}, ("null", None), id="nothing"),
        pytest.param(None, ("null", None), id="null"),
        pytest.param({"stringValue": None}, ("null", None), id="null-inside"),
        pytest.param({"laterValue": 1}, ("null", None), id="unknown-kind"),
        pytest.param({"arrayValue": {"values": []}}, ("array", []), id="empty-array"),
        pytest.param({"arrayValue": {}}, ("array", []), id="array-without-values"),
        pytest.param({"kvlistValue": {"values": [{"key": "a"}]}}, ("map", [["a", "null", None]]), id="map"),
        pytest.param({"stringValue": "s", "laterMember": {"a": [1]}}, ("string", "s"), id="unknown-member"),
        pytest.param({"intValue": None, "stringValue": "s"}, ("string", "s"), id="null-beside"),
    ],
)
def test_it_reads_every_form_of_a_value(value: Any, expected: tuple[str, Any]) -> None:
    kind, content = value_of(value)
    assert (kind, content) == expected
    assert type(content) is type(expected[1])


def test_it_passes_over_unknown_members_at_every_level() -> None:
    odd = {"later": {"a": [1, {"b": None}], "c": 5}}
    record = {**GOOD, **odd, "time_unix_nano": 9, "attributes": [{"key": "k", "value": {"intValue": 1}, **odd}]}
    scope = {"scope": {"name": "n", **odd}, "logRecords": [record], **odd}
    resource = {"resource": {"attributes": [], **odd}, "scopeLogs": [scope], **odd}
    kept = only(decode_logs(json.dumps({"resourceLogs": [resource], **odd}).encode()))
    assert (kept.time_unix_nano, kept.attributes, kept.flags) == (1, [("k", "int", 1)], ())
    assert (kept.emitter.scope_name, kept.emitter.flags) == ("n", frozenset())


def test_it_passes_over_an_absurd_number_in_an_unknown_member() -> None:
    record = b'{"timeUnixNano":"1","later":[1e400,%b,NaN]}' % (b"9" * 5000)
    assert only(decode_logs(json_logs(record))).time_unix_nano == 1


def test_it_reads_every_field() -> None:
    record = {
        "timeUnixNano": "1",
        "observedTimeUnixNano": 2,
        "severityNumber": 9,
        "severityText": "INFO",
        "eventName": "e",
        "body": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}},
        "attributes": [],
        "droppedAttributesCount": 3,
        "flags": 1,
        "traceId": TRACE_ID.upper(),
        "spanId": SPAN_ID,
    }
    resource = {"attributes": [{"key": "r", "value": {"boolValue": True}}], "droppedAttributesCount": 4}
    scope = {"name": "s", "version": "1", "attributes": [{"key": "a", "value": {"doubleValue": 0.5}}]}
    scope_logs = {"scope": scope | {"droppedAttributesCount": 5}, "logRecords": [record], "schemaUrl": "https://s"}
    request = {"resourceLogs": [{"resource": resource, "scopeLogs": [scope_logs], "schemaUrl": "https://r"}]}
    for later in ({}, {"later": 1}):  # which leads to the thorough reader
        scope_logs["logRecords"] = [record | later]
        kept = only(decode_logs(json.dumps(request, indent=2).encode()))
        assert (kept.time_unix_nano, kept.observed_time_unix_nano, kept.severity_number) == (1, 2, 9)
        assert (kept.severity_text, kept.event_name, kept.body) == ("INFO", "e", ("map", [["k", "int", 1]]))
        assert (kept.dropped_attributes_count, kept.trace_flags) == (3, 1)
        assert (kept.trace_id, kept.span_id) == (TRACE_ID, SPAN_ID)
        emitter = kept.emitter
        assert (emitter.resource, emitter.resource_dropped) == ((("r", "bool", True),), 4)
        assert (emitter.scope, emitter.scope_dropped) == ((("a", "double", 0.5),), 5)
        assert (emitter.scope_name, emitter.scope_version) == ("s", "1")
        assert (emitter.resource_schema_url, emitter.scope_schema_url) == ("https://r", "https://s")


@pytest.mark.parametrize("absent", ["null", "left out"])
def test_it_takes_null_for_absent(absent: str) -> None:
    names = ["severityText", "eventName", "body", "flags", "traceId", "spanId", "droppedAttributesCount"]
    record = {"timeUnixNano": "1", "attributes": None} | (dict.fromkeys(names) if absent == "null" else {})
    kept = only(decode_logs(json_logs(record)))
    assert (kept.body, kept.attributes, kept.trace_id, kept.severity_text, kept.flags) == (None, [], "", "", ())


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param({"severityNumber": "SEVERITY_NUMBER_INFO"}, "severityNumber is not an integer", id="enum-name"),
        pytest.param({"severityNumber": 2**31}, "severityNumber is out of range", id="enum-out-of-range"),
        pytest.param({"traceId": TRACE_ID[:-1]}, "traceId is not 32 hex digits", id="odd-id"),
        pytest.param({"traceId": "W47/95gDgQPSabYzgT/GDA=="}, "traceId is not 32 hex digits", id="base64-id"),
        pytest.param({"traceId": "x" * 32}, "traceId is not 32 hex digits", id="id-not-hex"),
        pytest.param({"traceId": "１" * 32}, "traceId is not 32 hex digits", id="id-of-other-digits"),
        pytest.param({"spanId": TRACE_ID}, "spanId is not 16 hex digits", id="long-id"),
        pytest.param({"spanId": 7}, "spanId has the wrong JSON type", id="id-as-a-number"),
        pytest.param({"spanId": " " + SPAN_ID[:-1]}, "spanId is not 16 hex digits", id="id-with-a-space"),
        pytest.param({"timeUnixNano": 2**64}, "timeUnixNano is out of range", id="time-out-of-range"),
        pytest.param({"timeUnixNano": "1.5"}, "timeUnixNano is not an integer", id="time-with-a-point"),
        pytest.param({"timeUnixNano": 1.5}, "timeUnixNano is not an integer", id="time-as-a-fraction"),
        pytest.param({"timeUnixNano": "2026-11-21T05:53:34Z"}, "timeUnixNano is not an integer", id="time-as-a-date"),
        pytest.param({"timeUnixNano": True}, "timeUnixNano is not an integer", id="time-as-a-bool"),
        pytest.param({"flags": -1}, "flags is out of range", id="negative-flags"),
        pytest.param({"droppedAttributesCount": -1}, "droppedAttributesCount is out of range", id="negative-count"),
        pytest.param({"eventName": 5}, "eventName has the wrong JSON type", id="number-for-a-text"),
        pytest.param({"body": "text"}, "a value is not an object", id="body-as-a-text"),
        pytest.param({"attributes": {"k": "v"}}, "attributes has the wrong JSON type", id="attributes-as-an-object"),
        pytest.param({"attributes": ["k"]}, "an attribute is not an object", id="attribute-as-a-text"),
        pytest.param({"attributes": [{"key": 1}]}, "key has the wrong JSON type", id="key-as-a-number"),
        pytest.param({"body": {"intValue": 2**63}}, "intValue is out of range", id="beyond-int64"),
        pytest.param({"body": {"intValue": str(2**64)}}, "intValue is out of range", id="text-beyond-int64"),
        pytest.param({"body": {"intValue": "12a"}}, "intValue is not an integer", id="no-number"),
        pytest.param({"body": {"intValue": "１２"}}, "intValue is not an integer", id="other-digits"),
        pytest.param({"body": {"intValue": True}}, "intValue is not an integer", id="bool-for-a-number"),
        pytest.param({"body": {"boolValue": 1}}, "boolValue has the wrong JSON type", id="number-for-a-bool"),
        pytest.param({"body": {"stringValue": 1}}, "stringValue has the wrong JSON type", id="number-for-a-value"),
        pytest.param({"body": {"doubleValue": "much"}}, "doubleValue is not a number", id="no-double"),
        pytest.param({"body": {"bytesValue": "?"}}, "bytesValue is not base64", id="no-base64"),
        pytest.param({"body": {"arrayValue": {"values": 1}}}, "values has the wrong JSON type", id="no-array"),
        pytest.param({"body": {"intValue": 1, "stringValue": "1"}}, "a value states two types", id="two-values"),
        pytest.param(b'{"body":{"doubleValue":1e400}}', "doubleValue is not a number, or out of range", id="1e400"),
        pytest.param(b'{"body":{"intValue":1e100000}}', "intValue is out of range", id="1e100000"),
        pytest.param(b'{"body":{"doubleValue":"1e400"}}', "doubleValue is not a number, or out", id="text-1e400"),
        pytest.param(b'{"body":{"intValue":%b}}' % (b"9" * 5000), "intValue is out of range", id="5000-digits"),
        pytest.param(
            b'{"body":{"doubleValue":%b}}' % (b"9" * 5000), "doubleValue is not a num", id="5000-digit-double"
        ),
        pytest.param(b'{"body":{"intValue":"%b"}}' % (b"9" * 5000), "intValue is not an integer", id="5000-in-a-text"),
        pytest.param(b'{"body":{"intValue":tru}}', "a record is not JSON", id="no-json"),
        pytest.param(b'{"body":{"stringValue":"\\q"}}', "a record is not JSON", id="no-escape"),
        pytest.param(b'{"body":[}]', "a record is not JSON", id="brackets-crossed"),
        pytest.param(b"5", "a record is not an object", id="no-object"),
        pytest.param(
            b'{"body":{"stringValue":"\\udc80\xff"}}', "a record has invalid UTF-8 and lone surr", id="not-to-be-told"
        ),
    ],
)
def test_it_refuses_one_record_and_keeps_its_neighbours(record: Any, reason: str) -> None:
    record = json.dumps({**GOOD, **record}).encode() if isinstance(record, dict) else record
    assert reason_for(record).startswith(reason)


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param({"attributes": [{"key": "k", "value": {"intValue": "no"}}]}, id="value"),
        pytest.param({"droppedAttributesCount": 2**32}, id="count"),
        pytest.param("text", id="type"),
    ],
)
def test_it_refuses_every_record_of_a_resource_it_cannot_read(resource: Any) -> None:
    bad = {"resource": resource, "scopeLogs": [{"logRecords": [GOOD, GOOD]}]}
    good = {"scopeLogs": [{"logRecords": [GOOD]}]}
    export = decode_logs(json.dumps({"resourceLogs": [bad, good]}).encode())
    assert (len(export.records), len(export.unusable), export.total) == (1, 2, 3)
    again = [decode_logs(unusable.request) for unusable in export.unusable]
    assert [len(one.unusable) for one in again] == [1, 1]
