"""OTLP/JSON as Claude Code's exporter writes it: values, log records, metric points, export requests."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

EVENTS_SCOPE, METRICS_SCOPE = "com.anthropic.claude_code.events", "com.anthropic.claude_code"
DELTA = 1
_METRICS = {
    "claude_code.session.count": ("Count of CLI sessions started", ""),
    "claude_code.lines_of_code.count": (
        "Count of lines of code modified, with the 'type' attribute indicating whether lines were added or removed and "
        "the 'model' attribute indicating which model made the change",
        "",
    ),
    "claude_code.pull_request.count": ("Number of pull requests created", ""),
    "claude_code.commit.count": ("Number of git commits created", ""),
    "claude_code.cost.usage": ("Cost of the Claude Code session", "USD"),
    "claude_code.token.usage": ("Number of tokens used", "tokens"),
    "claude_code.code_edit_tool.decision": (
        "Count of code editing tool permission decisions (accept/reject) for Edit, Write, and NotebookEdit tools",
        "",
    ),
    "claude_code.active_time.total": ("Total active time in seconds", "s"),
}

Attributes = Mapping[str, Any]


def value(plain: Any) -> dict[str, Any]:
    """An AnyValue. Like the JavaScript exporter: whole numbers are ints, whatever they were meant to be."""
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, (int, float)):
        return {"intValue": int(plain)} if float(plain).is_integer() else {"doubleValue": plain}
    if isinstance(plain, (list, tuple)):
        return {"arrayValue": {"values": [value(each) for each in plain]}}
    return {"stringValue": plain}


def attributes(plain: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(each)} for key, each in plain.items()]


def log_record(name: str, time_unix_nano: int, plain: Attributes) -> dict[str, Any]:
    at = str(time_unix_nano)
    return {
        "timeUnixNano": at,
        "observedTimeUnixNano": at,
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes(plain),
        "droppedAttributesCount": 0,
    }


def point(start_unix_nano: int, time_unix_nano: int, number: float, plain: Attributes) -> dict[str, Any]:
    return {
        "attributes": attributes(plain),
        "startTimeUnixNano": str(start_unix_nano),
        "timeUnixNano": str(time_unix_nano),
        "asDouble": number,
    }


def logs_request(resource: Attributes, version: str, records: Sequence[Mapping[str, Any]]) -> bytes:
    scope_logs = [{"scope": {"name": EVENTS_SCOPE, "version": version}, "logRecords": records}]
    return _request("resourceLogs", resource, {"scopeLogs": scope_logs})


def metrics_request(resource: Attributes, version: str, points: Iterable[tuple[str, list[dict[str, Any]]]]) -> bytes:
    """`points` are the data points of each metric, by its name."""
    metrics = [
        {
            "name": name,
            "description": _METRICS[name][0],
            "unit": _METRICS[name][1],
            "sum": {"aggregationTemporality": DELTA, "isMonotonic": True, "dataPoints": data},
        }
        for name, data in points
    ]
    scope_metrics = [{"scope": {"name": METRICS_SCOPE, "version": version}, "metrics": metrics}]
    return _request("resourceMetrics", resource, {"scopeMetrics": scope_metrics})


def _request(key: str, resource: Attributes, content: dict[str, Any]) -> bytes:
    named = {"attributes": attributes(resource), "droppedAttributesCount": 0}
    text = json.dumps({key: [{"resource": named, **content}]}, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes \\udxxx, as JSON.stringify writes it
