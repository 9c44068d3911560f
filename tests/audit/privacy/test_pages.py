"""The privacy officer's pages, as a browser without script sees them."""

import datetime as dt
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Erasure, Event, Hold, RetentionRule, RetentionRun, Session, Subject
from audit.privacy import erasing, people, retention
from connectors.tokens.spelling import generate
from tests.factories import draft, evidence
from tests.portal import people as roles

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

EMAIL = "vera@acme.example"
VERA = (("@user.email", "string", EMAIL),)
REASON = "Request 17 under Article 17 GDPR"
WHO = {"who": EMAIL}


@pytest.fixture
def officer() -> Client:
    client = Client()
    client.force_login(roles.person(roles.OFFICER), backend=roles.BACKEND)
    return client


@pytest.fixture(autouse=True)
def _theirs():
    evidence(draft("prompt", subject=VERA, session_id="v-1", content=[("@prompt", "string", "plans of Vera's")]))


def url(page: str, *arguments) -> str:
    return reverse(f"admin:audit_{page}", args=arguments)


def test_a_person_is_erased_in_three_steps_and_no_address_names_them(officer):
    page = url("erasure_add")
    assert "First say whom" in officer.get(page).content.decode()
    assert "Nobody in the ledger is called that" in officer.post(page, {"who": "nobody@x.example"}).content.decode()
    told = officer.post(page, WHO).content.decode()
    assert Event.objects.filter(event_name="subject.looked_up").count() == 1
    assert EMAIL in told
    assert Subject.objects.get(email=EMAIL).pseudonym in told
    assert "cannot be brought back" in told
    unsure = officer.post(page, {**WHO, "reason": REASON}).content.decode()
    assert "Not erased" in unsure
    assert not Erasure.objects.exists()
    response = officer.post(page, {**WHO, "reason": REASON, "sure": "on"})
    erasure = Erasure.objects.get()
    assert response["Location"] == url("erasure_change", erasure.pk)
    assert "data-progress" in officer.get(response["Location"]).content.decode()
    assert officer.get(url("erasure_state", erasure.pk)).json()["unfinished"] is True
    erasing.run(erasure)
    ended = {"unfinished": False, "done": 1, "total": 1, "told": "1 of 1 contents"}
    assert officer.get(url("erasure_state", erasure.pk)).json() == ended
    shown = officer.get(url("erasure_change", erasure.pk)).content.decode()
    assert EMAIL not in shown
    assert REASON in shown
    assert not Subject.objects.filter(email=EMAIL).exists()


def test_what_there_is_of_a_person_comes_with_a_record_that_it_was_taken(officer):
    assert officer.get(url("erasure_access")).status_code == 404
    response = officer.post(url("erasure_access"), WHO)
    lines = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
    assert {"format", "identity", "event"} <= {key for line in lines for key in line}
    assert Event.objects.get(event_name="subject.exported").subject.account_id.startswith("person-")


def test_a_hold_is_placed_and_released_with_reasons(officer):
    def read(page):
        return officer.get(page).content.decode()

    place = url("hold_add")
    wrong = {"kind": "query", "value": "decision:perhaps", "reason": REASON}
    assert "not understood" in officer.post(place, wrong).content.decode()
    assert "no such session" in officer.post(place, {**wrong, "kind": "session"}).content.decode()
    assert "Not placed" in officer.post(place, {"kind": "person", "value": EMAIL, "reason": "short"}).content.decode()
    session = str(Session.objects.get().pk)
    response = officer.post(place, {"kind": "session", "value": session, "reason": REASON})
    hold = Hold.objects.get()
    assert response["Location"] == url("hold_change", hold.pk)
    page = officer.get(response["Location"]).content.decode()
    assert "in force and covers 1 event." in page
    for shown in (page, *map(read, (url("hold_changelist"), url("hold_release", hold.pk)))):
        assert f"ession: {session} (the vendor’s v-1)" in shown
    nobody = {"kind": "person", "value": "nobody@acme.example", "reason": REASON}
    assert "covers no event so far" in officer.post(place, nobody, follow=True).content.decode()
    by_vendor = {"kind": "session", "value": "v-1", "reason": REASON}
    officer.post(place, by_vendor)
    assert Hold.objects.filter(value=session).count() == 2
    assert "Legal hold" in officer.post(url("erasure_add"), WHO).content.decode()
    assert officer.post(url("hold_release", hold.pk), {"reason": "short"}).status_code == 200
    assert officer.post(url("hold_release", hold.pk), {"reason": "Case is closed"}).status_code == 302
    hold.refresh_from_db()
    assert hold.release_reason == "Case is closed"
    assert officer.get(url("hold_release", hold.pk)).status_code == 403


def test_rules_say_what_is_due_and_the_certificate_says_what_went(officer):
    assert "everything is kept" in officer.get(url("retentionrun_add")).content.decode()
    short = {"part": "content", "kind": "", "days": 30, "exception": "short"}
    assert "written exception" in officer.post(url("retentionrule_add"), short).content.decode()
    none = officer.post(url("retentionrule_add"), {**short, "days": 0, "exception": "long enough"}).content.decode()
    assert "greater than or equal to 1" in none
    officer.post(url("retentionrule_add"), {**short, "exception": "Agreement 12 with the works council"})
    assert Event.objects.filter(event_name="retention.rule_added").exists()
    assert RetentionRule.objects.get().days == 30
    facts = {"part": "facts", "kind": "", "days": 30, "exception": f"pasted {generate('api')} by mistake"}
    officer.post(url("retentionrule_add"), facts)
    assert RetentionRule.objects.get(part="facts").exception == "pasted [redacted:agp_api] by mistake"
    RetentionRule.objects.get(part="facts").delete()
    assert "Nothing is due" in officer.get(url("retentionrun_add")).content.decode()
    assert officer.post(url("retentionrun_add")).status_code == 302
    run = retention.run("officer", dt.datetime.now(dt.UTC) + dt.timedelta(days=31))
    certificate = officer.get(url("retentionrun_change", run.pk)).content.decode()
    assert "retention.contents_erased" in certificate
    assert "Agreement 12" in certificate
    assert RetentionRun.objects.filter(contents__gte=1).exists()


@pytest.mark.parametrize("role", [roles.REVIEWER, roles.CONNECTOR, roles.ADMINISTRATOR])
def test_nobody_else_erases_holds_or_sets_retention(role):
    client = Client()
    client.force_login(roles.person(role), backend=roles.BACKEND)
    hold = Hold.objects.create(kind="person", value=EMAIL, reason=REASON, placed_by="c", placed_at=timezone.now())
    for page in (url("erasure_add"), url("hold_add"), url("retentionrule_add"), url("retentionrun_add")):
        assert client.post(page, {**WHO, "reason": REASON, "sure": "on"}).status_code == 403
    assert client.post(url("erasure_access"), WHO).status_code == 403
    assert client.post(url("hold_release", hold.pk), {"reason": REASON}).status_code == 403
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("listing", ["hold", "erasure", "retentionrun", "retentionrule"])
def test_lists_open_and_teach(officer, listing):
    assert officer.get(url(f"{listing}_changelist")).status_code == 200
    erasing.ask(people.find(EMAIL), reason=REASON, by="x")
    assert officer.get(url(f"{listing}_changelist")).status_code == 200
