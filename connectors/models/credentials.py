"""Rotations of the key that secrets are sealed with."""

from django.db import models
from django.db.models.functions import Now


class KeyRotation(models.Model):
    """A new key, and how many secrets were sealed anew with it. Ids are those of the key ring's files."""

    old_key = models.CharField(max_length=16, blank=True)
    new_key = models.CharField(max_length=16)
    asked_at = models.DateTimeField(db_default=Now())
    asked_by = models.TextField()
    total = models.BigIntegerField(default=0, help_text="Secrets that were sealed with other keys when it began.")
    resealed = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    told = models.TextField(blank=True, help_text="Secrets that did not open, each on a line.")

    class Meta:
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return f"rotation to {self.new_key}"
