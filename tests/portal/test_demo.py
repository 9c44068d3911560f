"""`manage.py demo`: a month of believable sessions, bad cases included, through the receiver's own code."""

import datetime as dt
import io
import json
import random
import re
from collections import Counter
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import RequestFactory
from django.utils import timezone

from audit import completeness
from portal.dashboard import evidence
from portal.dashboard.lists import Lists
from portal.demo import data, month
from portal.demo.cast import OLD, PEOPLE
from tests.captures import bodies, scenarios
from tests.factories import fold, raw, seal
from tests.ingest.receiving.conftest import issue, live_database, receiver, token  # noqa: F401 - fixtures

END = dt.datetime(2026, 11, 20, 15, 4, 5, 678901, tzinfo=dt.UTC)


def run(**options: object) -> str:
    output = io.StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


def records(body: bytes) -> list[dict[str, Any]]:
    """Each record's attributes, as JSON values by key."""
    found = []
    for resource in json.loads(body).get("resourceLogs", []):
        for scope in resource["scopeLogs"]:
            found += [{a["key"]: a["value"] for a in record["attributes"]} for record in scope["logRecords"]]
    return found


def shape(record: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The event's name, and each attribute's wire type."""
    return record["event.name"]["stringValue"], {key: next(iter(each)) for key, each in record.items()}


def captured_types() -> dict[str, dict[str, set[str]]]:
    """By event and attribute, the wire types of the captures."""
    known: dict[str, dict[str, set[str]]] = {}
    for scenario in scenarios():
        for encoding, body in bodies(scenario):
            for record in records(body) if encoding == "json" else ():
                name, types = shape(record)
                for key, kind in types.items():
                    known.setdefault(name, {}).setdefault(key, set()).add(kind)
    return known


def good_requests(made: data.DataSet, signal: str = "logs") -> list[bytes]:
    return [each.body for each in made.requests[:-2] if each.signal == signal]


def test_it_makes_the_same_month_again_and_another_from_another_seed() -> None:
    first, again, other = (data.build(END, seed, 6) for seed in ("one", "one", "two"))
    assert first == again
    assert not {each.body for each in first.requests} & {each.body for each in other.requests}


def test_it_sends_nothing_but_what_the_captures_have() -> None:
    known = captured_types()
    own = {"workspace_trust_reviewed"}
    spoofed = {"bad%20key", "user.email", "service.name", "decision"}
    switches = {
        "vcs.repository.url.full",
        "vcs.owner.name",
        "vcs.repository.name",
        "vcs.provider.name",
        "app.entrypoint",
        "app.version",
    }
    account = {"organization.id", "user.email", "user.account_uuid", "user.account_id", "anthropic.plan"}
    known["tool_decision"]["classifier_verdict"] = {"stringValue"}  # in a capture that is not among the specimens
    strange = Counter()
    for body in good_requests(data.build(END, "acme", 30)):
        for record in records(body):
            name, types = shape(record)
            for key, kind in types.items():
                if name in own or key in spoofed | switches | account:
                    continue
                if kind not in known.get(name, {}).get(key, set()):
                    strange[name, key, kind] += 1
    assert not strange


def test_it_stays_within_thirty_days_and_before_now() -> None:
    processes = list(month.ordinary(END, 200, random.Random(1)))
    assert min(each.started_at for each in processes) > END - dt.timedelta(days=30)
    assert max(each.at for each in processes) < END
    assert {each.person.email for each in processes} == {each.email for each in PEOPLE}
    assert any(each.person.version == OLD for each in processes)


@pytest.fixture(scope="module")
def said(live_database: None) -> str:  # noqa: F811
    """What a first run says; its data stay while this module's tests run."""
    return run(sessions=25)


def test_it_shows_every_case_at_once(said: str) -> None:
    from audit.models import Session

    pages = re.findall(r"/admin/audit/session/([0-9a-f-]{36})/", said)
    assert len(pages) == len(set(pages)) >= 25
    assert Session.objects.filter(id__in=pages).count() == len(pages)


def test_its_people_usage_installations_and_coverage_are_there_at_once(said: str) -> None:
    from connectors.models import Covered, Installation, Person, UsageDay

    for model in (Person, UsageDay, Installation, Covered):
        assert model._default_manager.exists(), model


def test_it_says_which_figures_of_the_overview_it_makes_amber(said: str, rf: RequestFactory) -> None:
    request = rf.get("/admin/")
    request.user = User(is_superuser=True, is_staff=True)
    now = timezone.now()
    tiles = evidence.tiles(Lists(admin.site, request), now - dt.timedelta(days=30), now)
    amber = {tile.label for tile in tiles if tile.state == "due"}
    assert "Quarantine" in amber
    assert [label for label in amber - {"Sealed to"} if label not in said] == []


def test_it_runs_once_unless_asked_for_more(said: str) -> None:
    from audit.models import Session

    there = Session.objects.count()
    assert f"is there: {there} sessions" in run(sessions=25)
    assert Session.objects.count() == there


def test_it_holds_what_a_visitor_comes_to_see(said: str) -> None:
    from audit.models import Content, Event, McpServer, MetricPoint, Session, ToolUse
    from connectors.models import Token
    from ingest.models import Quarantined

    verdicts = set(ToolUse.objects.values_list("decision", "decided_by"))
    assert {("reject", by) for by in ("person", "policy", "hook", "reviewer_model", "nobody")} <= verdicts
    assert {"bypassPermissions", "dontAsk", "auto", "plan"} <= set(ToolUse.objects.values_list("mode", flat=True))
    assert McpServer.objects.filter(failures__gt=0).exists()
    assert McpServer.objects.filter(name="", calls__gt=0).exists()
    assert Event.objects.filter(kind="other", event_name="workspace_trust_reviewed").exists()
    assert Event.objects.filter(flags__contains=["secret_redacted"]).count() >= 4
    assert not Content.objects.filter(command__regex="sk-ant-api03|ghp_|hunter2").exists()
    assert Quarantined.objects.count() == 2
    assert MetricPoint.objects.count() > 100
    assert not Event.objects.filter(flags__contains=["skew"]).exists()
    assert {"interactive", "sdk"} <= set(Session.objects.values_list("session_kind", flat=True))
    assert {each.state for each in Token.objects.all()} == {"revoked"}


def test_it_leaves_exactly_one_gap(said: str) -> None:
    from audit.models import Session

    while completeness.find_due(raw(), dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)):
        pass
    assert list(Session.objects.filter(gaps__gt=0).values_list("gaps", "missing")) == [(1, 7)]


def test_it_goes_through_the_receiver_where_one_runs(
    said: str, request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.models import Session
    from connectors.models import Token
    from ingest.models import Quarantined
    from portal.demo import delivery
    from tests.processes import until

    there, quarantined = Session.objects.count(), Quarantined.objects.count()
    settings.OTLP_HTTP_PORT = request.getfixturevalue("receiver").port
    until(delivery.receiver_is_up)
    monkeypatch.setattr(delivery, "SETTLED_WITHIN", 0)
    more = run(sessions=2, more=True)
    assert "to the receiver" in more
    assert "1 answered 400" in more
    seal()
    while fold():
        pass
    assert Session.objects.count() > there + 25
    assert Quarantined.objects.count() == quarantined + 2
    assert {each.state for each in Token.objects.all()} == {"revoked"}
