"""Sources that are no longer needed: archived, they are out of the way, and everything that names them still reads."""

from django.db import transaction
from django.db.models.functions import Now

from audit import acts
from connectors.models import Source


class StillUsed(Exception):
    """A token of the source still works."""


def archive(source: Source, *, by: acts.Who) -> None:
    """Raises StillUsed. Archived already, nothing changes."""
    with transaction.atomic():
        current = Source.objects.select_for_update().get(pk=source.pk)
        if current.archived_at is not None:
            return
        if any(token.works for token in current.tokens.all()):
            raise StillUsed
        Source.objects.filter(pk=source.pk).update(archived_at=Now(), archived_by=str(by))
        _told("source.archived", source, by)


def restore(source: Source, *, by: acts.Who) -> None:
    with transaction.atomic():
        if Source.objects.filter(pk=source.pk, archived_at__isnull=False).update(archived_at=None, archived_by=""):
            _told("source.restored", source, by)


def _told(act: str, source: Source, by: acts.Who) -> None:
    facts = {"object.kind": "source", "object.id": str(source.pk)}
    acts.require(act, by=by, facts=facts, content={"object.name": source.name})
