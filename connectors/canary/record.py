"""The record that proves the path: one log record, or one count where a token may send nothing else. OTLP/JSON.

It names no session and no agent, so that it is kept as an event of agent `other` under a name of its own; its mark is
the trace id, which every mapping keeps among the facts.
"""

import json
import time
from typing import Any
from uuid import UUID

PROBE = "portal.probe"
"""Sent because somebody asked for it."""

CANARY = "portal.canary"
"""Sent on the schedule."""

NAMES = (PROBE, CANARY)
"""Events and metrics of these names are the portal's own: no agent worked."""

MARK = "portal.mark"


def body(signal: str, name: str, mark: UUID) -> bytes:
    """The export request of one record."""
    now = str(time.time_ns())
    resource = {"attributes": [_text("service.name", "agent-governance-portal")]}
    scope = {"name": name}
    if signal == "metrics":
        point = {"asInt": "1", "timeUnixNano": now, "startTimeUnixNano": now, "attributes": [_text(MARK, mark.hex)]}
        metric = {"name": name, "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
        return _encoded("resourceMetrics", resource, "scopeMetrics", scope, "metrics", metric)
    record = {
        "timeUnixNano": now,
        "observedTimeUnixNano": now,
        "traceId": mark.hex,
        "body": {"stringValue": name},
        "attributes": [_text("event.name", name)],
    }
    return _encoded("resourceLogs", resource, "scopeLogs", scope, "logRecords", record)


def _encoded(outer: str, resource: Any, inner: str, scope: Any, rows: str, row: Any) -> bytes:
    return json.dumps({outer: [{"resource": resource, inner: [{"scope": scope, rows: [row]}]}]}).encode()


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
