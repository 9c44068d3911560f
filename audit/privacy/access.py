"""What a person may have of their own (GDPR, articles 15 and 20): everything recorded of them, and who looked at it.

Lines of JSON, so that it is read by machines as it is: one that says what this is, their identities, their events as
the feed tells them, their metric points, what other apps keep of them (audit.signals.person_exported), and the portal's
records of who saw, exported or erased what is theirs.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from audit.export import native
from audit.export.reading import Reader
from audit.export.values import named
from audit.models import MetricPoint, Session, Subject
from audit.privacy import people
from audit.signals import person_exported

FORMAT = "agp-subject-access/1"
IDS_AT_ONCE = 500

_EVENTS = """
    SELECT id FROM audit_event
    WHERE (subject_id = ANY(%(subjects)s) OR subject_id IS NULL AND session = ANY(%(sessions)s)) AND id > %(after)s
    ORDER BY id LIMIT %(limit)s
"""
_ACTS = """
    SELECT e.id FROM audit_event e LEFT JOIN audit_content c ON c.event_id = e.id
    WHERE e.agent = 'portal' AND e.kind IN ('admin', 'auth') AND e.id > %(after)s AND EXISTS (
        SELECT FROM unnest(%(mentions)s::text[]) AS name
        WHERE position(name IN lower(convert_from(e.facts, 'UTF8'))) > 0
            OR position(name IN lower(convert_from(c.bytes, 'UTF8'))) > 0)
    ORDER BY e.id LIMIT %(limit)s
"""


def lines(subjects: Sequence[UUID]) -> Iterator[bytes]:
    """Everything of a person's. Read in portions; each line is whole."""
    sessions = list(Session.objects.filter(subject_id__in=subjects).values_list("pk", flat=True))
    yield _line(
        {"format": FORMAT, "made_at": timezone.now().isoformat(), "pseudonyms": [str(each) for each in subjects]}
    )
    for subject in Subject.objects.filter(pk__in=subjects).order_by("pk"):
        yield _line({"identity": _identity(subject)})
    reader = Reader(with_content=True, with_identity=True)
    wanted: dict[str, Any] = {"subjects": list(subjects), "sessions": sessions}
    for event in _read(reader, _EVENTS, wanted):
        yield b'{"event":' + event + b"}\n"
    for point in MetricPoint.objects.filter(subject_id__in=subjects).order_by("pk").iterator(IDS_AT_ONCE):
        yield _line({"metric_point": _point(point)})
    names = people.names(subjects)
    for _, answer in person_exported.send(sender=Subject, names=names):
        rows: Any = answer
        yield from (_line({kind: row}) for kind, row in rows)
    mentions = [*names, *(str(each) for each in (*subjects, *sessions))]
    for event in _read(reader, _ACTS, {"mentions": mentions}):
        yield b'{"seen_by":' + event + b"}\n"


def _read(reader: Reader, statement: str, wanted: dict[str, Any]) -> Iterator[bytes]:
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {**wanted, "after": after, "limit": IDS_AT_ONCE})
            ids = [identifier for (identifier,) in cursor.fetchall()]
        if not ids:
            return
        yield from map(native.encode, reader.of(ids))
        after = ids[-1]


def _identity(subject: Subject) -> dict[str, Any]:
    names = ("email", "account_uuid", "account_id", "install_id", "organization_id", "host", "provenance")
    return {"pseudonym": str(subject.pk), **{name: getattr(subject, name) for name in names}}


def _point(point: MetricPoint) -> dict[str, Any]:
    return {
        "id": str(point.pk),
        "agent": point.agent,
        "name": point.name,
        "unit": point.unit,
        "occurred_at": point.occurred_at.isoformat() if point.occurred_at else None,
        "session_id": point.session_id,
        "value": point.value,
        "attributes": named(json.loads(bytes(point.attributes))),
        "data": json.loads(bytes(point.data)),
    }


def _line(what: dict[str, Any]) -> bytes:
    return json.dumps(what, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
