import uuid

import pytest
from django.urls import reverse

from audit.models import Event, Gap, Session, ToolUse
from tests import captures
from tests.audit.admin.evidence import a_session, at, decided, text_of
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db


def page(client, session, query=""):
    response = client.get(reverse("admin:audit_session_change", args=[session.pk]) + query)
    assert response.status_code == 200, response.status_code
    return response


@pytest.fixture
def session(db):
    return a_session()


def test_it_tells_who_allowed_what_and_what_came_of_it(reviewer, session):
    text = text_of(page(reviewer, session))
    assert "Bash rm -rf build Accepted by person once · 2.5 s under mode default 143 ms" in text
    assert "Rejected by hook under mode default not run" in text
    assert "prod-db › query" in text
    assert "Mode default → bypassPermissions shift+tab · stated by the client" in text
    assert "prod-db stdio · scope dynamic MCP connection connected 66 ms" in text
    assert "API retries exhausted" in text
    assert "429 · 3 tries" in text


def test_prompts_are_headings_with_what_came_of_them(reviewer, session):
    text = text_of(page(reviewer, session))
    assert "Start before the first prompt" in text
    assert "Prompt 1 Fix the rounding default" in text
    assert "2 tool uses · $0.02" in text
    assert "Prompt 2" in text


def test_a_claim_is_called_one_and_the_source_is_named(reviewer, session):
    body = page(reviewer, session).content.decode()
    assert '<span class="claim" title="A claim from the client">dana@acme.example</span>' in body
    assert "source: laptops" in body


@pytest.mark.parametrize(
    ("events", "missing", "chains", "unjudged", "told"),
    [
        (61, 0, [1], [], "No number is missing among 61 events"),
        (59, 3, [1], [], "3 events missing of 62"),
        (10, 9, [1], [], "9 events missing of 19: this session is in fragments"),
        (10, 0, [], [], "Completeness cannot be judged : this client sends no numbers"),
        (10, 0, [1], [1], "Completeness is not judged yet : An event counts as missing once"),
        (10, 9, [1, 2], [2], "is a minute old; 9 missing so far"),
    ],
)
def test_the_grade_stands_with_its_reason(reviewer, session, events, missing, chains, unjudged, told):
    columns = {"events": events, "missing": missing, "chains": chains, "unjudged": unjudged}
    Session.objects.filter(pk=session.pk).update(**columns)
    response = page(reviewer, session)
    assert told in text_of(response)
    assert ('class="grade' in response.content.decode()) == (not unjudged)


def test_a_gap_is_a_row_that_says_what_is_not_known(reviewer, session):
    Gap.objects.create(id=uuid.uuid4(), session=session, chain=1, after=41, before=45, missing=3, at=at(6))
    told = "3 events missing between 41 and 45 of this process. What happened here is not known."
    assert told in text_of(page(reviewer, session))


def test_it_says_what_this_agent_cannot_show(reviewer, session):
    text = text_of(page(reviewer, session))
    assert "What this agent cannot show" in text
    assert "A Read that a rule denies" in text
    assert "retry cured leave no record" in text


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ("j-toggles-none.json", "OTEL_LOG_TOOL_DETAILS seems off"),
        ("j-toggles-all.json", "OTEL_LOG_TOOL_DETAILS on"),
        ("j-toggles-none.json", "OTEL_LOG_USER_PROMPTS seems off"),
        ("j-toggles-prompts.json", "OTEL_LOG_USER_PROMPTS on"),
        ("j-toggles-prompts-assistant0.json", "OTEL_LOG_ASSISTANT_RESPONSES seems off"),
        ("k-metrics-entrypoint1", "OTEL_METRICS_INCLUDE_ENTRYPOINT on"),
        ("a-plain-prompt.json", "OTEL_METRICS_INCLUDE_REPOSITORY nothing tells"),
    ],
)
def test_it_infers_which_switches_are_off(reviewer, scenario, told):
    captures.evidence(scenario)
    found = Session.objects.order_by("-events").first()
    assert told in text_of(page(reviewer, found))


@pytest.mark.parametrize("scenario", captures.scenarios())
def test_every_capture_opens(reviewer, scenario):
    captures.evidence(scenario)
    for found in Session.objects.all():
        for show in ("", "?show=all"):
            page(reviewer, found, show)


def test_the_strip_tells_the_modes_in_a_sentence(reviewer, session):
    body = page(reviewer, session).content.decode()
    assert 'class="seg bypass"' in body
    assert "default from " in body
    assert "bypassPermissions from " in body
    assert "Mode at the end of the session" in text_of(page(reviewer, session))


def test_a_session_without_a_stated_mode_says_so(reviewer):
    evidence(draft("prompt"))
    text = text_of(page(reviewer, Session.objects.get()))
    assert "No record of this session states a permission mode" in text


def test_what_a_person_accepted_is_told_apart_from_what_a_person_decided(reviewer, session):
    evidence(decided("t-9", 12, decision="reject", decided_by="person"))
    text = text_of(page(reviewer, session))
    assert "accepted by person 1" in text
    assert "rejected by anyone 2" in text
    assert "Decided by person 2" in text


