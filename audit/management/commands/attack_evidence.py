import sys
from collections.abc import Iterator
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from django.db import connections
from psycopg import sql

from audit import grants
from audit.attacks import histories, refusals, scratch
from audit.attacks.attempts import Attempt


class Command(BaseCommand):
    help = (
        "Attack the evidence as each role of the database, and take everything back: prints what was refused and what "
        "was seen. Exit code 1 if anything was neither."
    )

    def handle(self, **options: Any) -> None:
        missed = 0
        for attempt in attempts():
            missed += attempt.missed
            mark = "MISSED" if attempt.missed else "ok"
            self.stdout.write(
                f"{mark:<7}{attempt.attack:<42}{attempt.role:<22}{attempt.expected:<16}{attempt.observed[:300]}"
            )
        self.stdout.write(f"{missed} attacks were missed." if missed else "Every attack was refused or seen.")
        if missed:
            sys.exit(1)


def attempts() -> Iterator[Attempt]:
    """As the application, the owner and the eraser where there are such; then on a small ledger of its own."""
    application, owner = (connections[alias].settings_dict["USER"] for alias in ("default", "owner"))
    if application != owner:
        with _connected("default") as connection:
            yield from refusals.attempts(connection, str(application), owns=False)
    with _connected("owner") as connection:
        yield from refusals.attempts(connection, str(owner), owns=True)
        if _may_become(connection, grants.ERASER):
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(grants.ERASER)))
            yield from refusals.attempts(connection, grants.ERASER, owns=False)
    with _connected("default") as connection, scratch.laid_out(connection) as laid_out:
        yield from histories.attempts(laid_out)


def _connected(alias: str) -> psycopg.Connection:
    """A connection of its own, which takes temporary tables and roles with it when it ends."""
    parameters = connections[alias].get_connection_params()
    return psycopg.connect(**{**parameters, "cursor_factory": None, "context": None}, autocommit=True)


def _may_become(connection: psycopg.Connection, role: str) -> bool:
    row = connection.execute(
        "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s", [role]
    ).fetchone()
    return bool(row and row[0])
