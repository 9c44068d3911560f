"""Attributes that repeat are read once: what is remembered must read as if it were not."""

import pytest
from opentelemetry.proto.common.v1 import common_pb2

from ingest.otlp import Limits, protobuf_values
from ingest.otlp.limits import Budget
from ingest.otlp.protobuf_values import REMEMBERED_BYTES, Attributes, ValueReader


@pytest.fixture(autouse=True)
def _fresh():
    protobuf_values.forget()
    yield
    protobuf_values.forget()


def of_a_request() -> Attributes:
    return Attributes(ValueReader(Budget(Limits())))


def pair(key: str, **value: object) -> bytes:
    return common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(**value)).SerializeToString()


USUAL = pair("tool_name", string_value="Bash")
NUMBER = pair("event.sequence", int_value=300)
NUL = pair("tool_name", string_value="a\0b")


def test_the_next_request_finds_what_an_earlier_one_read():
    first = of_a_request()[USUAL]
    assert first == ("tool_name", "string", "Bash")
    assert of_a_request()[USUAL] is first


@pytest.mark.parametrize("raw", [USUAL, NUMBER, pair("x", bool_value=True), pair("x", string_value="é" * 200)])
def test_it_reads_the_same_with_and_without_memory(raw):
    warm = of_a_request()
    assert warm[raw] == warm[raw] == of_a_request()[raw]
    protobuf_values.forget()
    assert of_a_request()[raw] == warm[raw] == ValueReader(Budget(Limits())).attribute(raw, set())


def test_what_is_odd_is_flagged_in_every_request():
    for _ in range(2):
        attributes = of_a_request()
        for _ in range(2):
            assert attributes[NUL] == ("tool_name", "string", "a\0b")
            assert attributes.flags([USUAL, NUL]) == {"nul"}
        assert attributes.flags([USUAL]) == set()


def test_long_texts_are_not_kept():
    long = pair("prompt", string_value="x" * REMEMBERED_BYTES)
    attributes = of_a_request()
    assert attributes[long][2] == "x" * REMEMBERED_BYTES
    assert long not in attributes
    assert protobuf_values._remembered == {}


def test_too_many_are_forgotten_and_read_anew(monkeypatch):
    monkeypatch.setattr(protobuf_values, "_REMEMBERED", 3)
    many = [pair("x", int_value=number) for number in range(10)]
    for _ in range(2):
        attributes = of_a_request()
        assert [attributes[raw][2] for raw in many] == list(range(10))
        assert len(protobuf_values._remembered) <= 3
        attributes.forget_many()
        assert len(attributes) == 0


def test_a_few_stay_between_the_records_of_a_request():
    attributes = of_a_request()
    attributes[NUL]
    attributes.forget_many()
    assert attributes.flags([NUL]) == {"nul"}
