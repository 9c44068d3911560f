"""Claude Code's events: their kind, and which of their attributes are facts (wire-claude-code.md B and A14).

What is not listed here for an event is content there, even if another event knows it: a developer can copy any
attribute onto every record through OTEL_RESOURCE_ATTRIBUTES (A4).
"""

from audit.vocabulary import Kind
from ingest.agents.values import names

UNLISTED = ""
"""Stands for every event that is not listed."""

_COMMON = """
    session.id event.name event.timestamp event.sequence prompt.id agent_id parent_agent_id
    ccr.session.id workflow.run_id workflow.name
"""

_MODEL_CALL = """
    model request_id client_request_id request_body_id query_source speed effort attempt duration_ms
    agent.name skill.name plugin.name marketplace.name mcp_server.name mcp_tool.name
"""
_TOOL = "tool_name tool_use_id tool_source tool_class request_id permission_mode classifier_verdict classifier_category"
_PLUGIN = "plugin.name plugin.version plugin_id_hash marketplace.name"
_HOOK_RUN = "hook_event hook_name num_hooks managed_only hook_source safe_mode"
_BODY = "body_length body_truncated body_withheld message.id message.uuid"

_FACTS: dict[tuple[str, Kind], str] = {
    ("user_prompt", Kind.PROMPT): "prompt_length message.uuid command_name command_source",
    ("assistant_response", Kind.RESPONSE): "response_length request_id message.uuid model query_source",
    ("tool_decision", Kind.TOOL_DECISION): f"{_TOOL} decision source",
    ("tool_result", Kind.TOOL_RESULT): f"""{_TOOL} success duration_ms error_type decision_source decision_type
        tool_input_size_bytes tool_result_size_bytes mcp_server_scope
        vcs.ref.head.revision vcs.ref.head.name vcs.ref.head.type""",
    ("permission_mode_changed", Kind.MODE_CHANGE): "from_mode to_mode trigger",
    ("mcp_server_connection", Kind.MCP_CONNECTION): f"""{_PLUGIN} status transport_type server_scope server_name
        duration_ms error_code is_plugin""",
    ("api_request", Kind.API_REQUEST): f"""{_MODEL_CALL} input_tokens output_tokens cache_read_tokens
        cache_creation_tokens cache_creation_5m_tokens cache_creation_1h_tokens cost_usd cost_usd_micros ttft_ms""",
    ("api_request_body", Kind.API_REQUEST): f"{_MODEL_CALL} {_BODY}",
    ("api_response_body", Kind.API_REQUEST): f"{_MODEL_CALL} {_BODY}",
    ("api_error", Kind.API_ERROR): f"{_MODEL_CALL} status_code",
    ("api_retries_exhausted", Kind.API_ERROR): f"{_MODEL_CALL} status_code total_attempts total_retry_duration_ms",
    ("api_refusal", Kind.API_ERROR): f"{_MODEL_CALL} server_fallback_hop has_category has_explanation category",
    ("auth", Kind.AUTH): "action success auth_method error_category status_code",
    ("hook_registered", Kind.HOOK): f"{_PLUGIN} hook_event hook_type hook_source hook_matcher safe_mode",
    ("hook_execution_start", Kind.HOOK): _HOOK_RUN,
    ("hook_execution_complete", Kind.HOOK): f"""{_HOOK_RUN} num_success num_blocking num_non_blocking_error
        num_cancelled total_duration_ms stdout_chars additional_context_chars system_message_chars
        initial_user_message_chars num_outputs_persisted""",
    ("hook_plugin_metrics", Kind.HOOK): "plugin_id hook_event",
    ("plugin_loaded", Kind.PLUGIN): f"""{_PLUGIN} plugin.scope enabled_via has_hooks has_mcp host_owned_mcp safe_mode
        skill_path_count command_path_count agent_path_count""",
    ("plugin_installed", Kind.PLUGIN): f"""{_PLUGIN} marketplace.is_official install.trigger
        install.disabled_by_default""",
    ("skill_activated", Kind.SKILL): """skill.name skill.source skill.kind invocation_trigger plugin.name
        marketplace.name""",
    ("subagent_completed", Kind.SUBAGENT): """agent_type agent.source is_built_in is_async total_tokens total_tool_uses
        duration_ms model final_model model_swapped plugin.name plugin_id_hash""",
    ("compaction", Kind.COMPACTION): "trigger success duration_ms pre_tokens post_tokens precompute_reuse",
    ("managed_settings_resolved", Kind.POLICY): """managed_settings.trigger managed_settings.sources
        managed_settings.source_behavior managed_settings.helper.state managed_settings.helper.applied
        managed_settings.resolved_sha256 managed_settings.settings_truncated error.type""",
    ("safety_event", Kind.POLICY): f"""{_TOOL} category decision decision_source hook_event
        sandbox_violation_count sandbox_enabled""",
    ("retention_sweep", Kind.POLICY): """result period_days used_default skip_reason transcripts_deleted
        transcripts_exempted_desktop session_files_deleted artifacts_deleted files_retained_fresh files_past_cutoff
        error_count history_entries_pruned""",
    ("at_mention", Kind.OTHER): "mention_type success",
    ("feedback_survey", Kind.OTHER): """event_type appearance_id survey_type enabled_via_override trigger_type
        event_origin""",
    ("internal_error", Kind.OTHER): "error_name error_code",
    ("system_prompt", Kind.OTHER): "",
    (UNLISTED, Kind.OTHER): "",
}

KINDS: dict[str, str] = {name: kind.value for name, kind in _FACTS}
"""Kind by event name, without the prefix `claude_code.`."""

FACTS: dict[str, frozenset[str]] = {name: names(f"{_COMMON} {facts}") for (name, _), facts in _FACTS.items()}
"""Attributes that are facts, by event name."""

_FAMILIES = (("hook_", Kind.HOOK.value), ("plugin_", Kind.PLUGIN.value))


def kind_of(name: str) -> str:
    """The kind of an event; of one not listed, by its family, else `other`."""
    known = KINDS.get(name)
    if known is not None:
        return known
    return next((kind for prefix, kind in _FAMILIES if name.startswith(prefix)), Kind.OTHER.value)


CLI_ONLY = names(
    """
    user.id user.account_uuid user.account_id session.id prompt.id event.name event.timestamp event.sequence
    app.entrypoint agent_id request_id message.uuid query_source decision decision_source decision_type
    classifier_verdict permission_mode from_mode to_mode tool_name tool_use_id tool_source tool_parameters tool_input
    model prompt prompt_text response
    """
)
"""What the CLI sets on records only: on a resource, somebody else put it there (A4)."""
