"""Odd values are kept and flagged: no record is lost for what its texts and numbers are."""

import base64
from typing import Any

import pytest

from ingest.otlp import LogRecord
from tests.ingest.otlp.messages import decode_logs, json_logs, json_record, only, protobuf_logs

GOOD = {"time_unix_nano": 1, "attributes": [("k", ("string", "good"))]}


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def broken(*records: dict[str, Any], resource: Any = (), invalid: bytes = b"\xff\xfe!") -> bytes:
    """A protobuf request with invalid UTF-8 wherever its texts say BAD."""
    return protobuf_logs(*records, resource=resource).replace(b"BAD", invalid)


def attribute(export: Any) -> Any:
    (attribute,) = only(export).attributes
    return attribute


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"attributes": [("k", ("string", "a\0b"))]}, id="value"),
        pytest.param({"attributes": [("a\0b", ("string", "v"))]}, id="key"),
        pytest.param({"attributes": [("a\0b", ("int", 7))]}, id="key-of-a-number"),
        pytest.param({"attributes": [("a\0b", ("bool", True))]}, id="key-of-a-bool"),
        pytest.param({"attributes": [("k", ("array", [("string", "a\0b")]))]}, id="inside-an-array"),
        pytest.param({"attributes": [("k", ("map", [("a\0b", ("int", 1))]))]}, id="inside-a-map"),
        pytest.param({"body": ("string", "a\0b")}, id="body"),
        pytest.param({"body": ("string", "b"), "severity_text": "a\0b"}, id="severity"),
        pytest.param({"body": ("string", "b"), "event_name": "a\0b"}, id="event-name"),
    ],
)
def test_it_keeps_and_flags_a_zero_character(encoding: str, fields: dict[str, Any]) -> None:
    body = json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)
    record = only(decode_logs(body))
    assert record.flags == ("nul",)
    assert "a\0b" in repr(record).replace("\\x00", "\0")


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_does_not_flag_what_only_looks_like_a_zero_character(encoding: str) -> None:
    fields = {"body": ("string", "\\u0000"), "attributes": [("k", ("string", "\\\\u0000")), ("n", ("int", 0))]}
    record = only(decode_logs(json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)))
    assert record.flags == ()
    assert record.body == ("string", "\\u0000")
    assert record.attributes == [("k", "string", "\\\\u0000"), ("n", "int", 0)]


def test_it_flags_the_resource_of_a_zero_character_and_not_its_records() -> None:
    record = only(decode_logs(protobuf_logs(GOOD, resource=[("k", ("string", "a\0b"))])))
    assert (record.flags, record.emitter.flags) == ((), {"nul"})


def test_it_loses_no_neighbour_of_invalid_utf8() -> None:
    bad = {"time_unix_nano": 2, "attributes": [("k", ("string", "BAD")), ("other", ("string", "fine"))]}
    export = decode_logs(broken(GOOD, bad, GOOD))
    assert (export.unusable, export.total) == ([], 3)
    assert [record.flags for record in export.records] == [(), ("invalid_utf8", "lenient"), ()]
    assert export.records[1].attributes == [
        ("k", "invalid_utf8", base64_of(b"\xff\xfe!")),
        ("other", "string", "fine"),
    ]


@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        pytest.param({"body": ("string", "BAD")}, "body", ("invalid_utf8", base64_of(b"\xff\xfe!")), id="body"),
        pytest.param({"severity_text": "BAD"}, "severity_text", "��!", id="severity"),
        pytest.param({"event_name": "BAD"}, "event_name", "��!", id="event-name"),
        pytest.param({"attributes": [("BAD", ("int", 3000))]}, "attributes", [("��!", "int", 3000)], id="key"),
        pytest.param(
            {"attributes": [("k", ("array", [("string", "BAD"), ("string", "ok")]))]},
            "attributes",
            [("k", "array", [["invalid_utf8", base64_of(b"\xff\xfe!")], ["string", "ok"]])],
            id="inside-an-array",
        ),
        pytest.param(
            {"attributes": [("k", ("map", [("BAD", ("string", "BAD"))]))]},
            "attributes",
            [("k", "map", [["��!", "invalid_utf8", base64_of(b"\xff\xfe!")]])],
            id="inside-a-map",
        ),
    ],
)
def test_it_keeps_the_bytes_of_invalid_utf8(fields: dict[str, Any], field: str, expected: Any) -> None:
    record = only(decode_logs(broken({"time_unix_nano": 1, **fields})))
    assert getattr(record, field) == expected
    assert record.flags == ("invalid_utf8", "lenient")


