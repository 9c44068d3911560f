"""What a timeline can be narrowed to. A show keeps tool uses, events and gaps, or leaves each of them out."""

from dataclasses import dataclass

from django.db.models import F, Func, Q, TextField, Value

from audit.vocabulary import Kind

STEP_KINDS = (
    Kind.PROMPT, Kind.MODE_CHANGE, Kind.MCP_CONNECTION, Kind.API_ERROR, Kind.AUTH, Kind.COMPACTION, Kind.SUBAGENT,
    Kind.SKILL, Kind.POLICY, Kind.SESSION, Kind.ADMIN,
)  # fmt: skip
"""Kinds whose every event is a step of the session. Hooks are steps where they stopped something."""

TOOL_KINDS = (Kind.TOOL_DECISION, Kind.TOOL_RESULT)
BYPASS = "bypassPermissions"
POLICIES = ("policy", "reviewer_model", "nobody")
"""Who decides without being a person or a hook."""

SEGMENTS = ("steps", "rejected", "person", "bypass", "mcp", "writes", "errors")
"""The shows that a page offers; the others are led to by counts."""

WRITERS = ("Edit", "MultiEdit", "NotebookEdit", "Write", "apply_patch", "edit", "replace", "write", "write_file")

_FACTS = Func(F("facts"), Value("UTF8"), function="convert_from", output_field=TextField())
_STOPPED_SOMETHING = r'"@num_blocking","(string|int)","?[1-9]'
BLOCKING_HOOK = Q(kind=Kind.HOOK, facts_text__regex=_STOPPED_SOMETHING)
FACTS_TEXT = {"facts_text": _FACTS}
"""The alias that BLOCKING_HOOK needs."""

IS_MCP = Q(mcp_server__isnull=False) | Q(mcp_server_provenance__isnull=False) | Q(tool_source="mcp")


@dataclass(frozen=True, slots=True)
class Show:
    """`uses` narrows tool uses, `events` the events beside them (None: none of them); `gaps`: with gaps."""

    label: str
    uses: Q
    events: Q | None = None
    gaps: bool = False


SHOWS = {
    "steps": Show("All", Q(), Q(kind__in=STEP_KINDS) | BLOCKING_HOOK, gaps=True),
    "rejected": Show("Rejected", Q(decision="reject")),
    "person": Show("Decided by person", Q(decided_by="person")),
    "bypass": Show("Under bypass", Q(mode=BYPASS), Q(kind=Kind.MODE_CHANGE, to_mode=BYPASS)),
    "mcp": Show("MCP", IS_MCP, Q(kind=Kind.MCP_CONNECTION)),
    "writes": Show("Writes", Q(tool_name__in=WRITERS)),
    "errors": Show(
        "Errors",
        Q(outcome="failure"),
        Q(kind=Kind.API_ERROR) | Q(kind__in=(Kind.MCP_CONNECTION, Kind.AUTH, Kind.COMPACTION), outcome="failure"),
    ),
    "policy": Show("Decided by policy", Q(decided_by__in=POLICIES)),
    "hook": Show("Decided by hook", Q(decided_by="hook")),
    "unknown": Show("Not known by whom", Q(decided_by__isnull=True) | Q(decided_by="unknown")),
    "all": Show("Every event", Q(), Q(), gaps=True),
}
