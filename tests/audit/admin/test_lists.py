import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from audit.models import Event, McpServer, Session, ToolUse
from audit.vocabulary import Grade
from tests.audit.admin.evidence import a_session, at, decided, ended, text_of
from tests.factories import draft, evidence, of_agents
from tests.portal.people import person

pytestmark = pytest.mark.django_db

LISTS = ("session", "event", "tooluse", "modechange", "mcpconnection", "mcpserver")


def address(model, query=""):
    url = reverse(f"admin:audit_{model}_changelist")
    return f"{url}?{urlencode({'q': query})}" if query else url


def rows(client, model, query=""):
    response = client.get(address(model, query))
    assert response.status_code == 200
    return response.context["cl"].result_list


def download(client, model, form, query=""):
    response = client.get(reverse(f"admin:audit_{model}_download", args=[form]) + (f"?q={query}" if query else ""))
    assert response.status_code == 200, response.status_code
    return b"".join(response.streaming_content).decode()


@pytest.fixture
def limited(as_user):
    """Someone who may see facts and download them, but neither content nor who a person is."""
    user = person()
    codes = ["view_session", "view_event", "view_tooluse", "view_mcpserver", "view_modechange", "view_mcpconnection"]
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codes, "export_evidence"]))
    return as_user(user)


@pytest.mark.parametrize("model", LISTS)
def test_an_empty_list_teaches(reviewer, model):
    text = text_of(reviewer.get(address(model)))
    assert "yet" in text
    a_session()
    text = text_of(
        reviewer.get(address(model, "after:2020-01-01 before:2020-01-02" if model != "mcpserver" else "zzz"))
    )
    assert "How to ask" in text
    assert "Without" in text


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_every_list_can_be_downloaded_as_it_is_filtered(reviewer, model, form):
    a_session()
    text = download(reviewer, model, form)
    found = list(csv.DictReader(io.StringIO(text))) if form == "csv" else [json.loads(x) for x in text.splitlines()]
    assert len(found) == len(rows(reviewer, model))
    nothing = download(reviewer, model, form, "after:2030-01-01")
    assert len(nothing.splitlines()) == (1 if form == "csv" else 0)


def test_a_query_that_was_not_understood_downloads_nothing(reviewer):
    response = reviewer.get(reverse("admin:audit_session_download", args=["csv"]), {"q": "serve:prod-db"})
    assert response.status_code == 400


def test_a_query_that_was_not_understood_has_no_count_and_no_downloads(reviewer):
    a_session()
    response = reviewer.get(address("event"), {"q": "decision:foo"})
    text = text_of(response)
    assert "decision has no value “foo”." in text
    assert "Understood here: accept , reject , cancel ." in text
    assert "not counted: the query has a fault" in text
    assert "download." not in response.content.decode()
    assert "download.csv" in reviewer.get(address("event"), {"q": "decision:accept"}).content.decode()


@pytest.mark.parametrize(
    ("query", "told"), [("tool_use:t-1 kind:tool_result", "1 match"), ("tool_use:t-1", "2 matches")]
)
def test_matches_are_counted_in_words(reviewer, query, told):
    a_session()
    assert f"Events {told} " in text_of(reviewer.get(address("event"), {"q": query}))


def test_the_queries_of_the_readme_are_understood(reviewer):
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    reviewer_reads = readme.partition("**Compliance reviewer.**")[2].partition("\n\n")[0]
    queries = re.findall(r"`((?:\w+:[^` ]+ ?)+)`", reviewer_reads)
    assert len(queries) >= 3
    for query in queries:
        response = reviewer.get(address("session"), {"q": query})
        assert response.context["cl"].query_error is None, query


def test_a_session_row_counts_who_decided_and_leads_there(reviewer):
    session = a_session()
    (row,) = rows(reviewer, "session")
    assert row == session
    body = reviewer.get(address("session")).content.decode()
    url = reverse("admin:audit_session_change", args=[session.pk])
    for show in ("person", "hook", "rejected"):
        assert f'<a href="{url}?show={show}">1</a>' in body
    text = text_of(reviewer.get(address("session")))
    assert "bypassPermissions 33 %" in text
    assert "$0.02" in text


