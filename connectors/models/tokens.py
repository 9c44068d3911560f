"""Tokens: those that agents send with, and those that programs read with. Secrets are kept as digests only."""

import datetime as dt
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from connectors import scopes
from connectors.models.sources import NAME_LENGTH, Source

EXPIRING = dt.timedelta(days=14)
STATES = ("waiting", "active", "expiring", "rotating", "replaced", "expired", "revoked")
ENDED = ("replaced", "expired", "revoked")


class Token(models.Model):
    """One token: what it may do, until when, and what became of it. Never deleted (migration 0002 sees to it)."""

    KINDS = [(scopes.INGEST, "ingestion"), (scopes.API, "API")]

    kind = models.CharField(max_length=8, choices=KINDS, editable=False)
    name = models.CharField("purpose", max_length=NAME_LENGTH)
    source = models.ForeignKey(Source, models.PROTECT, null=True, blank=True, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token.")
    prefix = models.CharField(max_length=16, help_text="How the token begins, to recognise it by.")
    last_four = models.CharField(max_length=4)
    scopes = ArrayField(models.CharField(max_length=32))
    networks = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    records_per_minute = models.PositiveIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    created_at = models.DateTimeField("issued", db_default=Now())
    created_by = models.TextField("issued by")
    form_key = models.UUIDField(
        null=True, unique=True, help_text="The form it was issued with, which issues only once."
    )
    revoked_at = models.DateTimeField("revoked", null=True)
    revoked_by = models.TextField(blank=True)
    revoke_reason = models.TextField(blank=True)
    rotated_from = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    valid_until = models.DateTimeField(null=True, help_text="After a rotation: when this one, the old one, stops.")
    first_event_at = models.DateTimeField("first event", null=True)
    last_used_at = models.DateTimeField("last used", null=True)
    last_used_address = models.TextField(blank=True)
    last_refused_at = models.DateTimeField("last refused", null=True)
    last_refused_address = models.TextField(blank=True)
    refusals = models.JSONField(default=dict, help_text="Refused requests by reason.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="connectors_token_kind",
                condition=models.Q(kind=scopes.INGEST, source__isnull=False)
                | models.Q(kind=scopes.API, source__isnull=True),
            ),
            models.CheckConstraint(name="connectors_token_scopes", condition=models.Q(scopes__len__gt=0)),
        ]
        indexes = [models.Index(fields=["kind", "-id"], name="connectors_token_kind_id")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last_four})"

    @property
    def state(self) -> str:
        """One of STATES, at this moment."""
        now = timezone.now()
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= now:
            return "expired"
        if self.valid_until:
            return "rotating" if self.valid_until > now else "replaced"
        if self.is_waiting:
            return "waiting"
        return "expiring" if self.expires_at and self.expires_at <= now + EXPIRING else "active"

    @property
    def is_waiting(self) -> bool:
        """Whether nothing came of it so far: no event of an ingestion token, no request of an API token."""
        return (self.first_event_at if self.kind == scopes.INGEST else self.last_used_at) is None

    @property
    def works(self) -> bool:
        return self.state not in ENDED


def in_state(state: str, now: dt.datetime) -> models.Q:
    """The tokens whose `state` is that one at `now`."""
    unrevoked = models.Q(revoked_at=None)
    unexpired = unrevoked & (models.Q(expires_at=None) | models.Q(expires_at__gt=now))
    single = unexpired & models.Q(valid_until=None)
    waiting = models.Q(kind=scopes.INGEST, first_event_at=None) | models.Q(kind=scopes.API, last_used_at=None)
    soon = models.Q(expires_at__isnull=False, expires_at__lte=now + EXPIRING)
    return {
        "waiting": single & waiting,
        "active": single & ~waiting & ~soon,
        "expiring": single & ~waiting & soon,
        "rotating": unexpired & models.Q(valid_until__gt=now),
        "replaced": unexpired & models.Q(valid_until__lte=now),
        "expired": unrevoked & models.Q(expires_at__lte=now),
        "revoked": models.Q(revoked_at__isnull=False),
    }[state]


class OfKind(models.Manager):
    """The tokens of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(kind=self.kind)


class IngestToken(Token):
    """A token that agents send with. It can only write."""

    objects: ClassVar[OfKind] = OfKind(scopes.INGEST)

    class Meta:
        proxy = True
        default_permissions = ("add", "change", "view")
        verbose_name = "ingestion token"


class ApiToken(Token):
    """A token that programs read with over REST."""

    objects: ClassVar[OfKind] = OfKind(scopes.API)

    class Meta:
        proxy = True
        default_permissions = ("add", "change", "view")
        verbose_name = "API token"
