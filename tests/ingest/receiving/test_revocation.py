"""A revocation under load: what its receipt says holds on every receiver."""

import datetime as dt
import threading
import time
from dataclasses import dataclass, field

import psycopg
import pytest

from audit import identifiers
from audit.models import Event
from connectors import tokens
from connectors.models import RevocationReceipt, Token
from connectors.tokens import receipts
from tests.ingest.receiving.bodies import logs, record
from tests.processes import ReceiverProcess, database_url, until
from tests.processes import receiver as started

SENDERS = 4
A_SECOND = 200
ENOUGH = 100


@dataclass
class Sent:
    began: float
    ended: float
    status: int


@dataclass
class Load:
    """Clients of several receivers that send so many requests a second in all, whatever they are answered."""

    receivers: list[ReceiverProcess]
    token: str
    sent: list[Sent] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
        to = self.receivers[number % len(self.receivers)]
        every = SENDERS * len(self.receivers) / A_SECOND
        due = time.monotonic()
        while not self.stop.wait(max(0, due - time.monotonic())):
            due += every
            began = time.time()
            status = to.post(logs(record(session=f"load-{number}")), self.token).status
            self.sent.append(Sent(began, time.time(), status))

    def of(self, status: int) -> list[Sent]:
        return [each for each in self.sent.copy() if each.status == status]


@pytest.fixture(scope="module")
def second(live_database, tmp_path_factory):
    with started(tmp_path_factory.mktemp("second")) as running:
        yield running


def test_nothing_is_taken_after_the_receipts_time(receiver, second, issue):
    secret = issue()
    token = Token.objects.get(digest=tokens.digest(secret))
    load = Load([receiver, second], secret)
    senders = [threading.Thread(target=load.run, args=(number,)) for number in range(SENDERS * 2)]
    for sender in senders:
        sender.start()
    try:
        until(lambda: len(load.of(200)) >= ENOUGH, 30)
        receipts.settle(receipts.of(tokens.revoke(token, "laptop stolen", by="test")), patience=receipts.PATIENCE)
        settled = RevocationReceipt.objects.get(token=token)
        stored = Event.objects.filter(token_id=token.pk).count()
        since = settled.settled_at.timestamp()
        until(lambda: sum(each.began > since for each in load.of(401)) >= ENOUGH, 30)
    finally:
        load.stop.set()
        for sender in senders:
            sender.join(timeout=30)

    assert {each.status for each in load.sent} == {200, 401}
    assert [each for each in load.of(200) if each.began >= since] == []
    assert Event.objects.filter(token_id=token.pk).count() == stored == len(load.of(200))

    refused = load.of(401)
    until(lambda: receipts.refused(RevocationReceipt.objects.get(token=token)) == len(refused))
    told = RevocationReceipt.objects.get(token=token)
    newest = max(
        identifiers.received_at(event) for event in Event.objects.filter(token_id=token.pk).values_list("id", flat=True)
    )
    assert newest <= told.last_accepted_at <= told.settled_at
    assert told.last_accepted_address == told.first_refused_address == "127.0.0.1"
    assert told.revoked_at <= told.first_refused_at
    assert min(each.began for each in refused) <= told.first_refused_at.timestamp()
    assert told.first_refused_at.timestamp() <= sorted(each.ended for each in refused)[ENOUGH - 1]


@pytest.fixture
def recording(live_database):
    """A transaction of a receiver's that asked for the token and has written nothing yet."""
    with psycopg.connect(database_url("default")) as other:
        yield other


def test_a_receipt_waits_for_who_may_not_know(issue, recording):
    secret = issue()
    digest = tokens.digest(secret)
    found = tokens.lookup(recording.cursor(), [digest])[digest]
    token = tokens.revoke(Token.objects.get(pk=found.id), "x", by="test")
    receipt = receipts.settle(receipts.of(token))
    assert receipt.settled_at is None
    assert receipts.settle_waiting(dt.timedelta()) == 1
    recording.commit()
    recording.execute("SELECT 1")  # what begins later knows of it, and is not waited for
    assert receipts.settle(receipt).settled_at > receipt.committed_at
    assert receipts.settle_waiting(dt.timedelta()) == 0


def test_one_that_was_never_used_says_so(issue):
    token = Token.objects.get(digest=tokens.digest(issue()))
    receipt = receipts.settle(receipts.of(tokens.revoke(token, "x", by="test")))
    assert receipt.settled_at is not None
    assert (receipt.last_accepted_at, receipt.first_refused_at, receipts.refused(receipt)) == (None, None, 0)


def test_what_a_killed_receiver_stored_last_is_found(issue, second):
    """The last of these tests: it takes the second receiver away."""
    secret = issue()
    assert second.post(logs(), secret).status == 200
    second.kill()
    token = Token.objects.get(digest=tokens.digest(secret))
    receipt = receipts.settle(receipts.of(tokens.revoke(token, "x", by="test")))
    (event,) = Event.objects.filter(token_id=token.pk)
    assert receipt.last_accepted_at >= event.received_at
    assert receipt.last_accepted_address == "127.0.0.1"
