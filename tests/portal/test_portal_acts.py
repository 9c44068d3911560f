"""Log-ins, and what is changed in the admin, as acts of the portal."""

import json
import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from audit.models import Event
from connectors.models import Source
from ingest.models import Quarantined
from portal.runner import first_start
from tests.factories import acts
from tests.portal.people import BACKEND, PASSWORD, person

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


POLICY = {"signals": "all", "content": "keep"}
"""What the form of a source always says."""


@pytest.fixture
def rosa():
    client = Client()
    client.force_login(person(username="rosa", email="rosa@acme.example", is_superuser=True), backend=BACKEND)
    return client


def changes():
    return [act for act in acts() if not act["name"].startswith("login.")]


def try_password(username: str, password: str, address: str = "192.0.2.9") -> int:
    data = {"username": username, "password": password}
    return Client(REMOTE_ADDR=address).post(LOGIN, data).status_code


def test_a_log_in_is_recorded_with_where_it_came_from():
    person(username="dana", email="dana@acme.example")
    assert try_password("dana", PASSWORD) == 302
    assert acts() == [{"name": "login.succeeded", "by": "dana", "client.address": "192.0.2.9"}]
    event = Event.objects.get()
    assert (event.kind, event.subject.email) == ("auth", "dana@acme.example")
    assert b"192.0.2.9" not in bytes(event.facts) + bytes(event.header)


def test_failures_are_recorded_once_a_minute_for_each_account(monkeypatch):
    monkeypatch.setattr("audit.acts.time.time_ns", lambda: 1_800_000_000_000_000_000)
    person(username="dana")
    person(username="tom")
    for username in ("dana", "dana", "tom", "dana"):
        try_password(username, "wrong")
    assert {(act["by"], act["account.known"]) for act in acts()} == {("dana", True), ("tom", True)}
    assert len(acts("login.failed")) == 2
    monkeypatch.setattr("audit.acts.time.time_ns", lambda: 1_800_000_060_000_000_000)
    try_password("dana", "wrong")
    assert len(acts("login.failed")) == 3


def test_names_that_are_nobodys_are_not_kept_and_cannot_fill_the_ledger(monkeypatch):
    monkeypatch.setattr("audit.acts.time.time_ns", lambda: 1_800_000_000_000_000_000)
    for number in range(4):
        try_password(f"my-secret-password-{number}", "x", f"192.0.2.{number}")
    (act,) = acts()
    assert (act["name"], act["by"], act["account.known"]) == ("login.failed", None, False)
    assert "my-secret" not in json.dumps(act)


def test_a_lock_out_is_recorded(settings):
    person(username="dana")
    statuses = [try_password("dana", "wrong") for _ in range(settings.AXES_FAILURE_LIMIT + 2)]
    assert statuses[-1] == 429
    assert [act["by"] for act in acts("login.locked")] == ["dana"]


def test_whoever_must_mend_the_ledger_gets_in(unrecordable):
    person(username="dana")
    with unrecordable():
        assert try_password("dana", PASSWORD) == 302
        assert try_password("dana", "wrong") == 200
    assert acts() == []


def form_of(client: Client, url: str) -> dict[str, str]:
    """The fields of an admin form as they stand."""
    form = client.get(url).context["adminform"].form
    return {name: value for name in form.fields if (value := form[name].value()) not in (None, False, "")}


def test_a_person_who_is_added_changed_and_deleted(rosa):
    data = {"username": "dana", "usable_password": "true", "password1": "a long enough one", "password2": "x"}
    rosa.post(reverse("admin:auth_user_add"), data | {"password2": "a long enough one"})
    dana = User.objects.get(username="dana")
    (created,) = changes()
    assert (created["name"], created["by"], created["object.id"]) == ("user.created", "rosa", str(dana.pk))
    assert (created["account"], created["active"], created["superuser"]) == ("dana", True, False)

    page = reverse("admin:auth_user_change", args=[dana.pk])
    reviewers = Group.objects.get(name="Compliance reviewer")
    changed = {"username": "dana", "email": "dana@acme.example", "is_active": "on", "groups": [reviewers.pk]}
    assert rosa.post(page, changed).status_code == 302
    act = changes()[-1]
    assert (act["name"], act["account"], act["email"]) == ("user.changed", "dana", "dana@acme.example")
    assert (act["roles"], act["staff"]) == ("Compliance reviewer", True)
    assert act["fields"] == "Email address, Groups"

    passwords = {"usable_password": "true", "password1": "another long one", "password2": "another long one"}
    assert rosa.post(reverse("admin:auth_user_password_change", args=[dana.pk]), passwords).status_code == 302
    assert changes()[-1]["name"] == "user.changed"
    assert "assword" in changes()[-1]["fields"]

    assert rosa.post(reverse("admin:auth_user_delete", args=[dana.pk]), {"post": "yes"}).status_code == 302
    assert (changes()[-1]["name"], changes()[-1]["account"]) == ("user.deleted", "dana")
    for event in Event.objects.filter(agent="portal"):
        assert not re.search(b"dana|rosa|long", bytes(event.facts) + bytes(event.header))


