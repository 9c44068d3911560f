DROP TABLE audit_head, audit_cosignature, audit_checkpoint, audit_tile, audit_epoch;
