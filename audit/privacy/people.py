"""Who a person is to the ledger: their identities, what names them, and how much there is of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from audit.models import MetricPoint, Session, Subject
from audit.privacy import holds, identities
from audit.search import lookups

_NAMING = ("email", "account_uuid", "account_id", "install_id")
_SHORTEST_NAME = 6
"""Shorter ones stand in too many texts by chance."""

_CONTENTS = """
    SELECT count(*) FROM audit_event e JOIN audit_content c ON c.event_id = e.id
    WHERE e.subject_id = ANY(%(subjects)s) OR e.subject_id IS NULL AND e.session IN (
        SELECT id FROM audit_session WHERE subject_id = ANY(%(subjects)s))
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """How much there is of a person's, and the holds that cover it."""

    identities: Sequence[Subject]
    events: int
    contents: int
    sessions: int
    points: int
    holds: Sequence[int]


def find(who: str) -> list[UUID]:
    """All identities of a person who is named by e-mail, account, installation or pseudonym; none: nobody is.

    Those without an e-mail of their own that share an account or an installation with one of them are theirs, too.
    """
    if lookups.is_pseudonym(who):
        found = list(lookups.people(who))
        emails = Subject.objects.filter(pk__in=found).exclude(email=None).values_list("email", flat=True)
        return sorted({*found, *(each for email in emails if email for each in identities.of(email))})
    return sorted(identities.of(who))


def overview(subjects: Sequence[UUID]) -> Overview:
    with connection.cursor() as cursor:
        cursor.execute(_CONTENTS, {"subjects": list(subjects)})
        (contents,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM audit_event WHERE subject_id = ANY(%s)", [list(subjects)])
        (events,) = cursor.fetchone()
    return Overview(
        identities=list(Subject.objects.filter(pk__in=subjects).order_by("pk")),
        events=events,
        contents=contents,
        sessions=Session.objects.filter(subject_id__in=subjects).count(),
        points=MetricPoint.objects.filter(subject_id__in=subjects).count(),
        holds=holds.covering(subjects),
    )


def names(subjects: Sequence[UUID]) -> list[str]:
    """The texts that name them, in lower case: what no other record may go on saying."""
    rows = Subject.objects.filter(pk__in=subjects).values_list(*_NAMING)
    return sorted({name.lower() for row in rows for name in row if name and len(name) >= _SHORTEST_NAME})