def test_it_reads_a_resource_with_invalid_utf8() -> None:
    export = decode_logs(broken(GOOD, GOOD, resource=[("k", ("string", "BAD")), ("ok", ("string", "v"))]))
    emitters = {id(record.emitter): record.emitter for record in export.records}
    (emitter,) = emitters.values()
    assert emitter.resource == (("k", "invalid_utf8", base64_of(b"\xff\xfe!")), ("ok", "string", "v"))
    assert emitter.flags == {"invalid_utf8", "lenient"}


@pytest.mark.parametrize(
    "invalid",
    [
        pytest.param(b"\xc0\xaf!", id="overlong"),
        pytest.param(b"\xed\xa0\x80", id="surrogate"),
        pytest.param(b"\xf5\x80\x80", id="beyond-unicode"),
        pytest.param(b"ab\xe2", id="cut-off"),
    ],
)
def test_it_tells_every_kind_of_invalid_utf8(invalid: bytes) -> None:
    body = broken({"attributes": [("k", ("string", "BAD"))]}, invalid=invalid)
    assert attribute(decode_logs(body)) == ("k", "invalid_utf8", base64_of(invalid))


@pytest.mark.parametrize(
    ("literal", "raw", "flags"),
    [
        pytest.param(rb"\ud800", b"\xed\xa0\x80", ("lenient", "surrogate"), id="lone-high"),
        pytest.param(rb"\udfff", b"\xed\xbf\xbf", ("lenient", "surrogate"), id="lone-low"),
        pytest.param(rb"\ude00\ud83d", b"\xed\xb8\x80\xed\xa0\xbd", ("lenient", "surrogate"), id="reversed-pair"),
        pytest.param(rb"a\udc80", b"a\xed\xb2\x80", ("lenient", "surrogate"), id="low-like-an-escaped-byte"),
        pytest.param(b"\xff\xfe", b"\xff\xfe", ("invalid_utf8", "lenient"), id="invalid-utf8"),
        pytest.param(b"a\xed\xb2\x80", b"a\xed\xb2\x80", ("invalid_utf8", "lenient"), id="surrogate-in-utf8"),
        pytest.param(b"\\n\xe2\x82", b"\n\xe2\x82", ("invalid_utf8", "lenient"), id="cut-off-after-an-escape"),
    ],
)
def test_it_keeps_the_bytes_of_json_text_that_is_none(literal: bytes, raw: bytes, flags: tuple[str, ...]) -> None:
    record = b'{"timeUnixNano":"1","attributes":[{"key":"k","value":{"stringValue":"%b"}}]}' % literal
    export = decode_logs(json_logs(json_record(**GOOD), record, json_record(**GOOD)))
    assert (export.unusable, len(export.records)) == ([], 3)
    bad = export.records[1]
    assert bad.attributes == [("k", "invalid_utf8", base64_of(raw))]
    assert bad.flags == flags
    assert export.records[0].flags == export.records[2].flags == ()


def test_it_keeps_invalid_utf8_and_a_surrogate_in_different_values_apart() -> None:
    record = b'{"body":{"stringValue":"\\ud800"},"attributes":[{"key":"k","value":{"stringValue":"\xff"}}]}'
    kept = only(decode_logs(json_logs(record)))
    assert kept.body == ("invalid_utf8", base64_of(b"\xed\xa0\x80"))
    assert kept.attributes == [("k", "invalid_utf8", base64_of(b"\xff"))]
    assert kept.flags == ("invalid_utf8", "lenient", "surrogate")


