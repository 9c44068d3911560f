"""What the application's login may do. It may add evidence and read it; the database refuses it everything else.

Applied by the schema's owner after each migrate. When both logins are the same (one external DATABASE_URL only), only
the triggers protect evidence; the system check audit.W001 says so.

Erasing is done by functions that belong to a third role, the eraser, which nobody logs in as. Where the owner may not
make that role (an external server), they stay the owner's own; the system check audit.W002 says so.
"""

from typing import Any

from django.db import connections
from psycopg import sql

APPEND_ONLY = (
    "audit_subject", "audit_origin", "audit_event", "audit_content", "audit_metric_point", "audit_seal",
    "audit_epoch", "audit_tile", "audit_checkpoint", "audit_cosignature", "audit_hold",
    "audit_erased", "audit_purge",
)  # fmt: skip
"""Tables whose rows change by the functions below alone: triggers refuse all else, and the application has no right."""
RECORDED_BY_THE_ERASER = ("audit_erased", "audit_purge")
EVIDENCE = (*APPEND_ONLY, "audit_held")
ERASER = "portal_eraser"
_ERASING = (
    "audit_erase_contents_v1(uuid[], uuid)",
    "audit_erase_facts_v1(uuid[], uuid)",
    "audit_erase_subjects_v1(uuid[], uuid)",
    "audit_forget_points_v1(uuid[], uuid)",
    "audit_release_hold_v1(bigint, text, text, uuid)",
)
_PURGING = "audit_purge_month_v1(date, uuid)"
"""For the owner alone: only who owns a table can take a partition off it."""
_ERASERS_RIGHTS = {
    "audit_subject": "SELECT, UPDATE",
    "audit_event": "SELECT, UPDATE",
    "audit_hold": "SELECT, UPDATE",
    "audit_content": "SELECT, DELETE",
    "audit_metric_point": "SELECT, DELETE",
    "audit_origin": "SELECT",
    "audit_held": "SELECT",
    "audit_erased": "SELECT, INSERT",
}


def application_login() -> str:
    return str(connections["default"].settings_dict["USER"])


def apply() -> None:
    """Hands the erasing to the eraser, and grants the application's login its rights unless it is the owner itself."""
    login = application_login()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
        _empower_eraser(cursor)
        if owner != login:
            _restrict(cursor, login)


def has_eraser() -> bool:
    """Whether erasing is done by a role of its own."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(proowner) = %s FROM pg_proc WHERE oid = to_regprocedure(%s)", [ERASER, _ERASING[0]]
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _restrict(cursor: Any, login: str) -> None:
    role = sql.Identifier(login)
    cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    cursor.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
    cursor.execute(
        """SELECT c.relname FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
             AND c.relowner = current_user::regrole"""
    )
    for (table,) in cursor.fetchall():
        cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(table), role))
        cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(_rights(table)), sql.Identifier(table), role))
    for function in _ERASING:
        cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), role))


def _rights(table: str) -> str:
    if table in (*RECORDED_BY_THE_ERASER, "django_migrations"):
        return "SELECT"
    if table in EVIDENCE:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE, DELETE"


def _empower_eraser(cursor: Any) -> None:
    for function in (*_ERASING, _PURGING):
        cursor.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function)))
    if not _found_or_made(cursor):
        return
    eraser = sql.Identifier(ERASER)
    for table, rights in _ERASERS_RIGHTS.items():
        cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), eraser))
    cursor.execute(sql.SQL("GRANT USAGE ON SEQUENCE audit_erasure_count TO {}").format(eraser))
    cursor.execute(
        sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(eraser)
    )  # CREATE: to be given functions
    for function in _ERASING:
        cursor.execute(sql.SQL("ALTER FUNCTION {} OWNER TO {}").format(sql.SQL(function), eraser))
    cursor.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(eraser))


def _found_or_made(cursor: Any) -> bool:
    """Whether there is an eraser that the owner may hand functions to."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ERASER])
    if cursor.fetchone() is None:
        cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(ERASER)))
        cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ERASER)))
    cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [ERASER])
    return bool(cursor.fetchone()[0])
