"""Recomputes the ledger from the stored bytes: leaves, numbers, tree, checkpoints, and the columns people search by.

It trusts nothing that it can compute. What it cannot see, nobody inside can: a database and a key rewritten together
are told only by a checkpoint that somebody else kept.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from audit import absences, decisions, epochs, identifiers, leaf, stored, tree
from audit.absences import Erased, Purges
from audit.proofs import checkpoints, notes
from audit.proofs.checkpoints import CheckpointError
from audit.proofs.merkle import Frontier
from audit.proofs.notes import NoteError, VerifierKey
from audit.proofs.tiles import Tile, Tree
from audit.signer import Signer, SignerError
from audit.stored import Stored
from audit.vocabulary import Agent, Kind

EVENTS_AT_ONCE = 2000
_COLUMNS = {
    "session_id": "@session.id",
    "prompt_id": "@prompt.id",
    "tool_use_id": "@tool_use_id",
    "tool_name": "@tool_name",
    "mode": "@permission_mode",
    "from_mode": "@from_mode",
    "to_mode": "@to_mode",
    "model": "@model",
}
"""Columns that say the very words of a fact."""
_READ = [("e", name) for name in ("agent", "kind", "decision_raw", *_COLUMNS)]
_PLAIN = re.compile(r"[ -~]{1,256}")

_UNSEALED = """
    SELECT e.id::text FROM audit_event e LEFT JOIN audit_seal s ON s.event_id = e.id
    WHERE s.seq IS NULL AND e.id < %s AND NOT EXISTS (
        SELECT FROM audit_unsealed u WHERE position(decode(replace(e.id::text, '-', ''), 'hex') IN u.event_ids) > 0)
    LIMIT 100
"""


_HEADS_AT_ONCE = 1000
_HEADS = """
    SELECT c.size, c.epoch, e.origin, c.root, c.note, coalesce((
        SELECT string_agg(w.line, '') FROM audit_cosignature w WHERE (w.epoch, w.size) = (c.epoch, c.size)), '')
    FROM audit_checkpoint c JOIN audit_epoch e USING (epoch)
    WHERE (c.size, c.epoch) > (%s, %s) ORDER BY c.size, c.epoch LIMIT %s
