-- Evidence: what is recorded once and never changed. docs/ledger.md tells the layout of the byte columns.
-- No foreign keys lead into or out of these tables, and there is no default partition (DESIGN §3.1).

CREATE TABLE audit_subject (
    id uuid PRIMARY KEY,
    digest bytea UNIQUE,
    salt bytea,
    bytes bytea,
    commitment bytea NOT NULL,
    email text,
    account_uuid text,
    account_id text,
    install_id text,
    organization_id text,
    host text,
    provenance text
);
CREATE INDEX audit_subject_email ON audit_subject (lower(email));
CREATE INDEX audit_subject_account_uuid ON audit_subject (account_uuid);
CREATE INDEX audit_subject_account_id ON audit_subject (account_id);
CREATE INDEX audit_subject_install_id ON audit_subject (install_id);

CREATE TABLE audit_origin (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    salt bytea NOT NULL,
    bytes bytea NOT NULL,
    commitment bytea NOT NULL,
    service_name text,
    service_version text,
    entrypoint text,
    terminal text,
    os text,
    team text,
    cost_center text,
    repository text
);
CREATE INDEX audit_origin_team ON audit_origin (team);
CREATE INDEX audit_origin_repository ON audit_origin (repository);

CREATE TABLE audit_event (
    id uuid PRIMARY KEY,
    schema_version smallint NOT NULL,
    agent text NOT NULL,
    kind text NOT NULL,
    event_name text NOT NULL,
    occurred_at timestamptz,
    source_id bigint NOT NULL,
    token_id bigint NOT NULL,
    subject_id uuid,
    origin_id bigint,
    session uuid,
    session_id text,
    chain bigint,
    sequence bigint,
    prompt_id text,
    request_id text,
    agent_id text,
    tool_use_id text,
    tool_name text,
    tool_source text,
    mcp_server text,
    mcp_server_provenance text,
    mcp_tool text,
    mcp_transport text,
    mcp_status text,
    mcp_scope text,
    decision text,
    decided_by text,
    "grant" text,
    basis text,
    decision_raw text,
    mode text,
    mode_provenance text,
    from_mode text,
    to_mode text,
    trigger text,
    outcome text,
    error text,
    duration_ms bigint,
    model text,
    query_source text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_creation_tokens bigint,
    cost_usd numeric,
    flags text[] NOT NULL,
    header bytea NOT NULL,
    facts_salt bytea,
    facts bytea,
    facts_commitment bytea NOT NULL,
    content_commitment bytea NOT NULL,
    leaf_hash bytea NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX audit_event_session ON audit_event (session, occurred_at, id);
CREATE INDEX audit_event_kind ON audit_event (kind, id);
CREATE INDEX audit_event_subject ON audit_event (subject_id, id);
CREATE INDEX audit_event_tool ON audit_event (tool_name, id) WHERE tool_name IS NOT NULL;
CREATE INDEX audit_event_mcp_server ON audit_event (mcp_server, id) WHERE mcp_server IS NOT NULL;
CREATE INDEX audit_event_tool_use ON audit_event (tool_use_id) WHERE tool_use_id IS NOT NULL;
CREATE INDEX audit_event_prompt ON audit_event (prompt_id) WHERE kind = 'prompt';
-- Events whose client's clock cannot be right stand in a timeline where they were received.
CREATE INDEX audit_event_unclocked ON audit_event (session, id) WHERE occurred_at IS NULL OR flags @> '{skew}';

CREATE TABLE audit_content (
    event_id uuid PRIMARY KEY,
    salt bytea NOT NULL,
    bytes bytea NOT NULL,
    command text,
    path text,
    host text
) PARTITION BY RANGE (event_id);

-- Points are telemetry: kept, not sealed.
CREATE TABLE audit_metric_point (
    id uuid PRIMARY KEY,
    agent text NOT NULL,
    source_id bigint NOT NULL,
    token_id bigint NOT NULL,
    subject_id uuid,
    origin_id bigint,
    session uuid,
    session_id text,
    name text NOT NULL,
    unit text NOT NULL,
    instrument text NOT NULL,
    temporality text,
    monotonic boolean,
    started_at timestamptz,
    occurred_at timestamptz,
    value double precision,
    flags text[] NOT NULL,
    attributes bytea NOT NULL,
    data bytea NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX audit_metric_point_name ON audit_metric_point (name, occurred_at);
CREATE INDEX audit_metric_point_session ON audit_metric_point (session) WHERE session IS NOT NULL;

-- What was recorded in the last 30 days, by the keyed content of the record: the same again is stored once.
CREATE TABLE audit_seen (
    key uuid PRIMARY KEY,
    seen_on date NOT NULL
);
CREATE INDEX audit_seen_on ON audit_seen USING brin (seen_on);

-- Outbox: one row for each committed batch, taken away by the sealer and by the projector. Ids (16 bytes each) and leaf
-- hashes (32 bytes each) stand one after another: arrays were measured to cost the writer half as much again as COPY.
CREATE TABLE audit_unsealed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_ids bytea NOT NULL,
    leaf_hashes bytea NOT NULL
);
CREATE TABLE audit_unfolded (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_ids bytea NOT NULL
);
ALTER TABLE audit_unsealed SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE audit_unfolded SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Numbers given after commit: 0, 1, 2, … without a hole. The number is the export cursor.
CREATE TABLE audit_seal (
    seq bigint PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    leaf_hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL
);

-- Refuses every change to recorded evidence, whoever asks. Row triggers of a partitioned table are cloned to its
-- partitions; statement triggers are not, so audit/partitions.py adds the TRUNCATE trigger to each partition.
CREATE FUNCTION audit_refuse_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END;
$$;
DO $$
DECLARE evidence text;
BEGIN
    FOREACH evidence IN ARRAY ARRAY['audit_subject', 'audit_origin', 'audit_event', 'audit_content', 'audit_metric_point', 'audit_seal'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit_refuse_change_v1()', evidence);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change_v1()', evidence);
    END LOOP;
END;
$$;
