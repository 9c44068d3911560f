-- A token that was ever known stays known, what it is stays the same, and a revocation is final: whoever asks.
CREATE FUNCTION connectors_keep_token_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'tokens are kept: % refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.kind, NEW.digest, NEW.source_id, NEW.scopes, NEW.networks, NEW.rotated_from_id, NEW.created_at)
        IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.digest, OLD.source_id, OLD.scopes, OLD.networks, OLD.rotated_from_id, OLD.created_at) THEN
        RAISE EXCEPTION 'a token stays what it was issued as' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.revoked_at IS NOT NULL AND (NEW.revoked_at, NEW.revoked_by, NEW.revoke_reason)
        IS DISTINCT FROM (OLD.revoked_at, OLD.revoked_by, OLD.revoke_reason) THEN
        RAISE EXCEPTION 'a revocation is final' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER connectors_token_kept BEFORE UPDATE OR DELETE ON connectors_token
    FOR EACH ROW EXECUTE FUNCTION connectors_keep_token_v1();
CREATE TRIGGER connectors_token_no_truncate BEFORE TRUNCATE ON connectors_token
    FOR EACH STATEMENT EXECUTE FUNCTION connectors_keep_token_v1();