SESSIONS_ARE_FOUND_BY = {
    "": 2,
    "agent:claude_code": 2,
    "agent:codex": 0,
    "session:s-2": 1,
    "person:dana@acme.example": 2,
    "person:tom@acme.example": 0,
    "team:payments": 2,
    "-team:payments": 0,
    "repository:payments-api": 2,
    "tool:Bash": 1,
    "tool:Write": 1,
    "-tool:Write": 1,
    "tool:Bash tool:Write": 0,
    "mcp_server:prod-db": 1,
    "decision:reject decided_by:hook": 1,
    "decision:reject decided_by:person": 0,
    "mode:bypass": 1,
    "after:-2h": 2,
    "before:-2h": 0,
    "has:gap": 0,
    "grade:c": 2,
    "command:build": 1,
    'command:"rm -rf"': 1,
    "path:rounding.py": 1,
    "-path:Rounding.PY": 1,
    "command:rounding.py": 0,
    "-command:rounding.py": 2,
    "rounding": 2,
    '"fix the rounding"': 1,
    '-"fix the rounding"': 1,
    "rm -rf": 1,
    "s-2": 1,
}


def test_sessions_are_found_by(reviewer, few_or_many):
    a_session()
    evidence(
        decided("w-1", 1, session_id="s-2", tool_name="Write", path="src/rounding.py", content=(("@x", "int", 1),))
    )
    assert {query: len(rows(reviewer, "session", query)) for query in SESSIONS_ARE_FOUND_BY} == SESSIONS_ARE_FOUND_BY


DECISIONS_ARE_FOUND_BY = {
    "": 3,
    "tool:Bash": 2,
    "decided_by:person grant:once": 1,
    "decision:reject": 1,
    "-decision:accept": 1,
    "mode:bypassPermissions": 1,
    "mcp_server:prod-db mcp_tool:query outcome:failure": 1,
    "tool_use:t-2": 1,
    "prompt:p-1": 2,
    "command:BUILD": 1,
    "-command:build": 2,
    "path:build": 0,
    "-path:build": 3,
    "has:gap": 0,
    "received_after:-1h": 3,
}


def test_decisions_are_found_by(reviewer, few_or_many):
    a_session()
    assert {query: len(rows(reviewer, "tooluse", query)) for query in DECISIONS_ARE_FOUND_BY} == DECISIONS_ARE_FOUND_BY


def test_a_tool_use_without_a_decision_is_no_decision(reviewer):
    evidence(ended("t-9", 1))
    assert rows(reviewer, "tooluse") == []


EVENTS_ARE_FOUND_BY = {
    "": 11,
    "kind:prompt": 2,
    "-kind:prompt": 9,
    "kind:mode_change mode:bypass": 1,
    "tool:Bash": 3,
    "command:build": 2,
    "-command:build": 9,
    "path:build": 0,
    "-path:build": 11,
    "outcome:failure": 2,
    "rounding": 1,
    "has:gap": 0,
}


def test_events_are_found_by(reviewer, few_or_many):
    a_session()
    assert {query: len(rows(reviewer, "event", query)) for query in EVENTS_ARE_FOUND_BY} == EVENTS_ARE_FOUND_BY


def test_lists_of_one_kind_hold_only_that_kind(reviewer):
    a_session()
    assert [event.kind for event in rows(reviewer, "modechange")] == ["mode_change"]
    assert [event.kind for event in rows(reviewer, "mcpconnection")] == ["mcp_connection"]
    assert rows(reviewer, "modechange", "kind:prompt") == []


def test_gaps_are_found_in_sessions_and_in_what_happened_there(reviewer):
    session = a_session()
    Session.objects.filter(pk=session.pk).update(missing=2, chains=[1])
    assert len(rows(reviewer, "session", "has:gap")) == 1
    assert len(rows(reviewer, "tooluse", "has:gap")) == 3
    assert len(rows(reviewer, "event", "-has:gap")) == 0


@pytest.mark.parametrize(
    ("events", "missing", "chains", "grade"),
    [(10, 0, [1], "a"), (90, 10, [1], "b"), (89, 11, [1], "d"), (9, 1, [1], "b"), (10, 0, [], "c")],
)
def test_grades_are_found_as_they_are_shown(reviewer, events, missing, chains, grade):
    session = a_session()
    Session.objects.filter(pk=session.pk).update(events=events, missing=missing, chains=chains)
    assert [each for each in Grade if rows(reviewer, "session", f"grade:{each}")] == [grade]
    body = reviewer.get(address("session")).content.decode()
    assert f'class="grade {grade}"' in body


