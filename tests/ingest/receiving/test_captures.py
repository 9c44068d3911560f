"""Everything a real Claude Code sent, posted as it was sent, twice."""

import json

import pytest

from audit.models import Event, MetricPoint, Seal, Session, ToolUse
from ingest.models import Quarantined
from tests.captures import CAPTURES
from tests.factories import fold, of_agents, seal

PATHS = {"logs": "/v1/logs", "metrics": "/v1/metrics"}


def sent(signal):
    """(file, body, headers) of every captured request of a signal."""
    for path in sorted(CAPTURES.rglob(f"*.{signal}.*")):
        content_type = "application/json" if ".json" in path.name else "application/x-protobuf"
        encoding = {"Content_Encoding": "gzip"} if path.suffix == ".gz" else {}
        yield path, path.read_bytes(), {"content_type": content_type, **encoding}


def distinct_records(signal):
    """How many different (resource, scope, record) the captures hold, counted by an independent reading of them."""
    import gzip

    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    message = {"logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}[signal]
    seen = set()
    for _, body, headers in sent(signal):
        plain = gzip.decompress(body) if "Content_Encoding" in headers else body
        if headers["content_type"] == "application/json":
            request = json_format.Parse(plain, message(), ignore_unknown_fields=True)
        else:
            request = message.FromString(plain)
        for group in request.resource_logs if signal == "logs" else request.resource_metrics:
            resource = group.resource.SerializeToString(deterministic=True)
            for scope in group.scope_logs if signal == "logs" else group.scope_metrics:
                around = (resource, scope.scope.SerializeToString(deterministic=True))
                if signal == "logs":
                    seen.update((*around, record.SerializeToString(deterministic=True)) for record in scope.log_records)
                else:
                    for metric in scope.metrics:
                        kind = metric.WhichOneof("data")
                        points = getattr(metric, kind).data_points
                        name = (metric.name, metric.unit, kind)
                        seen.update((*around, name, point.SerializeToString(deterministic=True)) for point in points)
    return len(seen)


@pytest.fixture(scope="module")
def posted(receiver, token):
    for _ in range(2):
        for signal, path in PATHS.items():
            for file, body, headers in sent(signal):
                answer = receiver.post(body, token, path=path, **headers)
                assert answer.status == 200, (file, answer)
                assert answer.body in (b"", b"{}"), (file, answer)
    while seal():
        pass
    while fold():
        pass


def test_every_record_is_stored_once(posted):
    assert of_agents().count() == distinct_records("logs")


def test_every_point_is_stored_once(posted):
    assert MetricPoint.objects.count() == distinct_records("metrics")


def test_nothing_is_in_quarantine(posted):
    assert not Quarantined.objects.exists()


def test_every_event_is_numbered(posted):
    numbers = list(Seal.objects.order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(Event.objects.count()))


def test_each_tool_use_has_its_decision_and_its_result(posted):
    """A rejected tool never has a result; an accepted one has exactly one (wire-claude-code.md A2), or it was lost."""
    assert ToolUse.objects.filter(tool_use_id__isnull=True).count() == 0
    assert not ToolUse.objects.filter(decision__in=("reject", "cancel"), result_event__isnull=False).exists()
    accepted = ToolUse.objects.filter(decision="accept")
    lost = accepted.filter(result_event__isnull=True)
    assert accepted.count() > 200
    assert lost.count() <= 2
    assert ToolUse.objects.filter(decisions=1).count() + ToolUse.objects.filter(decisions=0).count() == (
        ToolUse.objects.count()
    )


def decisions(scenario):
    """(tool, decision, decided_by, grant, mode) of a scenario's tool uses, in order."""
    sessions = set()
    for path in (CAPTURES / scenario).glob("*.logs.json"):
        for group in json.loads(path.read_text())["resourceLogs"]:
            for record in group["scopeLogs"][0]["logRecords"]:
                sessions |= {a["value"].get("stringValue") for a in record["attributes"] if a["key"] == "session.id"}
    rows = ToolUse.objects.filter(session_vendor_id__in=sessions, decisions__gt=0).order_by("at", "position")
    return [(use.tool_name, use.decision, use.decided_by, use.grant, use.mode) for use in rows]


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("d-deny-rule.json", {("reject", "policy"): 3, ("reject", "unknown"): 1}),
        ("e-hook-decision.json", {("accept", "hook"): 1, ("reject", "hook"): 2, ("reject", "policy"): 1}),
        (
            "f-interactive-decisions.json",
            {("accept", "person"): 5, ("accept", "policy"): 3, ("reject", "person"): 3},
        ),
        (
            "f-abort-and-permission-request-hook.json",
            {("accept", "person"): 1, ("accept", "hook"): 1, ("reject", "hook"): 1},
        ),
        ("m-git-commit-pr.json", {("accept", "unknown"): 3}),
        ("r-sdk-interrupt-and-set-mode.json", {("cancel", "unknown"): 1}),
        ("g-bypass.json", {("accept", "policy"): 3, ("reject", "policy"): 1}),
        ("z-v2.1.197-tools.json", {("accept", "policy"): 3, ("reject", "policy"): 1, ("accept", "unknown"): 1}),
    ],
)
def test_who_decided_is_said_as_the_wire_allows(posted, scenario, expected):
    found: dict = {}
    for _, decision, decided_by, _, _ in decisions(scenario):
        found[decision, decided_by] = found.get((decision, decided_by), 0) + 1
    assert found == expected


def test_a_permanent_yes_is_a_grant_for_always(posted):
    grants = [grant for _, _, by, grant, _ in decisions("f-interactive-decisions.json") if by == "person"]
    assert sorted(filter(None, grants)) == ["always", "always", "once", "once", "once"]


def test_the_mode_is_stated_where_the_wire_states_it(posted):
    assert {mode for *_, mode in decisions("g-bypass.json")} == {"bypassPermissions"}
    assert {mode for *_, mode in decisions("z-v2.1.197-tools.json")} == {None}


def test_sessions_add_up(posted):
    assert sum(Session.objects.values_list("events", flat=True)) == Event.objects.filter(session__isnull=False).count()
    assert (
        sum(Session.objects.values_list("tool_uses", flat=True))
        == ToolUse.objects.filter(session__isnull=False).count()
    )


def test_a_rebuild_gives_the_same_rows(posted):
    from audit import projector
    from tests.factories import raw

    def rows():
        uses = ToolUse.objects.order_by("id").values()
        return list(Session.objects.order_by("id").values()), list(uses)

    before = rows()
    projector.rebuild(raw())
    assert rows() == before


def test_what_was_folded_bit_by_bit_is_what_the_events_say(posted):
    from audit import projection_check
    from tests.factories import raw

    assert list(map(str, projection_check.faults(raw()))) == []
