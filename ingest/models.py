"""What the receiver could not keep as evidence, and how often it answered what."""

from typing import Self

from django.db import models


class QuarantinedQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        """Those that somebody still has to look after: neither replayed nor set aside."""
        return self.filter(replayed_at__isnull=True, set_aside_at__isnull=True)


class Quarantined(models.Model):
    """A request or a single record that could not be kept; it can be replayed once its cause is mended.

    What never can be is set aside: it stays, with who did that, when and why, but waits for nobody.
    """

    SIGNALS = [("logs", "logs"), ("metrics", "metrics"), ("traces", "traces")]

    received_at = models.DateTimeField("received")
    token_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    source_name = models.TextField("source")
    address = models.TextField()
    hint = models.TextField(blank=True, help_text="The agent named in the path, if it was.")
    signal = models.TextField(choices=SIGNALS)
    encoding = models.TextField()
    reason = models.TextField()
    whole = models.BooleanField(help_text="Whether `request` is all that was sent, so that it can be replayed.")
    length = models.BigIntegerField("bytes")
    sha256 = models.BinaryField(max_length=32)
    request = models.BinaryField(
        help_text="The first 64 KiB; a single record with its resource and scope in full; of a source that drops"
        " content nothing."
    )
    replayed_at = models.DateTimeField("replayed", null=True)
    replay_outcome = models.TextField(blank=True)
    set_aside_at = models.DateTimeField("set aside", null=True)
    set_aside_by = models.TextField(blank=True, db_default="")
    set_aside_reason = models.TextField(blank=True, db_default="")

    objects = QuarantinedQuerySet.as_manager()

    class Meta:
        verbose_name = "quarantined request"
        indexes = [models.Index(fields=["-received_at", "-id"], name="ingest_quarantined_received")]

    def __str__(self) -> str:
        return f"{self.signal} from {self.source_name}: {self.reason}"

    @property
    def left_out(self) -> str:
        """What of the request was not kept, in words; empty if nothing."""
        if self.whole:
            return ""
        return "only its first 64 KiB were kept" if self.request else "nothing of it was kept: its source drops content"


class Budget(models.Model):
    """What is left of a token's records a minute (ingest.receiving.budget). Tokens without a limit have none."""

    token_id = models.BigIntegerField(primary_key=True)
    records_left = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.records_left:.0f} records left"


class SourceBudget(models.Model):
    """What is left of a source's records a minute, over all its tokens."""

    source_id = models.BigIntegerField(primary_key=True)
    records_left = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.records_left:.0f} records left"


class Answered(models.Model):
    """What the receiver answered in one hour, by token and outcome."""

    hour = models.DateTimeField()
    token_id = models.BigIntegerField(default=0, help_text="0: no known token.")
    outcome = models.TextField(help_text="stored, or the status and reason of the refusal.")
    requests = models.BigIntegerField(default=0)
    records = models.BigIntegerField("new records", default=0)
    duplicates = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField("rejected records", default=0)
    bytes = models.BigIntegerField(default=0)
    last_at = models.DateTimeField("last")
    last_address = models.TextField("last from")

    class Meta:
        verbose_name = "receiver answer"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["hour", "token_id", "outcome"], name="ingest_answered_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} × {self.requests}"
