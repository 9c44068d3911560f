"""What people read: folded from events by the projector, rebuildable from them at any time (audit/projector.py)."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from audit.models.evidence import Event, Origin, Subject
from audit.vocabulary import Grade


def _texts() -> ArrayField:
    return ArrayField(models.TextField(), default=list)


class Session(models.Model):
    """One agent run as the vendor names it: (source, agent, vendor's session id)."""

    id = models.UUIDField(primary_key=True)
    source_id = models.BigIntegerField()
    agent = models.TextField()
    session_id = models.TextField("vendor's session")
    subject = models.ForeignKey(
        Subject, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="sessions"
    )
    origin = models.ForeignKey(
        Origin, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    service_version = models.TextField("version", null=True)
    entrypoint = models.TextField(null=True)
    terminal = models.TextField(null=True)
    os = models.TextField(null=True)
    team = models.TextField(null=True)
    cost_center = models.TextField(null=True)
    repository = models.TextField(null=True)
    host = models.TextField(null=True)
    session_kind = models.TextField(default="unknown", help_text="interactive, sdk or unknown (audit/decisions.py).")
    chains = ArrayField(models.BigIntegerField(), default=list, help_text="The runs of numbers its events belong to.")
    unjudged = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="Those of its runs that were not looked through for gaps since they got numbers here.",
    )
    first_at = models.DateTimeField("started")
    last_at = models.DateTimeField("last seen")
    first_event = models.UUIDField()
    last_event = models.UUIDField()
    events = models.BigIntegerField(default=0)
    kinds = models.JSONField(default=dict, help_text="Events by kind.")
    decisions = models.JSONField(default=dict, help_text="Decisions by `decision:decided_by`.")
    modes = models.JSONField(default=dict, help_text="Decisions by permission mode.")
    outcomes = models.JSONField(default=dict, help_text="Tool results by outcome.")
    tools = _texts()
    mcp_servers = _texts()
    modes_seen = _texts()
    decisions_seen = _texts()
    tool_uses = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_creation_tokens = models.BigIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=20, decimal_places=9, default=0)
    missing = models.BigIntegerField(default=0, help_text="Events that the client numbered and that never came.")
    gaps = models.BigIntegerField(default=0)
    latest = models.JSONField(default=dict, help_text="The event each single-valued column was taken from.")

    class Meta:
        permissions = [
            ("view_identity", "Can see who a person is"),
            ("export_evidence", "Can download evidence"),
        ]
        indexes = [
            models.Index(fields=["-first_at", "-id"], name="audit_session_first_at"),
            models.Index(fields=["-last_at", "-id"], name="audit_session_last_at"),
            models.Index(fields=["session_id"], name="audit_session_vendor_id"),
            models.Index(fields=["subject", "-first_at"], name="audit_session_subject"),
            models.Index(fields=["team", "-first_at"], name="audit_session_team"),
            models.Index(fields=["repository", "-first_at"], name="audit_session_repository"),
            GinIndex(fields=["chains"], name="audit_session_chains"),
            GinIndex(fields=["tools"], name="audit_session_tools"),
            GinIndex(fields=["mcp_servers"], name="audit_session_mcp_servers"),
            GinIndex(fields=["modes_seen"], name="audit_session_modes"),
            GinIndex(fields=["decisions_seen"], name="audit_session_decisions"),
        ]

    def __str__(self) -> str:
        return self.session_id

    @property
    def grade(self) -> Grade:
        """Up to a tenth missing are small gaps, more leave fragments. While a run is unjudged nothing is said of it."""
        if not self.chains:
            return Grade.NO_NUMBERS
        if self.unjudged:
            return Grade.UNJUDGED
        if not self.missing:
            return Grade.COMPLETE
        return Grade.SMALL_GAPS if self.missing * 10 <= self.events + self.missing else Grade.FRAGMENTS


