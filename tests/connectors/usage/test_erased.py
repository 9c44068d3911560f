"""Somebody who was erased: their usage stays in the sums, once, and nothing names them."""

import datetime as dt

import pytest

from audit.models import Erasure
from audit.privacy import erasing, people
from connectors.models import Identity, UsageDay
from connectors.usage import cells
from tests.connectors.usage.telling import MODEL, TODAY, point, points, request, rolled_up, told
from tests.factories import evidence, record, seal

pytestmark = pytest.mark.django_db(transaction=True)
VERA = "vera@acme.example"
SUBJECT = (("@user.email", "string", VERA), ("@user.id", "string", "installation-of-vera"))


def erase():
    erasure = erasing.ask(people.find(VERA), reason="Request 17 under Article 17 GDPR", by="officer@acme.example")
    assert erasing.run(erasure).state == Erasure.DONE


def test_their_days_put_together_again_are_still_theirs():
    evidence(request(subject=SUBJECT), request(subject=SUBJECT, day=TODAY - dt.timedelta(days=1)))
    points(point("commit.count", 1, subject=SUBJECT[1:]))  # says less; named by the session's events
    rolled_up()
    columns = ("day", "identity", "model", "requests", "commits")
    before = told(*columns)
    Identity.objects.filter(value=VERA).update(value="erased-1", basis="erased")  # as connectors.people does
    erase()
    record(request(session="s-2"))  # of Dana's, late, on the same day
    seal()
    rolled_up()
    cells.put_together(TODAY - dt.timedelta(days=1), 1)
    dana = Identity.objects.get(value="dana@acme.example")
    assert [row for row in told(*columns) if row[1] != dana.pk] == before
    assert not Identity.objects.filter(value__icontains="vera").exists()


def test_who_was_erased_before_being_counted_is_a_pseudonym():
    evidence(request(subject=SUBJECT))
    erase()
    rolled_up()
    (row,) = UsageDay.objects.filter(model=MODEL)
    assert row.identity.value.startswith("p-")
    assert row.requests == 1
