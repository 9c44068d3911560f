"""The shape of one event, from plain values."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import leaf
from audit.export import native
from audit.export.shapes import Actor, NativeEvent, Person, Recorded

KEYS = [
    "schema_version", "seq", "id", "agent", "kind", "event_name", "occurred_at", "received_at", "sealed_at",
    "session_id", "sequence", "prompt_id", "tool_use_id", "source", "actor", "origin", "tool", "mcp", "decision",
    "decided_by", "grant", "basis", "decision_raw", "mode", "mode_provenance", "from_mode", "to_mode", "trigger",
    "outcome", "error", "duration_ms", "model", "tokens", "cost_usd", "attributes", "content", "flags", "leaf_hash",
]  # fmt: skip
NESTED = {
    "source": "id name token_id address",
    "actor": "id email account_uuid account_id install_id organization_id provenance",
    "origin": "service_name service_version entrypoint terminal os team cost_center repository attributes",
    "tool": "name source",
    "mcp": "server server_provenance tool transport status scope",
    "tokens": "input output cache_read cache_creation",
}
ID = "01a1fd72-2641-7770-8000-137ebfd26f83"
DANA = Person(Actor(ID, "dana@acme.example"), erased=False)


def part(*attributes: Any) -> bytes:
    return leaf.encode_part(attributes)


def header(**values: Any) -> bytes:
    fields = {"id": ID, "us": 1_795_240_414_605_123, "source": 7, "name": "laptops", "token": 9, "address": "192.0.2.7"}
    fields |= values
    return leaf.encode_json((leaf.HEADER_FORMAT, *fields.values(), "claude_code", []))


def recorded(**values: Any) -> Recorded:
    blank = dict.fromkeys(Recorded._fields)
    usual = {
        "id": ID, "schema_version": 1, "agent": "claude_code", "kind": "api_request", "event_name": "api_request",
        "flags": [], "leaf_hash": bytes(32), "header": header(), "facts": part(), "content_erased": False,
    }  # fmt: skip
    return Recorded(**blank | usual | values)


def line(event: Recorded, person: Person = DANA, *, with_content: bool = True) -> dict[str, Any]:
    rendered = native.render(event, person, native.NO_ORIGIN, with_content=with_content)
    return json.loads(native.encode(rendered))


def test_all_keys_are_always_there_in_their_order():
    bare = line(recorded())
    assert list(bare) == KEYS
    assert {name: " ".join(bare[name]) for name in NESTED} == NESTED


def test_what_is_not_known_is_null():
    bare = line(recorded())
    known = {"schema_version", "id", "agent", "kind", "event_name", "received_at", "flags", "leaf_hash"}
    known |= {"attributes", "content", *NESTED}
    assert {name for name, value in bare.items() if value is not None} == known
    assert set(bare["tool"].values()) | set(bare["mcp"].values()) | set(bare["tokens"].values()) == {None}


def test_types_are_as_promised():
    shown = line(
        recorded(
            seq=5, sealed_at=1_795_240_415_000_000, occurred_at=1_795_240_414_605_000, sequence=12, duration_ms=143,
            input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_creation_tokens=0, cost_usd="0.0123",
            prompt_id="p-1", tool_use_id="toolu_1", leaf_hash=bytes(range(32)), flags=["nul"],
        )
    )  # fmt: skip
    assert (shown["seq"], shown["sequence"], shown["duration_ms"]) == (5, 12, 143)
    assert shown["tokens"] == {"input": 1, "output": 2, "cache_read": 3, "cache_creation": 0}
    assert shown["cost_usd"] == "0.0123"
    assert shown["source"] == {"id": "7", "name": "laptops", "token_id": "9", "address": "192.0.2.7"}
    assert shown["occurred_at"] == "2026-11-21T05:53:34.605000Z"
    assert shown["received_at"] == "2026-11-21T05:53:34.605123Z"
    assert shown["sealed_at"] == "2026-11-21T05:53:35.000000Z"
    assert shown["leaf_hash"] == bytes(range(32)).hex()


def test_numbers_that_json_readers_round_are_strings():
    shown = line(recorded(sequence=2**60, duration_ms=-(2**60), input_tokens=2**53, facts=part(("@n", "int", 2**62))))
    assert (shown["sequence"], shown["duration_ms"]) == (str(2**60), str(-(2**60)))
    assert shown["tokens"]["input"] == str(2**53)
    assert shown["attributes"] == {"n": str(2**62)}


DECISION = {
    "decision": "accept",
    "decided_by": "person",
    "grant": "once",
    "basis": "stated",
    "decision_raw": "decision=accept source=user_temporary",
}


def test_a_decision_shows_on_a_tool_decision():
    shown = line(recorded(kind="tool_decision", **DECISION))
    assert {name: shown[name] for name in DECISION} == DECISION


def test_a_decision_shows_on_nothing_else():
    shown = line(recorded(kind="tool_result", **DECISION))
    assert {shown[name] for name in DECISION} == {None}


def test_attributes_are_the_facts_that_no_key_says():
    facts = part(
        ("time_unix_nano", "int", 1_795_240_414_605_000_000),
        ("observed_time_unix_nano", "int", 1_795_240_414_605_000_000),
        ("body", "string", "claude_code.tool_result"),
        ("trace_id", "string", "ab" * 16),
        ("resource.schema_url", "string", "https://x.example"),
        ("@session.id", "string", "s-1"),
        ("@event.sequence", "int", 3),
        ("@tool_name", "string", "Bash"),
        ("@duration_ms", "string", "143"),
        ("@success", "string", "true"),
        ("@event.timestamp", "string", "2026-11-21T05:53:34.605Z"),
    )
    shown = line(
        recorded(
            kind="tool_result", event_name="tool_result", occurred_at=1_795_240_414_605_000, session_id="s-1",
            sequence=3, tool_name="Bash", duration_ms=143, facts=facts,
        )
    )  # fmt: skip
    assert shown["attributes"] == {
        "trace_id": "ab" * 16,
        "resource.schema_url": "https://x.example",
        "success": "true",
        "event.timestamp": "2026-11-21T05:53:34.605Z",
    }


def test_a_fact_that_says_something_else_than_its_key_stays():
    facts = part(
        ("@session.id", "string", "s" * 300),
        ("@duration_ms", "string", "soon"),
        ("@model", "string", "a"),
        ("body", "string", "claude_code.other"),
        ("time_unix_nano", "int", 2**63 - 1),
        ("observed_time_unix_nano", "int", 7),
    )
    shown = line(recorded(session_id="s" * 256, model="b", facts=facts))
    assert shown["attributes"] == {
        "session.id": "s" * 300,
        "duration_ms": "soon",
        "model": "a",
        "body": "claude_code.other",
        "time_unix_nano": str(2**63 - 1),
        "observed_time_unix_nano": 7,
    }


def test_content_goes_by_the_name_of_the_attribute():
    shown = line(recorded(content=part(("@prompt", "string", "Fix it"), ("resource@process.pid", "int", 7))))
    assert shown["content"] == {"prompt": "Fix it", "resource@process.pid": 7}


def test_content_is_null_for_those_who_may_not_see_it():
    assert line(recorded(content=part(("@prompt", "string", "x"))), with_content=False)["content"] is None


def test_an_event_without_content_has_none_to_show():
    assert line(recorded(content=None))["content"] == {}


@pytest.mark.parametrize("name", ["facts", "content"])
def test_of_duplicate_keys_the_last_shows_and_it_is_flagged(name):
    shown = line(
        recorded(**{name: part(("@a", "string", "1"), ("@b", "int", 2), ("@a", "string", "3"))}, flags=["nul"])
    )
    assert shown["attributes" if name == "facts" else "content"] == {"a": "3", "b": 2}
    assert shown["flags"] == ["nul", "duplicate_key"]


def test_a_flag_shows_once():
    twice = part(("@a", "string", "1"), ("@a", "string", "2"))
    assert line(recorded(facts=twice, content=twice, flags=["duplicate_key"]))["flags"] == ["duplicate_key"]


@pytest.mark.parametrize(
    ("values", "person", "key"),
    [
        ({"facts": None}, DANA, "attributes"),
        ({"content_erased": True}, DANA, "content"),
        ({}, Person(Actor(ID), erased=True), None),
    ],
)
def test_what_was_erased_is_null_and_flagged(values, person, key):
    shown = line(recorded(**values), person)
    assert shown["flags"] == ["erased"]
    assert key is None or shown[key] is None


@pytest.mark.parametrize("name", ["facts", "content", "header"])
@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"{}", b"null", b"7", b"[1]", b'[["a"]]', b'[["a", "int"]]', b"[[1, 2, 3]]", b"\xff\xfe",
        b"\x00", b'[["a", "array", 5]]', b'[["a", "array", [7]]]', b'[["a", "map", [["b", "int"]]]]',
        b'[["a", "map", {"b": 1}]]', b'[["a", "int", "x"]]', b'[["a", "int", null]]',
        b'[["a", "map", [[["x"], "int", 1]]]]', b'["agp-event/1", "x", "y"]',
        b'["agp-event/1", "x", 99999999999999999999, 1, "n", 1, "a"]',
        b'[["a", "array", ' + b"[[\"array\", " * 2000 + b"[]" + b"]]" * 2000 + b"]]", b'["' + b"\\ud800" + b'"]',
    ],
)  # fmt: skip
def test_bytes_that_cannot_be_read_are_null_and_flagged(name, data):
    shown = line(recorded(**{name: data}))
    flagged = {"facts": "attributes", "content": "content", "header": "received_at"}[name]
    assert shown["flags"] == ["unreadable"] or shown[flagged] is not None
    assert list(shown) == KEYS


@given(st.binary(), st.binary(), st.binary())
def test_no_bytes_break_it(facts, content, head):
    assert list(line(recorded(facts=facts, content=content, header=head))) == KEYS


_leaves = (
    st.tuples(st.just("string"), st.text(st.characters(exclude_categories=["Cs"])))
    | st.tuples(st.just("int"), st.integers(-(2**63), 2**63 - 1))
    | st.tuples(st.just("double"), st.floats(allow_nan=False, allow_infinity=False))
    | st.tuples(st.just("bool"), st.booleans())
    | st.tuples(st.just("null"), st.none())
)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.tuples(st.just("array"), st.lists(inner))
        | st.tuples(st.just("map"), st.lists(inner.map(lambda typed: ("k", *typed))))
    ),
)
_parts = st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), _values))


@given(_parts)
def test_no_number_is_rounded_and_no_attribute_is_lost(attributes):
    facts = part(*(("@" + key, *typed) for key, typed in attributes))
    shown = line(recorded(facts=facts))
    assert set(shown["attributes"]) == {key for key, _ in attributes}
    assert all(abs(number) < 2**53 for number in _integers(shown["attributes"]))
    assert ("duplicate_key" in shown["flags"]) == (len(set(shown["attributes"])) < len(attributes))


def _integers(value: Any) -> list[int]:
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for each in inner for number in _integers(each)]


ORIGIN = {
    "service_name": "claude-code", "service_version": "2.1.329", "entrypoint": "cli", "terminal": "xterm",
    "os": "linux amd64", "team": "payments", "cost_center": "eng-42", "repository": "payments-api",
}  # fmt: skip


def test_an_origin_shows_the_rest_by_name():
    data = part(
        ("resource@service.name", "string", "claude-code"), ("resource@service.version", "string", "2.1.329"),
        ("scope.version", "string", "2.1.329"), ("scope.name", "string", "com.anthropic.claude_code.events"),
        ("@app.entrypoint", "string", "cli"), ("@terminal.type", "string", "xterm"),
        ("resource@os.type", "string", "linux"), ("resource@host.arch", "string", "amd64"),
        ("resource@os.version", "string", "6.18"), ("@team.id", "string", "payments"), ("@team", "string", "other"),
        ("@cost_center", "string", "eng-42"), ("resource@repo", "string", "payments-api"),
        ("@anthropic.custom_base_url", "bool", True),
    )  # fmt: skip
    origin = native.origin(ORIGIN, data)
    assert msgspec.structs.asdict(origin) == {
        **ORIGIN,
        "attributes": {
            "scope.name": "com.anthropic.claude_code.events",
            "resource@os.version": "6.18",
            "team": "other",
            "anthropic.custom_base_url": True,
        },
    }


@pytest.mark.parametrize("data", [b"", b"{}", b"[[1]]"])
def test_an_origin_that_cannot_be_read_has_no_attributes(data):
    assert native.origin(ORIGIN, data).attributes is None


def test_an_actor_is_a_pseudonym_without_the_right_to_identities():
    told = dict.fromkeys(Actor.__struct_fields__[1:], "told") | {"provenance": "client"}
    assert native.actor(ID, told, with_identity=True).email == "told"
    assert native.actor(ID, told, with_identity=False) == Actor(ID, provenance="client")


def test_the_schema_of_a_line_can_be_told():
    schema = msgspec.json.schema(NativeEvent)
    assert set(schema["$defs"]["NativeEvent"]["properties"]) == set(KEYS)
