"""Every captured logs request of Claude Code, mapped, against what the scenarios' notes and A6 say happened."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest

from audit.drafts import EventDraft
from ingest.agents import identify
from tests.ingest.agents.captured import SCENARIOS, bodies, mapped

PERSON_ONCE = "person once stated"
PERSON_ALWAYS = "person always stated"
PERSON_NO = "person - stated"
RULE = "policy - stated"
HOOK = "hook - stated"
RULE_SPELLED_AS_USER = "unknown always inferred"
DENY_RULE_SPELLED_AS_USER = "unknown - inferred"

DECISIONS = {
    "b-bash-allow-rule": [f"Bash accept {RULE} default"] * 3,
    "c-edit-acceptEdits": [f"{tool} accept {RULE} acceptEdits" for tool in ("Read", "Edit", "Write")],
    "d-deny-rule": [
        f"Bash reject {RULE} default",
        f"Write reject {RULE} default",
        f"Bash reject {RULE} default",
        f"WebFetch reject {DENY_RULE_SPELLED_AS_USER} default",
    ],
    "e-hook-decision": [
        f"Bash accept {HOOK} default",
        f"Bash reject {HOOK} default",
        f"Bash reject {RULE} default",
        f"Bash reject {HOOK} default",
    ],
    "f-abort-and-permission-request-hook": [
        f"Bash accept {PERSON_ONCE} default",
        f"Bash accept {HOOK} default",
        f"Bash reject {HOOK} default",
    ],
    "f-interactive-decisions": [
        f"Bash accept {PERSON_ONCE} default",
        f"Bash accept {PERSON_ALWAYS} default",
        f"Bash accept {RULE} default",
        f"Bash reject {PERSON_NO} default",
        f"Bash reject {PERSON_NO} default",
        f"Read accept {RULE} default",
        f"Edit accept {PERSON_ONCE} default",
        f"Edit accept {PERSON_ONCE} default",
        f"Edit accept {RULE} acceptEdits",
        f"WebFetch accept {PERSON_ALWAYS} acceptEdits",
        f"Bash reject {PERSON_NO} acceptEdits",
    ],
    "g-bypass": [
        f"Bash accept {RULE} bypassPermissions",
        f"Bash reject {RULE} bypassPermissions",
        f"Write accept {RULE} bypassPermissions",
        f"Bash accept {RULE} bypassPermissions",
    ],
    "g-mode-shift-tab": [
        f"Bash accept {RULE} default",
        f"Edit accept {RULE} acceptEdits",
        f"Write reject {PERSON_NO} plan",
        f"ExitPlanMode accept {PERSON_ONCE} plan",
        f"Bash accept {PERSON_ONCE} default",
    ],
    "g-plan-approved": [
        f"Write accept {RULE} plan",
        f"ExitPlanMode accept {PERSON_ONCE} plan",
        f"Write accept {RULE} acceptEdits",
        f"Write accept {RULE} plan",
        f"ExitPlanMode reject {PERSON_NO} plan",
    ],
    "h-mcp-scopes": [f"mcp_tool reject {RULE} default"],
    "h-mcp": [f"ToolSearch accept {RULE} default"] + [f"mcp_tool accept {RULE} default"] * 6,
    "m-git-commit-pr": [f"Bash accept {RULE_SPELLED_AS_USER} default"] * 3,
    "r-sdk-interrupt-and-set-mode": [f"Bash cancel {DENY_RULE_SPELLED_AS_USER} default"],
    "z-v2.1.197-tools": [
        f"Bash accept {RULE} -",
        f"Bash reject {RULE} -",
        f"Read accept {RULE} -",
        f"Edit accept {RULE} -",
        f"mcp_tool accept {RULE_SPELLED_AS_USER} -",
    ],
}

MODE_CHANGES = {
    "g-mode-shift-tab": [
        ("default", "acceptEdits", "shift_tab"),
        ("acceptEdits", "plan", "shift_tab"),
        ("default", "acceptEdits", "shift_tab"),
        ("acceptEdits", "plan", "shift_tab"),
        ("plan", "default", "shift_tab"),
        ("default", "acceptEdits", "shift_tab"),
    ],
    "g-plan-approved": [("plan", "acceptEdits", "exit_plan_mode"), ("acceptEdits", "plan", "shift_tab")],
    "r-sdk-interrupt-and-set-mode": [
        ("default", "acceptEdits", None),
        ("acceptEdits", "plan", None),
        ("plan", "default", None),
    ],
}

SESSIONS = {
    "a-plain-prompt": 1,
    "d-deny-rule": 1,
    "g-bypass": 2,
    "i-api-401-400": 3,
    "q-identity-oauth": 2,
    "n-multiturn": 1,
    "n-interactive-multiturn": 2,
    "o-concurrent": 2,
    "f-interactive-decisions": 1,
}


def scenario_of(folder: str) -> str:
    """The scenario's name without the transport it was captured over."""
    for ending in (".details", ".json", ".grpc", ".pb"):
        folder = folder.removesuffix(ending)
    return folder