def test_it_reads_a_pair_of_surrogates_as_one_character() -> None:
    record = (
        rb'{"attributes":[{"key":"k","value":{"stringValue":"\ud83d\ude00"}},{"key":"k","value":{"intValue":"1"}}]}'
    )
    kept = only(decode_logs(json_logs(record)))
    assert kept.attributes[0] == ("k", "string", "😀")
    assert kept.flags == ("duplicate_key",)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u00e9", id="composed"),
        pytest.param("e\u0301", id="decomposed"),
        pytest.param("\u202eexe", id="right-to-left-override"),
        pytest.param("\u200b", id="zero-width"),
        pytest.param("\U0001f469\u200d\U0001f469\u200d\U0001f467", id="joined-emoji"),
        pytest.param("\ufffe", id="noncharacter"),
        pytest.param("\U0010fffe", id="last-plane"),
        pytest.param("\x01\x1f\x7f", id="control-characters"),
        pytest.param('"\\"', id="quotation-marks"),
        pytest.param("C:\\", id="backslash-at-the-end"),
    ],
)
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_keeps_unusual_text_as_it_is(encoding: str, text: str) -> None:
    fields = {"body": ("string", text), "attributes": [(text, ("string", text))]}
    record = only(decode_logs(json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)))
    assert (record.body, record.attributes, record.flags) == (("string", text), [(text, "string", text)], ())


@pytest.mark.parametrize(
    ("number", "kept", "flags"),
    [
        (float("nan"), "NaN", ("nan",)),
        (float("inf"), "Infinity", ("nan",)),
        (float("-inf"), "-Infinity", ("nan",)),
        (1e308, 1e308, ()),
        (5e-324, 5e-324, ()),
        (2.0, 2.0, ()),
    ],
)
def test_it_keeps_doubles_of_all_kinds(number: float, kept: Any, flags: tuple[str, ...]) -> None:
    fields = {"attributes": [("k", ("double", number))]}
    in_json = {"attributes": [("k", ("double", kept))]}
    for body in (protobuf_logs(fields), json_logs(json_record(**in_json))):
        record = only(decode_logs(body))
        assert record.attributes == [("k", "double", kept)]
        assert isinstance(record.attributes[0][2], type(kept))
        assert record.flags == flags


def test_it_keeps_the_sign_of_zero() -> None:
    record = only(decode_logs(protobuf_logs({"attributes": [("k", ("double", -0.0))]})))
    assert str(record.attributes[0][2]) == "-0.0"


def test_it_takes_the_names_that_other_json_writers_give_to_what_is_no_number() -> None:
    record = only(decode_logs(json_logs(b'{"attributes":[{"key":"k","value":{"doubleValue":NaN}}]}')))
    assert (record.attributes, record.flags) == ([("k", "double", "NaN")], ("lenient", "nan"))


def test_it_takes_control_characters_inside_json_strings() -> None:
    record = only(decode_logs(json_logs(b'{"attributes":[{"key":"k","value":{"stringValue":"a\tb\x00"}}]}')))
    assert (record.attributes, record.flags) == ([("k", "string", "a\tb\0")], ("nul",))


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("time", [0, 1, 10**9, 2**63 - 1, 2**63, 2**64 - 1])
def test_it_keeps_absurd_times(encoding: str, time: int) -> None:
    fields = {"time_unix_nano": time, "observed_time_unix_nano": 7, "body": ("string", "b")}
    record = only(decode_logs(json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)))
    assert (record.time_unix_nano, record.observed_time_unix_nano) == (time, 7)


@pytest.mark.parametrize("time", [-1, "-1", "18446744073709551615", 0, "0", 1e3])
def test_it_keeps_times_in_every_form_of_json(time: Any) -> None:
    record = only(decode_logs(json_logs({"timeUnixNano": time, "body": {"stringValue": "b"}})))
    assert record.time_unix_nano == int(time)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_keeps_all_attributes_of_one_key_in_order(encoding: str) -> None:
    fields = {"attributes": [("k", ("string", "1")), ("x", ("int", 1)), ("k", ("int", 2)), ("k", ("string", "1"))]}
    record = only(decode_logs(json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)))
    assert record.attributes == [("k", "string", "1"), ("x", "int", 1), ("k", "int", 2), ("k", "string", "1")]
    assert record.flags == ("duplicate_key",)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_flags_a_key_that_is_twice_in_a_map(encoding: str) -> None:
    fields = {"attributes": [("m", ("map", [("k", ("int", 1)), ("k", ("int", 2))]))]}
    record = only(decode_logs(json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)))
    assert record.attributes == [("m", "map", [["k", "int", 1], ["k", "int", 2]])]
    assert record.flags == ("duplicate_key",)


