"""Which part every attribute goes to that Claude Code was seen to send (wire-claude-code.md, part B)."""

import pytest

from audit.drafts import EventDraft
from ingest.agents import parts
from tests.ingest.agents.captured import claude, log_record, map_one

SUBJECT = """
    user.id user.email user.account_uuid user.account_id organization.id host.name host.id
    enduser.id user.groups identity.source
"""
ORIGIN = """
    team.id cost_center repo host.arch os.type os.version wsl.version service.name service.version terminal.type
    app.entrypoint app.version anthropic.provider anthropic.custom_base_url anthropic.plan
    vcs.repository.url.full vcs.repository.name vcs.owner.name vcs.provider.name
    team department cost.center cost_center.id repository telemetry.sdk.name
"""
COMMON_FACTS = "session.id event.name event.timestamp event.sequence prompt.id agent_id"
DEVELOPERS_OWN = "bad%20key empty policy workspace.host_paths user_prompt process.pid service.instance.id"

FACTS = {
    "api_error": "model status_code duration_ms attempt request_id speed query_source effort client_request_id",
    "api_refusal": """model request_id speed attempt server_fallback_hop query_source effort has_category
        has_explanation category""",
    "api_request": """model input_tokens output_tokens cache_read_tokens cache_creation_tokens
        cache_creation_5m_tokens cache_creation_1h_tokens cost_usd cost_usd_micros duration_ms ttft_ms request_id
        speed query_source effort mcp_server.name mcp_tool.name agent.name skill.name plugin.name""",
    "api_request_body": "model query_source body_length body_truncated request_body_id",
    "api_response_body": "model query_source body_length body_truncated request_body_id request_id message.id",
    "api_retries_exhausted": """model status_code total_attempts total_retry_duration_ms speed query_source effort""",
    "assistant_response": "response_length request_id message.uuid model query_source",
    "at_mention": "mention_type success",
    "auth": "action success auth_method error_category status_code",
    "compaction": "trigger success duration_ms pre_tokens post_tokens precompute_reuse",
    "feedback_survey": "event_type appearance_id survey_type enabled_via_override",
    "hook_execution_complete": """hook_event hook_name num_hooks num_success num_blocking num_non_blocking_error
        num_cancelled total_duration_ms stdout_chars additional_context_chars system_message_chars
        initial_user_message_chars num_outputs_persisted managed_only hook_source safe_mode""",
    "hook_execution_start": "hook_event hook_name num_hooks managed_only hook_source safe_mode",
    "hook_registered": "hook_event hook_type hook_source safe_mode hook_matcher plugin.name plugin_id_hash",
    "internal_error": "error_name error_code",
    "managed_settings_resolved": """managed_settings.trigger managed_settings.sources
        managed_settings.source_behavior managed_settings.helper.state managed_settings.helper.applied
        managed_settings.resolved_sha256 managed_settings.settings_truncated""",
    "mcp_server_connection": """status transport_type server_scope duration_ms is_plugin server_name error_code""",
    "permission_mode_changed": "from_mode to_mode trigger",
    "plugin_installed": "plugin.name plugin.version marketplace.name marketplace.is_official install.trigger",
    "plugin_loaded": """plugin.name marketplace.name plugin.scope enabled_via plugin_id_hash has_hooks has_mcp
        host_owned_mcp skill_path_count command_path_count agent_path_count safe_mode plugin.version""",
    "retention_sweep": """result period_days used_default transcripts_deleted transcripts_exempted_desktop
        session_files_deleted artifacts_deleted files_retained_fresh files_past_cutoff error_count
        history_entries_pruned skip_reason""",
    "safety_event": "category decision decision_source tool_class tool_name tool_use_id permission_mode",
    "skill_activated": "skill.name invocation_trigger skill.source plugin.name marketplace.name",
    "subagent_completed": """agent_type agent.source is_built_in is_async total_tokens total_tool_uses duration_ms
        model final_model model_swapped""",
    "tool_decision": """decision source tool_name tool_use_id tool_source permission_mode request_id
        classifier_verdict""",
    "tool_result": """tool_name tool_use_id success duration_ms tool_input_size_bytes tool_result_size_bytes
        request_id error_type decision_source decision_type mcp_server_scope vcs.ref.head.revision
        vcs.ref.head.name vcs.ref.head.type""",
    "user_prompt": "prompt_length message.uuid command_name command_source",
    "an_event_to_come": "",
}

CONTENT = {
    "api_error": "error prompt decision",
    "api_request": "decision prompt error",
    "api_request_body": "body body_ref",
    "api_response_body": "body body_ref",
    "api_retries_exhausted": "error",
    "assistant_response": "response decision prompt",
    "compaction": "error",
    "feedback_survey": "response",
    "hook_execution_start": "hook_definitions",
    "hook_plugin_metrics": "whatever_number",
    "managed_settings_resolved": "managed_settings.settings managed_settings.helper.path decision model prompt",
    "mcp_server_connection": "error",
    "plugin_loaded": "decision model prompt",
    "system_prompt": "system_prompt prompt",
    "tool_decision": "tool_parameters tool_input model prompt",
    "tool_result": "tool_parameters tool_input error decision model prompt",
    "user_prompt": "prompt prompt_text decision model",
    "an_event_to_come": "prompt model decision tool_name error whatever cost_usd duration_ms",
}


