-- Erasure, purge and legal hold (docs/privacy.md). What is erased leaves its commitment; a hold stands in the way of both.
--
-- Evidence is changed by the functions below and by nothing else. They run with the rights of the eraser, a role nobody can
-- log in as (audit/grants.py hands them to it), and each asks for the portal's own event that says what is done: no part goes
-- without a record in the same ledger.

CREATE TABLE audit_hold (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('person', 'session', 'repository', 'query')),
    value text NOT NULL CHECK (value <> ''),
    reason text NOT NULL CHECK (length(reason) >= 10),
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    released_by text,
    released_at timestamptz,
    release_reason text
);
CREATE INDEX audit_hold_open ON audit_hold (kind) WHERE released_at IS NULL;

-- The events that the question of a hold found, kept up by the portal (audit/holds.py).
CREATE TABLE audit_held (
    hold_id bigint NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (event_id, hold_id)
);

-- Parts that are gone, by the commitment that stays, and the portal's own event that says so.
CREATE TABLE audit_erased (
    commitment bytea PRIMARY KEY,
    part text NOT NULL CHECK (part IN ('subject', 'facts', 'content')),
    act uuid NOT NULL
);

-- Numbers whose events are gone altogether; their leaf hashes stay in audit_seal. Each purge names all that are gone by then, as
-- the event of an earlier purge is among those of a later one: the rows of the newest act are those that hold.
CREATE TABLE audit_purge (
    act uuid NOT NULL,
    seq_from bigint NOT NULL,
    seq_to bigint NOT NULL,
    PRIMARY KEY (act, seq_from),
    CHECK (seq_to >= seq_from)
);

-- Counts erasures of identities: who remembers one from before asks again (audit/interning.py).
CREATE SEQUENCE audit_erasure_count;

DO $$
DECLARE evidence text;
BEGIN
    FOREACH evidence IN ARRAY ARRAY['audit_hold', 'audit_erased', 'audit_purge'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit_refuse_change_v1()', evidence);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change_v1()', evidence);
    END LOOP;
END;
$$;

-- Refuses as before, save for what the functions below do: they alone run as their owner with the word that they set.
CREATE OR REPLACE FUNCTION audit_refuse_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('audit.erasing', true) = 'yes'
        AND current_user = (SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE oid = to_regprocedure('audit_erase_contents_v1(uuid[], uuid)'))
    THEN
        IF TG_OP = 'DELETE' AND (TG_TABLE_NAME LIKE 'audit\_content%' OR TG_TABLE_NAME LIKE 'audit\_metric\_point%') THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_subject' THEN
            IF NEW.id = OLD.id AND NEW.commitment = OLD.commitment AND NEW.bytes IS NULL AND NEW.salt IS NULL THEN
                RETURN NEW;
            END IF;
        ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME LIKE 'audit\_event%' THEN
            IF NEW.id = OLD.id AND NEW.header = OLD.header AND NEW.leaf_hash = OLD.leaf_hash
                AND NEW.facts_commitment = OLD.facts_commitment AND NEW.content_commitment = OLD.content_commitment
                AND NEW.subject_id IS NOT DISTINCT FROM OLD.subject_id AND NEW.origin_id IS NOT DISTINCT FROM OLD.origin_id
                AND NEW.facts IS NULL AND NEW.facts_salt IS NULL THEN
                RETURN NEW;
            END IF;
        ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_hold' THEN
            IF OLD.released_at IS NULL AND NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.value = OLD.value
                AND NEW.reason = OLD.reason AND NEW.placed_by = OLD.placed_by AND NEW.placed_at = OLD.placed_at THEN
                RETURN NEW;
            END IF;
            IF OLD.released_at IS NOT NULL AND NEW.kind = 'person' AND NEW.released_at = OLD.released_at AND NEW.value = 'erased' THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END;
$$;

-- All identities of a person: those that say the value, and those without an e-mail of their own that share an account or an
-- installation with one of them.
CREATE FUNCTION audit_identities_v1(value text) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH said AS (
        SELECT * FROM audit_subject
        WHERE lower(email) = lower(value) OR account_uuid = value OR account_id = value OR install_id = value
        UNION SELECT * FROM audit_subject WHERE id::text = value
    )
    SELECT id FROM said
    UNION
    SELECT other.id FROM audit_subject other, said
    WHERE other.email IS NULL AND (other.account_uuid = said.account_uuid OR other.account_id = said.account_id
        OR other.install_id = said.install_id)
$$;