"""

Signed = tuple[int, int, str, bytes, str, str]
"""(size, epoch, origin, root, note, cosignatures)"""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: `place` names an event, a tile or a checkpoint."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def verify(
    connection: psycopg.Connection,
    key: VerifierKey | None,
    progress: Callable[[int], None] = lambda done: None,
    witnesses: Sequence[VerifierKey] = (),
) -> Iterator[Fault]:
    """Everything that is wrong, as it is found. `key` verifies the checkpoints; None: signatures are not looked at.

    `witnesses` verify the cosignatures; those of other keys are passed over.

    Reads the whole ledger, some thousand events at a time; what is sealed meanwhile is left for the next time.
    """
    with psycopg.Cursor(connection) as cursor:
        growth = _Growth(connection, key, witnesses)
        purges = Purges(cursor)
        head = cursor.execute("SELECT size, frontier, edges FROM audit_head", binary=True).fetchone()
        for row, erased in _rows(cursor, head[0] if head else 0):
            yield from purge_faults(row, purges) if row.header is None else event_faults(row, erased)
            yield from growth.by(row)
            if row.seq % EVENTS_AT_ONCE == 0:
                progress(row.seq)
        yield from growth.at_the_end(head)
        yield from _strays(cursor)


def _rows(cursor: psycopg.Cursor, size: int) -> Iterator[tuple[Stored, Mapping[bytes, Erased]]]:
    """The numbered events up to those integrated, with what explains absences. A number that is missing ends it."""
    for begin in range(0, size, EVENTS_AT_ONCE):
        rows = stored.between(cursor, begin, min(begin + EVENTS_AT_ONCE, size), _READ)
        erased = absences.erased(cursor, (commitment for row in rows for _, commitment in row.gone()))
        for place, row in enumerate(rows):
            if row.seq != begin + place:
                return
            yield row, erased
        if begin + len(rows) < min(begin + EVENTS_AT_ONCE, size):
            return


def purge_faults(row: Stored, purges: Purges) -> Iterator[Fault]:
    """What is wrong with the absence of an event."""
    purged = purges.of(row.seq)
    if purged is None:
        yield Fault(f"#{row.seq} {row.event_id}", "the event is gone")
    elif not purged.told:
        yield Fault(
            f"#{row.seq} {row.event_id}", "the event is gone, and no event of the portal says that it was purged"
        )


def event_faults(row: Stored, erased: Mapping[bytes, Erased]) -> Iterator[Fault]:
    """What is wrong with one event that is there."""
    assert row.header is not None
    place = f"#{row.seq} {row.event_id}"
    for name, (salt, data, kept) in row.parts.items():
        if data is not None and salt is not None and leaf.commitment(name, salt, data) != kept:
            yield Fault(place, f"{name} is not what was recorded")
    for name, commitment in row.gone():
        erasure = erased.get(commitment)
        if erasure is None or erasure.part != name:
            yield Fault(place, f"{name} is gone, and no erasure explains it")
        elif not erasure.told:
            yield Fault(place, f"{name} is gone, and no event of the portal says that it was erased")
    commitments = [kept or leaf.ABSENT for _, _, kept in row.parts.values()]
    computed = leaf.leaf_hash(row.header, *commitments)
    if computed != row.leaf_hash:
        yield Fault(place, "header and parts are not those of its leaf hash")
    if row.leaf_hash != row.sealed_leaf:
        yield Fault(place, "its leaf hash is not the one that was numbered")
    if _header_id(row.header) != row.event_id:
        yield Fault(place, "the header is another event's")
    yield from _column_faults(row, place)


def _column_faults(row: Stored, place: str) -> Iterator[Fault]:
    """Columns that say something else than the facts do in plain words."""
    facts = _plain_facts(row.parts["facts"].data)
    told = {column: row.columns[column] for column in _COLUMNS}
    if row.columns["kind"] == Kind.MODE_CHANGE:
        del told["mode"]  # the mode after it, whatever the record calls its own
    for column, says in told.items():
        said = facts.get(_COLUMNS[column], says)
        if says != said:
            yield Fault(place, f"the column {column} says {says!r}, the facts say {said!r}")
    if row.columns["agent"] == Agent.CLAUDE_CODE and row.columns["kind"] == Kind.TOOL_DECISION:
        words = decisions.parse(row.columns["decision_raw"] or "")
        if any(facts.get(fact, word) != word for fact, word in (("@decision", words[0]), ("@source", words[1]))):
            yield Fault(place, "the column decision_raw does not say what the facts say")


def _plain_facts(data: bytes | None) -> dict[str, str]:
    """The last value of each fact where a column would take it as it is: others are cut, marked or left out."""
    try:
        last = {key: (kind, value) for key, kind, value in json.loads(data or b"[]")}
    except (ValueError, TypeError):
        return {}
    return {key: value for key, (kind, value) in last.items() if kind == "string" and _PLAIN.fullmatch(value)}


def _header_id(header: bytes) -> str | None:
    try:
        return str(json.loads(header)[1])
    except (ValueError, TypeError, LookupError):
        return None


def _heads(cursor: psycopg.Cursor) -> Iterator[Signed]:
    """The signed heads by size: one a second for years, so not all at once."""
    after = (-1, -1)
    while True:
        found = cursor.execute(_HEADS, [*after, _HEADS_AT_ONCE], binary=True).fetchall()
        yield from found
        if len(found) < _HEADS_AT_ONCE:
            return
        after = found[-1][:2]


class _Growth:
    """The tree grown anew, leaf by leaf, and compared with the tiles and heads that were kept on the way."""

    def __init__(
        self, connection: psycopg.Connection, key: VerifierKey | None, witnesses: Sequence[VerifierKey]
    ) -> None:
        self._tiles = psycopg.Cursor(connection)
        self._heads = _heads(psycopg.Cursor(connection))
        self._signed = next(self._heads, None)
        self._key, self._witnesses = key, witnesses
        self._tree = Tree(Frontier(0, []), [])
        self._pending: list[bytes] = []

    def by(self, row: Stored) -> Iterator[Fault]:
        full = self._tree.append(self._pending, [row.sealed_leaf])
        self._pending.append(row.sealed_leaf)
        if full:
            self._pending.clear()
        for tile in full:
            yield from self._tile_faults(tile)
        while self._signed and self._signed[0] == self._tree.frontier.size:
            yield from checkpoint_faults(self._signed, self._tree.frontier.root, self._key, self._witnesses)
            self._signed = next(self._heads, None)

    def _tile_faults(self, tile: Tile) -> Iterator[Fault]:
        kept = self._tiles.execute(
            "SELECT hashes FROM audit_tile WHERE level = %s AND index = %s", [tile.level, tile.index], binary=True
        ).fetchone()
        if kept is None or bytes(kept[0]) != tile.hashes:
            yield Fault(f"tile {tile.level}/{tile.index}", "missing" if kept is None else "not what its leaves give")

    def at_the_end(self, head: Any) -> Iterator[Fault]:
        size, frontier, edges = head or (0, b"", [])
        grown = self._tree.frontier
        if grown.size != size:
            yield Fault(f"#{grown.size}", f"the number is missing, and {size} events were integrated")
        elif (grown.to_bytes(), [b"".join(edge) for edge in self._tree.edges]) != (frontier, edges):
            yield Fault("head", "the tree's edge is not what its leaves give")
        else:
            while self._signed:
                number, epoch, *_ = self._signed
                yield Fault(f"checkpoint {number} of epoch {epoch}", "it covers more events than there are")
                self._signed = next(self._heads, None)


def checkpoint_faults(
    signed: Signed, root: bytes, key: VerifierKey | None, witnesses: Sequence[VerifierKey]
) -> Iterator[Fault]:
    """What is wrong with one signed head, given the root that its leaves have."""
    size, epoch, origin, kept, text, cosignatures = signed
    place = f"checkpoint {size} of epoch {epoch}"
    if kept != root:
        yield Fault(place, "its root is not that of the events")
    try:
        note = notes.parse(text)
        head = checkpoints.parse(note.text)
        if (head.origin, head.size, head.root) != (origin, size, kept):
            yield Fault(place, "the note says something else than its row")
        if key is not None and not notes.verified_by(note, [VerifierKey(origin, key.kind, key.public)]):
            yield Fault(place, "it is not signed with this key")
        notes.verified_by(notes.parse(text + cosignatures), witnesses)
    except (NoteError, CheckpointError) as error:
        yield Fault(place, str(error))


def signer_faults(connection: psycopg.Connection, signer: Signer) -> Iterator[Fault]:
    """Where the signer's memory on this host says otherwise: it knows what was signed last, come what may."""
    with psycopg.Cursor(connection) as cursor:
        current = epochs.current(cursor)
        if current is None or not signer.has_signed:
            return
        try:
            last = signer.last(current.origin)
            signer.check(current.origin, tree.size(cursor))
            if last and tree.root(cursor, last.size) != last.root:
                yield Fault("signer", f"the root that was signed over {last.size} events was another one")
        except SignerError as error:
            yield Fault("signer", str(error))
        except (ValueError, LookupError):
            yield Fault("signer", "the tree that was signed last cannot be made from the tiles")


def _strays(cursor: psycopg.Cursor) -> Iterator[Fault]:
    """Events that have no number and do not wait for one: they came past the ledger's only writer."""
    earlier = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    cursor.execute(_UNSEALED, [identifiers.lower_bound(earlier)])
    for (event_id,) in cursor.fetchall():
        yield Fault(event_id, "it has no number, and none is to come")
