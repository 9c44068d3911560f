"""Evidence packs that people asked for. The row is the truth; the file beside it can be made again."""

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class EvidencePack(models.Model):
    """What was asked for, by whom and why, and how far it is (audit/packs)."""

    class Kind(models.TextChoices):
        SESSION = "session"
        RANGE = "range"
        SELECTION = "selection"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running", "Being made"
        READY = "ready"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField(choices=Kind.choices)
    title = models.TextField()
    session = models.UUIDField(null=True)
    first_seq = models.BigIntegerField("first number", null=True)
    last_seq = models.BigIntegerField("last number", null=True)
    numbers = ArrayField(models.BigIntegerField(), default=list)
    with_content = models.BooleanField("with content")
    with_identity = models.BooleanField("with identities")
    asked_by = models.TextField()
    asked_at = models.DateTimeField("asked for")
    reason = models.TextField()
    state = models.TextField(choices=State.choices, default=State.WAITING)
    attempt = models.SmallIntegerField(default=0, help_text="How many times its making was begun.")
    done = models.BigIntegerField(default=0, help_text="Events that are in it so far.")
    total = models.BigIntegerField("events", default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    file = models.TextField(default="", help_text="Its name in the folder of packs; random.")
    size_bytes = models.BigIntegerField("size", null=True)
    sha256 = models.TextField("SHA-256", default="")
    error = models.TextField(default="")
    expires_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)
    discard_reason = models.TextField(default="")

    class Meta:
        default_permissions = ()  # audit.export_evidence says who may
        verbose_name = "evidence pack"
        indexes = [
            models.Index(
                fields=["id"],
                name="audit_evidencepack_unfinished",
                condition=models.Q(state__in=["waiting", "running"]),
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_unfinished(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def can_be_had(self) -> bool:
        """Whether there is a file to give out."""
        return self.state == self.State.READY and self.discarded_at is None

    @property
    def withheld(self) -> frozenset[str]:
        """The parts that are in it as commitments only (docs/ledger.md)."""
        withheld = {"content": not self.with_content, "subject": not self.with_identity}
        return frozenset(name for name in withheld if withheld[name])

    def time_left(self, now: dt.datetime) -> dt.timedelta | None:
        """How long its making goes on at the speed so far; None while that cannot be told."""
        if self.started_at is None or not self.done or self.state != self.State.RUNNING:
            return None
        return (now - self.started_at) * (self.total - self.done) / self.done


def of_session(session: uuid.UUID, session_id: str) -> EvidencePack:
    """The events of a session; who asks and why is still to be filled in."""
    return EvidencePack(kind=EvidencePack.Kind.SESSION, title=f"Session {session_id}", session=session)


def of_range(first: int, last: int) -> EvidencePack:
    """Every event from one number to another, both included."""
    return EvidencePack(
        kind=EvidencePack.Kind.RANGE, title=f"Events #{first} to #{last}", first_seq=first, last_seq=last
    )


def of_selection(numbers: list[int]) -> EvidencePack:
    """The events of these numbers."""
    title = f"Selection of {len(numbers)} event{'' if len(numbers) == 1 else 's'}"
    return EvidencePack(kind=EvidencePack.Kind.SELECTION, title=title, numbers=sorted(numbers))
