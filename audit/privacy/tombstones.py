"""The portal's own events that say what is gone: nothing goes without one (docs/ledger.md, "Erased and purged")."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import psycopg

from audit import acts
from audit.acts import Fact

COMMITMENTS_AT_ONCE = 500
"""An event of some 50 kB."""

COMMITMENT, SUBJECT_COMMITMENT = "portal.erased.commitment", "portal.erased.subject_commitment"
SEQ_FROM, SEQ_TO = "portal.purged.seq_from", "portal.purged.seq_to"


def of_parts(name: str, commitments: Iterable[bytes], about: Sequence[Fact] = ()) -> UUID:
    """Records that these parts of events are erased."""
    return acts.record(name, facts=[*about, *((COMMITMENT, commitment.hex()) for commitment in commitments)])


def of_subjects(name: str, commitments: Iterable[bytes], about: Sequence[Fact] = ()) -> UUID:
    """Records that these identities are erased, in every event that points to them."""
    return acts.record(name, facts=[*about, *((SUBJECT_COMMITMENT, commitment.hex()) for commitment in commitments)])


def of_ranges(
    name: str, ranges: Iterable[tuple[int, int]], about: Sequence[Fact], database: psycopg.Connection
) -> UUID:
    """Records that the events of these numbers, both ends included, are purged."""
    numbers = [fact for first, last in ranges for fact in ((SEQ_FROM, first), (SEQ_TO, last))]
    return acts.record(name, facts=[*about, *numbers], database=database)
