"""What is answered of evidence over REST is recorded first; what cannot be recorded is not answered."""

import pytest
from django.urls import reverse

from audit import checkpoints
from audit.api.recording import Recorded
from audit.api.urls import urlpatterns
from audit.models import Event, Session
from connectors.api.connections import ConnectionViewSet
from connectors.api.coverage import CoverageList
from connectors.api.urls import urlpatterns as of_connectors
from connectors.api.usage import UsageList
from connectors.api.views import IngestTokenViewSet
from connectors.models import Token
from tests.audit.api.conftest import Api, body, response_json
from tests.factories import acts, draft, evidence, raw, seal

pytestmark = pytest.mark.django_db

SCOPES = ("events:read", "content:read", "identity:read", "export:read", "ledger:read")
NOT_EVIDENCE = {"schema"}


@pytest.fixture
def story(signer):
    evidence(
        draft("prompt", content=[("@prompt", "string", "Fix the rounding")]),
        draft("tool_decision", tool_name="Bash", decision="accept", decided_by="person", tool_use_id="t-1"),
        draft("mode_change", to_mode="plan"),
        draft("mcp_connection", mcp_server="prod-db", mcp_server_provenance="stated"),
    )
    seal()
    checkpoints.sign(raw(), signer)
    return {"session": Session.objects.get().pk, "event": Event.objects.get(kind="prompt").pk}


def test_a_list_is_recorded_once_for_each_token_and_hour(story):
    api = Api("events:read", "content:read")
    for path in ("events/", "events/?tool=Bash", "events/?page_size=1", "sessions/"):
        assert api.get(path).status_code == 200
    token = Token.objects.get()
    told = {"by": f"API token SIEM (#{token.pk})", "token.id": token.pk, "content.shown": True, "identity.shown": False}
    assert acts() == [{"name": "export.polled", "list": each} | told for each in ("events", "sessions")]
    Api("events:read").get("events/")
    assert len(acts("export.polled")) == 3


def test_a_poll_of_the_feed_is_recorded_once_an_hour_and_an_empty_one_never(story):
    api = Api(*SCOPES)
    assert body(api.get("export/", after="0.999")) == b""
    assert acts() == []
    for after in ("0.0", "0.1"):
        assert body(api.get("export/", after=after))
    assert [act["list"] for act in acts("export.polled")] == ["export"]


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_an_empty_list_is_no_act(story, accept):
    assert Api(*SCOPES).get("events/", accept, tool="Nothing").status_code == 200
    assert acts() == []


def test_an_object_is_recorded_once_an_hour_by_any_of_its_addresses(story):
    api = Api(*SCOPES)
    session, event = story["session"], story["event"]
    for path in (f"sessions/{session}/", f"sessions/{session}/timeline/", f"events/{event}/", f"events/{event}/proof/"):
        for _ in range(2):
            assert api.get(path).status_code == 200, path
    viewed = [(act["object.kind"], act["object.id"]) for act in acts("evidence.viewed")]
    assert viewed == [("session", str(session)), ("event", str(event))]


@pytest.mark.parametrize("path", ["events/", "sessions/", "permission-decisions/"])
@pytest.mark.parametrize(
    "asked",
    [{"actor": "dana@acme.example"}, {"actor": "install-5f1d"}, {"q": "dana@acme.example"}, {"q": "p-1a2b3c4d"}],
)
def test_a_search_for_a_person_is_recorded_each_time_with_its_words(story, path, asked):
    api = Api(*SCOPES)
    for _ in range(2):
        assert api.get(path, **asked, page_size=5).status_code == 200
    ((name, value),) = asked.items()
    told = [(act["name"], act["list"], act["query"]) for act in acts()]
    assert told == [("evidence.listed", path.strip("/"), f"{name}={value}&page_size=5")] * 2


def test_each_whole_list_as_a_file_is_recorded(story):
    api = Api(*SCOPES)
    for _ in range(2):
        assert body(api.get("events/", "text/csv", tool="Bash"))
    assert [(act["list"], act["format"], act["query"]) for act in acts("evidence.downloaded")] == [
        ("events", "csv", "tool=Bash")
    ] * 2
    assert body(api.get("events/", "text/csv", actor="install-5f1d"))
    assert acts()[-1]["query"] == "actor=install-5f1d"
    assert body(api.get("events/", "text/csv", tool="Bash", page_size=5))
    assert [act["name"] for act in acts()] == ["evidence.downloaded"] * 3 + ["export.polled"]


@pytest.mark.parametrize(
    ("path", "status"), [("events/?kind=none", 400), ("events/01a22456-728a-7093-8000-034b38ec92b8/", 404)]
)
def test_what_is_not_answered_is_not_recorded(story, path, status):
    assert Api(*SCOPES).get(path).status_code == status
    assert Api("usage:read").get("events/").status_code == 403
    assert Api().get("events/").status_code == 401
    assert acts() == []


def addresses(story):
    """Every address of the API that is not known to show no evidence, with what shows something."""
    asked = {"ledger-consistency": "?first=1&second=4", "export": "?after=0.0"}
    for url in urlpatterns:
        if url.name not in NOT_EVIDENCE:
            of = "event" if url.name.startswith("event") else "session"
            keys = dict.fromkeys(url.pattern.converters, story[of])
            yield url, reverse(url.name, kwargs=keys) + asked.get(url.name, "")


def test_every_address_that_shows_evidence_leaves_an_act(story):
    """An address that is added leaves an act, or fails here. Each is asked with a token of its own."""
    for url, address in addresses(story):
        assert issubclass(url.callback.cls, Recorded), f"{url.name} shows evidence, or does it not?"
        before = len(acts())
        assert Api(*SCOPES).get(address).status_code == 200, url.name
        assert len(acts()) == before + 1, url.name
    known = {ConnectionViewSet, CoverageList, IngestTokenViewSet, UsageList}
    assert {url.callback.cls for url in of_connectors} == known


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_whatever_cannot_be_recorded_is_not_answered(story, unrecordable, accept):
    api = Api(*SCOPES)
    with unrecordable():
        for url, address in addresses(story):
            response = api.get(address, accept)
            if response.status_code == 406:
                continue
            assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json"), url.name
            assert (response_json(response)["code"], response["Retry-After"]) == ("not_recorded", "2")
            assert b"Fix the rounding" not in body(response)
    assert api.get("events/").status_code == 200
