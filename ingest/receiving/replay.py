"""Tries quarantined requests again, once what they met is mended."""

import datetime as dt
import time

from django.db import connection

from audit import ledger, points
from audit.drafts import Receipt
from connectors.models import Source
from ingest.models import Quarantined
from ingest.receiving.preparation import decode, prepare
from ingest.receiving.requests import Request, Route


def replay(item: Quarantined) -> str:
    """Records what can be kept now, in the name of its source and as received now; what became of it, in words.

    Records that were kept in the meantime are set aside as duplicates, so a replay may be repeated.
    """
    if not item.whole:
        return _noted(item, f"not replayed: {item.left_out}", replayed=False)
    request = Request(
        Route(item.signal, item.hint or None),  # type: ignore[arg-type]
        item.encoding,  # type: ignore[arg-type]
        secret="",
        address=item.address,
        body=bytes(item.request),
    )
    decoded = decode(request)
    if decoded.export is None:
        reason = decoded.refusal.message if decoded.refusal else "not decoded"
        return _noted(item, f"still refused: {reason}", replayed=False)
    receipt = Receipt(time.time_ns() // 1000, item.source_id, item.source_name, item.token_id, item.address)
    connection.ensure_connection()
    database = connection.connection
    keeps = not Source.objects.filter(pk=item.source_id, content="drop").exists()
    prepared = prepare(database, request, decoded.export, receipt, request.route.hint, keeps_content=keeps)
    with database.transaction():
        stored = len(ledger.append(database, prepared.events).ids) if prepared.events else 0
        stored += len(points.append_points(database, prepared.points).ids) if prepared.points else 0
    if reasons := [*(why for why, _ in prepared.unusable), *prepared.failed]:
        return _noted(item, f"still unusable: {reasons[0]}", replayed=False)
    return _noted(item, f"recorded: {stored} new", replayed=True)


def _noted(item: Quarantined, outcome: str, *, replayed: bool) -> str:
    item.replay_outcome = outcome
    item.replayed_at = dt.datetime.now(dt.UTC) if replayed else None
    item.save(update_fields=["replay_outcome", "replayed_at"])
    return outcome
