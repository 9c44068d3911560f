"""A receiver remembers identities: after one was erased it prepares what is on the way anew, and nobody sends again."""

import pytest

from audit.models import Event, Subject
from audit.privacy import erasing, people
from connectors import tokens
from ingest.receiving import recording
from ingest.receiving.requests import Request, Route
from tests.factories import raw
from tests.ingest.receiving.bodies import logs, record

VERA, DANA = "vera.planted@acme.example", "dana@acme.example"


@pytest.fixture
def sent(live_database):
    _, secret = tokens.issue("ingest", "laptops", by="test", scopes=("logs",))

    def outcomes(*people):
        bodies = [logs(record(**{"user.email": email})) for email in people]
        return recording.record(
            raw(), [Request(Route("logs", None), "json", secret, "192.0.2.7", body=body) for body in bodies]
        )

    return outcomes


def test_what_was_on_the_way_when_somebody_was_erased_is_recorded(sent):
    sent(VERA, DANA)
    former = Subject.objects.get(email=VERA).pk
    erasing.run(erasing.ask(people.find(VERA), reason="Request 17 under Article 17 GDPR", by="officer@acme.example"))
    assert [(each.refusal, each.records) for each in sent(DANA, VERA)] == [(None, 1), (None, 1)]
    assert Subject.objects.get(email=VERA).pk != former
    assert Event.objects.filter(subject__email=VERA).count() == 1
