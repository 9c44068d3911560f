"""Which attributes arrive at which level, event by event: measured on Claude Code 2.1.329 (wire-claude-code.md, B).

An attribute that needs a switch is absent without it, or a word stands in its place: `<REDACTED>`, `custom`. What was
only read in the documentation, and never seen on the wire, is marked as such.
"""

from dataclasses import dataclass

from connectors.snippets.levels import (
    ASSISTANT_RESPONSES,
    ENTRYPOINT,
    METRICS,
    REPOSITORY,
    TOOL_DETAILS,
    USER_PROMPTS,
    VERSION,
    Level,
    Switch,
)

_NEEDS: dict[str, tuple[Switch, ...]] = {
    "details": (TOOL_DETAILS,),
    "prompts": (USER_PROMPTS,),
    "responses": (USER_PROMPTS, ASSISTANT_RESPONSES),  # either
    "repository": (REPOSITORY,),
    "entrypoint": (ENTRYPOINT,),
    "version": (VERSION,),
}

COMMON = (
    "user.id session.id terminal.type anthropic.provider anthropic.custom_base_url app.entrypoint!entrypoint "
    "app.version!version vcs.repository.url.full!repository vcs.repository.name!repository vcs.owner.name!repository "
    "vcs.provider.name!repository"
)
IDENTITY = "user.email user.account_uuid user.account_id organization.id anthropic.plan"
"""Only of people who sign in with a Claude account; not with an API key, on Bedrock, Vertex or Foundry."""

NUMBERING = "event.name event.timestamp event.sequence prompt.id"
RESOURCE = "service.name service.version host.arch os.type os.version"

EVENTS: dict[str, str] = {
    "user_prompt": "prompt_length prompt!prompts=<REDACTED> prompt_text!prompts=<REDACTED> message.uuid "
    "command_name!details=custom command_source",
    "assistant_response": "response_length response!responses=<REDACTED> model request_id message.uuid query_source "
    "agent_id",
    "tool_decision": "decision source permission_mode tool_name tool_use_id tool_source request_id classifier_verdict "
    "agent_id tool_parameters!details",
    "tool_result": "success duration_ms error_type tool_name tool_use_id request_id decision_source decision_type "
    "tool_input_size_bytes tool_result_size_bytes mcp_server_scope agent_id tool_parameters!details "
    "tool_input!details error!details vcs.ref.head.revision!details vcs.ref.head.name!details "
    "vcs.ref.head.type!details",
    "permission_mode_changed": "from_mode to_mode trigger",
    "mcp_server_connection": "status transport_type server_scope duration_ms error_code is_plugin server_name!details "
    "error!details",
    "api_request": "model input_tokens output_tokens cache_read_tokens cache_creation_tokens cache_creation_5m_tokens "
    "cache_creation_1h_tokens cost_usd cost_usd_micros duration_ms ttft_ms request_id speed query_source effort "
    "agent_id agent.name!details=custom skill.name!details=third-party plugin.name!details=third-party "
    "mcp_server.name!details=custom mcp_tool.name!details=custom",
    "api_error": "model error status_code duration_ms attempt request_id speed query_source effort",
    "api_retries_exhausted": "model error status_code total_attempts total_retry_duration_ms speed query_source effort",
    "api_refusal": "model request_id speed attempt server_fallback_hop query_source effort has_category "
    "has_explanation category!details",
    "managed_settings_resolved": "managed_settings.trigger managed_settings.sources managed_settings.source_behavior "
    "managed_settings.helper.state managed_settings.helper.applied",
    "hook_registered": "hook_event hook_type hook_source safe_mode plugin_id_hash hook_matcher!details "
    "plugin.name!details=third-party",
    "hook_execution_start": "hook_event hook_name num_hooks managed_only hook_source safe_mode agent_id",
    "hook_execution_complete": "hook_event hook_name num_hooks num_success num_blocking num_non_blocking_error "
    "num_cancelled total_duration_ms stdout_chars additional_context_chars system_message_chars "
    "initial_user_message_chars num_outputs_persisted managed_only hook_source safe_mode agent_id",
    "subagent_completed": "agent_type!details=custom agent.source is_built_in is_async total_tokens total_tool_uses "
    "duration_ms model final_model model_swapped agent_id",
    "skill_activated": "invocation_trigger skill.source skill.name!details=custom_skill plugin.name!details "
    "marketplace.name!details",
    "plugin_loaded": "plugin.scope enabled_via plugin_id_hash has_hooks has_mcp host_owned_mcp skill_path_count "
    "command_path_count agent_path_count safe_mode plugin.version plugin.name!details=third-party "
    "marketplace.name!details=third-party",
    "auth": "action success auth_method",
    "compaction": "trigger success duration_ms pre_tokens post_tokens precompute_reuse",
    "at_mention": "mention_type success",
    "retention_sweep": "result period_days used_default transcripts_deleted transcripts_exempted_desktop "
    "session_files_deleted artifacts_deleted files_retained_fresh files_past_cutoff error_count "
    "history_entries_pruned",
}
"""By event: `name`, `name!need` (absent without the switch) or `name!need=word` (that word without the switch)."""

UNSEEN = ("feedback_survey", "hook_plugin_metrics", "internal_error", "plugin_installed", "safety_event")
"""Events that the documentation or the program names and that no capture shows; they are kept when they come."""

METRIC_POINTS: dict[str, str] = {
    "claude_code.session.count": "start_type",
    "claude_code.lines_of_code.count": "type model",
    "claude_code.pull_request.count": "",
    "claude_code.commit.count": "",
    "claude_code.cost.usage": "model query_source effort agent.name!details=custom skill.name!details=third-party "
    "plugin.name!details=third-party mcp_server.name!details=custom mcp_tool.name!details=custom",
    "claude_code.token.usage": "type model query_source effort agent.name!details=custom "
    "skill.name!details=third-party plugin.name!details=third-party mcp_server.name!details=custom "
    "mcp_tool.name!details=custom",
    "claude_code.code_edit_tool.decision": "decision source tool_name language",
    "claude_code.active_time.total": "type",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event or metric at one level: what arrives, in whose place a word stands, what does not come at all."""

    name: str
    arrives: tuple[str, ...]
    masked: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def arriving(level: Level) -> list[Arrival]:
    """What arrives at that level, first what every record carries."""
    every = "every count" if level is METRICS else "every event and count"
    rows = [
        _arrival("every request", RESOURCE, level),
        _arrival(every, COMMON, level),
        _arrival("… of a Claude account", IDENTITY, level),
    ]
    if "logs" in level.signals:
        rows.append(_arrival("every event", NUMBERING, level))
        rows += [_arrival(name, attributes, level) for name, attributes in EVENTS.items()]
    return rows + [_arrival(name, attributes, level) for name, attributes in METRIC_POINTS.items()]


def _arrival(name: str, attributes: str, level: Level) -> Arrival:
    arrives, masked, missing = [], [], []
    for each in attributes.split():
        attribute, _, condition = each.partition("!")
        need, _, word = condition.partition("=")
        if not need or set(_NEEDS[need]) & set(level.on):
            arrives.append(attribute)
        elif word:
            masked.append((attribute, word))
        else:
            missing.append(attribute)
    return Arrival(name, tuple(arrives), tuple(masked), tuple(missing))
