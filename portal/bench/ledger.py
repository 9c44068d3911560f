"""The ledger by itself: what an event costs to hash and to seal, what a proof costs, how fast the verifier reads."""

import hashlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psycopg
from django.db import connection

from audit import leaf, policy, sealer, stored, tree
from audit.checkpoints import Published
from audit.export import dump
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.merkle import Frontier
from audit.proofs.tiles import Tree
from audit.signer import Signer
from audit.stored import Stored
from audit.verifier import verify
from portal.bench.reading import percentiles

EVENTS, ROUNDS = 20_000, 3
BATCH = 100  # events that the receiver commits together
PROOFS, DUMPED = 200, 100_000
ORIGIN = "bench.example/evidence/bench/0"


def measure() -> dict[str, Any]:
    """Everything at the size at hand; nothing is left in the database."""
    connection.ensure_connection()
    database = cast(psycopg.Connection, connection.connection)
    with psycopg.Cursor(database) as cursor:
        size = tree.size(cursor)
        if size < 2:
            return {"skipped": "there are no sealed events; measure ingest first"}
        events = stored.between(cursor, max(size - EVENTS, 0), size)
        figures = {
            "size": size,
            "hashing_us_per_event": _hashing(events),
            "tree_us_per_event": _tree(),
            "sealing_us_per_event": _sealing(database),
            **_proofs(cursor, size),
        }
    return {**figures, **_verifying(database, size)}


def _hashing(events: Sequence[Stored]) -> float:
    """As the receiver hashes: commitments of facts and content, and the leaf. Identity and emitter are remembered."""
    rows = [
        (each.header, each.parts["subject"].commitment or leaf.ABSENT, each.parts["origin"].commitment or leaf.ABSENT,
         each.parts["facts"], each.parts["content"])
        for each in events if each.header is not None
    ]  # fmt: skip

    def hash_all() -> None:
        for header, subject, origin, facts, content in rows:
            told = [
                leaf.commitment(name, part.salt, part.data) if part.salt and part.data else leaf.ABSENT
                for name, part in (("facts", facts), ("content", content))
            ]
            leaf.leaf_hash(header, subject, origin, *told)

    return _us_each(hash_all, len(rows))


def _leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest() for number in range(count)]


def _tree() -> float:
    """Growing the tree in memory, tiles included."""
    leaves = _leaves(EVENTS)
    return _us_each(lambda: Tree(Frontier(0, []), []).append([], leaves), EVENTS)


def _sealing(database: psycopg.Connection) -> float:
    """One round of the sealer over that many events: numbers, tree and tiles written; then all of it is undone."""
    seconds = []
    for _ in range(ROUNDS):
        with database.transaction(force_rollback=True):
            batches = [
                (b"".join(uuid4().bytes for _ in range(BATCH)), b"".join(_leaves(BATCH)))
                for _ in range(EVENTS // BATCH)
            ]
            with psycopg.Cursor(database) as cursor:
                cursor.execute("DELETE FROM audit_unsealed")
                cursor.executemany("INSERT INTO audit_unsealed (event_ids, leaf_hashes) VALUES (%s, %s)", batches)
            started = time.perf_counter()
            sealed = sealer.seal(database)
            seconds.append((time.perf_counter() - started) / sealed)
    return round(statistics.median(seconds) * 1e6, 2)


def _proofs(cursor: psycopg.Cursor, size: int) -> dict[str, Any]:
    """Of events anywhere in the ledger: one by one, as the API answers, and many at once, as a pack holds them."""
    chosen = sorted(random.Random(7).sample(range(size), min(PROOFS, size)))  # noqa: S311 - a choice, and no secret
    milliseconds = []
    for seq in chosen:
        started = time.perf_counter()
        tree.inclusion(cursor, seq, size)
        milliseconds.append((time.perf_counter() - started) * 1000)
    started = time.perf_counter()
    proved = sum(1 for _ in tree.inclusions(cursor, range(max(size - EVENTS, 0), size), size))
    each = (time.perf_counter() - started) / proved
    return {"proof": percentiles(milliseconds, digits=2), "proof_in_a_pack_us": round(each * 1e6, 1)}


def _verifying(database: psycopg.Connection, size: int) -> dict[str, Any]:
    """A dump under a head signed by a key of the bench's own, and the verifier as an auditor runs it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = max(size - DUMPED, 0)
        published = _signed(database, size, folder)
        started = time.perf_counter()
        with (folder / "dump.ndjson").open("wb") as file:
            file.writelines(dump.lines(database, published, first, frozenset()))
        written = time.perf_counter() - started
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", verify.__file__, str(folder / "dump.ndjson"), "--policy", str(folder / "policy")],
            capture_output=True,
        )
        seconds = time.perf_counter() - started
        megabytes = (folder / "dump.ndjson").stat().st_size / 1e6
    return {
        "dumped": size - first,
        "dump_megabytes": round(megabytes, 1),
        "dump_events_per_second": round((size - first) / written),
        "verifier_events_per_second": round((size - first) / seconds),
        "verifier_exit": done.returncode,
    }


def _signed(database: psycopg.Connection, size: int, folder: Path) -> Published:
    signer = Signer(folder)
    signer.make_key()
    with psycopg.Cursor(database) as cursor:
        head = Checkpoint(ORIGIN, size, tree.root(cursor, size), int(time.time()))
    (folder / "policy").write_text(policy.spelled([ORIGIN], [str(signer.verifier_key(ORIGIN))]))
    return Published(head, str(signer.sign(head, lambda first, second: [], first=True)))


def _us_each(work: Any, count: int) -> float:
    """The best of some rounds, in microseconds for each."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - started)
    return round(min(rounds) / max(count, 1) * 1e6, 2)
