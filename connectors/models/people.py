"""People, teams, and the identities by which telemetry and vendors know them."""

from django.db import models
from django.db.models.functions import Lower, Now

from connectors.models.sources import NAME_LENGTH


class Team(models.Model):
    """A group that usage and cost are summed up for."""

    name = models.CharField(max_length=NAME_LENGTH)
    cost_center = models.CharField("cost centre", max_length=NAME_LENGTH, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="connectors_team_name", violation_error_message="There is a team of this name."
            )
        ]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """One human, whatever a source calls them. A merged person stays, pointing to whom they are now."""

    name = models.CharField(max_length=200, blank=True)
    email = models.TextField("e-mail", blank=True, help_text="The one to know them by, lower case.")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="absorbed")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name or self.email or f"person {self.pk}"


class Membership(models.Model):
    """Who was in which team, from which day to which (both inclusive; None: open). Ranges do not overlap."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships")
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    basis = models.TextField(default="manual", help_text="manual, imported or telemetry.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.person_id} in {self.team_id}"


class Identity(models.Model):
    """One name by which a source knows somebody: its kind and value, lower case where case does not matter.

    `person` None: unmapped, which is listed. The validity says when the name was that person's (a laptop that was
    handed on); the same name may therefore have several rows, whose ranges do not overlap.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        ACCOUNT_UUID = "account_uuid", "Account (uuid)"
        ACCOUNT_ID = "account_id", "Account (user_…)"
        INSTALL = "install_id", "Installation"
        GIT = "git", "Git author"
        API_KEY = "api_key", "API key"

    kind = models.TextField(choices=Kind)
    value = models.TextField()
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="identities")
    first_day = models.DateField(null=True, blank=True, help_text="From which day it is this person's. Empty: ever.")
    last_day = models.DateField(null=True, blank=True, help_text="Up to which day (inclusive). Empty: still.")
    basis = models.TextField(
        help_text="How it came to the person: telemetry, vendor, imported or manual. Shared: several have it at the "
        "same time. Erased: whose it was is forgotten."
    )
    first_seen = models.DateField(null=True)
    last_seen = models.DateField(null=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value", "first_day"], nulls_distinct=False, name="connectors_identity_value"
            )
        ]
        indexes = [models.Index(fields=["person"], name="connectors_identity_person")]

    def __str__(self) -> str:
        return self.value


class SeenSubject(models.Model):
    """A subject of evidence whose names were joined, and the days (UTC) of what it sent, as far as was looked."""

    subject_id = models.UUIDField(primary_key=True)
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.subject_id)


class PersonChange(models.Model):
    """What was done to people by hand or by an import: merged, split, mapped. It can be undone from what it tells."""

    at = models.DateTimeField(db_default=Now())
    by = models.TextField()
    act = models.TextField()
    person = models.ForeignKey(Person, models.CASCADE, related_name="changes")
    detail = models.JSONField(default=dict)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.act} {self.person_id}"