@pytest.mark.parametrize(("missing", "told"), [(0, "not judged yet"), (9, "not judged yet: 9 missing so far")])
def test_what_is_not_judged_yet_is_found_and_shown_without_a_grade(reviewer, missing, told):
    session = a_session()
    Session.objects.filter(pk=session.pk).update(missing=missing, chains=[1, 2], unjudged=[2])
    assert [each for each in Grade if rows(reviewer, "session", f"grade:{each}")] == ["unjudged"]
    response = reviewer.get(address("session"))
    assert told in text_of(response)
    assert 'class="grade' not in response.content.decode()
    (downloaded,) = csv.DictReader(io.StringIO(download(reviewer, "session", "csv")))
    assert downloaded["grade"] == "unjudged"


def test_silence_is_not_read_as_completeness_before_it_is_judged(reviewer):
    a_session()
    Session.objects.update(chains=[1], unjudged=[1])
    text = text_of(reviewer.get(address("event", "tool:Nothing")))
    assert (
        "1 session reported in that time, and no gap is known in what they sent. 1 of them is not judged yet." in text
    )


def test_a_fault_names_its_characters_and_the_rest_is_answered(reviewer):
    a_session()
    response = reviewer.get(address("event", "tool:Bash mode:bypas"))
    text = text_of(response)
    assert "Character 16: mode has no value “bypas”." in text
    assert "Did you mean mode:bypassPermissions ?" in text
    assert "This query was not run. Below is what could be read of it: tool:Bash" in text
    assert len(response.context["cl"].result_list) == 3
    corrected = reviewer.get(address("event") + response.context["cl"].query_error.suggestion_url)
    assert corrected.context["cl"].asked.query.faults == []


def test_each_chip_takes_its_own_term_away(reviewer):
    a_session()
    chips = (
        reviewer.get(address("event", "tool:Bash -decision:accept after:-7d rounding mode:bypas")).context["cl"].chips
    )
    assert [(chip.label, chip.value, chip.bad) for chip in chips] == [
        ("tool", "Bash", False),
        ("not decision", "accept", False),
        ("after", "-7 days", False),
        ("says", "rounding", False),
        ("mode", "bypas", True),
    ]
    without = [reviewer.get(address("event") + chip.without).context["cl"].query for chip in chips]
    assert without == [
        "-decision:accept after:-7d rounding",
        "tool:Bash after:-7d rounding",
        "tool:Bash -decision:accept rounding",
        "tool:Bash -decision:accept after:-7d",
        "tool:Bash -decision:accept after:-7d rounding",
    ]


def test_a_facet_puts_its_term_into_the_query_and_takes_it_out(reviewer):
    a_session()
    cl = reviewer.get(address("session", "team:payments")).context["cl"]
    facets = {facet.title: {c["display"]: c for c in facet.choices(cl)} for facet in cl.filter_specs}
    assert facets["Team"]["payments"]["selected"]
    assert facets["Team"]["payments"]["query_string"] == "?"
    assert "agent%3Aclaude_code" in facets["Agent"]["Claude Code"]["query_string"]
    assert facets["Tool"].keys() == {"Bash", "mcp_tool"}
    assert "prod-db" in facets["MCP server"]


@pytest.mark.parametrize("model", LISTS)
def test_each_example_can_be_read(reviewer, model):
    cl = reviewer.get(address(model)).context["cl"]
    for query, _ in cl.model_admin.examples:
        faults = (
            reviewer.get(cl.get_query_string({"q": query}).join([address(model), ""])).context["cl"].asked.query.faults
        )
        assert faults == [], query


@pytest.mark.parametrize(
    "query", ["\0", "tool:\0", "x" * 5000, 'path:"%_\\"', "person:\u202e", "after:99999999999999w", "%"]
)
def test_odd_queries_are_answered(reviewer, query):
    a_session()
    for model in LISTS:
        assert reviewer.get(reverse(f"admin:audit_{model}_changelist"), {"q": query}).status_code == 200


@pytest.mark.parametrize("model", LISTS)
def test_a_lookup_it_does_not_know_gives_the_whole_list_and_says_so(reviewer, model):
    response = reviewer.get(address(model) + "?nonsense=1", follow=True)
    assert "Here is the whole list" in text_of(response)


def test_pages_are_cut_by_keys_and_words_are_searched_through_all(reviewer):
    evidence(*(decided(f"t-{n:03}", n, command=f"make step-{n}", content=(("@x", "int", n),)) for n in range(120)))
    seen, url = [], address("tooluse", "make")
    while url:
        cl = reviewer.get(url).context["cl"]
        seen += [use.tool_use_id for use in cl.result_list]
        url = address("tooluse") + cl.pages.older if cl.pages.older else ""
    assert seen == [f"t-{n:03}" for n in reversed(range(120))]


