"""What a source takes is decided before anything is kept: signals, content, records a minute."""

import json

import psycopg
import pytest
from django.db import connection

from audit.models import Content, Event, MetricPoint
from connectors import tokens
from connectors.models import Source, Token
from ingest.models import Answered, Quarantined
from ingest.receiving import recording
from ingest.receiving.replay import replay
from ingest.receiving.requests import Request, Route
from tests.factories import raw
from tests.ingest.receiving.bodies import any_value, export, logs, record
from tests.processes import until

CANARY = "canary7391"
"""Stands in every text that a source without content must not leave anywhere."""


@pytest.fixture
def issued(live_database):
    def made(name, **policy):
        source = Source.objects.create(name=name, **policy)
        return tokens.issue("ingest", name, by="test", scopes=("logs", "metrics", "traces"), source=source)

    return made


def metrics(**attributes):
    point = {
        "asInt": "5",
        "timeUnixNano": "1790000000000000000",
        "attributes": [{"key": key, "value": any_value(value)} for key, value in attributes.items()],
    }
    one = {"name": "claude_code.token.usage", "sum": {"dataPoints": [point], "aggregationTemporality": 1}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [one]}]}]}


@pytest.mark.parametrize(
    ("taken", "path", "refused"), [("metrics", "/v1/logs", "logs"), ("logs", "/v1/metrics", "metrics")]
)
def test_a_signal_that_the_source_does_not_take_is_refused_and_counted(receiver, issued, taken, path, refused):
    token, secret = issued(f"only {taken}", signals=taken)
    bodies = {"/v1/logs": logs(), "/v1/metrics": json.dumps(metrics(type=taken)).encode()}
    answer = receiver.post(bodies.pop(path), secret, path=path)
    assert answer.status == 403
    assert json.loads(answer.body)["message"] == f"The source of this token takes {taken} only: no {refused}."
    ((other, body),) = bodies.items()
    assert receiver.post(body, secret, path=other).status == 200
    until(lambda: Answered.objects.filter(token_id=token.pk, outcome="403 wrong_signal", requests=1).exists())
    until(lambda: Token.objects.filter(pk=token.pk, refusals={"wrong_signal": 1}).exists())


def test_the_budget_of_a_source_is_that_of_all_its_tokens(receiver, issued):
    first, secret = issued("few records", records_per_minute=2)
    _, second = tokens.issue("ingest", "second", by="test", scopes=("logs",), source=first.source)
    assert receiver.post(logs(record(), record(), record()), secret).status == 200
    answer = receiver.post(logs(), second)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert "token's source" in json.loads(answer.body)["message"]


TELLING = [
    record(name="user_prompt", prompt=f"{CANARY} prompt", prompt_text=f"{CANARY} prompt", prompt_length=17),
    record(
        name="tool_decision",
        tool_name="mcp_tool",
        tool_source="mcp",
        tool_use_id="toolu_1",
        decision="accept",
        source="user_temporary",
        tool_parameters=json.dumps({"mcp_server_name": "prod-db", "mcp_tool_name": "query", "q": CANARY}),
    ),
    record(
        name="tool_result",
        tool_name="Bash",
        tool_use_id="toolu_2",
        success="true",
        tool_parameters=json.dumps({"full_command": f"curl https://{CANARY}.example/{CANARY}"}),
        tool_input=json.dumps({"command": CANARY, "file_path": f"/{CANARY}"}),
        error=CANARY,
    ),
    record(name="assistant_response", response="<REDACTED>", response_length=3),
    record(name="of_tomorrow", unheard_of=CANARY),
]
"""One record for each way in which content comes; of the answer the client sent nothing but that it was one."""
TELLING[3]["attributes"] = [each for each in TELLING[3]["attributes"] if each["key"] != "n"]


