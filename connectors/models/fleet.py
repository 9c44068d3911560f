"""Who should report and who does: seats that vendors list, devices, installations seen, and the canary."""

from uuid import UUID, uuid4

from django.db import models
from django.db.models.functions import Now

from connectors.credentials.field import SealedField
from connectors.models.connections import Connection
from connectors.models.people import Identity
from connectors.models.tokens import Token


class Seat(models.Model):
    """One user of a vendor's organisation, as its list of users says."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="seats")
    external_id = models.TextField()
    identity = models.ForeignKey(Identity, models.PROTECT, related_name="seats")
    name = models.TextField(blank=True)
    role = models.TextField(blank=True)
    added_at = models.DateTimeField(null=True)
    first_listed = models.DateField()
    last_listed = models.DateField()
    gone_at = models.DateTimeField(null=True, help_text="When a list no longer had it.")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_seat_once")]

    def __str__(self) -> str:
        return self.external_id


class Device(models.Model):
    """A machine from an imported list, such as an MDM's."""

    serial = models.TextField(unique=True)
    host = models.TextField(blank=True, help_text="As the machine calls itself, lower case.")
    email = models.TextField(blank=True, help_text="Whose it is, lower case.")
    platform = models.TextField(blank=True)
    imported_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("add", "delete", "view")

    def __str__(self) -> str:
        return self.host or self.serial


class Installation(models.Model):
    """What one client, as it describes itself, sent with one token: folded from sealed events, in their order."""

    id: UUID = models.UUIDField(primary_key=True, default=uuid4, editable=False)  # type: ignore[assignment]
    token_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    agent = models.TextField()
    subject_id = models.UUIDField(null=True, help_text="Who it says it is (audit_subject).")
    origin_id = models.BigIntegerField(null=True, help_text="How it describes itself (audit_origin).")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    events = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    switches = models.JSONField(
        default=dict, help_text="Verbosity switches inferred from what came: true, false, or absent for not known."
    )

    evidence = models.JSONField(
        default=dict, help_text="By switch, the newest event that says `on` and the newest that says `off`."
    )

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["token_id", "agent", "subject_id", "origin_id"],
                nulls_distinct=False,
                name="connectors_installation_once",
            )
        ]
        indexes = [
            models.Index(fields=["source_id", "-last_at"], name="connectors_installation_source"),
            models.Index(fields=["subject_id"], name="connectors_installation_who"),
        ]

    def __str__(self) -> str:
        return f"installation {self.pk}"


class RosterCursor(models.Model):
    """How far installations are folded. One row; the fold commits it together with what it counted."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY)
    next_seq = models.BigIntegerField(default=0, help_text="Number of the next event to count.")
    gaps = models.TextField(blank=True, help_text="A fingerprint of the gaps that `missing` was last counted from.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"folded up to {self.next_seq}"


class CanaryRun(models.Model):
    """One record sent through the public endpoint, and when it was found as evidence."""

    mark = models.UUIDField(unique=True)
    cause = models.TextField(choices=[("schedule", "schedule"), ("person", "test now")])
    token_id = models.BigIntegerField(null=True)
    asked_by = models.TextField(blank=True)
    sent_at = models.DateTimeField()
    status = models.SmallIntegerField(null=True, help_text="What the receiver answered.")
    found_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="In words; empty while it is looked for, and when all is well.")
    signal = models.TextField(default="logs", choices=[("logs", "event"), ("metrics", "count")])
    steps = models.JSONField(default=list, help_text="What was done on the way: [name, went well, in words].")
    found_id = models.UUIDField(null=True, help_text="Of the event or data point that was found.")

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-sent_at"], name="connectors_canary_sent")]
        verbose_name = "test of the endpoint"
        verbose_name_plural = "tests of the endpoint"

    def __str__(self) -> str:
        return str(self.mark)


class Canary(models.Model):
    """The portal's own sender, at most one row. Its token is sealed, as it must be read again."""

    token = models.ForeignKey(Token, models.PROTECT, db_constraint=False, related_name="+")
    secret = SealedField("token")
    set_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "canary"
