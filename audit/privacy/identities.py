"""All identities of a person, as the database knows them (audit_identities_v1): the same for holds and for erasing."""

from uuid import UUID

from django.db import connection


def of(value: str) -> list[UUID]:
    """Those that say the e-mail, account, installation or id, and those without an e-mail that share one with them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_identities_v1(%s)", [value])
        return [identity for (identity,) in cursor.fetchall()]