def dump(superuser_url: str) -> str:
    """Everything that the database holds, as PostgreSQL writes it; bytes are hexadecimal there."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(superuser_url, dbname=name) as superuser:
        tables = superuser.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        rows = [superuser.execute(f'SELECT t::text FROM "{table}" t').fetchall() for (table,) in tables]
    return "\n".join(text for table in rows for (text,) in table)


def test_nothing_is_left_of_what_a_source_drops(receiver, issued, superuser_url):
    token, secret = issued("metadata only", content="drop")
    export_ = export(*TELLING)
    export_["resourceLogs"][0]["resource"]["attributes"].append(
        {"key": "process.command_args", "value": {"stringValue": CANARY}}
    )
    assert receiver.post(json.dumps(export_).encode(), secret).status == 200
    points = metrics(type="input", **{"of.somebodys.own": CANARY})
    assert receiver.post(json.dumps(points).encode(), secret, path="/v1/metrics").status == 200
    assert receiver.post(f'{{"resourceLogs": "{CANARY}'.encode(), secret).status == 400
    deep: dict = {"stringValue": CANARY}
    for _ in range(40):
        deep = {"arrayValue": {"values": [deep]}}
    assert receiver.post(logs(record(prompt=deep)), secret).status == 200

    kept = Event.objects.filter(token_id=token.pk)
    assert kept.count() == len(TELLING)
    assert MetricPoint.objects.filter(token_id=token.pk).count() == 1
    assert Quarantined.objects.filter(token_id=token.pk).count() == 2
    everything = dump(superuser_url)
    assert "toolu_2" in everything
    assert CANARY not in everything
    assert CANARY.encode().hex() not in everything
    assert CANARY not in receiver.log.read_text()


def test_what_was_dropped_is_said_and_decisions_stay_readable(receiver, issued):
    token, secret = issued("decidable", content="drop")
    receiver.post(logs(*TELLING), secret)
    by_name = {event.event_name: event for event in Event.objects.filter(token_id=token.pk)}
    decision = by_name["tool_decision"]
    assert (decision.decision, decision.tool_name, decision.tool_use_id) == ("accept", "mcp_tool", "toolu_1")
    assert (decision.mcp_server, decision.mcp_tool) == ("prod-db", "query")
    known = [["dropped", "tool_parameters"], ["mcp_server", "prod-db"], ["mcp_tool", "query"]]
    assert [pair for pair in json.loads(bytes(decision.header))[8] if pair[0] != "session"] == known
    prompt = by_name["user_prompt"]
    assert b'["@prompt_length","int",17]' in bytes(prompt.facts)
    flagged = {name for name, event in by_name.items() if "content_dropped" in event.flags}
    assert flagged == set(by_name) - {"assistant_response"}
    (left,) = Content.objects.filter(event__token_id=token.pk)
    assert bytes(left.bytes) == b'[["@response","string","<REDACTED>"]]'


def test_records_that_differ_in_what_was_dropped_are_two_and_sent_again_one(receiver, issued):
    token, secret = issued("twins", content="drop")
    first, second = record(prompt="yes"), record(prompt="no")
    for twin in (first, second):
        twin["timeUnixNano"] = twin["observedTimeUnixNano"] = "1790000000000000000"
        twin["attributes"] = [each for each in twin["attributes"] if each["key"] != "n"]
    receiver.post(logs(first, second), secret)
    receiver.post(logs(first, second), secret)
    assert Event.objects.filter(token_id=token.pk).count() == 2


def test_points_keep_what_they_are_divided_by(receiver, issued):
    token, secret = issued("counts", content="drop")
    for kind in ("input", "output"):
        body = metrics(type=kind, model="claude", own="x")
        assert receiver.post(json.dumps(body).encode(), secret, path="/v1/metrics").status == 200
    points = MetricPoint.objects.filter(token_id=token.pk)
    assert sorted(bytes(point.attributes) for point in points) == [
        b'[["@type","string","input"],["@model","string","claude"]]',
        b'[["@type","string","output"],["@model","string","claude"]]',
    ]


def test_a_policy_holds_from_the_next_request(receiver, issued):
    token, secret = issued("changing")
    receiver.post(logs(record(prompt="first")), secret)
    Source.objects.filter(pk=token.source_id).update(content="drop")
    receiver.post(logs(record(prompt="second")), secret)
    kept = Content.objects.filter(event__token_id=token.pk)
    assert [b"first" in bytes(content.bytes) for content in kept] == [True]


def test_a_replay_keeps_to_the_policy_of_today(receiver, issued):
    token, secret = issued("replayed")
    deep: dict = {"stringValue": "x"}
    for _ in range(40):
        deep = {"arrayValue": {"values": [deep]}}
    receiver.post(logs(record(prompt=deep)), secret)
    item = Quarantined.objects.get(token_id=token.pk)
    item.request = logs(record(prompt=CANARY))
    Source.objects.filter(pk=token.source_id).update(content="drop")
    assert replay(item) == "recorded: 1 new"
    assert not Content.objects.filter(event__token_id=token.pk).exists()
    item.whole, item.request = False, b""
    assert replay(item) == "not replayed: nothing of it was kept: its source drops content"


def test_what_was_prepared_before_the_policy_changed_is_sent_again(issued, monkeypatch):
    token, secret = issued("changed meanwhile")
    prepared = recording.prepare

    def changing(*arguments, **named):
        made = prepared(*arguments, **named)
        Source.objects.filter(pk=token.source_id).update(content="drop")
        return made

    monkeypatch.setattr(recording, "prepare", changing)
    body = logs(record(prompt=CANARY))
    request = Request(Route("logs", None), "json", secret, "192.0.2.7", body=body)
    (outcome,) = recording.record(raw(), [request])
    assert (outcome.refusal.status, Event.objects.filter(token_id=token.pk).count()) == (503, 0)
    monkeypatch.undo()
    (outcome,) = recording.record(raw(), [Request(Route("logs", None), "json", secret, "192.0.2.7", body=body)])
    assert (outcome.refusal, outcome.records) == (None, 1)
    assert not Content.objects.filter(event__token_id=token.pk).exists()
