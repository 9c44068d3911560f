"""The roster equals a count of all events one by one, whatever their order and however they were dealt out."""

import datetime as dt
import time
from types import SimpleNamespace

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import acts, completeness, identifiers, ledger
from audit.models import Event, Origin, Seal, Subject
from connectors import canary
from connectors.models import Installation, RosterCursor
from connectors.roster import folding, missing, switches
from connectors.tasks import fold_installations
from tests import captures
from tests.factories import draft, fold, raw, record, seal

pytestmark = pytest.mark.django_db
START_US = time.time_ns() // 1000 - 4 * 3600 * 1_000_000

PROMPT = {"event_name": "user_prompt", "content": [("@prompt", "string", "hello")]}
WITHHELD = {"event_name": "user_prompt", "content": [("@prompt", "string", "<REDACTED>")]}
QUOTED = {"event_name": "user_prompt", "content": [("@prompt", "string", '["@prompt","string","<REDACTED>"]')]}
ANSWER = {"event_name": "assistant_response", "content": [("@response", "string", "<REDACTED>")]}
DETAILED = {"tool_name": "Bash", "content": [("@tool_parameters", "string", "{}")]}
BARE = {"tool_name": "Bash"}
READ = {"tool_name": "Read"}
WHOLE = {"event_name": "api_request_body"}
DROPPED = {"event_name": "user_prompt", "known": (("dropped", "prompt"),), "flags": ("content_dropped",)}
KINDS = {
    "prompt": ("prompt", PROMPT), "withheld": ("prompt", WITHHELD), "quoted": ("prompt", QUOTED),
    "dropped": ("prompt", DROPPED), "answer": ("response", ANSWER), "detailed": ("tool_result", DETAILED),
    "bare": ("tool_decision", BARE), "read": ("tool_decision", READ), "whole": ("api_request", WHOLE),
    "request": ("api_request", {}), "other": ("hook", {}),
}  # fmt: skip
SAYS = {
    "prompt": ("OTEL_LOG_USER_PROMPTS", "on"), "quoted": ("OTEL_LOG_USER_PROMPTS", "on"),
    "dropped": ("OTEL_LOG_USER_PROMPTS", "on"), "withheld": ("OTEL_LOG_USER_PROMPTS", "off"),
    "answer": ("OTEL_LOG_ASSISTANT_RESPONSES", "off"), "detailed": ("OTEL_LOG_TOOL_DETAILS", "on"),
    "bare": ("OTEL_LOG_TOOL_DETAILS", "off"), "whole": ("OTEL_LOG_RAW_API_BODIES", "on"),
    "request": ("OTEL_LOG_RAW_API_BODIES", "off"),
}  # fmt: skip
"""What each kind of event says, written down by hand: the fold has it in SQL."""

ORIGINS = {
    "plain": [("resource@service.name", "string", "claude-code")],
    "telling": [("@app.entrypoint", "string", "cli"), ("@vcs.repository.name", "string", "payments")],
}


def sent(kind, token=1, who="dana", origin="plain", at=0, agent="claude_code"):
    name, more = KINDS[kind]
    subject = [("@user.email", "string", f"{who}@acme.example")] if who else []
    made = draft(name, **{"agent": agent, "subject": subject, "origin": ORIGINS[origin], **more})
    (event,) = record(made, token_id=token, source_id=token, received_at_us=START_US + at * 1_000_000)
    return SimpleNamespace(id=event.id, kind=kind, key=(token, agent, who, origin))


def counted_one_by_one(events):
    """The roster as somebody with pencil and paper would keep it."""
    rows = {}
    for event in sorted(events, key=lambda event: event.id):
        row = rows.setdefault(event.key, {"events": 0, "first": event.id, "evidence": {}})
        row["events"] += 1
        row["last"] = event.id
        if event.key[1] != "claude_code":
            continue
        said = [SAYS[event.kind]] if event.kind in SAYS else []
        telling = event.key[3] == "telling"
        said += [
            ("OTEL_METRICS_INCLUDE_ENTRYPOINT", "on" if telling else "off"),
            ("OTEL_METRICS_INCLUDE_VERSION", "off"),
        ]
        said += [("OTEL_METRICS_INCLUDE_REPOSITORY", "on")] if telling else []
        for switch, side in said:
            row["evidence"].setdefault(switch, {})[side] = str(event.id)
    return rows


def roster():
    names = {pk: email.partition("@")[0] if email else "" for pk, email in Subject.objects.values_list("pk", "email")}
    telling = set(Origin.objects.filter(entrypoint="cli").values_list("pk", flat=True))
    rows = {}
    for row in Installation.objects.all():
        key = (
            row.token_id,
            row.agent,
            names.get(row.subject_id, ""),
            "telling" if row.origin_id in telling else "plain",
        )
        assert row.switches == switches.states(row.evidence)
        rows[key] = (row.events, row.first_at, row.last_at, row.evidence, row.source_id)
    return rows


def assert_counted(events):
    assert roster() == {
        key: (
            row["events"],
            identifiers.received_at(row["first"]),
            identifiers.received_at(row["last"]),
            row["evidence"],
            key[0],
        )
        for key, row in counted_one_by_one(events).items()
    }


