"""The receivers' books as the connectors' pages and receipts read them (connectors.books)."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Q, Sum
from django.utils import timezone

from connectors.books import Hour, Sighted
from connectors.models import Source
from ingest.models import Answered, SourceBudget

STORED = "stored"
MOST_ADDRESSES = 200


class ReceiverBooks:
    def last_stored(self, token_id: int) -> Sighted | None:
        found = Answered.objects.filter(token_id=token_id, outcome=STORED).order_by("-hour").first()
        return Sighted(found.last_at, found.last_address) if found else None

    def hours(self, token_ids: Collection[int], since: dt.datetime) -> Sequence[Hour]:
        refused = Q(outcome__startswith="4")
        answered = Answered.objects.filter(token_id__in=token_ids, hour__gte=since).values("hour").order_by("hour")
        summed = answered.annotate(
            told=Sum("requests"), new=Sum("records"), not_taken=Sum("requests", filter=refused), size=Sum("bytes")
        )
        return [Hour(row["hour"], row["told"], row["new"], row["not_taken"] or 0, row["size"]) for row in summed]

    def addresses(self, token_id: int, since: dt.datetime) -> Sequence[Sighted]:
        found = Answered.objects.filter(token_id=token_id, last_at__gte=since).order_by("-last_at")
        return [Sighted(*row) for row in found.values_list("last_at", "last_address")[:MOST_ADDRESSES]]

    def source_left(self, source_id: int) -> float | None:
        limit = Source.objects.values_list("records_per_minute", flat=True).get(pk=source_id)
        bucket = SourceBudget.objects.filter(pk=source_id).first()
        if limit is None or bucket is None:
            return None
        filled = bucket.records_left + (timezone.now() - bucket.at).total_seconds() * limit / 60
        return float(min(limit, filled))
