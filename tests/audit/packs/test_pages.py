"""Packs in the admin: who may ask for what, who is given it, and that nothing is given out unrecorded."""

import datetime as dt
import re
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from audit.models import Event, EvidencePack, Session
from audit.packs import work
from audit.verifier import verify
from connectors.tokens.spelling import generate
from tests.audit.admin.evidence import text_of
from tests.audit.packs.auditing import assert_valid
from tests.audit.packs.test_work import asked, refusing
from tests.factories import draft, evidence
from tests.portal.people import ADMINISTRATOR, BACKEND, CONNECTOR, REVIEWER, SIEM, person

pytestmark = pytest.mark.django_db
REASON = "Incident 2026-117"


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ledger(db, signs) -> int:
    evidence(*(draft(content=[("@prompt", "string", f"text {n}")]) for n in range(10)))
    return signs()


def url(page: str, *keys: object) -> str:
    return reverse(f"admin:audit_evidencepack_{page}", args=keys)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def exporter(*rights: str):
    """Somebody who may export evidence, with these rights besides."""
    user = person()
    names = ("export_evidence", "view_event", *rights)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def given(client: Client, pack: EvidencePack) -> tuple[int, bytes]:
    """What the download of a pack answers."""
    answer = client.get(url("file", pack.pk))
    assert answer.status_code != 200 or "no-store" in answer["Cache-Control"]
    return answer.status_code, b"".join(answer.streaming_content) if answer.streaming else b""


@pytest.fixture
def reviewer(ledger) -> Client:
    return client_of(person(REVIEWER))


def test_a_session_is_asked_for_made_and_downloaded(reviewer, tmp_path):
    session = Session.objects.get()
    page = reviewer.get(reverse("admin:audit_session_change", args=[session.pk])).content.decode()
    form = url("session", session.pk)
    assert form in page
    answer = reviewer.post(form, {"reason": REASON, "with_content": "on"})
    pack = EvidencePack.objects.get()
    assert (answer.status_code, answer.url) == (302, url("change", pack.pk))
    assert (pack.state, pack.with_content, pack.with_identity, pack.reason) == ("waiting", True, False, REASON)
    assert "Waiting for a worker" in text_of(reviewer.get(answer.url))
    work.sweep()
    assert url("file", pack.pk) in reviewer.get(answer.url).content.decode()
    (tmp_path / "pack.zip").write_bytes(given(reviewer, pack)[1])
    assert_valid(tmp_path / "pack.zip")
    (told,) = Event.objects.filter(event_name="pack.downloaded").select_related("subject")
    assert EvidencePack.objects.get().sha256 in bytes(told.facts).decode()
    assert told.subject.account_id == EvidencePack.objects.get().asked_by


@pytest.mark.parametrize("reason", ["", "too short", "          "])
def test_without_a_reason_nothing_is_asked_for(reviewer, reason):
    answer = reviewer.post(url("session", Session.objects.get().pk), {"reason": reason})
    assert "Say why" in text_of(answer)
    assert not EvidencePack.objects.exists()


@pytest.mark.parametrize(
    ("told", "first", "last"),
    [
        ({"first": "2", "last": "7"}, 2, 7),
        ({"begin": "2026-01-01T00:00", "end": "2100-01-01T00:00:00"}, 0, 9),
    ],
    ids=["numbers", "times"],
)
def test_a_range_is_asked_for_by_number_or_time(reviewer, told, first, last):
    assert reviewer.post(url("range"), {"reason": REASON, **told}).status_code == 302
    pack = EvidencePack.objects.get()
    assert (pack.kind, pack.first_seq, pack.last_seq, pack.total) == ("range", first, last, last - first + 1)


def test_a_time_is_held_against_the_moment_of_receipt(reviewer):
    made = evidence(draft())[0]
    received = Event.objects.get(pk=made.id).received_at
    begin, end = (f"{received + dt.timedelta(days=days):%Y-%m-%dT%H:%M:%S}" for days in (-1, 1))
    later = reviewer.post(url("range"), {"reason": REASON, "begin": end, "end": "2100-01-01T00:00"})
    assert "under a signed checkpoint" in text_of(later)
    assert reviewer.post(url("range"), {"reason": REASON, "begin": begin, "end": end}).status_code == 302
    assert EvidencePack.objects.get().last_seq == 9  # the last event has a number, which is not signed yet


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "one of both"),
        ({"first": "2"}, "one of both"),
        ({"first": "2", "last": "7", "begin": "2026-01-01T00:00", "end": "2026-01-02T00:00"}, "one of both"),
        ({"first": "7", "last": "2"}, "above the last"),
        ({"first": "2", "last": "10"}, "The signed checkpoint ends before #10"),
        ({"first": "-1", "last": "10"}, "greater than or equal to 0"),
        ({"first": "1", "last": "9" * 30}, "The signed checkpoint ends before"),
        ({"begin": "2026-01-02T00:00", "end": "2026-01-01T00:00"}, "ends before it begins"),
        ({"begin": "2020-01-01T00:00", "end": "2020-01-02T00:00"}, "Nothing that was received in that time"),
    ],
)
def test_a_range_that_is_none_is_said(reviewer, told, words):
    assert words in text_of(reviewer.post(url("range"), {"reason": REASON, **told}))
    assert not EvidencePack.objects.exists()


