"""Loads many events quickly: template sessions spread over a month, prepared and appended by worker processes.

A worker is `python -m portal.bench.filling`, told its share by a JSON line on stdin; it says how far it is on stdout.
Wire and mapping are left out: a template's drafts are made once and copied with another session, installation and time.
"""

import datetime as dt
import json
import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields

from audit import identifiers
from audit.drafts import Attribute, EventDraft, Receipt
from portal.bench.helper import helper

WORKERS = 2
BATCH = 500
DAYS = 29
SECONDS_AN_EVENT = 4
_NAMES = [each.name for each in fields(EventDraft)]
_TIMES = ("time_unix_nano", "observed_time_unix_nano")


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker loads: `events` in all by all workers, every `workers`-th session from the `number`-th."""

    events: int
    number: int
    workers: int
    end_us: int
    source_id: int
    token_id: int


class Copies:
    """One template session's drafts, ready to be copied."""

    def __init__(self, drafts: Sequence[EventDraft], install_id: str) -> None:
        self._values = [[getattr(draft, name) for name in _NAMES] for draft in drafts]
        self._install_id = install_id
        self._subjects: dict[tuple[int, str], list[Attribute]] = {}
        self.length = len(drafts)

    def batch(self, start: int, session_id: str, install_id: str, first_us: int) -> list[EventDraft]:
        """Up to BATCH drafts from position `start`; the session's first event happened at `first_us`."""
        made = []
        for position in range(start, min(start + BATCH, self.length)):
            us = first_us + position * SECONDS_AN_EVENT * 1_000_000
            values = dict(zip(_NAMES, self._values[position], strict=True))
            values["session_id"] = session_id
            values["tool_use_id"] = _own(values["tool_use_id"], session_id)
            values["occurred_at"] = identifiers.EPOCH + dt.timedelta(microseconds=us)
            for part in ("facts", "content"):
                values[part] = [_changed(attribute, session_id, us) for attribute in values[part]]
            values["subject"] = self._subject(position, values["subject"], install_id)
            made.append(EventDraft(**values))
        return made

    def _subject(self, position: int, subject: Sequence[Attribute], install_id: str) -> list[Attribute]:
        return [(key, kind, install_id if value == self._install_id else value) for key, kind, value in subject]


def _changed(attribute: Attribute, session_id: str, us: int) -> Attribute:
    key = attribute[0]
    if key == "@session.id":
        return (key, "string", session_id)
    if key == "@tool_use_id":
        return (key, "string", _own(attribute[2], session_id))
    return (key, attribute[1], us * 1000) if key in _TIMES else attribute


def _own(tool_use_id: str | None, session_id: str) -> str | None:
    """A tool use's id, as unique as the session's: what is looked up by it is found once, not in every copy."""
    return tool_use_id and tool_use_id[:-12] + session_id[-12:]


def sessions(lengths: Sequence[int], share: Share) -> Iterator[tuple[int, int, random.Random]]:
    """(template, first microsecond, its own random numbers) of every session of a share, the oldest first."""
    count = max(1, round(share.events / (sum(lengths) / len(lengths))))
    span = DAYS * 86_400_000_000
    for index in range(share.number, count, share.workers):
        rng = random.Random(f"{share.end_us}/{index}")  # noqa: S311 - believable, not secret
        template = index % len(lengths)
        room = lengths[template] * SECONDS_AN_EVENT * 1_000_000
        yield template, share.end_us - span + (span - room) * index // count, rng


def fill(events: int, source_id: int, token_id: int, told: Callable[[int], None]) -> None:
    """Loads about `events` events with some workers; `told` how many there are so far."""
    end_us = time.time_ns() // 1000
    done = [0] * WORKERS
    workers = [_Worker(Share(events, number, WORKERS, end_us, source_id, token_id), done) for number in range(WORKERS)]
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.2)
        told(sum(done))
    if any(worker.failed for worker in workers):
        raise RuntimeError("A worker that loads events has failed; its own lines say why.")
    told(sum(done))


class _Worker(threading.Thread):
    """Follows one worker process."""

    def __init__(self, share: Share, done: list[int]) -> None:
        super().__init__(daemon=True)
        self._share, self._done = share, done
        self.failed = False
        self.start()

    def run(self) -> None:
        with helper("portal.bench.filling") as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(asdict(self._share)).encode())
            process.stdin.close()
            for line in process.stdout:
                self._done[self._share.number] = int(line)
        self.failed = process.returncode != 0


def _work(share: Share, told: Callable[[int], None]) -> None:
    from django.db import connection

    from audit import ledger
    from portal.bench.templates import INSTALLATIONS_EACH

    connection.ensure_connection()
    database = connection.connection
    database.execute("SET synchronous_commit = off")
    copies = _copies()
    done = 0
    for template, first_us, rng in sessions([each.length for each in copies], share):
        session_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        source = copies[template]
        install_id = f"{source._install_id[:-4]}{rng.randrange(INSTALLATIONS_EACH):04x}"
        for start in range(0, source.length, BATCH):
            drafts = source.batch(start, session_id, install_id, first_us)
            received = first_us + (start + len(drafts)) * SECONDS_AN_EVENT * 1_000_000
            receipt = Receipt(received, share.source_id, "Bench", share.token_id, "127.0.0.1")
            prepared = ledger.prepare(database, receipt, drafts)
            with database.transaction():
                ledger.append(database, prepared)
            done += len(drafts)
            told(done)


def _copies() -> list[Copies]:
    """The templates' sessions as drafts, by the real decoder and mapping."""
    from ingest import agents, otlp
    from ingest.secrets import Scrubber
    from portal.bench.templates import templates

    made = []
    for template in templates():
        (body,) = template.requests(len(template.records), "protobuf")
        records = otlp.decode("logs", "protobuf", body, otlp.Limits()).records
        knowledge = agents.SessionMemory().of(1)
        drafts = agents.drafts(records, None, knowledge, scrubber=Scrubber(os.urandom(32)), received_at_us=0)  # type: ignore[arg-type]
        for draft in drafts:
            draft.flags = [flag for flag in draft.flags if flag != "skew"]
        made.append(Copies(drafts, template.person.install_id))
    return made


def main() -> None:
    import django

    django.setup()

    def told(done: int) -> None:
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()

    _work(Share(**json.load(sys.stdin)), told)


if __name__ == "__main__":
    main()
