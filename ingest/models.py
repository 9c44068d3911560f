"""What the receiver could not keep as evidence, and how often it answered what."""

from django.db import models


class Quarantined(models.Model):
    """A request or a single record that could not be kept; it can be replayed once its cause is mended."""

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
    request = models.BinaryField(help_text="The first 64 KiB; a single record with its resource and scope in full.")
    replayed_at = models.DateTimeField("replayed", null=True)
    replay_outcome = models.TextField(blank=True)

    class Meta:
        verbose_name = "quarantined request"
        indexes = [models.Index(fields=["-received_at", "-id"], name="ingest_quarantined_received")]

    def __str__(self) -> str:
        return f"{self.signal} from {self.source_name}: {self.reason}"


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
