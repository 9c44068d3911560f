"""How much one request may hold, and the refusals a decoder makes.

DecodeError
├── Malformed        nothing of the request can be read; sending it again cannot help (400)
├── TooLarge         the request is over a limit (413)
└── RecordRefused    one record cannot be kept; caught inside the decoders and handed over as Unusable
    └── Unreadable   its bytes are not even a record
"""

from dataclasses import dataclass

MIB = 1 << 20


class DecodeError(Exception):
    """Root of the refusals. The text is for the sender: bounded, and without anything the sender sent."""


class Malformed(DecodeError):
    """Nothing of the request can be read."""


class TooLarge(DecodeError):
    """The request is over a limit."""


class RecordRefused(DecodeError):
    """This record cannot be kept; its neighbours can."""

    def again(self) -> "RecordRefused":
        """The same refusal for the next record: an exception raised twice would drag its first traceback along."""
        return type(self)(*self.args)


class Unreadable(RecordRefused):
    """These bytes are not a record in this encoding."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold.

    `wire_bytes` and `body_bytes` bound it before and after decompression, `ratio` what decompression may multiply
    once more than `ratio_from_bytes` came out. `records` counts records, points or spans; `envelope_fields` the
    fields of the messages around them; `elements` attributes and nested values, in the request and in one record.
    `nesting` is how many arrays and maps may lie in each other inside one value.
    """

    wire_bytes: int = 16 * MIB
    body_bytes: int = 64 * MIB
    ratio: int = 200
    ratio_from_bytes: int = MIB
    records: int = 50_000
    envelope_fields: int = 300_000
    elements: int = 1_200_000
    record_elements: int = 50_000
    nesting: int = 32


class Budget:
    """What a request has used of its limits so far; every method raises TooLarge at the first that is passed."""

    __slots__ = ("_elements", "_envelope_fields", "_quarantined", "limits", "records")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.records = 0
        self._envelope_fields = 0
        self._elements = 0
        self._quarantined = 0

    def envelope_field(self) -> None:
        self._envelope_fields += 1
        if self._envelope_fields > self.limits.envelope_fields:
            raise TooLarge(f"more than {self.limits.envelope_fields} fields around the records of one request")

    def record(self, count: int = 1) -> None:
        self.records += count
        if self.records > self.limits.records:
            raise TooLarge(f"more than {self.limits.records} records in one request")

    def elements(self, count: int) -> None:
        self._elements += count
        if self._elements > self.limits.elements:
            raise TooLarge(f"more than {self.limits.elements} attributes and values in one request")

    def quarantine(self, size: int) -> None:
        """Each unusable record takes a copy of its resource along, which must not multiply a request."""
        self._quarantined += size
        if self._quarantined > self.limits.body_bytes:
            raise TooLarge("too many records of this request cannot be kept")
