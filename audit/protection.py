"""Whether the database still refuses to change evidence: triggers on, no rule and no foreign key, no right too many.

The owner of the tables can take all of that away. It is looked at with every verification, and what was done meanwhile
is found by what verifying recomputes.
"""

from collections.abc import Iterator

import psycopg

from audit import grants
from audit.verification import Fault

# A trigger that is off or gone; statement triggers are not cloned to partitions, so each has its own.
_TRIGGERS = """
    SELECT c.relname, wanted.name FROM pg_class c
    JOIN pg_class root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)
    CROSS JOIN (VALUES ('append_only'), ('no_truncate')) AS wanted (name)
    LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = wanted.name AND t.tgenabled IN ('O', 'A')
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND root.relname = ANY(%(tables)s)
        AND t.oid IS NULL ORDER BY 1, 2
"""
_RULES = """
    SELECT c.relname, r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = 'public'::regnamespace
        AND (SELECT relname FROM pg_class WHERE oid = coalesce(pg_partition_root(c.oid), c.oid)) = ANY(%(tables)s)
    ORDER BY 1, 2
"""
_KEYS = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND EXISTS (
        SELECT FROM pg_class c WHERE c.oid IN (conrelid, confrelid) AND c.relnamespace = 'public'::regnamespace
            AND (SELECT relname FROM pg_class WHERE oid = coalesce(pg_partition_root(c.oid), c.oid)) = ANY(%(tables)s))
    ORDER BY 1, 2
"""
_RIGHTS = """
    SELECT c.relname, wanted.name FROM pg_class c
    CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS wanted (name)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND (SELECT relname FROM pg_class WHERE oid = coalesce(pg_partition_root(c.oid), c.oid)) = ANY(%(tables)s)
        AND c.relowner <> %(login)s::regrole AND has_table_privilege(%(login)s, c.oid, wanted.name) ORDER BY 1, 2
"""


def faults(connection: psycopg.Connection) -> Iterator[Fault]:
    """What no longer stands in the way of a change. Where the application is the owner, its rights are not told."""
    given = {"tables": list(grants.APPEND_ONLY), "login": grants.application_login()}
    with psycopg.Cursor(connection) as cursor:
        for statement, told in (
            (_TRIGGERS, "its trigger {} is off or gone: changes are not refused"),
            (_RULES, "the rule {} stands before it"),
            (_KEYS, "the foreign key {} leads into or out of evidence"),
            (_RIGHTS, "the application has the right to {}"),
        ):
            cursor.execute(statement, given)
            yield from [Fault(table, told.format(name)) for table, name in cursor.fetchall()]
