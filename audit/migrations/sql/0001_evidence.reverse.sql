DROP TABLE audit_seal, audit_unfolded, audit_unsealed, audit_seen, audit_metric_point, audit_content, audit_event, audit_origin, audit_subject;
DROP FUNCTION audit_refuse_change_v1();
