-- The Merkle tree over the numbered leaves (docs/ledger.md, "Tree"): full tiles only, signed heads, cosignatures.
-- They are evidence: added to, never changed.

-- A new epoch begins when the database knows less than was signed (a restored backup); its origin differs in the last part.
CREATE TABLE audit_epoch (
    epoch integer PRIMARY KEY,
    origin text NOT NULL UNIQUE,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    reason text NOT NULL,
    size bigint NOT NULL,
    previous text NOT NULL
);

-- 256 hashes of 32 bytes; each is the root of a full subtree of 256 ^ level leaves (C2SP tlog-tiles).
CREATE TABLE audit_tile (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, index)
);
ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL; -- hashes do not compress

CREATE TABLE audit_checkpoint (
    epoch integer NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    integrated_at timestamptz NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (epoch, size)
);

CREATE TABLE audit_cosignature (
    epoch integer NOT NULL,
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (epoch, size, witness)
);

-- Where the tree stands: what the sealer needs to go on, and nothing that a proof relies on.
CREATE TABLE audit_head (
    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    size bigint NOT NULL,
    frontier bytea NOT NULL,
    edges bytea[] NOT NULL,
    integrated_at timestamptz NOT NULL
);

DO $$
DECLARE evidence text;
BEGIN
    FOREACH evidence IN ARRAY ARRAY['audit_epoch', 'audit_tile', 'audit_checkpoint', 'audit_cosignature'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit_refuse_change_v1()', evidence);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change_v1()', evidence);
    END LOOP;
END;
$$;
