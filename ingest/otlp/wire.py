"""The protobuf wire format (protobuf.dev/programming-guides/encoding), walked without building messages.

Splits an export request into its groups and counts on the way, so that a limit is met before memory is taken:
a message of a million empty elements costs two bytes an element on the wire and forty or more once parsed.
Resource*, Scope* and the request itself have the same numbers in all signals, so this serves all three.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ingest.otlp.limits import Budget, Malformed

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
RESOURCES = 1  # in the request
CHILDREN = 2  # scopes in a resource; records, metrics or spans in a scope
FIELDS_TOLD_BY = 100
"""So many fields are looked at to tell whether a message is the one expected."""

Field = tuple[int, int, int, int, int]
"""(number, wire type, start of the field, start of its value, end)"""


class WireError(Exception):
    """The bytes are not protobuf fields."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Pieces of a text by their places (begin, end), each copied only when its turn comes."""

    text: bytes
    places: list[tuple[int, int]]

    def __iter__(self) -> Iterator[bytes]:
        return (self.text[begin:end] for begin, end in self.places)


@dataclass(slots=True)
class Group:
    """The elements under one scope. `resource` and `scope` are all fields of Resource* and Scope* but the children."""

    resource: bytes
    scope: bytes
    elements: Slices

    def request(self, element: bytes) -> bytes:
        """An export request of one element."""
        scope = self.scope + wrap(CHILDREN, element)
        return wrap(RESOURCES, self.resource + wrap(CHILDREN, scope))


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise WireError("varint of more than ten bytes")


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """Each field of the message between two places, unread. Groups (wire types 3 and 4) do not occur in OTLP."""
    at = start
    try:
        while at < end:
            begin = at
            tag, at = varint(data, at)
            wire_type = tag & 7
            value = at
            if wire_type == LENGTH:
                length, value = varint(data, at)
                at = value + length
            elif wire_type == VARINT:
                _, at = varint(data, at)
            elif wire_type == FIXED64:
                at += 8
            elif wire_type == FIXED32:
                at += 4
            else:
                raise WireError("unknown wire type")
            if at > end or tag < 8:
                raise WireError("field past the end of its message")
            yield tag >> 3, wire_type, begin, value, at
    except IndexError as exc:
        raise WireError("message ends inside a field") from exc


def wrap(number: int, message: bytes) -> bytes:
    """A length-delimited field; for numbers below 16."""
    length, size = len(message), bytearray()
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    size.append(length)
    return bytes((number << 3 | LENGTH,)) + bytes(size) + message


def fits(message: bytes, wire_types: Mapping[int, frozenset[int]]) -> bool:
    """Whether the fields that the schema knows have wire types that the schema gives them, as far as looked at.

    Protobuf takes a known number of another type for an unknown field, so that a span can pass for a log record.
    """
    anything = frozenset(range(8))
    try:
        first = islice(fields(message, 0, len(message)), FIELDS_TOLD_BY)
        return all(kind in wire_types.get(number, anything) for number, kind, *_ in first)
    except WireError:
        return False


def groups(body: bytes, budget: Budget, count_element: Callable[[], None]) -> Iterator[Group]:
    """The request's groups in order; raises Malformed, and TooLarge as soon as a budget is used up."""
    known = not body
    try:
        for number, wire_type, _, start, end in fields(body, 0, len(body)):
            budget.envelope_field()
            if number == RESOURCES:
                known = True
                resource, scopes = split(
                    body, *_message(wire_type, start, end), CHILDREN, budget, budget.envelope_field
                )
                for span in scopes:
                    scope, elements = split(body, *span, CHILDREN, budget, count_element)
                    yield Group(resource, scope, Slices(body, elements))
    except WireError as exc:
        raise Malformed("the body is not an OTLP protobuf message") from exc
    if not known:
        raise Malformed("the body is not an OTLP export request")


def split(
    data: bytes, start: int, end: int, number: int, budget: Budget, count: Callable[[], None]
) -> tuple[bytes, list[tuple[int, int]]]:
    """The fields of a message but those of one number, as one string, and where each of those messages lies."""
    own: list[list[int]] = []
    children = []
    for field, wire_type, begin, value, until in fields(data, start, end):
        if field == number:
            count()
            children.append(_message(wire_type, value, until))
            continue
        budget.envelope_field()
        if own and own[-1][1] == begin:
            own[-1][1] = until
        else:
            own.append([begin, until])
    return b"".join(data[begin:until] for begin, until in own), children


def _message(wire_type: int, start: int, end: int) -> tuple[int, int]:
    if wire_type != LENGTH:
        raise WireError("a number where a message belongs")
    return start, end
