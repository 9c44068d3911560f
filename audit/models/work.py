"""Signs of life of the supervised loops, verifications, and how the witnesses stand."""

import datetime as dt

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When a process last did its round, and what it found (`detail`)."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_heartbeat"

    def __str__(self) -> str:
        return self.name


class Verification(models.Model):
    """One run through the whole ledger: asked for, under way, or done. `faults` counts what it found wrong."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        CLEAN = "clean", "nothing wrong"
        FAULTY = "faulty", "faults found"
        BROKEN = "broken", "did not finish"

    class Cause(models.TextChoices):
        SCHEDULE = "schedule"
        COMMAND = "command"
        PERSON = "person"

    state = models.TextField(choices=State, default=State.QUEUED)
    cause = models.TextField(choices=Cause)
    asked_by = models.TextField(blank=True, help_text="The person who asked for it.")
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField("started", null=True)
    finished_at = models.DateTimeField("finished", null=True)
    size = models.BigIntegerField("events", default=0, help_text="Events that were numbered when it began.")
    total = models.BigIntegerField(default=0, help_text="Rows to look at: events, then sessions.")
    done = models.BigIntegerField(default=0, help_text="Rows looked at.")
    faults = models.BigIntegerField(default=0)
    told = models.TextField(blank=True, help_text="The first faults, each on a line; why it did not finish.")

    def __str__(self) -> str:
        return f"verification {self.pk}"

    @property
    def rest(self) -> dt.timedelta | None:
        """How long it will still take, going by how long it took so far; None if that cannot be told."""
        if self.state != self.State.RUNNING or not self.done or self.started_at is None:
            return None
        return (timezone.now() - self.started_at) * max(self.total - self.done, 0) / self.done


class Witness(models.Model):
    """What became of asking a witness; its cosignatures are evidence and stand beside the checkpoints."""

    name = models.TextField(primary_key=True)
    asked_at = models.DateTimeField()
    cosigned_at = models.DateTimeField(null=True)
    size = models.BigIntegerField(null=True, help_text="Events under the last checkpoint that it cosigned.")
    problem = models.TextField(blank=True, help_text="Why the last checkpoint has no cosignature of it.")
    contradicts = models.BooleanField(default=False, help_text="It knows another history than this one.")

    def __str__(self) -> str:
        return self.name
