"""Realistic sessions to send over and over: told once as `demo` tells them, then stamped anew for each sending.

A stamped body is a copy of the template's bytes with another session, installation and time, all of the same length, so
that records are unique and cost the generator little. Times keep their place within a window of some minutes.
"""

import datetime as dt
import itertools
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.otlp import Encoding
from portal.bench import protobuf
from portal.demo import cast, wire
from portal.demo.calls import Call
from portal.demo.cast import Person
from portal.demo.claude import Claude
from portal.demo.judgement import Judgement
from portal.demo.work import jobs

PEOPLE, INSTALLATIONS_EACH = 20, 50
LENGTHS = (100,) * 6 + (180,) * 5 + (320,) * 4 + (650,) * 3 + (1200, 1900, 5000)
"""Events a session; the long ones hold half of all events."""
STAMP = "2001-01-01T00:00:00.000Z"
_WINDOW = 1 << 40  # nanoseconds, 18 minutes: the higher three bytes of a fixed64 are the same in one window
_DECIMAL_WINDOW = 10**12
_BASE = 1_770_001 * _DECIMAL_WINDOW  # the first half of this one lies in one window of the other kind as well
_JSON_TIME = re.compile(rb'imeUnixNano":"(\d{7})')


@dataclass(frozen=True, slots=True)
class Template:
    """A session's records as OTLP/JSON, with what they have in common."""

    person: Person
    session_id: str
    records: Sequence[dict[str, Any]]

    def requests(self, size: int, encoding: Encoding) -> Iterator[bytes]:
        """Its records in requests of `size`; what is left over at the end is left out."""
        person = self.person
        resource = {
            "team.id": person.team,
            "cost_center": person.cost_center,
            "host.arch": "amd64",
            "os.type": person.os,
            "os.version": "6.18.44-generic",
            "service.name": "claude-code",
            "service.version": person.version,
        }
        encoded = [protobuf.log_record(record) for record in self.records] if encoding == "protobuf" else []
        for start in range(0, len(self.records) - size + 1, size):
            if encoding == "json":
                yield wire.logs_request(resource, person.version, self.records[start : start + size])
            else:
                yield protobuf.logs_request(resource, person.version, encoded[start : start + size])


def people() -> list[Person]:
    """Twenty people of five teams, at work in the repositories of the demo's cast."""
    known = [person for person in cast.PEOPLE if person.identified]
    names = itertools.cycle(known)
    teams = ("payments", "storefront", "platform", "data", "mobile")
    return [
        replace(next(names), name=f"Person {number}", email=f"person{number:02d}@acme.example", team=teams[number % 5])
        for number in range(PEOPLE)
    ]


def templates(lengths: Sequence[int] = LENGTHS, seed: int = 1) -> list[Template]:
    """One session of each length; the same ones for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - believable, not secret
    crew = people()
    return [_session(crew[index % PEOPLE], length, rng) for index, length in enumerate(lengths)]


def _session(person: Person, length: int, rng: random.Random) -> Template:
    repository = rng.choice(person.repositories)
    claude = Claude(
        person, repository, dt.datetime.now(dt.UTC), rng, mode=rng.choice(("default", "acceptEdits", "auto"))
    )
    claude.start(repository.servers)
    judgement = Judgement(claude)
    for job in jobs(repository, rng):
        claude.prompted(job.prompt)
        for call in job.calls:
            _use(claude, judgement.of(call))
        claude.responded(job.answer)
        if claude.sequence >= length:
            break
    records = claude.records[:length]
    for index, record in enumerate(records):
        _retime(record, index, length)
    return Template(person, claude.session_id, records)


def _use(claude: Claude, call: Call) -> None:
    """One team runs hooks around its commands."""
    if call.tool == "Bash" and claude.person.team == "platform":
        claude.hooked("PreToolUse:Bash")
    claude.use(call)


def _retime(record: dict[str, Any], index: int, length: int) -> None:
    """Spreads the records over a window that has one beginning in both encodings."""
    nanoseconds = str(_BASE + index * (_DECIMAL_WINDOW // 2 // length) // 10**6 * 10**6)
    record["timeUnixNano"] = record["observedTimeUnixNano"] = nanoseconds
    for attribute in record["attributes"]:
        if attribute["key"] == "event.timestamp":
            attribute["value"] = {"stringValue": STAMP}


@dataclass(frozen=True, slots=True)
class Body:
    """A request ready to be stamped; `times` are where the high bytes of its times stand."""

    data: bytes
    records: int
    session_id: bytes
    install_id: bytes
    encoding: Encoding
    times: Sequence[int]

    def stamped(self, session_id: bytes, install_id: bytes, now: float) -> bytes:
        data = bytearray(
            self.data.replace(self.session_id, session_id)
            .replace(self.install_id, install_id)
            .replace(STAMP.encode(), time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now)).encode())
        )
        high = _high_bytes(self.encoding, now)
        for position in self.times:
            data[position : position + len(high)] = high
        return bytes(data)


def _high_bytes(encoding: Encoding, now: float) -> bytes:
    """Those of the window before the one `now` lies in: no record lies ahead of its time."""
    nanoseconds = int(now * 1e9)
    if encoding == "json":
        return b"%07d" % (nanoseconds // _DECIMAL_WINDOW - 1)
    return ((nanoseconds // _WINDOW) - 1).to_bytes(3, "little")


def bodies(template: Template, size: int, encoding: Encoding) -> Iterator[Body]:
    """The template's requests of `size` records, with what is needed to stamp them."""
    session_id, install_id = template.session_id.encode(), template.person.install_id.encode()
    for data in template.requests(size, encoding):
        times = list(_times(data, encoding))
        assert len(times) == 2 * size
        yield Body(data, size, session_id, install_id, encoding, times)


def _times(data: bytes, encoding: Encoding) -> Iterator[int]:
    if encoding == "json":
        yield from (match.start(1) for match in _JSON_TIME.finditer(data))
        return
    high = (_BASE // _WINDOW).to_bytes(3, "little")
    for tag in (b"\x09", b"\x59"):  # time_unix_nano = 1, observed_time_unix_nano = 11, both fixed64
        pattern = re.compile(re.escape(tag) + rb".{5}(?=" + re.escape(high) + rb")", re.DOTALL)
        yield from (match.end() for match in pattern.finditer(data))