def told(draft: EventDraft) -> str:
    return (
        f"{draft.tool_name} {draft.decision} {draft.decided_by} {draft.grant or '-'} {draft.basis} {draft.mode or '-'}"
    )


def captured(of: dict[str, object]) -> list[str]:
    return [folder for folder in SCENARIOS if scenario_of(folder) in of]


@pytest.mark.parametrize("folder", SCENARIOS)
def test_it_maps_every_record_of_a_capture_to_a_known_event(folder: str) -> None:
    drafts = mapped(folder)
    assert len(drafts) == sum(len(records) for records in bodies(folder))
    assert {draft.agent for draft in drafts} == {"claude_code"}
    assert Counter(flag for draft in drafts for flag in draft.flags) == {}
    assert all(draft.occurred_at and draft.occurred_at.date() == dt.date(2026, 11, 21) for draft in drafts)
    assert all(type(text) is str for draft in drafts for text in (draft.agent, draft.kind, draft.event_name))


@pytest.mark.parametrize("folder", SCENARIOS)
def test_it_recognises_every_record_of_a_capture_whatever_the_path_says(folder: str) -> None:
    assert {identify(record, "codex") for records in bodies(folder) for record in records} == {"claude_code"}


@pytest.mark.parametrize("folder", SCENARIOS)
def test_it_keeps_every_attribute_of_a_capture_exactly_once(folder: str) -> None:
    records = [record for body in bodies(folder) for record in body]
    for record, draft in zip(records, mapped(folder), strict=True):
        sent = [("@" + key, kind, repr(value)) for key, kind, value in record.attributes]
        sent += [("resource@" + key, kind, repr(value)) for key, kind, value in record.emitter.resource]
        kept = [
            (key, kind, repr(value))
            for part in (draft.subject, draft.origin, draft.facts, draft.content)
            for key, kind, value in part
            if "@" in key
        ]
        assert Counter(kept) == Counter(sent)


@pytest.mark.parametrize("folder", captured(DECISIONS))
def test_it_says_who_decided_as_the_scenario_was_played(folder: str) -> None:
    decisions = [told(draft) for draft in mapped(folder) if draft.kind == "tool_decision"]
    assert decisions == DECISIONS[scenario_of(folder)]


@pytest.mark.parametrize("folder", captured(MODE_CHANGES))
def test_it_tells_every_mode_change_of_a_scenario(folder: str) -> None:
    changes = [draft for draft in mapped(folder) if draft.kind == "mode_change"]
    assert [(c.from_mode, c.to_mode, c.trigger) for c in changes] == MODE_CHANGES[scenario_of(folder)]
    assert all((c.mode, c.mode_provenance) == (c.to_mode, "stated") for c in changes)


@pytest.mark.parametrize("folder", captured(SESSIONS))
def test_it_finds_as_many_sessions_as_were_played(folder: str) -> None:
    assert len({draft.session_id for draft in mapped(folder)}) == SESSIONS[scenario_of(folder)]


@pytest.mark.parametrize("folder", SCENARIOS)
def test_it_never_gives_a_result_to_a_refused_call(folder: str) -> None:
    drafts = mapped(folder)
    refused = {
        (d.session_id, d.tool_use_id)
        for d in drafts
        if d.kind == "tool_decision" and d.decision in ("reject", "cancel")
    }
    ran = {(d.session_id, d.tool_use_id) for d in drafts if d.kind == "tool_result"}
    assert not refused & ran
    assert all(d.outcome == "not_run" for d in drafts if d.kind == "tool_decision" and d.decision != "accept")


@pytest.mark.parametrize("folder", SCENARIOS)
def test_it_joins_every_result_to_its_decision(folder: str) -> None:
    drafts = mapped(folder)
    accepted = {(d.session_id, d.tool_use_id) for d in drafts if d.decision == "accept"}
    results = [d for d in drafts if d.kind == "tool_result"]
    assert all((d.session_id, d.tool_use_id) in accepted for d in results)
    assert all(d.outcome in ("success", "failure") and d.duration_ms is not None for d in results)


