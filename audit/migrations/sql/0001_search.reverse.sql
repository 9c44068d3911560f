DROP INDEX audit_tooluse_haystack;
DROP FUNCTION audit_haystack_v1(text, text, text);
