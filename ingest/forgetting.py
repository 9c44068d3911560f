"""What the receiver forgets of a person who is erased."""

from collections.abc import Sequence
from typing import Any

from django.db import connection


def forget_person(sender: Any, names: Sequence[str], **kwargs: Any) -> None:
    """Deletes what is in quarantine and names them, inside the transaction that erases them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM ingest_quarantined WHERE EXISTS (SELECT FROM unnest(%s::text[]) AS name"
            " WHERE position(name IN lower(encode(request, 'escape'))) > 0)",
            [list(names)],
        )
