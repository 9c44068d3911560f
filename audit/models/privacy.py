"""What stands in the way of forgetting, what was forgotten, and what will be (migrations/sql/0011_privacy.sql)."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from audit import reasons
from audit.models.evidence import Event
from audit.vocabulary import Kind

SIX_MONTHS_DAYS = 183


class Hold(models.Model):
    """A legal hold: while it is in force, the database erases and purges nothing that it covers."""

    KINDS = [("person", "person"), ("session", "session"), ("repository", "repository"), ("query", "query")]

    kind = models.TextField("covers", choices=KINDS)
    value = models.TextField(help_text="Who or what: an e-mail or account, a session, a repository, a query.")
    reason = models.TextField()
    placed_by = models.TextField()
    placed_at = models.DateTimeField("placed")
    released_by = models.TextField(null=True)
    released_at = models.DateTimeField("released", null=True)
    release_reason = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "audit_hold"
        verbose_name = "legal hold"
        default_permissions = ("add", "change", "view")

    def __str__(self) -> str:
        return f"hold {self.pk}"


class Erasure(models.Model):
    """The wish that a person be forgotten, and what became of it. It names pseudonyms, never the person."""

    WAITING, RUNNING, HELD, DONE, FAILED = "waiting", "running", "held", "done", "failed"
    STATES = [(state, state) for state in (WAITING, RUNNING, HELD, DONE, FAILED)]

    subjects = ArrayField(models.UUIDField())
    reason = models.TextField()
    asked_by = models.TextField("asked by")
    asked_at = models.DateTimeField("asked", default=timezone.now)
    state = models.TextField(choices=STATES, default=WAITING)
    hold_id = models.BigIntegerField("held by", null=True)
    contents = models.BigIntegerField("contents erased", default=0)
    points = models.BigIntegerField("metric points deleted", default=0)
    identities = models.BigIntegerField("identities erased", default=0)
    total = models.BigIntegerField("contents in all", default=0)
    finished_at = models.DateTimeField("finished", null=True)
    error = models.TextField(blank=True)

    class Meta:
        default_permissions = ("add", "view")
        indexes = [models.Index(fields=["-asked_at", "-id"], name="audit_erasure_asked_at")]

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def pseudonyms(self) -> list[str]:
        return [f"p-{subject.hex[:8]}" for subject in self.subjects]


class RetentionRule(models.Model):
    """How long a part of events is kept. Without a kind it is the rule for kinds that have none of their own."""

    CONTENT, IDENTITY, FACTS = "content", "identity", "facts"
    PARTS = [
        (CONTENT, "content: prompts, commands, tool input"),
        (IDENTITY, "identity: who it was"),
        (FACTS, "facts: the event itself, with all that is left of it"),
    ]
    KINDS = [("", "every other kind"), *((kind.value, kind.value.replace("_", " ")) for kind in Kind)]

    part = models.TextField(choices=PARTS)
    kind = models.TextField(choices=KINDS, blank=True, default="")
    days = models.PositiveIntegerField(
        validators=[MinValueValidator(1)], help_text="Counted from when an event was received."
    )
    exception = models.TextField(
        blank=True,
        help_text="Why less than six months is right here, and who decided it. Needed below 183 days.",
    )

    class Meta:
        verbose_name = "retention rule"
        constraints = [
            models.UniqueConstraint(
                fields=["part", "kind"],
                name="audit_retentionrule_part_kind",
                violation_error_message="There is a rule for this part and kind already.",
            ),
            models.CheckConstraint(
                name="audit_retentionrule_days",
                condition=models.Q(days__gte=SIX_MONTHS_DAYS) | ~models.Q(exception=""),
            ),
            models.CheckConstraint(name="audit_retentionrule_not_zero", condition=models.Q(days__gte=1)),
            models.CheckConstraint(
                name="audit_retentionrule_identity",
                condition=~models.Q(part="identity") | models.Q(kind=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part}{f' of {self.kind}' if self.kind else ''}: {self.days} days"

    def clean(self) -> None:
        if self.days is not None and self.days < SIX_MONTHS_DAYS and len(self.exception.strip()) < reasons.SHORTEST:
            told = f"Less than six months needs a written exception, in {reasons.SHORTEST} characters or more."
            raise ValidationError({"exception": told})
        if self.part == self.IDENTITY and self.kind:
            raise ValidationError({"kind": "A person is the same in events of every kind: leave the kind empty."})


class RetentionRun(models.Model):
    """One application of the rules: its certificate."""

    RUNNING, DONE, FAILED = "running", "done", "failed"
    STATES = [(state, state) for state in (RUNNING, DONE, FAILED)]

    started_at = models.DateTimeField("started", default=timezone.now)
    finished_at = models.DateTimeField("finished", null=True)
    asked_by = models.TextField("asked by")
    state = models.TextField(choices=STATES, default=RUNNING)
    rules = models.JSONField(default=list, help_text="As they were then.")
    contents = models.BigIntegerField("contents erased", default=0)
    identities = models.BigIntegerField("identities erased", default=0)
    facts = models.BigIntegerField("facts erased", default=0)
    events = models.BigIntegerField("events purged", default=0)
    months = ArrayField(models.TextField(), default=list, verbose_name="months purged")
    kept = models.JSONField(default=list, help_text="What was due and stays, and why.")
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "retention run"
        default_permissions = ("add", "view")
        indexes = [models.Index(fields=["-started_at", "-id"], name="audit_retentionrun_started_at")]

    def __str__(self) -> str:
        return f"retention of {self.started_at:%Y-%m-%d %H:%M}"


class Erased(models.Model):
    """A part that is gone, by the commitment that stays; `act` is the portal's own event that says so."""

    commitment = models.BinaryField(primary_key=True)
    part = models.TextField()
    act = models.ForeignKey(Event, models.DO_NOTHING, db_constraint=False, db_column="act", related_name="+")

    class Meta:
        managed = False
        db_table = "audit_erased"

    def __str__(self) -> str:
        return f"{self.part} {bytes(self.commitment).hex()[:8]}"
