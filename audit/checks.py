"""System checks: what a person could get wrong is said by `manage.py check --deploy` before traffic does."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.database, deploy=True)
def two_logins(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Evidence is protected by rights only where the application does not own the tables."""
    application, owner = (settings.DATABASES[alias] for alias in ("default", "owner"))
    if application["USER"] != owner["USER"]:
        return []
    return [
        Warning(
            "The application connects as the owner of the evidence tables: only triggers keep it from changing them.",
            hint="Make a second login without rights and set DATABASE_URL to it, DATABASE_OWNER_URL to the owner.",
            id="audit.W001",
        )
    ]
