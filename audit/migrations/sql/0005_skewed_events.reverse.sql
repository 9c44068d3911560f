DROP INDEX audit_event_skewed;
