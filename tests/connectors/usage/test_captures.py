"""What a real Claude Code sent, logs and metrics, comes to the same as a plain reading of the captured requests."""

import gzip
import json
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from connectors.models import Identity, UsageDay
from connectors.usage import reading, rollup, store
from connectors.usage.believing import Question
from connectors.vendors.shape import UsageRow
from tests import captures
from tests.connectors.usage.telling import recorded_points, rolled_up, settled_pull
from tests.factories import seal

pytestmark = pytest.mark.django_db

BOTH = [
    "a-plain-prompt.json",
    "c-edit-acceptEdits.pb",
    "f-interactive-decisions.json",
    "k-metrics-cumulative",
    "k-metrics-session0",
    "m-git-commit-pr.json",
    "m-subagent.grpc",
]
TOKENS = {"input": "input", "output": "output", "cacheRead": "cache_read", "cacheCreation": "cache_creation"}


def requests(scenario, signal):
    """Every captured request of that signal, read by another library than the portal's."""
    message = {"logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}[signal]
    for line in (captures.CAPTURES / scenario / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["signal"] == signal and "file" in entry:
            data = (captures.CAPTURES / scenario / entry["file"]).read_bytes()
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            if ".json" in entry["file"]:
                yield json_format.Parse(data, message(), ignore_unknown_fields=True)
            else:
                yield message.FromString(data)


def attributes(item):
    found = {}
    for pair in item.attributes:
        kind = pair.value.WhichOneof("value")
        found[pair.key] = getattr(pair.value, kind) if kind else None
    return found


def naive_events(scenario):
    """Tokens, cost, prompts and decisions on edits as the log records add up."""
    sums, cost = Counter(), Decimal()
    for message in requests(scenario, "logs"):
        for group in message.resource_logs:
            for scope in group.scope_logs:
                for record in scope.log_records:
                    told = attributes(record)
                    name = told.get("event.name")
                    if name == "api_request":
                        sums["requests"] += 1
                        cost += Decimal(str(told["cost_usd"]))
                        for kind in TOKENS.values():
                            sums[kind] += int(told[f"{kind}_tokens"])
                    sums["prompts"] += name == "user_prompt"
                    if name == "tool_decision" and told["tool_name"] in ("Edit", "Write", "NotebookEdit"):
                        sums[told["decision"]] += 1
    return sums, cost


def naive_points(scenario):
    """Tokens, cost, lines, commits as the points add up: deltas added, of a cumulative series the last."""
    sums, cost, series = Counter(), Decimal(), {}
    for message in requests(scenario, "metrics"):
        for group in message.resource_metrics:
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.sum.data_points:
                        value = Decimal(str(getattr(point, point.WhichOneof("value"))))
                        told = attributes(point)
                        key = (metric.name, str(sorted(told.items())), point.start_time_unix_nano)
                        cumulative = metric.sum.aggregation_temporality == 2
                        before = series.get(key, Decimal()) if cumulative else Decimal()
                        rise, series[key] = max(value - before, Decimal()), max(value, before)
                        short = metric.name.removeprefix("claude_code.")
                        if short == "token.usage":
                            sums[TOKENS[told["type"]]] += int(rise)
                        elif short == "cost.usage":
                            cost += rise
                        elif short == "lines_of_code.count":
                            sums[f"lines_{told['type']}"] += int(rise)
                        elif short in ("commit.count", "pull_request.count"):
                            sums[short.replace(".count", "s")] += int(rise)
    return sums, cost


def totals():
    rows = UsageDay.objects.filter(connection=None)
    found = Counter()
    for row in rows:
        for kind in TOKENS.values():
            found[kind] += getattr(row, f"{kind}_tokens")
        for name in ("requests", "prompts", "lines_added", "lines_removed", "commits", "pull_requests"):
            found[name] += getattr(row, name)
        for accepted, rejected in row.tools.values():
            found["accept"] += accepted
            found["reject"] += rejected
    return found, sum((row.cost_reported or Decimal() for row in rows), Decimal())


def near(cost):
    """Costs are kept to a billionth of a dollar a row, and points are binary numbers."""
    return pytest.approx(cost, abs=Decimal("0.000001"))


@pytest.mark.parametrize("scenario", BOTH)
def test_logs_and_metrics_together_come_to_the_logs_and_what_only_metrics_count(scenario):
    captures.record(scenario)
    seal()
    recorded_points(scenario)
    rolled_up()
    events, cost = naive_events(scenario)
    points, _ = naive_points(scenario)
    found, reported = totals()
    for name in (*TOKENS.values(), "requests", "prompts", "accept", "reject"):
        assert found[name] == events[name], name
    for name in ("lines_added", "lines_removed", "commits", "pull_requests"):
        assert found[name] == points[name], name
    assert reported == near(cost)


@pytest.mark.parametrize("scenario", BOTH)
def test_metrics_alone_come_to_the_metrics(scenario):
    recorded_points(scenario)
    rolled_up()
    points, cost = naive_points(scenario)
    found, reported = totals()
    for name in (*TOKENS.values(), "lines_added", "lines_removed", "commits", "pull_requests"):
        assert found[name] == points[name], name
    assert reported == near(cost)


def test_the_same_twice_in_another_order_and_in_steps_comes_to_the_same():
    for scenario in BOTH:
        captures.record(scenario)
        seal()
        recorded_points(scenario)
    rolled_up()
    columns = [field.name for field in UsageDay._meta.concrete_fields if field.name != "id"]
    once = sorted(UsageDay.objects.values_list(*columns), key=str)
    for scenario in reversed(BOTH):
        recorded_points(scenario)
        captures.record(scenario)
        seal()
        rollup.run(0.0)
        rolled_up()
    assert sorted(UsageDay.objects.values_list(*columns), key=str) == once
    rollup.rebuild()
    rolled_up()
    assert sorted(UsageDay.objects.values_list(*columns), key=str) == once


def test_captures_and_a_vendor_for_the_same_days_give_one_total_and_the_overlap():
    for scenario in BOTH:
        captures.record(scenario)
        seal()
        recorded_points(scenario)
    rolled_up()
    said = defaultdict(Counter)
    for row in UsageDay.objects.all():
        said[row.day, row.identity.kind, row.identity.value]["input"] += row.input_tokens
        said[row.day, row.identity.kind, row.identity.value]["sessions"] += row.sessions
    days = sorted({day for day, *_ in said})
    question = Question(days[0], days[-1])
    telemetry = reading.summary(question).total
    held = None
    for day in days:
        rows = [
            UsageRow(day, kind, value, "claude_code", sessions=counts["sessions"], input_tokens=counts["input"] + 1)
            for (when, kind, value), counts in said.items()
            if when == day and counts["sessions"]
        ]
        held = settled_pull("claude_code", day, held)
        store.replace(held, "claude_code", day, rows)
    found = reading.summary(question)
    believed, overlap = found.total, found.overlap
    speaking = [counts for counts in said.values() if counts["sessions"]]
    assert believed.counts["sessions"] == sum(counts["sessions"] for counts in speaking)
    assert believed.counts["input_tokens"] == sum(counts["input"] + 1 for counts in speaking)
    assert believed.counts["prompts"] == telemetry.counts["prompts"] > 0
    assert believed.cost_reported == telemetry.cost_reported
    assert overlap.user_days == len(speaking)
    (telemetrys, vendors) = overlap.feeds
    assert telemetrys.sessions_left_out == telemetrys.sessions == vendors.sessions
    assert (vendors.sessions_left_out, vendors.tokens_left_out) == (0, 0)
    assert Identity.objects.count() == len({key[1:] for key in said})
