"""No migration takes a column of evidence away or writes it anew: what was hashed must stay as it was hashed (I14)."""

import re

import pytest
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

from audit.grants import APPEND_ONLY

_TABLES = "|".join(APPEND_ONLY)
_TAKES_AWAY = re.compile(
    rf"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:\w+,\s*)*(?:{_TABLES})\b"
    rf"|\bALTER\s+TABLE\s+(?:ONLY\s+)?(?:{_TABLES})\b[^;]*?\b(?:DROP\b|RENAME\b|ALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b)"
    rf"|\b(?:UPDATE|DELETE\s+FROM|TRUNCATE)\s+(?:ONLY\s+)?(?:{_TABLES})\b",
    re.IGNORECASE,
)
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION.*?\n\$\$;", re.DOTALL)
"""What a function of the database may do when it is called is for other tests."""


def forward_sql() -> list[tuple[str, str]]:
    found = []
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        for operation in migration.operations:
            if app == "audit" and isinstance(operation, migrations.RunSQL):
                found.append((name, _FUNCTION.sub("", str(operation.sql))))
    return found


def test_no_migration_takes_evidence_away():
    assert len(forward_sql()) >= 5
    assert [name for name, sql in forward_sql() if _TAKES_AWAY.search(sql)] == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE audit_event DROP COLUMN facts",
        "ALTER TABLE audit_event ALTER COLUMN facts TYPE jsonb USING facts::jsonb",
        "ALTER TABLE audit_seal RENAME COLUMN seq TO number",
        "DROP TABLE audit_content",
        "DROP TABLE IF EXISTS audit_head, audit_tile",
        "UPDATE audit_subject SET email = lower(email)",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_origin",
    ],
)
def test_one_that_did_would_be_seen(sql):
    assert _TAKES_AWAY.search(sql)


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL", "ALTER TABLE audit_event ADD COLUMN x bigint"],
)
def test_what_adds_is_let_through(sql):
    assert not _TAKES_AWAY.search(sql)
