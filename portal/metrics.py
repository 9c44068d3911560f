"""`/metrics` for Prometheus: read from PostgreSQL when asked, so that any number of web processes tell the same."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric and the query that answers with its labels and, last, its value."""

    kind: type[GaugeMetricFamily] | type[CounterMetricFamily]
    name: str
    help: str
    query: str
    labels: tuple[str, ...] = ()


# A batch's age is in the first 48 bits of its first event's id: milliseconds since 1970.
_WAITING = """
    SELECT coalesce(extract(epoch FROM clock_timestamp()) - min(
        ('x' || encode(substring(event_ids FROM 1 FOR 6), 'hex'))::bit(48)::bigint) / 1000.0, 0) FROM {}"""

FAMILIES = (
    Family(
        GaugeMetricFamily,
        "portal_process_last_seen_seconds",
        "Since a supervised process last gave a sign of life.",
        "SELECT name, extract(epoch FROM clock_timestamp() - at) FROM audit_heartbeat",
        ("process",),
    ),
    Family(
        CounterMetricFamily,
        "portal_events_sealed",
        "Events that have their number.",
        "SELECT coalesce(max(seq) + 1, 0) FROM audit_seal",
    ),
    Family(
        GaugeMetricFamily,
        "portal_unsealed_age_seconds",
        "Age of the oldest event without a number.",
        _WAITING.format("audit_unsealed"),
    ),
    Family(
        GaugeMetricFamily,
        "portal_unfolded_age_seconds",
        "Age of the oldest event that sessions and tool uses do not show yet.",
        _WAITING.format("audit_unfolded"),
    ),
    Family(
        GaugeMetricFamily,
        "portal_cosigned_age_seconds",
        "Since a witness last cosigned a checkpoint.",
        """SELECT name, extract(epoch FROM clock_timestamp() - cosigned_at) FROM audit_witness
           WHERE cosigned_at IS NOT NULL AND asked_at > now() - interval '1 day'""",
        ("witness",),
    ),
    Family(
        CounterMetricFamily,
        "portal_ingest_requests",
        "Requests that the receiver answered, by what became of them.",
        "SELECT outcome, sum(requests) FROM ingest_answered GROUP BY outcome",
        ("outcome",),
    ),
    Family(
        CounterMetricFamily,
        "portal_ingest_records",
        "Records and points that arrived: new ones, those known already, and those that could not be kept.",
        """SELECT fate, sum(count) FROM ingest_answered
           CROSS JOIN LATERAL (VALUES ('new', records), ('duplicate', duplicates), ('rejected', rejected))
           AS fates (fate, count) GROUP BY fate""",
        ("fate",),
    ),
    Family(
        CounterMetricFamily,
        "portal_ingest_bytes",
        "Bytes of the requests that the receiver took.",
        "SELECT coalesce(sum(bytes), 0) FROM ingest_answered",
    ),
    Family(
        GaugeMetricFamily,
        "portal_quarantined",
        "Requests and records in quarantine that were neither replayed nor set aside.",
        "SELECT count(*) FROM ingest_quarantined WHERE replayed_at IS NULL AND set_aside_at IS NULL",
    ),
    Family(
        GaugeMetricFamily,
        "portal_rows_estimated",
        "Rows of the large tables, as the planner estimates them.",
        """SELECT root, sum(greatest(reltuples, 0)) FROM (
               SELECT coalesce(pg_partition_root(oid), oid)::regclass::text AS root, reltuples
               FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) AS tables
           WHERE root LIKE 'audit%' OR root LIKE 'ingest%' GROUP BY root""",
        ("table",),
    ),
    Family(
        GaugeMetricFamily,
        "portal_database_bytes",
        "Size of the database on disk.",
        "SELECT pg_database_size(current_database())",
    ),
)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All families, in Prometheus' text format; `portal_database_up` stands alone when the database is away."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Collector:
    def collect(self) -> Iterator[Metric]:
        return families()


def families() -> Iterator[Metric]:
    try:
        known = [_read(family) for family in FAMILIES]
    except DatabaseError:
        logger.exception("no metrics", extra={"action": "metrics"})
        known = []
    yield GaugeMetricFamily("portal_database_up", "Whether the database answers.", value=1 if known else 0)
    yield from known


def _read(family: Family) -> Metric:
    metric = family.kind(family.name, family.help, labels=family.labels)
    with connection.cursor() as cursor:
        cursor.execute(family.query)
        for *labels, value in cursor.fetchall():
            metric.add_metric([str(label) for label in labels], float(value))
    return metric
