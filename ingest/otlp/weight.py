"""How many elements a message holds and how deep its values lie in each other, counted on the wire.

A message in memory is many times as large as on the wire when it consists of small elements, and protobuf's own
refusal of deep nesting does not say that this was the reason.
"""

from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from ingest.otlp import wire
from ingest.otlp.limits import Limits
from ingest.otlp.values import too_many

SMALL_BYTES = 64 * 1024
"""A message below this size cannot hold enough elements to hurt."""

_CONTAINERS = frozenset({"ArrayValue", "KeyValueList"})


@dataclass(frozen=True, slots=True)
class Weight:
    elements: int
    depth: int


@cache
def _kinds(message: Descriptor) -> dict[int, Descriptor | None]:
    """The fields that may repeat or nest: their message, or None for a packed list of numbers."""
    return {
        field.number: field.message_type
        for field in message.fields
        if field.message_type is not None
        or (field.is_repeated and field.type not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES))
    }


def weigh(data: bytes, message: Descriptor, limit: int) -> Weight:
    """The weight of a message; counting stops where more than `limit` elements are found.

    A byte of a packed list counts as an element. Bytes that are no fields weigh nothing: the parser will refuse them.
    """
    elements = depth = 0
    todo = [(0, len(data), message, 0)]
    while todo:
        start, end, kind, level = todo.pop()
        depth = max(depth, level)
        kinds = _kinds(kind)
        try:
            for number, wire_type, _, value, until in wire.fields(data, start, end):
                elements += 1
                if wire_type == wire.LENGTH and number in kinds:
                    child = kinds[number]
                    if child is None:
                        elements += until - value
                    else:
                        todo.append((value, until, child, level + (child.name in _CONTAINERS)))
                if elements > limit:
                    return Weight(elements, depth)
        except wire.WireError:
            continue
    return Weight(elements, depth)


def refuse_heavy(data: bytes, message: Descriptor, limits: Limits) -> None:
    """Raises RecordRefused for a message of too many elements, before any of them is built."""
    if len(data) > SMALL_BYTES and weigh(data, message, limits.record_elements).elements > limits.record_elements:
        raise too_many(limits.record_elements)