def test_what_a_list_of_events_shows_is_packed(reviewer, tmp_path):
    evidence(draft("mode_change", session_id="s-2"))
    sought = "?q=session%3As-1"
    listed = reviewer.get(reverse("admin:audit_event_changelist") + sought).content.decode()
    assert url("selection") + sought in listed
    assert reviewer.post(url("selection") + sought, {"reason": REASON}).status_code == 302
    work.sweep()
    pack = EvidencePack.objects.get()
    assert (pack.kind, pack.title, pack.state) == ("selection", "Selection of 10 events", "ready")
    assert reviewer.get(url("selection") + "?q=nonsense%3Ax").status_code == 400
    assert reviewer.get(url("selection") + "?q=tool%3Anone").status_code == 400


RIGHTS = [(), ("view_content",), ("view_identity",), ("view_content", "view_identity")]


@pytest.mark.parametrize("rights", RIGHTS, ids=lambda rights: "+".join(rights) or "neither")
def test_nobody_packs_or_is_given_what_they_may_not_see(ledger, rights):
    client = client_of(exporter(*rights))
    client.post(url("range"), {"reason": REASON, "first": 0, "last": 9, "with_content": "on", "with_identity": "on"})
    packs = {
        (content, identity): asked(with_content=content, with_identity=identity)
        for content in (True, False)
        for identity in (True, False)
    }
    work.sweep()
    own = EvidencePack.objects.order_by("pk").first()
    assert (own.with_content, own.with_identity) == ("view_content" in rights, "view_identity" in rights)
    assert given(client, own)[0] == 200
    for (content, identity), pack in packs.items():
        allowed = ("view_content" in rights or not content) and ("view_identity" in rights or not identity)
        assert given(client, pack)[0] == (200 if allowed else 403)
        assert (url("file", pack.pk) in client.get(url("change", pack.pk)).content.decode()) is allowed
    assert Event.objects.filter(event_name="pack.downloaded").count() == 1 + {0: 1, 1: 2, 2: 4}[len(rights)]


def pages(pack: EvidencePack) -> list[str]:
    one = [url(page, pack.pk) for page in ("change", "state")]
    return [url("changelist"), url("range"), url("session", Session.objects.get().pk), url("selection"),
            url("verifier"), url("policy"), url("download", "csv"), *one]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "status"), [(REVIEWER, 200), (CONNECTOR, 403), (ADMINISTRATOR, 403), (SIEM, 302), (None, 403)]
)
def test_roles(ledger, role, status):
    client = client_of(person(*([role] if role else [])))
    pack = asked()
    work.sweep()
    assert given(client, pack)[0] == status
    addresses = pages(pack)
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, status)
    for method in ("put", "patch", "delete"):
        assert {getattr(client, method)(address).status_code for address in addresses} <= {302, 403, 405, 200}
    assert EvidencePack.objects.count() == 1


def test_a_right_that_is_withdrawn_holds_at_once(ledger):
    user = exporter("view_content", "view_identity")
    client = client_of(user)
    pack = asked(asked_by=user.username)
    work.sweep()
    user.user_permissions.remove(Permission.objects.get(codename="view_content"))
    assert given(client, pack)[0] == 403


def test_what_cannot_be_recorded_is_neither_taken_nor_given(reviewer, database_superuser):
    pack = asked()
    work.sweep()
    with refusing(database_superuser):
        for answer in (
            reviewer.get(url("file", pack.pk)),
            reviewer.post(url("range"), {"reason": REASON, "first": 0, "last": 9}),
        ):
            assert (answer.status_code, answer["Retry-After"]) == (503, "2")
            assert "could not be recorded" in text_of(answer)
    assert EvidencePack.objects.count() == 1
    assert given(reviewer, pack)[0] == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "running", "done": 4, "total": 10, "started_at": dt.datetime.now(dt.UTC)}, "4 of 10 events, about"),
        ({"state": "failed", "error": "The disk is full."}, "Not made. The disk is full."),
        ({"state": "ready", "discarded_at": dt.datetime.now(dt.UTC), "discard_reason": "expired"}, "deleted: expired."),
    ],
    ids=["running", "failed", "discarded"],
)
def test_its_page_says_how_it_stands(reviewer, changes, words):
    pack = asked(**changes)
    assert words in text_of(reviewer.get(url("change", pack.pk)))
    told = reviewer.get(url("state", pack.pk)).json()
    assert words in told["told"]
    assert told["unfinished"] is (changes["state"] == "running")
    assert reviewer.get(url("file", pack.pk)).status_code == 404
    assert re.search("being made|not made|file deleted", text_of(reviewer.get(url("changelist"))))


def test_a_token_in_the_reason_stands_neither_in_the_row_nor_in_the_pack(reviewer, tmp_path):
    secret = generate("api")
    reviewer.post(url("range"), {"reason": f"Leak of {secret}, case 7", "first": 0, "last": 9})
    work.sweep()
    pack = EvidencePack.objects.get()
    assert (pack.state, pack.reason) == ("ready", "Leak of [redacted:agp_api], case 7")
    (tmp_path / "pack.zip").write_bytes(given(reviewer, pack)[1])
    with zipfile.ZipFile(tmp_path / "pack.zip") as made:
        texts = [made.read(name) for name in made.namelist()]
    assert any(b"Leak of [redacted:agp_api], case 7" in text for text in texts)
    assert not [text for text in texts if secret.encode() in text]


def test_the_auditor_gets_verifier_and_policy(reviewer, tmp_path):
    assert reviewer.get(url("verifier")).content == Path(verify.__file__).read_bytes()
    assert reviewer.get(url("policy")).content.decode().strip() == (tmp_path / "policy.json").read_text().strip()
    assert "by another way" in text_of(reviewer.get(url("change", asked().pk)))


def test_without_a_key_there_is_no_policy_and_it_says_so(reviewer, settings, tmp_path):
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "elsewhere"
    answer = reviewer.get(url("policy"), follow=True)
    assert "There is no policy to hand out here" in text_of(answer)
