"""Claude Code's settings, as the JSON that every file and console takes.

Protocol is always written, as Claude Code has no default for it; the exporter appends /v1/logs and /v1/metrics.
"""

import json
from collections.abc import Collection, Iterable
from urllib.parse import quote

from connectors.snippets.levels import DECIDABLE, INTERVALS, LOGS_INTERVAL_MS, USUAL, Interval, Level

BOTH = ("logs", "metrics")


def environment(
    endpoint: str,
    secret: str | None,
    scopes: Collection[str] = BOTH,
    level: Level = USUAL,
    interval: Interval = INTERVALS[0],
    team: str = "",
) -> dict[str, str]:
    """The variables that make Claude Code report to `endpoint`. Exporters follow the token's scopes and the level.

    Without a secret there is no header: a helper script prints it then. A team goes along as a resource attribute: in
    managed settings it takes the place of what developers set.
    """
    sent = set(scopes) & set(level.signals)
    variables = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp" if "logs" in sent else "none",
        "OTEL_METRICS_EXPORTER": "otlp" if "metrics" in sent else "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    }
    if secret is not None:
        variables["OTEL_EXPORTER_OTLP_HEADERS"] = f"Authorization=Bearer {secret}"
    if "metrics" in sent:
        variables["OTEL_METRIC_EXPORT_INTERVAL"] = str(interval.milliseconds)
    if "logs" in sent:
        variables["OTEL_LOGS_EXPORT_INTERVAL"] = str(LOGS_INTERVAL_MS)
    if team:
        variables["OTEL_RESOURCE_ATTRIBUTES"] = f"team.id={quote(team, safe='')}"
    return variables | level.environment()


def claude_code(
    endpoint: str,
    secret: str,
    scopes: Collection[str] = BOTH,
    level: Level = USUAL,
    interval: Interval = INTERVALS[0],
    team: str = "",
) -> str:
    """Settings that make Claude Code report to `endpoint`, as JSON."""
    return json.dumps({"env": environment(endpoint, secret, scopes, level, interval, team)}, indent=2)


def marked(snippet: str) -> Iterable[tuple[str, str, str]]:
    """The snippet cut into (before, name of a switch that decides, after), to be shown with the names marked.

    Only what is switched on is marked.
    """
    for line in snippet.splitlines(keepends=True):
        name = next((each.name for each in DECIDABLE if each.name in line and f'"{each.value}"' in line), "")
        before, _, after = line.partition(name) if name else (line, "", "")
        yield before, name, after
