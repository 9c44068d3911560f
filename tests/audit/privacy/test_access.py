"""What a person gets of their own is complete, machine-readable, and says who looked at it."""

import json

import pytest

from audit import acts
from audit.models import Session
from audit.privacy import access, people
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

VERA = (("@user.email", "string", "vera@acme.example"), ("@user.id", "string", "installation-of-vera"))


def test_it_tells_everything_of_the_person_and_nothing_of_others():
    evidence(
        draft("prompt", subject=VERA, session_id="v-1", content=[("@prompt", "string", "plans of Vera's")]),
        draft("api_request", subject=(), session_id="v-1"),
        draft("prompt", content=[("@prompt", "string", "of Dana's")]),
    )
    session = Session.objects.get(session_id="v-1")
    acts.record("evidence.viewed", by="auditor@acme.example", facts={"object.id": str(session.pk)})
    acts.record("evidence.listed", by="auditor@acme.example", content={"query": "person:Vera@acme.example"})
    acts.record("evidence.viewed", by="auditor@acme.example", facts={"object.id": "something else"})
    told = [json.loads(line) for line in access.lines(people.find("vera@acme.example"))]
    assert told[0]["format"] == "agp-subject-access/1"
    assert [each["identity"]["email"] for each in told if "identity" in each] == ["vera@acme.example"]
    events = [each["event"] for each in told if "event" in each]
    assert [(each["kind"], each["content"]) for each in events] == [
        ("prompt", {"prompt": "plans of Vera's"}),
        ("api_request", {}),
    ]
    seen = [each["seen_by"] for each in told if "seen_by" in each]
    assert [each["event_name"] for each in seen] == ["evidence.viewed", "evidence.listed"]
    assert seen[0]["actor"]["email"] == "auditor@acme.example"
    assert "Dana" not in json.dumps(told)
