"""System checks: what a person could get wrong is said by `manage.py check --deploy` before traffic does."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from audit import grants


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


@register(Tags.database, deploy=True)
def an_eraser(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Erasing is done by a role that nobody logs in as. Asks the database only where the checks may."""
    if not databases or grants.has_eraser():
        return []
    return [
        Warning(
            "What erases evidence belongs to the owner of the tables: there is no role of its own for it.",
            hint=f"CREATE ROLE {grants.ERASER} NOLOGIN, grant it to the owner, and migrate again (docs/privacy.md).",
            id="audit.W002",
        )
    ]


@register()
def witnesses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A quorum counts keys, so each witness has its own, and there are enough of them."""
    keys = [each.key for each in settings.AUDIT_WITNESSES]
    found: list[CheckMessage] = []
    if len({key.public for key in keys}) < len(keys) or len({key.name for key in keys}) < len(keys):
        hint = "Each witness is another machine in other hands, with a key of its own."
        found.append(Error("AUDIT_WITNESSES names one witness twice.", hint=hint, id="audit.E001"))
    if len(keys) < settings.AUDIT_WITNESS_QUORUM:
        text = f"AUDIT_WITNESS_QUORUM asks for {settings.AUDIT_WITNESS_QUORUM} witnesses of {len(keys)}."
        found.append(Error(text, hint="No checkpoint could ever satisfy it.", id="audit.E002"))
    return found
