-- One text to search commands, paths and hosts by any part of them; trigram-indexed, case-folded.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE FUNCTION audit_haystack_v1(command text, path text, host text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(left(coalesce(command, ''), 4096) || E'\n' || coalesce(path, '') || E'\n' || coalesce(host, ''));
CREATE INDEX audit_tooluse_haystack ON audit_tooluse USING gin (audit_haystack_v1(command, path, host) gin_trgm_ops)
    WHERE command IS NOT NULL OR path IS NOT NULL OR host IS NOT NULL;
-- Projections are updated in place: room on each page keeps the new version beside the old.
ALTER TABLE audit_session SET (fillfactor = 70);
ALTER TABLE audit_tooluse SET (fillfactor = 80);