@pytest.mark.parametrize(
    ("record", "field", "last"),
    [
        pytest.param(b'{"timeUnixNano":"1","timeUnixNano":"2"}', "time_unix_nano", 2, id="time"),
        pytest.param(b'{"timeUnixNano":1,"timeUnixNano":2}', "time_unix_nano", 2, id="time-as-a-number"),
        pytest.param(b'{"timeUnixNano":1 , "timeUnixNano" : 2}', "time_unix_nano", 2, id="with-white-space"),
        pytest.param(b'{"body":{"stringValue":"1"},"body":{"stringValue":"2"}}', "body", ("string", "2"), id="body"),
        pytest.param(b'{"body":{"stringValue":"1","stringValue":"2"}}', "body", ("string", "2"), id="inside-a-value"),
        pytest.param(
            b'{"attributes":[{"key":"a","key":"b","value":{"intValue":1}}]}', "attributes", [("b", "int", 1)], id="key"
        ),
        pytest.param(
            rb'{"timeUnixNano":1,"timeUnixNano":2,"body":{"stringValue":"\u0022\u0022"}}',
            "time_unix_nano",
            2,
            id="evened-out",
        ),
        pytest.param(
            rb'{"timeUnixNano":1,"timeUnixNano":2,"attributes":[{"key":"k","value":{"stringValue":"\"\u0022\u0022"}}]}',
            "time_unix_nano",
            2,
            id="evened-out-by-an-attribute",
        ),
        pytest.param(
            b'{"attributes":[{"key":"a\\"","key":"b\\"","value":{"intValue":1}}]}',
            "attributes",
            [('b"', "int", 1)],
            id="key-with-a-quotation-mark",
        ),
        pytest.param(
            b'{"body":{"stringValue":"b"},"attributes":[{"key":"a","value":{"intValue":1}}],"attributes":[]}',
            "attributes",
            [],
            id="attributes",
        ),
        pytest.param(
            b'{"attributes":[{"key":"a","value":{"arrayValue":{"values":[],"values":[{"intValue":1}]}}}]}',
            "attributes",
            [("a", "array", [["int", 1]])],
            id="inside-an-array",
        ),
    ],
)
def test_it_takes_the_last_of_repeated_json_names_and_says_so(record: bytes, field: str, last: Any) -> None:
    export = decode_logs(json_logs(json_record(**GOOD), record))
    assert (export.unusable, export.records[0].flags) == ([], ())
    kept = export.records[1]
    assert isinstance(kept, LogRecord)
    assert getattr(kept, field) == last
    assert kept.flags == ("duplicate_key",)


def test_it_loses_no_record_to_a_list_that_is_there_twice() -> None:
    record = b'{"timeUnixNano":"%d","body":{"stringValue":"b"}}'
    scope = b'{"logRecords":[' + record % 1 + b'],"logRecords":[' + record % 2 + b"]}"
    export = decode_logs(b'{"resourceLogs":[{"scopeLogs":[' + scope + b"]}]}")
    assert [(_.time_unix_nano, _.emitter.flags) for _ in export.records] == [
        (1, {"duplicate_key"}),
        (2, {"duplicate_key"}),
    ]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_keeps_ten_thousand_attributes_a_long_key_and_a_long_value(encoding: str) -> None:
    pairs = [(f"k{number}", ("string", str(number))) for number in range(10_000)]
    pairs += [("K" * 2**20, ("string", "short")), ("v", ("string", "V" * 2**20))]
    fields = {"attributes": pairs}
    record = only(decode_logs(json_logs(json_record(**fields)) if encoding == "json" else protobuf_logs(fields)))
    assert record.attributes == [(key, *typed) for key, typed in pairs]
