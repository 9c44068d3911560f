"""Sources: groups of hosts that report together, and what is taken from them."""

from django.db import models
from django.db.models.functions import Lower, Now

NAME_LENGTH = 80
SIGNALS = [("all", "logs and metrics"), ("logs", "logs only"), ("metrics", "metrics only")]
CONTENT = [("keep", "keep"), ("drop", "drop")]


class Source(models.Model):
    """A group of hosts that report together. Events carry its id; what it is called may change."""

    name = models.CharField(max_length=NAME_LENGTH, help_text="Shown in lists and with every event.")
    agent = models.CharField(
        max_length=32,
        blank=True,
        help_text="The agent that reports, where its telemetry does not say so itself.",
    )
    team = models.CharField(
        max_length=NAME_LENGTH,
        blank=True,
        help_text="A team named inside the telemetry is only a claim; this one is set here.",
    )
    environment = models.CharField(max_length=NAME_LENGTH, blank=True, help_text="Such as laptops, CI, production.")
    signals = models.TextField(
        choices=SIGNALS,
        default="all",
        db_default="all",
        help_text="What is taken from its tokens; the rest is refused.",
    )
    content = models.TextField(
        choices=CONTENT,
        default="keep",
        db_default="keep",
        help_text="Whether prompts, commands, tool input and the like are kept, or dropped before anything is stored.",
    )
    records_per_minute = models.PositiveIntegerField(
        "budget", null=True, blank=True, help_text="Records a minute over all its tokens. Empty: as many as there are."
    )
    expected_installations = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many installations should report. Empty: not known."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    archived_at = models.DateTimeField(null=True, editable=False, help_text="Since when it is out of the way.")
    archived_by = models.TextField(blank=True, editable=False)

    class Meta:
        default_permissions = ("change", "view")
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="connectors_source_name",
                violation_error_message="There is a source of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name
