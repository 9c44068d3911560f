"""Signs of life of the supervised loops."""

from django.db import models


class Heartbeat(models.Model):
    """When a process last did its round, and what it found (`detail`)."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_heartbeat"

    def __str__(self) -> str:
        return self.name
