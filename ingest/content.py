"""What is left of a record whose source keeps no content (connectors.models.Source): facts, and what they are read by.

Content goes before anything is hashed or stored. What stays of it is the client's own `<REDACTED>`, which says that it
withheld a text, and, in the event's header, which of the usual texts there were and which MCP server and tool a call
went to: names without which a decision cannot be read.
"""

import hashlib
import hmac
from collections.abc import Sequence

from audit import leaf
from audit.drafts import Attribute, EventDraft
from audit.parts import REDACTED
from audit.points import PointDraft
from ingest.agents.values import names

FLAG = "content_dropped"

_TAG = b"agp/dropped/v1\n"
_WITHHELD = ("string", REDACTED)
_NUMBERS = frozenset({"int", "double", "bool"})

_USUAL = names(
    """
    prompt prompt_text response tool_parameters tool_input error body body_ref system_prompt hook_definitions
    workspace.host_paths managed_settings.settings
    """
)
"""Texts that clients are known to send. A key of somebody's own may itself say too much, and is not named."""

_DIMENSIONS = names(
    """
    session.id conversation.id gen_ai.conversation.id
    start_type type model query_source speed effort language tool_name decision source success outcome status
    agent.name skill.name plugin.name marketplace.name mcp_server.name mcp_tool.name
    function_name tool tool_type tool_mode token_type kind phase operation trigger error_type error.type error_code
    status_code sandbox sandbox_policy approved transport server mode originator subagent_name execution_status
    gen_ai.operation.name gen_ai.provider.name gen_ai.request.model gen_ai.response.model gen_ai.token.type
    gen_ai.token.modality gen_ai.tool.name gen_ai.tool.type
    resource.schema_url scope.schema_url
    """
)
"""Texts by which agents' metrics are divided (interfaces.md §1.4, wire-other-agents.md): without them no sum holds."""


def drop(draft: EventDraft, secret: bytes) -> None:
    """Takes the content out of a draft. `secret` keys the digest that still tells it from others of the same facts."""
    kept = [attribute for attribute in draft.content if attribute[1:] == _WITHHELD]
    if len(kept) == len(draft.content):
        return
    gone = dict.fromkeys(key.removeprefix("@") for key, *value in draft.content if tuple(value) != _WITHHELD)
    draft.apart = _digest(secret, draft.content)
    draft.content = kept
    draft.command = draft.path = draft.host = None
    draft.known = (*draft.known, *(("dropped", name) for name in gone if name in _USUAL), *_read_from(draft, gone))
    draft.flags = (*draft.flags, FLAG)


def _read_from(draft: EventDraft, gone: dict[str, None]) -> list[tuple[str, str]]:
    """The names that were read from a text which is gone."""
    if "tool_parameters" not in gone or draft.mcp_server_provenance != "stated":
        return []
    found = (("mcp_server", draft.mcp_server), ("mcp_tool", draft.mcp_tool))
    return [(name, value) for name, value in found if value]


def drop_from_point(draft: PointDraft, secret: bytes) -> None:
    """Takes out of a metric point what is neither a number nor one of the usual dimensions."""
    kept = [each for each in draft.attributes if each[1] in _NUMBERS or each[0].removeprefix("@") in _DIMENSIONS]
    if len(kept) == len(draft.attributes):
        return
    draft.identity = (*draft.identity, _digest(secret, draft.attributes).hex())
    draft.attributes = kept
    draft.flags = (*draft.flags, FLAG)


def _digest(secret: bytes, attributes: Sequence[Attribute]) -> bytes:
    return hmac.digest(secret, _TAG + leaf.encode_part(attributes), hashlib.sha256)
