"""One request from its body to rows that are ready to be written; all that needs no transaction."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from django.conf import settings

from audit import ledger
from audit.drafts import Receipt
from audit.points import PreparedPoint, prepare_points
from connectors.tokens import Refusal, TokenRecord
from ingest import agents, content, otlp
from ingest.agents.points import point_drafts
from ingest.receiving.requests import Request
from ingest.secrets import Scrubber

SPANS_REFUSED = "spans are not kept by this version; send logs and metrics"

logger = logging.getLogger(__name__)

_memory = agents.SessionMemory()
_scrubber = Scrubber(settings.INGEST_SECRET_KEY)
LIMITS = otlp.Limits()


@dataclass(slots=True)
class Decoded:
    """What a body holds, or why nothing of it can be read."""

    export: otlp.Export | None = None
    refusal: Refusal | None = None


@dataclass(slots=True)
class Prepared:
    """A request's rows; `unusable` records go to quarantine, each as (reason, request of its own).

    `failed` are the reasons of records that only the whole request can bring back: it goes to quarantine once.
    """

    receipt: Receipt
    events: Sequence[ledger.PreparedEvent] = ()
    points: Sequence[PreparedPoint] = ()
    unusable: list[tuple[str, bytes]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    spans: int = 0
    total: int = 0
    keeps_content: bool = True


def decode(request: Request) -> Decoded:
    if request.early:
        return Decoded(refusal=request.early)
    try:
        return Decoded(export=otlp.decode(request.route.signal, request.encoding, request.body, LIMITS))
    except otlp.TooLarge as error:
        return Decoded(refusal=Refusal(413, "too_large", str(error)))
    except otlp.Malformed as error:
        return Decoded(refusal=Refusal(400, "malformed", str(error)))


def slices(export: otlp.Export, size: int) -> Iterator[otlp.Export]:
    """The export in parts of at most so many records, which it loses on the way; the unusable ones come first."""
    unusable = export.unusable
    while export.records or unusable:
        records = export.records[:size]
        del export.records[:size]
        yield otlp.Export(records, unusable, len(records) + len(unusable))
        unusable = []


def forget() -> None:
    """Drops what is remembered of values. One that is left of a large request keeps the memory around it from use."""
    otlp.forget()
    _scrubber.forget()


def receipt_of(request: Request, token: TokenRecord) -> Receipt:
    return Receipt(request.received_at_us, token.source_id or 0, token.source_name or "", token.id, request.address)


def prepare(
    connection: psycopg.Connection,
    request: Request,
    export: otlp.Export,
    receipt: Receipt,
    hint: str | None,
    *,
    keeps_content: bool = True,
) -> Prepared:
    """The request's rows. Outside a transaction: identities and emitters not seen before commit by themselves."""
    prepared = Prepared(receipt, total=export.total, keeps_content=keeps_content)
    prepared.unusable = [(each.reason, each.request) for each in export.unusable]
    if request.route.signal == "logs":
        drafts = partial(
            agents.drafts,
            hint=hint,
            knowledge=_memory.of(receipt.source_id),
            scrubber=_scrubber,
            received_at_us=receipt.received_at_us,
        )
        events = _mapped(drafts, export.records, prepared)
        if not keeps_content:
            for event in events:
                content.drop(event, settings.INGEST_SECRET_KEY)
        prepared.events = ledger.prepare(connection, receipt, events)
    elif request.route.signal == "metrics":
        made = partial(point_drafts, hint=hint, scrubber=_scrubber)
        points = _mapped(made, export.records, prepared)
        if not keeps_content:
            for point in points:
                content.drop_from_point(point, settings.INGEST_SECRET_KEY)
        prepared.points = prepare_points(connection, receipt, points)
    else:
        prepared.spans = export.total
    return prepared


def _mapped(drafts: Callable[[Sequence[Any]], list[Any]], records: Sequence[Any], prepared: Prepared) -> list[Any]:
    """Drafts of the records. A record that a mapping fails on goes to quarantine; its neighbours do not go with it."""
    try:
        return drafts(records)
    except Exception:
        logger.exception("mapping failed; trying records one by one", extra={"action": "map", "records": len(records)})
    made: list[Any] = []
    for position, record in enumerate(records):
        try:
            made += drafts([record])
        except Exception as error:  # noqa: BLE001 - whatever it was, the record is kept aside
            prepared.failed.append(f"record {position}: {type(error).__name__} in its mapping")
    return made
