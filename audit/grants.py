"""What the application's login may do. It may add evidence and read it; the database refuses it everything else.

Applied by the schema's owner after each migrate. When both logins are the same (one external DATABASE_URL only), only
the triggers protect evidence; the system check audit.W001 says so.
"""

from django.db import connections
from psycopg import sql

EVIDENCE = ("audit_subject", "audit_origin", "audit_event", "audit_content", "audit_metric_point", "audit_seal")


def application_login() -> str:
    return str(connections["default"].settings_dict["USER"])


def apply() -> None:
    """Grants the application's login its rights; does nothing when it is the owner itself."""
    login = application_login()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] == login:
            return
        role = sql.Identifier(login)
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        cursor.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
        cursor.execute(
            """SELECT c.relname FROM pg_class c
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND c.relowner = current_user::regrole"""
        )
        for (table,) in cursor.fetchall():
            rights = "SELECT, INSERT" if table in EVIDENCE else "SELECT, INSERT, UPDATE, DELETE"
            if table == "django_migrations":
                rights = "SELECT"
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(table), role))
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), role))