# ── Rights ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("model", LISTS)
def test_without_the_rights_lists_show_neither_content_nor_people(limited, model):
    a_session()
    page = limited.get(address(model)).content.decode()
    files = [download(limited, model, form) for form in ("csv", "ndjson")]
    for text in (page, *files):
        assert "dana@acme.example" not in text
        assert "rm -rf build" not in text


def test_without_the_rights_a_session_shows_neither_content_nor_people(limited):
    session = a_session()
    url = reverse("admin:audit_session_change", args=[session.pk])
    for query in ("", "?show=all", *(f"?event={event}" for event in Event.objects.values_list("id", flat=True))):
        body = limited.get(url + query).content.decode()
        assert "dana@acme.example" not in body
        assert "rm -rf build" not in body
        assert "Fix the rounding" not in body
    assert "content sealed" in text_of(limited.get(url))
    assert "212 characters, content sealed" in text_of(limited.get(url))


def test_without_the_rights_an_event_shows_neither_content_nor_people(limited):
    a_session()
    for event in of_agents():
        body = limited.get(reverse("admin:audit_event_change", args=[event.pk])).content.decode()
        assert "dana@acme.example" not in body
        assert "rm -rf build" not in body
        assert "Fix the rounding" not in body
        for part, status in (("content", 403), ("subject", 403), ("facts", 200), ("origin", 200), ("header", 200)):
            assert limited.get(reverse("admin:audit_event_part", args=[event.pk, part])).status_code == status


@pytest.mark.parametrize("query", ["command:build", "path:src", "host:x", "person:dana@acme.example"])
def test_without_the_rights_nobody_can_ask_by_what_they_may_not_see(limited, query):
    a_session()
    response = limited.get(address("session", query))
    assert response.context["cl"].query_error
    assert response.context["cl"].asked.query.terms == []


def test_without_the_rights_words_are_not_searched_in_content(limited):
    a_session()
    assert rows(limited, "session", "rounding") == []
    assert rows(limited, "tooluse", "build") == []


def test_people_can_be_asked_for_by_pseudonym(limited):
    session = a_session()
    assert len(rows(limited, "session", f"person:{session.subject.pseudonym}")) == 1
    assert session.subject.pseudonym in text_of(limited.get(address("session")))


def test_downloads_need_the_right_to(as_user):
    user = person()
    user.user_permissions.set(Permission.objects.filter(codename="view_session"))
    client = as_user(user)
    assert client.get(reverse("admin:audit_session_download", args=["csv"])).status_code == 403
    assert "CSV" not in text_of(client.get(address("session")))


# ── MCP servers ─────────────────────────────────────────────────────────────────────────────────


def test_a_server_page_tells_who_used_it_and_each_figure_leads_to_its_rows(reviewer):
    a_session()
    server = McpServer.objects.get(name="prod-db")
    response = reviewer.get(reverse("admin:audit_mcpserver_change", args=[server.pk]))
    text = text_of(response)
    assert "Sessions that used it" in text
    assert "dana@acme.example payments-api 1 1" in text
    assert "query 1" in text
    for label, count, url, _ in response.context["tiles"]:
        assert reviewer.get(url).context["cl"].count.number == count, label


def test_a_server_without_a_name_says_why(reviewer):
    hidden = {"tool_name": "mcp_tool", "tool_source": "mcp", "mcp_server_provenance": "hidden"}
    evidence(decided("t-1", 1, **hidden))
    server = McpServer.objects.get()
    text = text_of(reviewer.get(reverse("admin:audit_mcpserver_change", args=[server.pk])))
    assert "OTEL_LOG_TOOL_DETAILS=1" in text
    assert "name hidden by the client" in text_of(reviewer.get(address("mcpserver")))


def test_a_decision_opens_in_its_session(reviewer):
    session = a_session()
    use = ToolUse.objects.get(tool_use_id="t-1")
    response = reviewer.get(reverse("admin:audit_tooluse_change", args=[use.pk]))
    assert response.url == reverse("admin:audit_session_change", args=[session.pk]) + f"?event={use.decision_event}"


def test_a_decision_without_a_session_opens_at_its_event(reviewer):
    evidence(draft("tool_decision", tool_use_id="t-1", decision="accept", session_id=None, occurred_at=at(1)))
    use = ToolUse.objects.get()
    response = reviewer.get(reverse("admin:audit_tooluse_change", args=[use.pk]))
    assert response.url == reverse("admin:audit_event_change", args=[use.decision_event])