-- Whether an emitter's repository is the one of that name: alone, or at the end of an address, as people ask for it.
CREATE FUNCTION audit_is_repository_v1(repository text, name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT repository = name OR right(repository, length(name) + 1) IN ('/' || name, ':' || name)
        OR right(repository, length(name) + 5) IN ('/' || name || '.git', ':' || name || '.git')
$$;

-- The holds in force that cover an event.
CREATE FUNCTION audit_holds_on_v1(events uuid[]) RETURNS TABLE (event_id uuid, hold_id bigint) LANGUAGE sql STABLE AS $$
    SELECT e.id, h.id FROM audit_event e, audit_hold h
    WHERE e.id = ANY (events) AND h.released_at IS NULL AND CASE h.kind
        WHEN 'session' THEN e.session::text = h.value
        WHEN 'person' THEN e.subject_id IN (SELECT audit_identities_v1(h.value))
        WHEN 'repository' THEN EXISTS (SELECT FROM audit_origin o WHERE o.id = e.origin_id AND audit_is_repository_v1(o.repository, h.value))
        ELSE EXISTS (SELECT FROM audit_held x WHERE x.hold_id = h.id AND x.event_id = e.id)
    END
$$;

-- The holds in force that cover an identity: the person's own, and any on an event of theirs.
CREATE FUNCTION audit_holds_on_identities_v1(subjects uuid[]) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT h.id FROM audit_hold h
    WHERE h.released_at IS NULL AND CASE h.kind
        WHEN 'person' THEN EXISTS (SELECT FROM audit_identities_v1(h.value) AS identity WHERE identity = ANY (subjects))
        WHEN 'session' THEN EXISTS (
            SELECT FROM audit_event e WHERE e.session::text = h.value AND e.subject_id = ANY (subjects))
        WHEN 'repository' THEN EXISTS (
            SELECT FROM audit_event e JOIN audit_origin o ON o.id = e.origin_id
            WHERE audit_is_repository_v1(o.repository, h.value) AND e.subject_id = ANY (subjects))
        ELSE EXISTS (
            SELECT FROM audit_held x JOIN audit_event e ON e.id = x.event_id
            WHERE x.hold_id = h.id AND e.subject_id = ANY (subjects))
    END
$$;

-- Raises unless the portal's own event `act` is there and its facts name each commitment.
CREATE FUNCTION audit_demand_act_v1(act uuid, commitments bytea[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE said bytea;
BEGIN
    SELECT facts INTO said FROM audit_event WHERE id = act AND agent = 'portal';
    IF said IS NULL OR EXISTS (
        SELECT FROM unnest(commitments) AS c WHERE position(convert_to(encode(c, 'hex'), 'UTF8') IN said) = 0) THEN
        RAISE EXCEPTION 'no event of the portal says that this is erased' USING ERRCODE = 'restrict_violation';
    END IF;
END;
$$;

CREATE FUNCTION audit_demand_no_hold_v1(events uuid[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE held bigint;
BEGIN
    SELECT hold_id INTO held FROM audit_holds_on_v1(events) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'legal hold % stands in the way', held USING ERRCODE = 'restrict_violation', HINT = 'hold';
    END IF;
END;
$$;

CREATE FUNCTION audit_erase_contents_v1(events uuid[], act uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE erased bigint;
BEGIN
    PERFORM audit_demand_no_hold_v1(events);
    PERFORM audit_demand_act_v1(act, ARRAY(
        SELECT e.content_commitment FROM audit_event e JOIN audit_content c ON c.event_id = e.id WHERE e.id = ANY (events)));
    INSERT INTO audit_erased (commitment, part, act)
        SELECT e.content_commitment, 'content', audit_erase_contents_v1.act
        FROM audit_event e JOIN audit_content c ON c.event_id = e.id WHERE e.id = ANY (events);
    PERFORM set_config('audit.erasing', 'yes', true);
    DELETE FROM audit_content WHERE event_id = ANY (events);
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('audit.erasing', '', true);
    RETURN erased;
END;
$$;

-- The facts of events, and every column that was read from them; what stays says when, from where, of what kind, in which session,
-- and as which number of its client, or it would look as if it had never come.
CREATE FUNCTION audit_erase_facts_v1(events uuid[], act uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE erased bigint;
BEGIN
    IF EXISTS (SELECT FROM audit_event WHERE id = ANY (events) AND agent = 'portal') THEN
        RAISE EXCEPTION 'the portal''s own events keep their facts' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM audit_demand_no_hold_v1(events);
    PERFORM audit_demand_act_v1(act, ARRAY(SELECT facts_commitment FROM audit_event WHERE id = ANY (events) AND facts IS NOT NULL));
    INSERT INTO audit_erased (commitment, part, act)
        SELECT facts_commitment, 'facts', audit_erase_facts_v1.act FROM audit_event WHERE id = ANY (events) AND facts IS NOT NULL;
    PERFORM set_config('audit.erasing', 'yes', true);
    UPDATE audit_event SET facts = NULL, facts_salt = NULL, prompt_id = NULL, request_id = NULL,
        agent_id = NULL, tool_use_id = NULL, tool_name = NULL, tool_source = NULL, mcp_server = NULL,
        mcp_server_provenance = NULL, mcp_tool = NULL, mcp_transport = NULL, mcp_status = NULL, mcp_scope = NULL,
        decision = NULL, decided_by = NULL, "grant" = NULL, basis = NULL, decision_raw = NULL, mode = NULL,
        mode_provenance = NULL, from_mode = NULL, to_mode = NULL, trigger = NULL, outcome = NULL, error = NULL,
        duration_ms = NULL, model = NULL, query_source = NULL, input_tokens = NULL, output_tokens = NULL,
        cache_read_tokens = NULL, cache_creation_tokens = NULL, cost_usd = NULL
    WHERE id = ANY (events) AND facts IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('audit.erasing', '', true);
    RETURN erased;
END;
$$;

CREATE FUNCTION audit_erase_subjects_v1(subjects uuid[], act uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    erased bigint;
    held bigint;
BEGIN
    SELECT * INTO held FROM audit_holds_on_identities_v1(subjects) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'legal hold % stands in the way', held USING ERRCODE = 'restrict_violation', HINT = 'hold';
    END IF;
    PERFORM audit_demand_act_v1(act, ARRAY(SELECT commitment FROM audit_subject WHERE id = ANY (subjects) AND bytes IS NOT NULL));
    INSERT INTO audit_erased (commitment, part, act)
        SELECT commitment, 'subject', audit_erase_subjects_v1.act FROM audit_subject
        WHERE id = ANY (subjects) AND bytes IS NOT NULL;
    PERFORM set_config('audit.erasing', 'yes', true);
    -- A hold that is over need not name a person any longer.
    UPDATE audit_hold SET value = 'erased' WHERE kind = 'person' AND released_at IS NOT NULL AND value <> 'erased'
        AND EXISTS (SELECT FROM audit_identities_v1(value) AS identity WHERE identity = ANY (subjects));
    UPDATE audit_subject SET digest = NULL, salt = NULL, bytes = NULL, email = NULL, account_uuid = NULL, account_id = NULL,
        install_id = NULL, organization_id = NULL, host = NULL, provenance = NULL
    WHERE id = ANY (subjects) AND bytes IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    PERFORM set_config('audit.erasing', '', true);
    PERFORM nextval('audit_erasure_count');
    RETURN erased;
END;
$$;

-- Metric points are not sealed, so nothing is left of them; the act says that they went.
CREATE FUNCTION audit_forget_points_v1(subjects uuid[], act uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE gone bigint;
BEGIN
    PERFORM audit_demand_act_v1(act, ARRAY(SELECT commitment FROM audit_subject WHERE id = ANY (subjects)));
    PERFORM set_config('audit.erasing', 'yes', true);
    DELETE FROM audit_metric_point WHERE subject_id = ANY (subjects);
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('audit.erasing', '', true);
    RETURN gone;
END;
$$;

CREATE FUNCTION audit_release_hold_v1(hold bigint, by text, why text, act uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF length(why) < 10 THEN
        RAISE EXCEPTION 'a reason of ten characters or more is needed' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM audit_event WHERE id = act AND agent = 'portal' AND event_name = 'hold.released') THEN
        RAISE EXCEPTION 'no event of the portal says that this hold is released' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('audit.erasing', 'yes', true);
    UPDATE audit_hold SET released_by = by, released_at = now(), release_reason = why WHERE id = hold AND released_at IS NULL;
    PERFORM set_config('audit.erasing', '', true);
END;
$$;

-- The runs of numbers that are gone once the events of a partition are: theirs and all that went before.
CREATE FUNCTION audit_purged_with_v1(events regclass) RETURNS TABLE (seq_from bigint, seq_to bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'WITH numbered AS (SELECT s.seq, s.seq - row_number() OVER (ORDER BY s.seq) AS run'
        '     FROM %s e JOIN audit_seal s ON s.event_id = e.id),'
        ' gone AS (SELECT int8range(min(seq), max(seq) + 1) AS numbers FROM numbered GROUP BY run'
        '     UNION ALL SELECT int8range(p.seq_from, p.seq_to + 1) FROM audit_purge p)'
        ' SELECT lower(numbers), upper(numbers) - 1 FROM (SELECT unnest(range_agg(numbers)) FROM gone) AS u (numbers) ORDER BY 1',
        events);
END;
$$;

-- A hold in force that covers an event of a partition; null if none does.
CREATE FUNCTION audit_hold_within_v1(events regclass) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE held bigint;
BEGIN
    IF EXISTS (SELECT FROM audit_hold WHERE released_at IS NULL) THEN
        EXECUTE format(
            'SELECT h.id FROM audit_hold h WHERE h.released_at IS NULL AND EXISTS (SELECT FROM %s e WHERE CASE h.kind'
            ' WHEN ''session'' THEN e.session::text = h.value'
            ' WHEN ''person'' THEN e.subject_id IN (SELECT audit_identities_v1(h.value))'
            ' WHEN ''repository'' THEN EXISTS (SELECT FROM audit_origin o WHERE o.id = e.origin_id AND audit_is_repository_v1(o.repository, h.value))'
            ' ELSE EXISTS (SELECT FROM audit_held x WHERE x.hold_id = h.id AND x.event_id = e.id) END) LIMIT 1', events) INTO held;
    END IF;
    RETURN held;
END;
$$;

-- A whole month: events, contents and points received in it. Asks that all are numbered, that none is held, that nothing older is
-- left, and that the act names each run of numbers. Runs as the tables' owner, who alone can detach; how many events that were.
CREATE FUNCTION audit_purge_month_v1(month date, act uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    suffix text := to_char(month, 'YYYY_MM');
    events text := 'audit_event_' || suffix;
    said text;
    other text;
    run record;
    bad bigint;
    gone bigint;
BEGIN
    IF to_regclass(events) IS NULL THEN
        RETURN 0;
    END IF;
    SELECT convert_from(facts, 'UTF8') INTO said FROM audit_event WHERE id = act AND agent = 'portal';
    IF said IS NULL THEN
        RAISE EXCEPTION 'no event of the portal says that this is purged' USING ERRCODE = 'restrict_violation';
    END IF;
    FOR other IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass LOOP
        IF other < events THEN
            EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 1) AS any_event', other) INTO bad;
            IF bad > 0 THEN
                RAISE EXCEPTION 'older months come first: % is still there', other USING ERRCODE = 'restrict_violation';
            END IF;
        END IF;
    END LOOP;
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', events);
    EXECUTE format('SELECT count(*), count(*) - count(s.seq) FROM %I e LEFT JOIN audit_seal s ON s.event_id = e.id', events) INTO gone, bad;
    IF bad > 0 THEN
        RAISE EXCEPTION '% events are not numbered yet', bad USING ERRCODE = 'restrict_violation';
    END IF;
    bad := audit_hold_within_v1(events::regclass);
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'legal hold % stands in the way', bad USING ERRCODE = 'restrict_violation', HINT = 'hold';
    END IF;
    FOR run IN SELECT * FROM audit_purged_with_v1(events::regclass) LOOP
        IF position(format('["@portal.purged.seq_from","int",%s]', run.seq_from) IN said) = 0
            OR position(format('["@portal.purged.seq_to","int",%s]', run.seq_to) IN said) = 0 THEN
            RAISE EXCEPTION 'no event of the portal says that % to % are purged', run.seq_from, run.seq_to
                USING ERRCODE = 'restrict_violation';
        END IF;
        INSERT INTO audit_purge (act, seq_from, seq_to) VALUES (audit_purge_month_v1.act, run.seq_from, run.seq_to);
    END LOOP;
    FOREACH other IN ARRAY ARRAY['audit_event', 'audit_content', 'audit_metric_point'] LOOP
        IF to_regclass(other || '_' || suffix) IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', other, other || '_' || suffix);
            EXECUTE format('DROP TABLE %I', other || '_' || suffix);
        END IF;
    END LOOP;
    RETURN gone;
END;
$$;

-- Taken by everyone who records, so that no identity is erased between looking it up and pointing to it; how many erasures of
-- identities there were.
CREATE FUNCTION audit_erasures_v1() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7018702099306406259); -- "agp_eras"
    RETURN (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_erasure_count);
END;
$$;
