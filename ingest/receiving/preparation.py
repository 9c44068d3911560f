"""One request from its body to rows that are ready to be written; all that needs no transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from django.conf import settings

from audit import ledger
from audit.drafts import Receipt
from audit.points import PreparedPoint, prepare_points
from connectors.tokens import Refusal, TokenRecord
from ingest import agents, otlp
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


def decode(request: Request) -> Decoded:
    if request.early:
        return Decoded(refusal=request.early)
    try:
        return Decoded(export=otlp.decode(request.route.signal, request.encoding, request.body, LIMITS))
    except otlp.TooLarge as error:
        return Decoded(refusal=Refusal(413, "too_large", str(error)))
    except otlp.Malformed as error:
        return Decoded(refusal=Refusal(400, "malformed", str(error)))


def receipt_of(request: Request, token: TokenRecord) -> Receipt:
    return Receipt(request.received_at_us, token.source_id or 0, token.source_name or "", token.id, request.address)


def prepare(
    connection: psycopg.Connection, request: Request, export: otlp.Export, receipt: Receipt, hint: str | None
) -> Prepared:
    """The request's rows. Outside a transaction: identities and emitters not seen before commit by themselves."""
    prepared = Prepared(receipt, total=export.total)
    prepared.unusable = [(each.reason, each.request) for each in export.unusable]
    if request.route.signal == "logs":
        drafts = partial(
            agents.drafts,
            hint=hint,
            knowledge=_memory.of(receipt.source_id),
            scrubber=_scrubber,
            received_at_us=receipt.received_at_us,
        )
        prepared.events = ledger.prepare(connection, receipt, _mapped(drafts, export.records, prepared))
    elif request.route.signal == "metrics":
        made = partial(point_drafts, hint=hint, scrubber=_scrubber)
        prepared.points = prepare_points(connection, receipt, _mapped(made, export.records, prepared))
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
