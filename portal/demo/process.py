"""One running Claude Code process: its clock (milliseconds), its sequence, what stands on every record, its exports."""

import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ingest.replaying.captures import Captured
from portal.demo import wire
from portal.demo.cast import CURRENT, ORGANIZATION, Person, Repository

RECORDS_A_REQUEST = 60
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SYSTEMS = {
    "linux": ("amd64", "6.18.44-generic"),
    "darwin": ("arm64", "26.1.0"),
    "windows": ("amd64", "10.0.26200"),
}
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Session = str
Series = tuple[str, Session, tuple[tuple[str, Any], ...]]


class Process:
    """Emits events at its own time `at`; `session_id` may change while the sequence goes on."""

    def __init__(
        self, person: Person, repository: Repository, at: dt.datetime, rng: random.Random, session_id: str = ""
    ) -> None:
        self.person = person
        self.repository = repository
        self.at = self.started_at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        self.rng = rng
        self.session_id = session_id or self.uuid()
        self.sequence = 0
        self.prompt_id: str | None = None
        self._records: list[dict[str, Any]] = []
        self._metrics: Counter[Series] = Counter()

    @property
    def modern(self) -> bool:
        return self.person.version == CURRENT

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def token(self, prefix: str, length: int) -> str:
        return prefix + "".join(self.rng.choices(_BASE62, k=length))

    def wait(self, seconds: float) -> None:
        """Lets time pass, to the millisecond, as the client's own clock has it."""
        self.at += dt.timedelta(milliseconds=max(1, round(seconds * 1000)))

    def emit(self, name: str, specific: wire.Attributes) -> None:
        """One event; attributes that are None are left out."""
        stamp = self.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.at.microsecond // 1000:03d}Z"
        plain = {
            **self.common(),
            "event.name": name,
            "event.timestamp": stamp,
            "event.sequence": self.sequence,
            "prompt.id": self.prompt_id,
            **specific,
        }
        named = {key: each for key, each in plain.items() if each is not None}
        self._records.append(wire.log_record(name, self._nanoseconds(self.at), named))
        self.sequence += 1

    def lose(self, count: int) -> None:
        """The last `count` events never reach anyone."""
        del self._records[-count:]

    def common(self) -> dict[str, Any]:
        """What stands on every record and on every metric point."""
        person = self.person
        identity: dict[str, Any] = {}
        if person.identified:
            identity = {
                "organization.id": ORGANIZATION,
                "user.email": person.email,
                "user.account_uuid": person.account_uuid,
                "user.account_id": person.account_id,
            }
        provider = {"anthropic.provider": "firstParty", "anthropic.custom_base_url": False} if self.modern else {}
        entry = {"app.entrypoint": person.entrypoint, "app.version": person.version} if person.tells_entrypoint else {}
        return {
            **self._resource_attributes(),
            "user.id": person.install_id,
            "session.id": self.session_id,
            **identity,
            **entry,
            **provider,
            **({"anthropic.plan": "enterprise"} if person.identified and self.modern else {}),
            **(self._repository_attributes() if self.prompt_id else {}),
            "terminal.type": person.terminal,
        }

    def resource(self) -> dict[str, Any]:
        arch, os_version = _SYSTEMS[self.person.os]
        return {
            **self._resource_attributes(),
            "host.arch": arch,
            "os.type": self.person.os,
            "os.version": os_version,
            "service.name": "claude-code",
            "service.version": self.person.version,
        }

    def _resource_attributes(self) -> dict[str, str]:
        """OTEL_RESOURCE_ATTRIBUTES, which the client copies onto every record."""
        return {"team.id": self.person.team, "cost_center": self.person.cost_center, **self.person.resource}

    def _repository_attributes(self) -> dict[str, str]:
        repository = self.repository
        return {
            "vcs.repository.url.full": repository.url,
            "vcs.owner.name": repository.owner,
            "vcs.repository.name": repository.name,
            "vcs.provider.name": "github",
        }

    @property
    def records(self) -> list[dict[str, Any]]:
        """What it has emitted and not lost, as OTLP/JSON."""
        return self._records

    def measure(self, name: str, number: float, **attributes: Any) -> None:
        """Adds to a metric, which is exported when the process ends."""
        self._metrics[f"claude_code.{name}", self.session_id, tuple(attributes.items())] += number  # type: ignore[assignment]

    def requests(self) -> Iterator[Captured]:
        """What it exports, in order: its records in requests of some size, then its metrics."""
        version = self.person.version
        for start in range(0, len(self._records), RECORDS_A_REQUEST):
            records = self._records[start : start + RECORDS_A_REQUEST]
            yield Captured("demo", "logs", "json", False, wire.logs_request(self.resource(), version, records))
        if self._metrics:
            yield Captured("demo", "metrics", "json", False, self._metrics_request())

    def _metrics_request(self) -> bytes:
        start, end = self._nanoseconds(self.started_at), self._nanoseconds(self.at)
        by_name: dict[str, list[dict[str, Any]]] = {}
        for (name, session, attributes), number in self._metrics.items():
            plain = {**self.common(), "session.id": session, **dict(attributes)}
            by_name.setdefault(name, []).append(wire.point(start, end, number, plain))
        return wire.metrics_request(self.resource(), self.person.version, by_name.items())

    @staticmethod
    def _nanoseconds(at: dt.datetime) -> int:
        return (at - _EPOCH) // dt.timedelta(microseconds=1) * 1000
