"""Sets quarantined requests aside that can never be replayed: kept as they are, but out of the way."""

from django.db import transaction
from django.utils import timezone

from audit import acts, pasted
from ingest.models import QuarantinedQuerySet


def set_aside(items: QuarantinedQuerySet, reason: str, *, by: str) -> int:
    """Of these, sets aside those that wait, and records the act in the ledger; how many those were."""
    reason = pasted.masked(reason)
    with transaction.atomic():
        numbers = sorted(items.waiting().select_for_update().order_by().values_list("pk", flat=True))
        if not numbers:
            return 0
        chosen = items.model.objects.filter(pk__in=numbers)
        chosen.update(set_aside_at=timezone.now(), set_aside_by=by, set_aside_reason=reason)
        facts = {"quarantined.count": len(numbers), "quarantined.ids": " ".join(map(str, numbers))}
        acts.record("quarantine.set_aside", by=by, facts=facts, content={"reason": reason})
    return len(numbers)
