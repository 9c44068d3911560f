"""What the owner of the tables, or who has the key as well, can do, and who sees it: on a small ledger of its own."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from audit import checkpoints, ledger, tree, verification
from audit.attacks.attempts import Attempt
from audit.attacks.scratch import HALF, WRITTEN, Scratch
from audit.signer import SignerError

VERIFY, SIGNER, WITNESS = "verify_ledger", "signer", "witness"
OWNER, HOLDER = "owner, triggers off", "owner with the key"

_SEVENTH = "(SELECT event_id FROM audit_seal WHERE seq = 7)"


def _flip(table: str, column: str, where: str) -> str:
    """One bit of a column."""
    return f"UPDATE {table} SET {column} = set_byte({column}, 9, get_byte({column}, 9) # 1) WHERE {where}"


_EDITS = {
    "edit of facts": _flip("audit_event", "facts", f"id = {_SEVENTH}"),
    "edit of content": _flip("audit_content", "bytes", f"event_id = {_SEVENTH}"),
    "edit of a header": _flip("audit_event", "header", f"id = {_SEVENTH}"),
    "edit of an identity": _flip("audit_subject", "bytes", "true"),
    "edit of an emitter": _flip("audit_origin", "bytes", "true"),
    "edit of a column": f"UPDATE audit_event SET tool_name = 'Read' WHERE id = {_SEVENTH}",
    "edit of a tile": _flip("audit_tile", "hashes", "true"),
    "edit of a checkpoint": _flip("audit_checkpoint", "root", f"size = {HALF}"),
    "an old checkpoint in a newer one's place": "UPDATE audit_checkpoint SET note = ("
    f"SELECT note FROM audit_checkpoint WHERE size = {HALF})",
    "dropping an event": f"DELETE FROM audit_event WHERE id = {_SEVENTH}",
    "dropping content": f"DELETE FROM audit_content WHERE event_id = {_SEVENTH}",
    "dropping a number": "DELETE FROM audit_seal WHERE seq = 7",
    "dropping a tile": "DELETE FROM audit_tile",
    "swapping two rows": "UPDATE audit_seal SET seq = -seq WHERE seq IN (7, 8);"
    "UPDATE audit_seal SET seq = CASE seq WHEN -7 THEN 8 ELSE 7 END WHERE seq < 0",
    "upsert over an event": "INSERT INTO audit_event SELECT * FROM audit_event"
    f" WHERE id = {_SEVENTH} ON CONFLICT (id) DO UPDATE SET facts = '[]'",
    "TRUNCATE": "TRUNCATE audit_content",
    "cutting the tail": f"DELETE FROM audit_seal WHERE seq >= {HALF}",
}


@dataclass(frozen=True, slots=True)
class History:
    attack: str
    role: str
    seen_by: str
    do: Callable[[Scratch], object]
    look: Callable[[Scratch], str]


def attempts(scratch: Scratch) -> Iterator[Attempt]:
    """First that nothing is seen where nothing was done: what then is seen, the attack did."""
    with scratch.attacked() as honest:
        told = _refused_by_the_signer(honest) or _refused_by_the_witness(honest) or _verified(honest)
    yield Attempt("none: it only grows", "nobody", "nothing is seen", told or "nothing is seen", missed=bool(told))
    for each in histories():
        with scratch.attacked() as attacked:
            each.do(attacked)
            told = each.look(attacked)
        yield Attempt(each.attack, each.role, each.seen_by, told or "done, and not seen", missed=not told)


def histories() -> Iterator[History]:
    for attack, statement in _EDITS.items():
        yield History(attack, OWNER, VERIFY, _executing(statement), _verified)
    yield History("COPY of another row", OWNER, VERIFY, _copy_another, _verified)
    yield History("an event past the only writer", OWNER, VERIFY, _stray, _verified)
    yield History("cutting the tail without a trace", OWNER, SIGNER, _cut, _refused_by_the_signer)
    yield History("losing the signer's memory", OWNER, SIGNER, _forget, _refused_by_the_signer)
    yield History("a backup with the signer's folder", HOLDER, WITNESS, _restore_all, _refused_by_the_witness)
    yield History("another history, signed with the key", HOLDER, WITNESS, _rewrite, _refused_by_the_witness)
    yield History("a fork that grows on", HOLDER, WITNESS, _fork, _refused_by_the_witness)


# ── Who sees it ─────────────────────────────────────────────────────────────────────────────────


def _verified(scratch: Scratch) -> str:
    """The first fault; a ledger that cannot even be read is one."""
    try:
        with scratch.connection.transaction():
            fault = next(verification.verify(scratch.connection, scratch.key), None)
    except psycopg.Error as error:
        return f"it cannot be read: {error}"
    return str(fault or "")


def _refused_by_the_signer(scratch: Scratch) -> str:
    try:
        checkpoints.check_grown(scratch.connection, scratch.signer)
        scratch.grow(scratch.signer, 1)
    except SignerError as error:
        return str(error)
    return ""


def _refused_by_the_witness(scratch: Scratch) -> str:
    """Neither the size that the log names nor the one that the witness knows helps."""
    answers = [scratch.ask_witness(old) for old in (HALF, 2 * HALF)]  # the second is what it knows
    if any(answer.status == 200 for answer in answers):
        return ""
    return f"{answers[-1].status} {answers[-1].body.strip()}"


# ── What is done ────────────────────────────────────────────────────────────────────────────────


def _executing(statement: str) -> Callable[[Scratch], object]:
    return lambda scratch: scratch.connection.execute(statement.encode())


def _copy_another(scratch: Scratch) -> None:
    with scratch.connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT * FROM audit_content WHERE event_id = {_SEVENTH}) TO STDOUT") as copy:
            row = b"".join(bytes(piece) for piece in copy)
        cursor.execute(f"DELETE FROM audit_content WHERE event_id = {_SEVENTH}")
        with cursor.copy("COPY audit_content FROM STDIN") as copy:
            copy.write(row.replace(b"5b5b", b"5b7b", 1))


def _stray(scratch: Scratch) -> None:
    scratch.record(1, seconds_ago=120)
    scratch.connection.execute("DELETE FROM audit_unsealed")


def _cut(scratch: Scratch) -> None:
    """The ledger as it was after its first half, in every table."""
    half = f"(SELECT event_id FROM audit_seal WHERE seq >= {HALF})"
    for statement in (
        f"DELETE FROM audit_content WHERE event_id IN {half}",
        f"DELETE FROM audit_event WHERE id IN {half}",
        f"DELETE FROM audit_seal WHERE seq >= {HALF}",
        "DELETE FROM audit_tile",
        "DELETE FROM audit_head",
        f"DELETE FROM audit_checkpoint WHERE size > {HALF}",
    ):
        scratch.connection.execute(statement.encode())
    with psycopg.Cursor(scratch.connection) as cursor:
        tree.integrate(cursor)


def _forget(scratch: Scratch) -> None:
    for path in (scratch.folder / "signer").glob("*.json"):
        path.unlink()


def _restore_all(scratch: Scratch) -> None:
    _cut(scratch)
    _put_back(scratch)
    scratch.grow(scratch.signer)


def _fork(scratch: Scratch) -> None:
    _cut(scratch)
    _put_back(scratch)
    scratch.grow(scratch.signer, HALF + 20)


def _rewrite(scratch: Scratch) -> None:
    """Everything anew, under the same origin, by somebody who also took the signer's memory away."""
    for table in WRITTEN:
        if table != "audit_epoch":
            scratch.connection.execute(f"DELETE FROM {table}".encode())
    ledger.subjects.forget()
    ledger.origins.forget()
    _forget(scratch)
    scratch.grow(scratch.signer, 2 * HALF)
    if told := _verified(scratch):
        raise AssertionError(f"the other history is no good forgery: {told}")


def _put_back(scratch: Scratch) -> None:
    shutil.rmtree(scratch.folder / "signer")
    shutil.copytree(scratch.folder / "half", scratch.folder / "signer")