@pytest.mark.parametrize(
    ("show", "count"),
    [
        ("steps", 8),
        ("rejected", 1),
        ("person", 1),
        ("bypass", 2),
        ("mcp", 2),
        ("writes", 0),
        ("errors", 2),
        ("all", 11),
    ],
)
def test_each_view_has_as_many_rows_as_it_says(reviewer, session, show, count):
    response = page(reviewer, session, f"?show={show}")
    told = {segment.url: segment.count for segment in [*response.context["segments"], response.context["every"]]}
    assert told["?" if show == "steps" else f"?show={show}"] == count
    merged = {event for row in response.context["page"].rows for event in row.events}
    assert (len(merged) if show == "all" else len(response.context["page"].rows)) == count


def test_an_empty_view_says_that_it_is_no_proof(reviewer, session):
    assert "What this agent cannot show is listed below" in text_of(page(reviewer, session, "?show=writes"))


def test_the_panel_tells_all_of_the_chosen_tool_use(reviewer, session):
    use = ToolUse.objects.get(tool_use_id="t-1")
    for chosen in (use.decision_event, use.result_event):
        response = page(reviewer, session, f"?event={chosen}")
        text = text_of(response)
        assert "Waited 2.5 s inferred" in text
        assert "Decided by person stated" in text
        assert 'Parameters {"full_command":"rm -rf build"}' in text
        row = f'<tr id="e{use.decision_event.hex}" class="in-default" role="row" aria-current="true">'
        assert row in response.content.decode()


def test_the_panel_is_also_served_by_itself(reviewer, session):
    event = Event.objects.get(kind="api_error")
    response = reviewer.get(reverse("admin:audit_session_panel", args=[session.pk, event.pk]))
    assert "429" in text_of(response)
    assert b"<html" not in response.content


def test_an_event_of_another_session_is_not_shown(reviewer, session):
    evidence(draft("prompt", session_id="s-2"))
    other = Event.objects.get(session_id="s-2")
    url = reverse("admin:audit_session_change", args=[session.pk])
    assert reviewer.get(f"{url}?event={other.pk}").status_code == 404
    assert reviewer.get(reverse("admin:audit_session_panel", args=[session.pk, other.pk])).status_code == 404


@pytest.mark.parametrize("query", ["?event=nonsense", "?after=nonsense", "?before=AAAA"])
def test_what_it_did_not_give_out_is_not_found(reviewer, session, query):
    url = reverse("admin:audit_session_change", args=[session.pk])
    assert reviewer.get(url + query).status_code == 404


@pytest.mark.parametrize("key", [uuid.uuid4(), "nonsense", "0"])
def test_a_session_that_is_none_is_not_found(reviewer, key):
    assert reviewer.get(f"/admin/audit/session/{key}/change/").status_code == 404


def test_long_sessions_come_in_pages_that_keep_the_view(reviewer):
    evidence(*(decided(f"t-{n}", n, decision="reject", prompt_id="p-1") for n in range(250)))
    found = Session.objects.get()
    first = page(reviewer, found, "?show=rejected")
    assert len(first.context["page"].rows) == 200
    assert "show=rejected" in first.context["later"]
    assert not first.context["earlier"]
    second = page(reviewer, found, first.context["later"])
    assert len(second.context["page"].rows) == 50
    assert [row.id for row in page(reviewer, found, second.context["earlier"]).context["page"].rows] == [
        row.id for row in first.context["page"].rows
    ]


def test_a_link_to_an_event_opens_the_page_that_has_its_row(reviewer):
    evidence(*(decided(f"t-{n:03}", n) for n in range(450)))
    found = Session.objects.get()
    for number in (3, 230, 449):
        use = ToolUse.objects.get(tool_use_id=f"t-{number:03}")
        response = page(reviewer, found, f"?event={use.decision_event}")
        places = [row.tool_use_id for row in response.context["page"].rows]
        assert places.index(f"t-{number:03}") == min(number, 19)
        assert f'<tr id="e{use.decision_event.hex}" class="in-default" role="row" aria-current="true">' in (
            response.content.decode()
        )


def test_a_link_to_what_is_no_step_shows_every_event(reviewer, session):
    request = Event.objects.get(kind="api_request")
    response = page(reviewer, session, f"?event={request.pk}")
    assert response.context["every"].current
    assert f'id="e{request.pk.hex}"' in response.content.decode()


def test_a_prompt_goes_on_over_pages(reviewer):
    evidence(
        draft("prompt", occurred_at=at(0), prompt_id="p-1"),
        *(decided(f"t-{n}", n + 1, prompt_id="p-1") for n in range(205)),
    )
    found = Session.objects.get()
    second = page(reviewer, found, page(reviewer, found).context["later"])
    assert "Prompt 1 continued" in text_of(second)
    assert "205 tool uses" in text_of(second)


def test_nothing_on_it_can_be_changed(reviewer, session):
    body = page(reviewer, session).content.decode()
    assert 'method="post"' not in body.replace('method="post" action="/admin/logout/"', "")
    assert reviewer.post(reverse("admin:audit_session_change", args=[session.pk]), {"team": "x"}).status_code in (
        200,
        403,
    )
    session.refresh_from_db()
    assert session.team == "payments"
    for name in ("add", "delete", "history"):
        with pytest.raises(Exception, match="not a valid view"):
            reverse(f"admin:audit_session_{name}", args=[session.pk] if name != "add" else [])


def test_the_page_takes_the_same_few_queries_for_any_session(reviewer, session, django_assert_max_num_queries):
    url = reverse("admin:audit_session_change", args=[session.pk])
    reviewer.get(url)
    with django_assert_max_num_queries(45):
        reviewer.get(url)
