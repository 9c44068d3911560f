"""Makes a pack, piece by piece, out of what is stored: a range of any size takes no more memory than a page of it."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import psycopg

from audit import checkpoints, stored, tree
from audit.absences import Purges
from audit.checkpoints import Published
from audit.decisions import Verdict
from audit.exceptions import AuditError
from audit.export import lines
from audit.models import EvidencePack
from audit.packs import manifest, proofs, report, scope, steps
from audit.packs.archive import Archive
from audit.packs.manifest import Manifest
from audit.packs.report import Extent
from audit.packs.scope import Covered
from audit.packs.tally import Tally
from audit.stored import Stored
from audit.verifier import verify
from audit.vocabulary import Kind

EVENTS_AT_ONCE = 250

_VERDICTS = """
    SELECT decision_event::text, decision, decided_by, "grant", basis FROM audit_tooluse
    WHERE tool_use_id = ANY(%s) AND decision_event = ANY(%s::uuid[]) AND decided_by IS NOT NULL
"""

Progress = Callable[[int, int], None]
"""Told how many events of how many are in it; as often as may be."""


class NotSigned(AuditError):
    """There is no checkpoint that covers what a pack would say; the text says why."""


def write(database: psycopg.Connection, pack: EvidencePack, file: BinaryIO, progress: Progress) -> Extent:
    """Writes the zip. Raises NotSigned, scope.NothingToPack, what lines.of raises, and the driver's errors."""
    with psycopg.Cursor(database) as cursor, Archive(file) as archive:
        return _Making(cursor, pack, archive, progress).run()


def check(database: psycopg.Connection, pack: EvidencePack) -> int:
    """How many events such a pack would have now. Raises NotSigned, scope.NothingToPack."""
    with psycopg.Cursor(database) as cursor:
        return len(scope.covered(cursor, pack, _head(cursor).head.size).numbers)


def _head(cursor: psycopg.Cursor) -> Published:
    published = checkpoints.latest(cursor)
    if published is None:
        raise NotSigned("Nothing was signed yet.")
    return published


class _Making:
    def __init__(self, cursor: psycopg.Cursor, pack: EvidencePack, archive: Archive, progress: Progress) -> None:
        self.cursor, self.pack, self.archive = cursor, pack, archive
        self.published = _head(cursor)
        self.covered: Covered = scope.covered(cursor, pack, self.size)
        self.purges = Purges(self.cursor)
        self.tally = Tally()
        self.is_range = pack.kind == EvidencePack.Kind.RANGE
        self._progress, self._written, self._proved = progress, 0, 0

    @property
    def size(self) -> int:
        return self.published.head.size

    def run(self) -> Extent:
        numbers = self.covered.numbers
        made = Extent(numbers[0], numbers[-1], len(numbers), self.size)
        self.archive.write("events.ndjson", self._events())
        tombstones = self._tombstones()
        if tombstones:
            self.archive.write("tombstones.ndjson", self._lines_of(tombstones))
        self.archive.write("proofs.json", proofs.document(self._proofs(tombstones), self._span()))
        self.archive.write("checkpoint", [self.published.note.encode()])
        made_at = dt.datetime.now(dt.UTC)
        page = report.render(self.pack, made, self.covered.unsigned, self.tally, self.published, made_at)
        self.archive.write("report.html", [page.encode()])
        self.archive.write("verify.py", [Path(verify.__file__).read_bytes()])
        self.archive.write("manifest.json", [self._manifest(made, made_at)])
        return made

    def _events(self) -> Iterator[bytes]:
        for batch in self._batches(self.covered.numbers):
            verdicts = self._verdicts(batch)
            for event, told in lines.of(self.cursor, batch, self.pack.withheld, self.purges):
                self.tally.tombstones.update(lines.tombstones(told))
                if event is None:
                    self.tally.purged += len(told["leaf_hashes"])
                else:
                    self.tally.add(event, told, verdicts)
                yield lines.encode(told)
            self._written += len(batch)
            self._tell()

    def _batches(self, numbers: Sequence[int]) -> Iterator[list[Stored]]:
        """Raises PartGone where a number has no event any more: a pack never leaves one out in silence."""
        for begin in range(0, len(numbers), EVENTS_AT_ONCE):
            asked = numbers[begin : begin + EVENTS_AT_ONCE]
            found = stored.among(self.cursor, asked, steps.COLUMNS)
            if len(found) != len(asked):
                gone = min(set(asked) - {each.seq for each in found})
                raise lines.PartGone(f"Number #{gone} is gone, and nothing recorded says why.")
            yield found

    def _verdicts(self, batch: Sequence[Stored]) -> dict[str, Verdict]:
        """The decisions among them as they are understood now."""
        decided = [each for each in batch if each.columns["kind"] == Kind.TOOL_DECISION and each.columns["tool_use_id"]]
        if not decided:
            return {}
        uses = list({each.columns["tool_use_id"] for each in decided})
        self.cursor.execute(_VERDICTS, [uses, [each.event_id for each in decided]])
        return {event: Verdict(*verdict) for event, *verdict in self.cursor}

    def _tombstones(self) -> list[int]:
        """The numbers of events that say why parts of these are gone, and are not among them."""
        shown = set(self.covered.numbers) if self.tally.tombstones else set()
        wanted = sorted(self.tally.tombstones - shown)
        if wanted and wanted[-1] >= self.size:
            raise NotSigned("An erasure is not covered by a signed checkpoint yet; ask again in a few seconds.")
        return wanted

    def _lines_of(self, numbers: Sequence[int]) -> Iterator[bytes]:
        for batch in self._batches(numbers):
            withheld = frozenset({"subject", "content"})
            yield from (lines.encode(line.told) for line in lines.of(self.cursor, batch, withheld, self.purges))

    def _proofs(self, tombstones: Sequence[int]) -> Iterator[tuple[int, list[bytes]]]:
        """In the order of the lines; of a range, only those of the tombstones."""
        for numbers in ([] if self.is_range else self.covered.numbers, tombstones):
            for seq, path in tree.inclusions(self.cursor, numbers, self.size):
                yield seq, path
                self._proved += 1
                if self._proved % EVENTS_AT_ONCE == 0:
                    self._tell()

    def _span(self) -> proofs.Span | None:
        if not self.is_range:
            return None
        first, last = self.covered.numbers[0], self.covered.numbers[-1]
        left, right = (tree.compact_range(self.cursor, *ends) for ends in ((0, first), (last + 1, self.size)))
        return proofs.Span(first, last, left, right)

    def _manifest(self, made: Extent, made_at: dt.datetime) -> bytes:
        return manifest.encode(
            Manifest(
                kind=self.pack.kind,
                title=self.pack.title,
                origin=self.published.head.origin,
                size=made.size,
                first_seq=made.first,
                last_seq=made.last,
                events=made.events,
                complete=self.is_range,
                made_at=made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
                made_by=self.pack.asked_by,
                reason=self.pack.reason,
                files=self.archive.digests,
            )
        )

    def _tell(self) -> None:
        """An event of a session or selection is done when its line and its proof are written."""
        done = self._written if self.is_range else (self._written + self._proved) // 2
        self._progress(min(done, len(self.covered.numbers)), len(self.covered.numbers))