def test_ones_own_password(rosa):
    data = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    assert rosa.post(reverse("admin:password_change"), data | {"old_password": "wrong"}).status_code == 200
    assert changes() == []
    assert rosa.post(reverse("admin:password_change"), data).status_code == 302
    (act,) = changes()
    assert (act["name"], act["by"], act["fields"]) == ("user.changed", "rosa", "password")


def test_a_role_says_what_it_may_afterwards(rosa):
    role = Group.objects.create(name="Auditors of Dana")
    page = reverse("admin:auth_group_change", args=[role.pk])
    permission = Group.objects.get(name="Compliance reviewer").permissions.get(codename="view_content")
    assert rosa.post(page, {"name": "Auditors", "permissions": [permission.pk]}).status_code == 302
    (act,) = changes()
    assert (act["name"], act["permissions"]) == ("role.changed", "audit.view_content")
    assert act["object.name"] == "Auditors"


def test_schedules_and_sources_and_lockouts(rosa):
    interval = IntervalSchedule.objects.create(every=10, period="minutes")
    task = PeriodicTask.objects.create(name="ours", task="audit.tasks.x", interval=interval)
    source = Source.objects.create(name="laptops")
    page = reverse("admin:connectors_source_change", args=[source.pk])
    assert rosa.post(page, POLICY | {"name": "desktops", "team": "payments"}).status_code == 302
    url = reverse("admin:django_celery_beat_periodictask_delete", args=[task.pk])
    assert rosa.post(url, {"post": "yes"}).status_code == 302
    try_password("somebody", "wrong")
    from axes.models import AccessAttempt

    attempt = AccessAttempt.objects.get()
    rosa.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    told = [(act["name"], act["object.kind"], act["object.id"]) for act in changes()]
    assert told == [
        ("source.changed", "source", str(source.pk)),
        ("schedule.deleted", "periodic-task", str(task.pk)),
        ("lockout.deleted", "access-attempt", str(attempt.pk)),
    ]


def test_what_cannot_be_recorded_is_not_changed(rosa, unrecordable):
    source = Source.objects.create(name="laptops")
    with unrecordable():
        response = rosa.post(reverse("admin:connectors_source_change", args=[source.pk]), POLICY | {"name": "desktops"})
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert Source.objects.get().name == "laptops"


def test_a_replay_is_recorded_with_what_came_of_it(rosa):
    item = Quarantined.objects.create(
        received_at="2026-11-21T12:00Z", token_id=1, source_id=1, source_name="laptops", address="", signal="logs",
        encoding="json", reason="not read", whole=False, length=2, sha256=bytes(32), request=b"{}",
    )  # fmt: skip
    assert rosa.post(reverse("admin:ingest_quarantined_replay", args=[item.pk])).status_code == 302
    (act,) = changes()
    assert (act["name"], act["by"], act["object.id"], act["recorded"]) == (
        "quarantine.replayed", "rosa", str(item.pk), False,
    )  # fmt: skip
    assert act["outcome"] == "not replayed: only its first 64 KiB were kept"


def test_the_first_start_says_whom_and_what_it_made(monkeypatch):
    monkeypatch.setenv("PORTAL_ADMIN_EMAIL", "admin@acme.example")
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "some long password")
    first_start.prepare()
    assert [(act["name"], act["by"]) for act in acts()] == [
        ("user.created", "first start"), ("token.issued", "first start"), ("token.issued", "first start"),
    ]  # fmt: skip
    assert "password" not in json.dumps(acts())
