"""Lines of evidence for the offline verifier: an event with the exact bytes of its parts (docs/ledger.md).

What is not there any more is told with the number of the portal's own event that says so, or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import psycopg

from audit import absences, leaf
from audit.absences import Erased, Purged, Purges
from audit.exceptions import AuditError
from audit.stored import Part, Stored


class PartGone(AuditError):
    """A part or an event is not there, and nothing recorded says why; `verify_ledger` tells more."""


class NotNumbered(AuditError):
    """The event that says why something is gone has no number yet; it has one in a second or two."""


class Line(NamedTuple):
    """`event` is None where the line tells of a purged range."""

    event: Stored | None
    told: dict[str, Any]


def of(cursor: psycopg.Cursor, batch: Sequence[Stored], withheld: frozenset[str], purges: Purges) -> Iterator[Line]:
    """The lines of events that follow one another, ascending; parts in `withheld` as commitments.

    Purged numbers without a gap are one line. Raises PartGone and NotNumbered.
    """
    erased = absences.erased(cursor, (commitment for each in batch for _, commitment in each.gone()))
    for purged, run in groupby(enumerate(batch), lambda each: _run(each[0], each[1], purges)):
        events = [event for _, event in run]
        if purged is None:
            yield from (Line(event, _event(event, withheld, erased)) for event in events)
        else:
            yield Line(None, _purged(purged[0], events))


def encode(line: dict[str, Any]) -> bytes:
    return leaf.encode_json(line) + b"\n"


def _run(place: int, event: Stored, purges: Purges) -> tuple[Purged, int] | None:
    """What purged it, and a number that is the same for purged numbers without a gap. Raises PartGone."""
    if event.header is not None:
        return None
    purged = purges.of(event.seq)
    if purged is None or not purged.told:
        raise PartGone(f"Event #{event.seq} is gone, and nothing recorded says why.")
    return purged, event.seq - place


def _purged(purged: Purged, events: Sequence[Stored]) -> dict[str, Any]:
    return {
        "seq_from": events[0].seq,
        "seq_to": events[-1].seq,
        "purged_by": _numbered(purged.seq),
        "leaf_hashes": [event.sealed_leaf.hex() for event in events],
    }


def _event(event: Stored, withheld: frozenset[str], erased: Mapping[bytes, Erased]) -> dict[str, Any]:
    assert event.header is not None
    told = {name: _part(event.seq, name, part, name in withheld, erased) for name, part in event.parts.items()}
    return {"seq": event.seq, "leaf_hash": event.sealed_leaf.hex(), "header": event.header.decode(), **told}


def _part(seq: int, name: str, part: Part, withheld: bool, erased: Mapping[bytes, Erased]) -> dict[str, Any] | None:
    if part.commitment is None or part.commitment == leaf.ABSENT:
        return None
    if withheld:
        return {"commitment": part.commitment.hex(), "withheld": True}
    if part.salt is not None and part.data is not None:
        return {"salt": part.salt.hex(), "bytes": part.data.decode()}
    erasure = erased.get(part.commitment)
    if erasure is None or erasure.part != name or not erasure.told:
        raise PartGone(f"The {name} of event #{seq} is gone, and nothing recorded says why.")
    return {"commitment": part.commitment.hex(), "erased_by": _numbered(erasure.seq)}


def _numbered(seq: int | None) -> int:
    if seq is None:
        raise NotNumbered("What says why something is gone has no number yet; ask again in a few seconds.")
    return seq


def tombstones(line: dict[str, Any]) -> Iterable[int]:
    """The numbers of the events that say why something of this line is gone."""
    if "purged_by" in line:
        return {line["purged_by"]}
    return {part["erased_by"] for name in leaf.PARTS if (part := line[name]) and "erased_by" in part}
