"""The portal's own acts in the ledger."""

import threading

import pytest
from django.db import connection, transaction

from audit import acts, parts
from audit.exceptions import NotRecorded
from audit.models import Content, Event, Session, Subject
from audit.query import names_person
from connectors.tokens import spelling
from tests import factories
from tests.factories import fold, seal

ROSA = acts.Person("rosa", "rosa@acme.example")


@pytest.fixture
def clock(monkeypatch):
    """Sets the time at which acts are done, in seconds since 1970."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr("audit.acts.time.time_ns", lambda: int(seconds * 1_000_000_000))

    set_to(1_800_000_000)
    return set_to


@pytest.mark.django_db
def test_an_act_is_an_event_of_the_portal_with_who_did_it_apart():
    acts.record("token.revoked", by=ROSA, facts={"token.id": 3, "last": True}, content={"reason": "Dana left"})
    event = Event.objects.get()
    assert (event.agent, event.kind, event.event_name, event.source_id) == ("portal", "admin", "token.revoked", 0)
    assert parts.values(parts.attributes(event.facts)) == {"event.name": "token.revoked", "token.id": 3, "last": True}
    assert parts.values(parts.attributes(event.content.bytes)) == {"reason": "Dana left"}
    assert (event.subject.email, event.subject.account_id) == ("rosa@acme.example", "rosa")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("by", "email", "account"),
    [
        ("dba", None, "dba"),
        ("rosa@acme.example", "rosa@acme.example", "rosa@acme.example"),
        (acts.Person("rosa"), None, "rosa"),
    ],
)
def test_who_did_it_is_found_by_account_and_by_address(by, email, account):
    acts.record("ledger.tried", by=by)
    assert Subject.objects.values_list("email", "account_id").get() == (email, account)


@pytest.mark.django_db
def test_the_same_within_the_hour_is_one_act(clock):
    hour = 1_800_000_000 // 3600 * 3600
    for seconds in (hour, hour + 1, hour + 3599.9):
        clock(seconds)
        acts.record_once(acts.HOUR, "evidence.viewed", by=ROSA, facts={"object.id": "1"})
    assert Event.objects.count() == 1
    clock(hour + 3600)
    acts.record_once(acts.HOUR, "evidence.viewed", by=ROSA, facts={"object.id": "1"})
    assert Event.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"name": "evidence.listed"}, {"by": acts.Person("tom")}, {"by": acts.Person("rosa")},
        {"facts": {"object.id": "2"}}, {"facts": {"object.id": 1}},
    ],
    ids=["act", "person", "address", "object", "type"],
)  # fmt: skip
def test_what_differs_in_the_hour_is_another_act(clock, other):
    usual = {"name": "evidence.viewed", "by": ROSA, "facts": {"object.id": "1"}}
    for told in (usual, usual | other, usual, usual | other):
        acts.record_once(acts.HOUR, **told)
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_without_a_span_each_is_an_act_by_itself(clock):
    for seconds in (0, 1):
        clock(1_800_000_000 + seconds)
        acts.record("evidence.listed", by=ROSA, content={"query": "person:dana"})
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_what_was_recorded_this_hour_costs_one_look_up(clock, django_assert_num_queries):
    acts.record_once(acts.HOUR, "evidence.viewed", by=ROSA)
    with django_assert_num_queries(1) as queries:
        acts.record_once(acts.HOUR, "evidence.viewed", by=ROSA)
    assert queries.captured_queries[0]["sql"].startswith("SELECT 1 FROM audit_seen")


@pytest.mark.django_db(transaction=True)
def test_of_several_processes_at_the_same_moment_one_records_it(clock, monkeypatch):
    """Each has looked and found nothing before the first of them writes."""
    together = threading.Barrier(3, timeout=30)
    known = acts._is_known

    def looked(key):
        found = known(key)
        together.wait()
        return found

    def view():
        try:
            acts.record_once(acts.HOUR, "evidence.viewed", by=ROSA)
        finally:
            connection.close()

    monkeypatch.setattr(acts, "_is_known", looked)
    viewers = [threading.Thread(target=view) for _ in range(3)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_what_cannot_be_recorded_is_told_and_leaves_the_transaction_usable(unrecordable, caplog):
    with unrecordable(), pytest.raises(NotRecorded, match=r"evidence\.viewed"):
        acts.require("evidence.viewed", by=ROSA, facts={"object.id": "1"}, once=acts.HOUR)
    assert "an act could not be recorded" in caplog.text
    assert "rosa" not in caplog.text
    acts.require("evidence.viewed", by=ROSA, facts={"object.id": "1"}, once=acts.HOUR)
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_act_of_a_transaction_that_fails_is_none():
    def fails():
        with transaction.atomic():
            acts.record("token.issued", by=ROSA)
            raise ZeroDivisionError("after it")

    with pytest.raises(ZeroDivisionError, match="after it"):
        fails()
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_token_that_somebody_pastes_is_not_kept():
    secret = spelling.generate("api")
    acts.record("token.revoked", by=secret, facts={"list": secret}, content={"reason": f"pasted {secret} in a chat"})
    kept = [Event.objects.get().facts, Content.objects.get().bytes, Subject.objects.get().bytes]
    assert not [data for data in kept if secret[8:30].encode() in bytes(data)]
    assert factories.acts()[0]["reason"] == "pasted [redacted:agp_api] in a chat"


@pytest.mark.django_db
def test_a_text_is_kept_to_a_bound():
    acts.record("evidence.listed", content={"query": "x" * 100_000})
    assert len(factories.acts()[0]["query"]) == acts.LONGEST_TEXT


@pytest.mark.django_db
def test_acts_are_in_no_session():
    acts.record("evidence.viewed", by=ROSA, content={"query": "rounding"})
    seal()
    fold()
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("person:dana@acme.example", True), ("-person:p-1a2b3c4d", True), ("tool:Bash person:install-5f1d", True),
        ('"dana@acme.example"', True), ("dana@acme", True), ("p-1a2b3c4d", True), ("actor:install-5f1d", True),
        ("tool:Bash", False), ("rounding", False), ("decided_by:person", False), ("@types/node", False), ("", False),
        ("user:x", False), ("p-1a2b3c4", False),
    ],
)  # fmt: skip
def test_a_query_that_names_a_person_is_told_from_others(text, names):
    assert names_person(text) is names
