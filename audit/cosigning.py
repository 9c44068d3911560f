"""Asks the witnesses to cosign the newest checkpoint, and keeps what they answer. In a process of its own.

Sealing never waits for a witness, nor heeds it: one that is down, slow or false costs its cosignature, and an alarm.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.utils import timezone

from audit import tree
from audit.listing import escapes
from audit.models import Witness
from audit.proofs import checkpoints, notes
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.notes import Note, NoteError, VerifierKey
from audit.witness import known
from audit.witness.known import Known, Reply
from audit.witness.submission import Submission
from audit.witness.witness import SIZE

ASK_SECONDS = 10.0
CLOCKS_APART_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed head, as it is stored."""

    epoch: int
    checkpoint: Checkpoint
    note: Note


@dataclass(frozen=True, slots=True)
class Outcome:
    """`line` is the cosignature; without one `problem` says why. `contradicts`: the witness knows another history."""

    line: str = ""
    problem: str = ""
    contradicts: bool = False


class Cosigning:
    """Each witness is asked at most every ten seconds, all of them at once; one's silence holds up no other."""

    def __init__(self, witnesses: Sequence[Known] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._witnesses = settings.AUDIT_WITNESSES if witnesses is None else witnesses
        self._clock = clock
        self._asked_at = -ASK_SECONDS

    def round(self, connection: psycopg.Connection) -> int:
        """How many cosignatures were got."""
        if self._clock() - self._asked_at < ASK_SECONDS:
            return 0
        self._asked_at = self._clock()
        with psycopg.Cursor(connection) as cursor:
            head = _newest(cursor)
            if head is None:
                return 0
            sizes = {each: _cosigned(cursor, head, each.key.name) for each in self._witnesses}
            outcomes = self._ask(cursor, head, sizes)
            for witness, outcome in outcomes.items():
                _keep(cursor, head, witness.key.name, outcome)
        return sum(bool(outcome.line) for outcome in outcomes.values())

    def _ask(self, cursor: psycopg.Cursor, head: Head, sizes: dict[Known, int]) -> dict[Known, Outcome]:
        """Asks with the size each is known to have, and once more those that name another one."""
        try:
            return self._asked(cursor, head, sizes)
        except (ValueError, LookupError) as error:
            problem = f"No proof could be made for it: {error}. Run verify_ledger."
            return dict.fromkeys(self._witnesses, Outcome(problem=problem))

    def _asked(self, cursor: psycopg.Cursor, head: Head, sizes: dict[Known, int]) -> dict[Known, Outcome]:
        sizes = {each: size for each, size in sizes.items() if size != head.checkpoint.size}
        replies = _all_at_once(cursor, head, sizes)
        told = {each: size for each, reply in replies.items() if (size := size_told(reply)) is not None}
        corrected = {each: size for each, size in told.items() if size != sizes[each] and size <= head.checkpoint.size}
        replies |= _all_at_once(cursor, head, corrected)
        return {each: outcome_of(reply, head, each.key, time.time()) for each, reply in replies.items()}


def _newest(cursor: psycopg.Cursor) -> Head | None:
    """None also for one that cannot be read, of which verify_ledger tells more."""
    cursor.execute("SELECT epoch, note FROM audit_checkpoint ORDER BY epoch DESC, size DESC LIMIT 1")
    row = cursor.fetchone()
    if row is None:
        return None
    try:
        note = notes.parse(row[1])
        return Head(row[0], checkpoints.parse(note.text), note)
    except ValueError:
        return None


def _cosigned(cursor: psycopg.Cursor, head: Head, name: str) -> int:
    """The size of the last checkpoint of this epoch that it cosigned; 0 if there is none."""
    cursor.execute(
        "SELECT size FROM audit_cosignature WHERE epoch = %s AND witness = %s ORDER BY size DESC LIMIT 1",
        [head.epoch, name],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _all_at_once(cursor: psycopg.Cursor, head: Head, sizes: dict[Known, int]) -> dict[Known, Reply]:
    """The proofs are read first: no transaction and no cursor waits for a witness."""
    if not sizes:
        return {}
    bodies = {each: bytes(_submission(cursor, head, size)) for each, size in sizes.items()}
    with ThreadPoolExecutor(len(bodies)) as pool:
        return dict(zip(bodies, pool.map(known.ask, bodies, bodies.values()), strict=True))


def _submission(cursor: psycopg.Cursor, head: Head, old: int) -> Submission:
    known_here = min(old, head.checkpoint.size)  # a witness that knows more is to say so itself
    path = tree.consistency(cursor, known_here, head.checkpoint.size)
    return Submission(known_here, path, head.note, head.checkpoint)


def size_told(reply: Reply) -> int | None:
    """The size that a witness says it knows; None if it says nothing of the kind."""
    text = reply.body.removesuffix("\n")
    if reply.status != 409 or reply.content_type != SIZE or not (text.isascii() and text.isdecimal()):
        return None
    return int(text) if len(text) < 19 else None


def outcome_of(reply: Reply, head: Head, key: VerifierKey, now: float) -> Outcome:
    """What a reply comes to. Only a cosignature that verifies is one."""
    size = head.checkpoint.size
    if reply.status == 200:
        return _verified(reply.body, head, key, now)
    if reply.status == 422:
        return Outcome(problem=f"It refuses #{size}: the tree did not grow from what it cosigned.", contradicts=True)
    told = size_told(reply)
    if told is not None and told > size:
        problem = f"It has cosigned {told} events of this ledger, and {size} are signed here."
        return Outcome(problem=problem, contradicts=True)
    if told == size:
        return Outcome(problem=f"It has cosigned another tree of {size} events.", contradicts=True)
    if reply.status == 404:
        return Outcome(problem=f"It does not know {head.checkpoint.origin}; name the ledger's key to it.")
    if reply.status == 0:
        return Outcome(problem=f"No answer: {_plain(reply.body)}.")
    return Outcome(problem=f"It answered {reply.status}: {_plain(reply.body)}.")


def _plain(text: str) -> str:
    """A stranger's words on one line, with nothing hidden in them."""
    return escapes.HIDDEN.sub(lambda found: escapes.spell(found[0]), text.strip().rstrip(".")[:200])


def _verified(lines: str, head: Head, key: VerifierKey, now: float) -> Outcome:
    try:
        answered = notes.parse(f"{head.note.text}\n{lines}")
        at = notes.verified_by(answered, [key]).get(key)
    except NoteError as error:
        return Outcome(problem=f"Its answer is no cosignature: {error}.")
    if at is None:
        return Outcome(problem="It signed with another key than the one that is configured.")
    if abs(at - now) > CLOCKS_APART_SECONDS:
        return Outcome(problem="Its clock and ours are more than five minutes apart.")
    signed = next(each for each in answered.signatures if (each.name, each.key_id) == (key.name, key.id))
    return Outcome(line=signed.line)


def _keep(cursor: psycopg.Cursor, head: Head, name: str, outcome: Outcome) -> None:
    now = timezone.now()
    told: dict[str, object] = {"asked_at": now, "problem": outcome.problem, "contradicts": outcome.contradicts}
    if outcome.line:
        cursor.execute(
            "INSERT INTO audit_cosignature (epoch, size, witness, line, at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [head.epoch, head.checkpoint.size, name, outcome.line, now],
        )
        told |= {"cosigned_at": now, "size": head.checkpoint.size}
    Witness.objects.update_or_create(name=name, defaults=told)
