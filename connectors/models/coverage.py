"""Who should report and does not: what connectors.coverage found when it last looked, and how it judges."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from connectors.models.fleet import Device, Seat
from connectors.models.people import Identity, Person


class CoverageRule(models.Model):
    """How coverage is judged. One row, or none: then the defaults hold."""

    silent_after_days = models.PositiveSmallIntegerField(default=7)
    window_days = models.PositiveSmallIntegerField(default=30)
    computed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"silent after {self.silent_after_days} days"


class Covered(models.Model):
    """One seat, device, person, sender or API key, and whether it reports. Computed anew; says nobody's name itself."""

    class Kind(models.TextChoices):
        SEAT = "seat", "Seat"
        DEVICE = "device", "Device"
        PERSON = "person", "Person without a seat"
        SENDER = "sender", "Sender"
        API_KEY = "api_key", "API key"

    class State(models.TextChoices):
        GAP = "gap", "Used, not reported"
        SILENT = "silent", "Silent"
        UNKNOWN = "unknown_sender", "Unknown sender"
        PARTIAL = "partial", "Partial"
        UNSEATED = "no_seat", "Reports, has no seat"
        NEVER = "never_reported", "Never reported"
        UNSEEN = "cannot_be_seen", "Cannot be seen"
        REPORTING = "reporting", "Reporting"

    kind = models.TextField(choices=Kind)
    key = models.TextField(help_text="The id of what it is about, unique within its kind.")
    state = models.TextField(choices=State)
    rank = models.SmallIntegerField(help_text="What needs somebody first is lowest.")
    reason = models.TextField(help_text="In words.")
    since = models.DateField(null=True)
    last_seen = models.DateField(null=True, help_text="UTC day of the newest telemetry.")
    usage_days = models.IntegerField(default=0, help_text="Days in the window on which a vendor knows of use.")
    switches_off = ArrayField(models.TextField(), default=list)
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    seat = models.ForeignKey(Seat, models.CASCADE, null=True, related_name="+")
    device = models.ForeignKey(Device, models.CASCADE, null=True, related_name="+")
    identity = models.ForeignKey(Identity, models.CASCADE, null=True, related_name="+")
    subject_id = models.UUIDField(null=True, help_text="Of a sender: who it says it is (audit_subject).")
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        verbose_name = "row of coverage"
        verbose_name_plural = "rows of coverage"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="connectors_covered_once")]
        indexes = [
            models.Index(fields=["rank", "id"], name="connectors_covered_rank"),
            models.Index(fields=["state"], name="connectors_covered_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
