DROP FUNCTION audit_erasures_v1(), audit_purge_month_v1(date, uuid), audit_hold_within_v1(regclass),
    audit_purged_with_v1(regclass), audit_release_hold_v1(bigint, text, text, uuid), audit_forget_points_v1(uuid[], uuid),
    audit_erase_subjects_v1(uuid[], uuid), audit_erase_facts_v1(uuid[], uuid), audit_erase_contents_v1(uuid[], uuid),
    audit_demand_no_hold_v1(uuid[]), audit_demand_act_v1(uuid, bytea[]), audit_holds_on_identities_v1(uuid[]),
    audit_holds_on_v1(uuid[]), audit_is_repository_v1(text, text),
    audit_identities_v1(text);
DROP TABLE audit_purge, audit_erased, audit_held, audit_hold;
DROP SEQUENCE audit_erasure_count;
CREATE OR REPLACE FUNCTION audit_refuse_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END;
$$;
