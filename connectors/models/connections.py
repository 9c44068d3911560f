"""Connections to vendors, what their keys may read, and the pulls that read it.

A pull is a row: claimed with a lease, done page by page, folded into rows in the transaction that takes its last page.
A Celery message is only a hint that there may be one to do.
"""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models.functions import Lower, Now

from connectors.credentials.field import SealedField
from connectors.models.sources import NAME_LENGTH


class Connection(models.Model):
    """One organisation at one vendor, read with one key. The key is sealed (connectors.credentials)."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    vendor = models.TextField(help_text="The slug of a module in connectors.vendors.")
    name = models.CharField(max_length=NAME_LENGTH, help_text="Such as “Claude, engineering”.")
    organization_id = models.TextField(blank=True)
    organization_name = models.TextField(blank=True)
    secret = SealedField("key")
    key_kind = models.TextField(blank=True, help_text="What the key's prefix says it is.")
    fingerprint = models.CharField(
        max_length=16, blank=True, help_text="Of the key: keyed, so that it cannot be tried."
    )
    last_four = models.CharField(max_length=4, blank=True)
    key_set_at = models.DateTimeField(null=True)
    key_set_by = models.TextField(blank=True)
    paused_at = models.DateTimeField(null=True, help_text="Nothing is pulled from then on.")
    paused_by = models.TextField(blank=True)
    trouble = models.TextField(
        blank=True, help_text="Why nothing can be read with the key as it is, in words. Empty: it can."
    )
    trouble_at = models.DateTimeField(null=True, help_text="When that was last found; a day later it is tried again.")
    last_read_at = models.DateTimeField(null=True, help_text="When a pull was last done.")
    check_asked_at = models.DateTimeField(null=True, help_text="Until a worker has asked every endpoint again.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(blank=True)

    class Meta:
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="connectors_connection_name",
                violation_error_message="There is a connection of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Capability(models.Model):
    """What a connection's key was last answered at one endpoint."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="capabilities")
    endpoint = models.TextField()
    allowed = models.BooleanField(null=True, help_text="None: never answered.")
    status = models.SmallIntegerField(null=True, help_text="HTTP status of the last answer.")
    told = models.TextField(blank=True, help_text="That status in words, with what to do about it.")
    checked_at = models.DateTimeField(null=True)
    last_data_day = models.DateField(null=True, help_text="The newest day for which there were figures.")
    last_pulled_day = models.DateField(null=True, help_text="The newest day that was read, with or without figures.")
    failing_since = models.DateTimeField(
        null=True, help_text="Since when pulls of it fail that did not before; a check acknowledges it."
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["connection", "endpoint"], name="connectors_capability_endpoint")
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.endpoint}"


class Backfill(models.Model):
    """A range of days that somebody asked for; its progress is that of its pulls."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="backfills")
    first_day = models.DateField()
    last_day = models.DateField(help_text="Inclusive.")
    asked_at = models.DateTimeField(db_default=Now())
    asked_by = models.TextField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


class Pull(models.Model):
    """One day (or the present list) of one endpoint, read to its last page. Done again, it replaces its rows."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    UNFINISHED: ClassVar[tuple[str, ...]] = (State.QUEUED, State.RUNNING)

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="pulls")
    backfill = models.ForeignKey(Backfill, models.CASCADE, null=True, related_name="pulls")
    endpoint = models.TextField()
    day = models.DateField(null=True, help_text="UTC. None: a list as it is now, such as that of users.")
    cause = models.TextField(choices=[("schedule", "schedule"), ("backfill", "backfill"), ("person", "person")])
    state = models.TextField(choices=State, default=State.QUEUED)
    not_before = models.DateTimeField(db_default=Now(), help_text="When it may be tried, or tried again.")
    claimed_by = models.TextField(blank=True)
    lease_until = models.DateTimeField(null=True, help_text="From then on another worker may take it over.")
    attempts = models.IntegerField(default=0, help_text="How often a worker began or went on with it.")
    failures = models.IntegerField(default=0, help_text="Answers that were none since the last page.")
    restarts = models.IntegerField(default=0, help_text="How often its cursor expired on the way.")
    cursor = models.TextField(blank=True, help_text="Of the page to be asked for next.")
    pages_taken = models.IntegerField("pages", default=0)
    rows = models.BigIntegerField(default=0)
    restated = models.BigIntegerField(default=0, help_text="Rows that differ from what the vendor said before.")
    status = models.SmallIntegerField(null=True, help_text="HTTP status of the last failed answer.")
    error = models.TextField(blank=True, help_text="In words, with what to do about it. Never with a key.")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "endpoint", "day"],
                condition=models.Q(state__in=("queued", "running")),
                nulls_distinct=False,
                name="connectors_pull_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                condition=models.Q(state__in=("queued", "running")),
                name="connectors_pull_due",
            ),
            models.Index(fields=["connection", "endpoint", "-day", "-id"], name="connectors_pull_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.day or 'now'}"


class Page(models.Model):
    """One answer as the vendor gave it, so that what was known on any date can be shown."""

    pull = models.ForeignKey(Pull, models.CASCADE, related_name="raw_pages")
    number = models.IntegerField()
    cursor = models.TextField(blank=True, help_text="The one it was asked with.")
    fetched_at = models.DateTimeField()
    sha256 = models.BinaryField(max_length=32, help_text="Of the body as it came.")
    body = models.BinaryField(help_text="The body as it came, gzipped.")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["pull", "number"], name="connectors_page_number")]

    def __str__(self) -> str:
        return f"page {self.number} of pull {self.pull_id}"


class Pace(models.Model):
    """When the next request may go to an organisation that its vendor lets ask only so often, over all workers."""

    organization = models.TextField(primary_key=True, help_text="The vendor's slug and its id of the organisation.")
    next_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.organization


class Reported(models.Model):
    """What a vendor reports that is nobody's user-day: adoption, skills, connectors, spend of a workspace …"""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="reports")
    endpoint = models.TextField()
    day = models.DateField(null=True)
    key = models.TextField(help_text="What the row is about, unique within its endpoint and day.")
    data = models.JSONField(help_text="The vendor's fields, money as decimal strings of dollars.")
    pulled_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        verbose_name = "reported figure"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "endpoint", "day", "key"], nulls_distinct=False, name="connectors_reported_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.day} {self.key}"