class ToolUse(models.Model):
    """One use of a tool: asked, decided, run. Decision and result are joined by the vendor's tool_use_id."""

    id = models.UUIDField(primary_key=True)
    source_id = models.BigIntegerField()
    agent = models.TextField()
    session = models.ForeignKey(
        Session, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    session_vendor_id = models.TextField("vendor's session", null=True)
    subject = models.ForeignKey(
        Subject, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    origin = models.ForeignKey(
        Origin, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    team = models.TextField(null=True)
    repository = models.TextField(null=True)
    tool_use_id = models.TextField(null=True)
    prompt_id = models.TextField(null=True)
    request_id = models.TextField(null=True)
    agent_id = models.TextField(null=True)
    tool_name = models.TextField("tool", null=True)
    tool_source = models.TextField(null=True)
    mcp_server = models.TextField("MCP server", null=True)
    mcp_server_provenance = models.TextField(null=True)
    mcp_tool = models.TextField("MCP tool", null=True)
    at = models.DateTimeField("time", help_text="When it was decided; when it ended, if no decision was recorded.")
    decision_event = models.UUIDField(null=True)
    result_event = models.UUIDField(null=True)
    position = models.UUIDField(help_text="The first event heard of it; the order of lists.")
    decisions = models.SmallIntegerField(default=0, help_text="Decision records for this tool use.")
    decided_at = models.DateTimeField(null=True)
    decision = models.TextField(null=True)
    decided_by = models.TextField(null=True)
    grant = models.TextField(null=True)
    basis = models.TextField(null=True)
    decision_raw = models.TextField(null=True)
    mode = models.TextField(null=True)
    mode_provenance = models.TextField(default="unknown")
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(default="unknown")
    error = models.TextField(null=True)
    duration_ms = models.BigIntegerField(null=True)
    command = models.TextField(null=True)
    path = models.TextField(null=True)
    host = models.TextField(null=True)

    class Meta:
        verbose_name = "tool use"
        indexes = [
            models.Index(fields=["session", "at", "id"], name="audit_tooluse_session"),
            models.Index(fields=["position"], name="audit_tooluse_position"),
            models.Index(fields=["tool_name", "position"], name="audit_tooluse_tool"),
            models.Index(fields=["subject", "position"], name="audit_tooluse_subject"),
            models.Index(
                fields=["mcp_server", "position"],
                name="audit_tooluse_mcp_server",
                condition=models.Q(mcp_server__isnull=False),
            ),
            models.Index(fields=["decided_by", "decision", "position"], name="audit_tooluse_decision"),
            models.Index(  # the overview counts a fortnight of decisions from it alone
                fields=["at", "decision", "decided_by"],
                name="audit_tooluse_decided",
                condition=models.Q(decisions__gt=0),
            ),
            models.Index(fields=["repository", "position"], name="audit_tooluse_repository"),
            models.Index(fields=["tool_use_id"], name="audit_tooluse_vendor_id"),
        ]

    def __str__(self) -> str:
        return self.tool_use_id or str(self.id)


class McpServer(models.Model):
    """An MCP server as agents name it. Where the client hides the name, `name` is empty."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField(blank=True)
    transports = _texts()
    scopes = _texts()
    tools = models.JSONField(default=dict, help_text="Calls by tool.")
    first_at = models.DateTimeField("first seen")
    last_at = models.DateTimeField("last seen")
    connections = models.BigIntegerField(default=0)
    failures = models.BigIntegerField("failed connections", default=0)
    calls = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    failed_calls = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "MCP server"
        indexes = [models.Index(fields=["-last_at", "-id"], name="audit_mcpserver_last_at")]
        constraints = [models.UniqueConstraint(fields=["name"], name="audit_mcpserver_name")]

    def __str__(self) -> str:
        return self.name or "name hidden by the client"


class McpUse(models.Model):
    """That a session used an MCP server, and how."""

    id = models.UUIDField(primary_key=True)
    server = models.ForeignKey(McpServer, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="uses")
    session = models.ForeignKey(
        Session, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="mcp_uses"
    )
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    connections = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["server", "-last_at"], name="audit_mcpuse_server"),
            models.Index(fields=["session"], name="audit_mcpuse_session"),
        ]

    def __str__(self) -> str:
        return f"{self.server_id} in {self.session_id}"


class Gap(models.Model):
    """Numbers that a client gave to events which never arrived."""

    id = models.UUIDField(primary_key=True)
    session = models.ForeignKey(
        Session, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="gap_rows"
    )
    chain = models.BigIntegerField()
    after = models.BigIntegerField(
        null=True, help_text="The number before the gap; null: the run's beginning is missing."
    )
    before = models.BigIntegerField(help_text="The number after the gap.")
    missing = models.BigIntegerField()
    at = models.DateTimeField(help_text="When the event after the gap happened.")

    class Meta:
        indexes = [models.Index(fields=["session", "at", "id"], name="audit_gap_session")]

    def __str__(self) -> str:
        return f"{self.missing} missing before {self.before}"


class DueChain(models.Model):
    """A run of numbers that got new events and is to be looked through for gaps."""

    chain = models.BigIntegerField(primary_key=True)
    due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="audit_duechain_due_at")]

    def __str__(self) -> str:
        return str(self.chain)


class SearchText(models.Model):
    """The words of an event's content."""

    event = models.OneToOneField(
        Event, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="search_text"
    )
    session = models.UUIDField(null=True)
    words = SearchVectorField()

    class Meta:
        db_table = "audit_searchtext"
        indexes = [
            GinIndex(fields=["words"], name="audit_searchtext_words"),
            models.Index(fields=["session"], name="audit_searchtext_session"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
