"""Installations as people read them: host, identity and client beside the counts, and who still uses an old token."""

import datetime as dt

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When

from audit.models import Origin, Subject
from connectors.models import Installation, Token

STILL, SILENT, MOVED = "still", "silent", "moved"

_OF_SUBJECT = ("host", "email", "account_id", "account_uuid", "install_id")
_OF_ORIGIN = ("service_name", "service_version", "entrypoint", "terminal", "os")


def described(rows: QuerySet) -> QuerySet:
    """With what the client says of itself: what was erased is null. Each is looked up by its id, row by row."""
    subject = Subject.objects.filter(pk=OuterRef("subject_id"))
    origin = Origin.objects.filter(pk=OuterRef("origin_id"))
    token = Token.objects.filter(pk=OuterRef("token_id"))
    told: QuerySet = rows.annotate(
        **{name: Subquery(subject.values(name)[:1]) for name in _OF_SUBJECT},
        **{name: Subquery(origin.values(name)[:1]) for name in _OF_ORIGIN},
        token_name=Subquery(token.values("name")[:1]),
        token_prefix=Subquery(token.values("prefix")[:1]),
        token_end=Subquery(token.values("last_four")[:1]),
    )
    return told


def after_rotation(rows: QuerySet) -> QuerySet:
    """With `rotation`: whether a client of a rotated token still used it after that, went silent, or moved on.

    Null for those of a token that was not rotated, and for what a client was before it was seen with the same token as
    another version or from elsewhere. A client that moved is the same identity seen later with the successor; what
    names no identity cannot be recognised there.
    """
    successor = Token.objects.filter(rotated_from_id=OuterRef("token_id"))
    later = Installation.objects.filter(subject_id=OuterRef("subject_id"), last_at__gt=OuterRef("last_at"))
    of_successor = Token.objects.filter(rotated_from_id=OuterRef(OuterRef("token_id"))).values("pk")
    told: QuerySet = rows.annotate(
        rotated_at=Subquery(successor.values("created_at")[:1]),
        rotation=Case(
            When(rotated_at=None, then=None),
            When(Exists(later.filter(token_id__in=of_successor)), then=Value(MOVED)),
            When(Exists(later.filter(token_id=OuterRef("token_id"))), then=None),
            When(last_at__gt=F("rotated_at"), then=Value(STILL)),
            default=Value(SILENT),
            output_field=TextField(),
        ),
    )
    return told


def found(rows: QuerySet, text: str, *, by_identity: bool) -> QuerySet:
    """Those whose host, client or version holds the text; with the right to see identities also by whom."""
    named = Q(host__icontains=text)
    if by_identity:
        named |= Q(email__icontains=text) | Q(account_id=text) | Q(account_uuid=text) | Q(install_id=text)
    subjects = Subject.objects.filter(named).values("pk")
    origins = Origin.objects.filter(Q(service_name__icontains=text) | Q(service_version__startswith=text)).values("pk")
    return rows.filter(Q(subject_id__in=subjects) | Q(origin_id__in=origins))


_SEEN = """
SELECT count(DISTINCT coalesce(subject.install_id, row.subject_id::text, ''))
FROM connectors_installation row LEFT JOIN audit_subject subject ON subject.id = row.subject_id
WHERE row.source_id = %s AND row.last_at > %s
"""


def seen(source_id: int, since: dt.datetime) -> int:
    """How many installations of a source were seen since then, each once, whatever tokens and versions it had.

    Those that name no installation are told apart by their identity, those without any count as one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [source_id, since])
        return int(cursor.fetchone()[0])
