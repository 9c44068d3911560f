"""OTLP/JSON bodies for tests; each record differs from the last."""

import itertools
import json
import time
from typing import Any

_numbers = itertools.count()


def record(session: str = "s-1", name: str = "user_prompt", **attributes: Any) -> dict[str, Any]:
    values = {"event.name": name, "session.id": session, "user.id": "5f1d", "n": next(_numbers), **attributes}
    now = str(time.time_ns())
    return {
        "timeUnixNano": now,
        "observedTimeUnixNano": now,
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": [{"key": key, "value": any_value(value)} for key, value in values.items()],
    }


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {"intValue": value} if isinstance(value, int) else {"stringValue": value}


def export(*records: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]},
                "scopeLogs": [
                    {
                        "scope": {"name": "com.anthropic.claude_code.events", "version": "2.1.329"},
                        "logRecords": list(records),
                    }
                ],
            }
        ]
    }


def logs(*records: dict[str, Any]) -> bytes:
    return json.dumps(export(*(records or (record(),)))).encode()