def part_of(draft: EventDraft, key: str) -> list[str]:
    kept_in = {"subject": draft.subject, "origin": draft.origin, "facts": draft.facts, "content": draft.content}
    return [name for name, part in kept_in.items() for kept, _, _ in part if kept == key]


def rows(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(event, key) for event, keys in table.items() for key in keys.split()]


EVERY_EVENT = sorted({*FACTS, *CONTENT})


@pytest.mark.parametrize(("event", "key"), rows(FACTS))
def test_it_takes_what_the_event_is_known_to_send_for_fact(event: str, key: str) -> None:
    assert part_of(claude(event, **{key: "x"}), f"@{key}") == ["facts"]


@pytest.mark.parametrize(("event", "key"), rows(CONTENT))
def test_it_keeps_texts_and_what_it_does_not_know_as_content(event: str, key: str) -> None:
    assert part_of(claude(event, **{key: "x"}), f"@{key}") == ["content"]


@pytest.mark.parametrize("event", EVERY_EVENT)
def test_it_treats_what_all_events_share_alike(event: str) -> None:
    for keys, part in ((SUBJECT, "subject"), (ORIGIN, "origin"), (COMMON_FACTS, "facts"), (DEVELOPERS_OWN, "content")):
        for key in keys.split():
            sent = {"event.name": event} | ({} if key == "event.name" else {key: "x"})
            assert part_of(map_one(log_record(sent)), f"@{key}") == [part], key


@pytest.mark.parametrize(
    ("key", "part"),
    [(key, "subject") for key in SUBJECT.split()]
    + [(key, "origin") for key in ORIGIN.split()]
    + [(key, "content") for key in f"{COMMON_FACTS} {DEVELOPERS_OWN} decision prompt model tool_name".split()],
)
def test_it_cuts_the_resource_by_the_same_lists_but_takes_nothing_there_for_fact(key: str, part: str) -> None:
    draft = map_one(log_record({"event.name": "user_prompt"}, resource={key: "x"}))
    assert part_of(draft, f"resource@{key}") == [part]


def test_it_names_scope_and_fields_by_their_bare_keys_in_a_fixed_order() -> None:
    record = log_record(
        {"event.name": "user_prompt"},
        severity_number=9,
        severity_text="INFO",
        event_name="event",
        dropped_attributes_count=2,
        trace_flags=1,
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
    )
    draft = map_one(record)
    assert list(draft.origin) == [
        ("scope.name", "string", "com.anthropic.claude_code.events"),
        ("scope.version", "string", "2.1.329"),
    ]
    assert [key for key, _, _ in draft.facts] == [
        "time_unix_nano",
        "observed_time_unix_nano",
        "severity_number",
        "severity_text",
        "event_name",
        "dropped_attributes_count",
        "flags",
        "trace_id",
        "span_id",
        "body",
        "@event.name",
    ]


def test_it_takes_only_the_events_own_body_for_fact() -> None:
    own = map_one(log_record({"event.name": "user_prompt"}))
    other = map_one(log_record({"event.name": "user_prompt"}, body=("string", "delete the production database")))
    nested = map_one(log_record({"event.name": "user_prompt"}, body=("map", [["k", "string", "v"]])))
    assert part_of(own, "body") == ["facts"]
    assert part_of(other, "body") == part_of(nested, "body") == ["content"]


def test_it_keeps_the_emitters_dropped_counts_and_schemas_as_facts() -> None:
    record = log_record({"event.name": "user_prompt"})
    emitter = type(record.emitter)(
        scope=(("team", "string", "payments"), ("x", "int", 1)),
        scope_name=record.emitter.scope_name,
        resource_dropped=1,
        scope_dropped=2,
        resource_schema_url="https://schemas.example/1",
        scope_schema_url="https://schemas.example/2",
    )
    record.emitter = emitter
    draft = map_one(record)
    for key in ("resource.dropped_attributes_count", "scope.dropped_attributes_count", "resource.schema_url"):
        assert part_of(draft, key) == ["facts"]
    assert part_of(draft, "scope.schema_url") == ["facts"]
    assert part_of(draft, "scope@team") == ["origin"]
    assert part_of(draft, "scope@x") == ["content"]


def test_it_takes_the_keys_that_the_organisation_names_its_teams_by_into_the_origin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "_organisations_own", set())
    assert parts.shared_part("squad.handle") == parts.CONTENT
    parts.place_in_origin(["squad.handle"])
    assert parts.shared_part("squad.handle") == parts.ORIGIN
    record = log_record({"event.name": "user_prompt", "squad.handle": "pay"}, resource={"squad.handle": "pay"})
    assert part_of(map_one(record), "@squad.handle") == part_of(map_one(record), "resource@squad.handle") == ["origin"]
