DROP TRIGGER connectors_token_no_truncate ON connectors_token;
DROP TRIGGER connectors_token_kept ON connectors_token;
DROP FUNCTION connectors_keep_token_v1();