@settings(max_examples=30)
@given(
    sends=st.lists(
        st.tuples(
            st.sampled_from(sorted(KINDS)), st.integers(1, 2), st.sampled_from(["dana", "lee", ""]),
            st.sampled_from(sorted(ORIGINS)), st.integers(0, 8000), st.sampled_from(["claude_code", "codex"]),
        ),
        max_size=12,
    ),
    batch=st.integers(1, 5),
    sealed_after=st.integers(1, 12),
)  # fmt: skip
def test_it_equals_a_count_one_by_one(sends, batch, sealed_after):
    with transaction.atomic():
        events = []
        for number, each in enumerate(sends, 1):
            events.append(sent(*each))
            if number % sealed_after == 0:
                seal()
                folding.fold(batch)
        seal()
        while folding.fold(batch):
            pass
        assert_counted(events)
        before = {row.pk: row.events for row in Installation.objects.all()}
        assert folding.fold() == 0
        assert {row.pk: row.events for row in Installation.objects.all()} == before
        assert folding.rebuild() == len(sends)
        assert_counted(events)
        transaction.set_rollback(True)
    ledger.origins.forget()  # they are gone with the transaction


def test_the_newest_event_tells_whatever_order_they_came_in():
    sent("withheld", at=5)
    sent("prompt", at=3)
    seal()
    folding.fold()
    assert Installation.objects.get().switches["OTEL_LOG_USER_PROMPTS"] is False
    sent("prompt", at=9)
    seal()
    folding.fold()
    assert Installation.objects.get().switches["OTEL_LOG_USER_PROMPTS"] is True


def test_bodies_are_on_while_they_come_beside_plain_requests():
    sent("whole", at=0)
    sent("request", at=60)
    seal()
    folding.fold()
    assert Installation.objects.get().switches["OTEL_LOG_RAW_API_BODIES"] is True
    sent("request", at=2 * 3600)
    seal()
    folding.fold()
    assert Installation.objects.get().switches["OTEL_LOG_RAW_API_BODIES"] is False


def test_silence_tells_of_no_switch():
    sent("read")
    seal()
    folding.fold()
    known = Installation.objects.get().switches
    assert known == {"OTEL_METRICS_INCLUDE_ENTRYPOINT": False, "OTEL_METRICS_INCLUDE_VERSION": False}


def test_of_another_agent_nothing_is_inferred():
    sent("withheld", agent="codex")
    seal()
    folding.fold()
    assert Installation.objects.get().switches == {}


def test_acts_of_the_portal_are_on_no_roster():
    acts.record("login.failed")
    seal()
    folding.fold()
    assert not Installation.objects.exists()
    assert RosterCursor.objects.get().next_seq == Seal.objects.count()


@pytest.mark.parametrize("agent", ["other", "claude_code"])
def test_records_that_test_the_endpoint_are_on_no_roster(agent):
    for name in canary.NAMES:
        record(draft("other", agent=agent, event_name=name, subject=()))
    record(draft("other", agent=agent, event_name="portal.else", subject=()))
    seal()
    folding.fold()
    assert [row.events for row in Installation.objects.all()] == [1]


def test_one_folds_at_a_time(superuser_url):
    sent("prompt")
    seal()
    with psycopg.connect(superuser_url, dbname=connection.settings_dict["NAME"], autocommit=True) as another:
        another.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [folding.WORK])
        assert folding.fold() == 0
        assert folding.rebuild() is None
        another.execute("SELECT pg_advisory_unlock_all()")
    assert folding.fold() == 1


def test_a_count_that_fails_is_not_half_kept(monkeypatch):
    sent("prompt")
    seal()
    monkeypatch.setattr(RosterCursor, "save", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        folding.fold()
    assert not Installation.objects.exists()
    monkeypatch.undo()
    assert folding.fold() == 1
    assert Installation.objects.get().events == 1


def test_what_real_clients_send_tells_their_switches():
    for scenario in captures.scenarios():
        captures.record(scenario)
    seal()
    while fold():
        pass
    fold_installations()
    of_agents = Event.objects.filter(token_id=1)
    rows = list(Installation.objects.all())
    assert sum(row.events for row in rows) == of_agents.count() > 0
    told = {name for row in rows for name in row.switches}
    assert told >= {"OTEL_LOG_USER_PROMPTS", "OTEL_LOG_TOOL_DETAILS", "OTEL_LOG_ASSISTANT_RESPONSES"}
    for row in rows:
        if row.switches.get("OTEL_LOG_TOOL_DETAILS") is False:
            own = of_agents.filter(subject_id=row.subject_id, origin_id=row.origin_id, kind="tool_decision")
            newest = own.filter(tool_name="Bash").order_by("id").last()
            assert newest is None or b"@tool_parameters" not in bytes(
                getattr(newest, "content", SimpleNamespace(bytes=b"")).bytes
            )


def numbered(sequence, at, session="s-1"):
    made = draft(
        "api_request",
        subject=[("@user.id", "string", "install-1")],
        sequence=sequence,
        session_id=session,
        occurred_at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=300 - at),
    )
    record(made, received_at_us=time.time_ns() // 1000 - (300 - at) * 1_000_000)


def judge():
    """As the sealer and the projector do, minutes later."""
    seal()
    while fold():
        pass
    completeness.find_due(raw(), timezone.now() + dt.timedelta(minutes=10))


def test_what_is_missing_is_counted_by_who_went_on_after_it():
    numbered(0, 0)
    numbered(4, 10)
    judge()
    fold_installations()
    row = Installation.objects.get()
    assert (row.events, row.missing) == (2, 3)
    numbered(2, 5)
    judge()
    fold_installations()
    row.refresh_from_db()
    assert (row.events, row.missing) == (3, 2)
    assert missing.count() == 0


def test_the_command_counts_anew(capsys):
    sent("prompt")
    seal()
    folding.fold()
    Installation.objects.update(events=99)
    call_command("rebuild_installations")
    assert capsys.readouterr().out == "1 sealed events counted.\n"
    assert Installation.objects.get().events == 1
