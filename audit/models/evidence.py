"""Evidence as Django sees it. The tables, their partitions and triggers are made in migrations/sql/0001_evidence.sql.

Relations carry no constraint: evidence must still read the same after the thing it mentions is gone.
The database refuses changes (triggers, and the application's login may only INSERT and SELECT); the managers here have
no write path of their own, `audit.ledger.append` is the only writer.
"""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models

from audit import identifiers, leaf


class Subject(models.Model):
    """One distinct identity as a client claimed it. `id` is random and serves as the pseudonym."""

    id = models.UUIDField(primary_key=True)
    digest = models.BinaryField(null=True)
    salt = models.BinaryField(null=True)
    bytes = models.BinaryField(null=True)
    commitment = models.BinaryField()
    email = models.TextField(null=True)
    account_uuid = models.TextField(null=True)
    account_id = models.TextField(null=True)
    install_id = models.TextField(null=True)
    organization_id = models.TextField(null=True)
    host = models.TextField(null=True)
    provenance = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "audit_subject"

    def __str__(self) -> str:
        return self.pseudonym

    @property
    def pseudonym(self) -> str:
        return f"p-{self.id.hex[:8]}"

    @property
    def label(self) -> str:
        """The most telling identity there is; only for those who may see identities."""
        return self.email or self.account_id or self.account_uuid or self.pseudonym


class Origin(models.Model):
    """One distinct emitter: client, version, terminal, team, repository, as it described itself."""

    id = models.BigIntegerField(primary_key=True)
    digest = models.BinaryField()
    salt = models.BinaryField()
    bytes = models.BinaryField()
    commitment = models.BinaryField()
    service_name = models.TextField(null=True)
    service_version = models.TextField(null=True)
    entrypoint = models.TextField(null=True)
    terminal = models.TextField(null=True)
    os = models.TextField(null=True)
    team = models.TextField(null=True)
    cost_center = models.TextField(null=True)
    repository = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "audit_origin"

    def __str__(self) -> str:
        return " ".join(filter(None, (self.service_name, self.service_version))) or f"origin {self.pk}"


class Event(models.Model):
    """One observed fact. `facts` is the truth; the columns beside it are for searching."""

    id = models.UUIDField(primary_key=True)
    schema_version = models.SmallIntegerField()
    agent = models.TextField()
    kind = models.TextField()
    event_name = models.TextField("event", help_text="The vendor's own name, without its prefix.")
    occurred_at = models.DateTimeField("happened", null=True, help_text="When the client says it happened.")
    source_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    subject = models.ForeignKey(Subject, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    origin = models.ForeignKey(Origin, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    session = models.UUIDField(null=True)
    session_id = models.TextField("vendor's session", null=True)
    chain = models.BigIntegerField(
        null=True, help_text="Installation, version and terminal that count events together."
    )
    sequence = models.BigIntegerField(null=True)
    prompt_id = models.TextField("prompt", null=True)
    request_id = models.TextField("request", null=True)
    agent_id = models.TextField("subagent", null=True)
    tool_use_id = models.TextField("tool use", null=True)
    tool_name = models.TextField("tool", null=True)
    tool_source = models.TextField(null=True)
    mcp_server = models.TextField("MCP server", null=True)
    mcp_server_provenance = models.TextField(null=True)
    mcp_tool = models.TextField("MCP tool", null=True)
    mcp_transport = models.TextField(null=True)
    mcp_status = models.TextField(null=True)
    mcp_scope = models.TextField(null=True)
    decision = models.TextField(null=True)
    decided_by = models.TextField(null=True)
    grant = models.TextField(null=True)
    basis = models.TextField(null=True)
    decision_raw = models.TextField("vendor's words", null=True)
    mode = models.TextField(null=True)
    mode_provenance = models.TextField(null=True)
    from_mode = models.TextField(null=True)
    to_mode = models.TextField(null=True)
    trigger = models.TextField(null=True)
    outcome = models.TextField(null=True)
    error = models.TextField(null=True)
    duration_ms = models.BigIntegerField("ran (ms)", null=True)
    model = models.TextField(null=True)
    query_source = models.TextField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cache_read_tokens = models.BigIntegerField(null=True)
    cache_creation_tokens = models.BigIntegerField(null=True)
    cost_usd = models.DecimalField(null=True, max_digits=20, decimal_places=9)
    flags = ArrayField(models.TextField())
    header = models.BinaryField()
    facts_salt = models.BinaryField(null=True)
    facts = models.BinaryField(null=True)
    facts_commitment = models.BinaryField()
    content_commitment = models.BinaryField()
    leaf_hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_event"

    def __str__(self) -> str:
        return f"{self.event_name} {self.id}"

    @property
    def received_at(self) -> dt.datetime:
        return identifiers.received_at(self.id)

    @property
    def commitments(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Of subject, origin, facts and content, in the order in which the leaf holds them."""
        subject = self.subject.commitment if self.subject else leaf.ABSENT
        origin = self.origin.commitment if self.origin else leaf.ABSENT
        return bytes(subject), bytes(origin), bytes(self.facts_commitment), bytes(self.content_commitment)


class Content(models.Model):
    """What may be personal or sensitive in an event; shown only with the right to see it."""

    event = models.OneToOneField(
        Event, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="content"
    )
    salt = models.BinaryField()
    bytes = models.BinaryField()
    command = models.TextField(null=True)
    path = models.TextField(null=True)
    host = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "audit_content"

    def __str__(self) -> str:
        return f"content of {self.pk}"


class MetricPoint(models.Model):
    """One data point of a metric. Telemetry: kept, not sealed."""

    id = models.UUIDField(primary_key=True)
    agent = models.TextField()
    source_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    subject = models.ForeignKey(Subject, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    origin = models.ForeignKey(Origin, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    session = models.UUIDField(null=True)
    session_id = models.TextField(null=True)
    name = models.TextField()
    unit = models.TextField()
    instrument = models.TextField()
    temporality = models.TextField(null=True)
    monotonic = models.BooleanField(null=True)
    started_at = models.DateTimeField(null=True)
    occurred_at = models.DateTimeField(null=True)
    value = models.FloatField(null=True)
    flags = ArrayField(models.TextField())
    attributes = models.BinaryField()
    data = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_metric_point"

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Seal(models.Model):
    """An event's number in the ledger, given after commit: 0, 1, 2, … without a hole."""

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, models.DO_NOTHING, db_constraint=False, related_name="seal")
    leaf_hash = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "audit_seal"

    def __str__(self) -> str:
        return f"#{self.seq}"