def test_it_counts_tokens_and_exact_cost_of_a_session() -> None:
    requests = [draft for draft in mapped("n-multiturn.json") if draft.kind == "api_request"]
    assert [draft.input_tokens for draft in requests][:1] == [13]
    micros = [{key: value for key, _, value in draft.facts}["@cost_usd_micros"] for draft in requests]
    assert [Decimal(draft.cost_usd or "NaN") * 10**6 for draft in requests] == micros
    assert {draft.model for draft in requests} == {"claude-opus-5-5"}


def test_it_names_mcp_servers_only_where_the_details_are_sent() -> None:
    shown, hidden = (
        [d for d in mapped(folder) if d.tool_name == "mcp_tool" or d.kind == "mcp_connection"]
        for folder in ("h-mcp.json.details", "h-mcp.json")
    )
    assert {d.mcp_server for d in shown} == {"prod-db", "tickets", "tickets-down", "broken", "flaky"}
    assert {d.mcp_server_provenance for d in shown} == {"stated"}
    assert {d.mcp_tool for d in shown if d.kind == "tool_result"} == {"query", "create_ticket"}
    assert {(d.mcp_server, d.mcp_tool, d.mcp_server_provenance) for d in hidden} == {(None, None, "hidden")}
    assert {d.error for d in shown if d.outcome == "failure"} == {
        "ENOENT",
        "500",
        "McpToolCallError",
        "ProtocolError",
        "Error:CONNECTION_CLOSED",
    }
    assert {(d.mcp_transport, d.mcp_scope) for d in shown if d.kind == "mcp_connection"} == {
        ("stdio", "dynamic"),
        ("http", "dynamic"),
    }


def test_it_does_not_take_the_attribution_of_a_model_call_for_an_mcp_call() -> None:
    requests = [d for d in mapped("h-mcp.json.details") if d.kind == "api_request"]
    attributed = [d for d in requests if any(key == "@mcp_server.name" for key, _, _ in d.facts)]
    assert attributed
    assert all((d.mcp_server, d.mcp_tool, d.mcp_server_provenance) == (None, None, None) for d in requests)


def test_it_takes_commands_paths_and_hosts_out_of_the_details() -> None:
    drafts = mapped("j-toggles-all.json")
    assert {d.command for d in drafts if d.command} == {"git log --oneline -1; echo $STRIPE_KEY", "false"}
    assert {d.path.rsplit("/", 1)[-1] for d in drafts if d.path} >= {"rounding.py"}
    assert {d.command for d in mapped("j-toggles-none.json")} == {None}


def test_it_tells_concurrent_sessions_of_one_person_apart() -> None:
    drafts = mapped("o-concurrent.json")
    repositories = {
        session: {value for d in drafts if d.session_id == session for key, _, value in d.origin if key == "@repo"}
        for session in {d.session_id for d in drafts}
    }
    assert sorted(repositories.values(), key=str) == [{"ledger-api"}, {"payments-api"}]


def test_it_keeps_an_origin_per_emitter_and_an_identity_per_person() -> None:
    for folder in ("f-interactive-decisions.json", "n-interactive-multiturn.json", "m-subagent.json"):
        drafts = mapped(folder)
        assert len({tuple(draft.origin) for draft in drafts}) == 1
        assert len({tuple(draft.subject) for draft in drafts}) == 1


def test_it_puts_the_identity_of_a_login_into_the_subject() -> None:
    drafts = mapped("q-identity-oauth.json")
    subjects = {tuple(key for key, _, _ in draft.subject) for draft in drafts}
    assert ("@user.id", "@organization.id", "@user.email", "@user.account_uuid", "@user.account_id") in {
        tuple(
            sorted(
                keys,
                key=("@user.id", "@organization.id", "@user.email", "@user.account_uuid", "@user.account_id").index,
            )
        )
        for keys in subjects
    }


def test_it_reads_the_older_release_without_a_mode() -> None:
    decisions = [d for d in mapped("z-v2.1.197-tools.json") if d.kind == "tool_decision"]
    assert {(d.mode, d.mode_provenance) for d in decisions} == {(None, None)}
    assert [d.command for d in decisions][:2] == ["git status --short", "curl http://x"]
    assert [d.host for d in decisions][:2] == [None, "x"]
