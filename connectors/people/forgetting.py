"""What connectors forget of a person who is erased, and what they tell of one who asks (docs/people.md)."""

import gzip
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models

from connectors.models import (
    Device,
    Identity,
    Membership,
    Page,
    Person,
    PersonChange,
    Reported,
    Seat,
    UsageDay,
)
from connectors.people.identities import settled

SHORTEST_NAME = 6
"""Shorter ones stand in too many texts by chance."""

ERASED = "erased"
PAGES_AT_ONCE = 50

_NAMED = """
    SELECT id FROM connectors_identity WHERE lower(value) = ANY(%(names)s) OR kind = 'git'
        AND EXISTS (SELECT FROM unnest(%(names)s::text[]) AS said WHERE position(said IN lower(value)) > 0)
"""
_TELLING = """
    UPDATE connectors_personchange SET detail = jsonb_build_object('erased', true)
    WHERE EXISTS (SELECT FROM unnest(%s::text[]) AS said WHERE position(said IN lower(detail::text)) > 0)
"""
_WITH_NAME = "EXISTS (SELECT FROM unnest(%s::text[]) AS said WHERE position(said IN lower({})) > 0)"


def forget_person(sender: Any, names: Sequence[str], **kwargs: Any) -> None:
    """Inside the transaction that erases them: nothing of connectors names them afterwards.

    Figures stay, under an identity that names nobody. Also goes what people said are further names of theirs.
    """
    with settled():
        people = _people(names)
        identities = _identities(people, names)
        every = {*names, *(value.lower() for value in identities.values_list("value", flat=True))}
        said = sorted(name for name in every if len(name) >= SHORTEST_NAME)
        _forget_fleet(identities, said)
        _forget_identities(identities)
        called = [name.lower() for name in people.values_list("name", flat=True) if len(name) >= SHORTEST_NAME]
        PersonChange.objects.filter(person__in=people).delete()
        _forget_changes([*said, *called])
        Membership.objects.filter(person__in=people).delete()
        people.update(merged_into=None)
        people.delete()
        _forget_reported(said)
        _forget_pages(said)


def _named(names: Sequence[str]) -> list[int]:
    """The identities that are called so, Git authors with such an address included."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, {"names": list(names)})
        return [key for (key,) in cursor.fetchall()]


def _people(names: Sequence[str]) -> models.QuerySet[Person]:
    """Whose the names are, with everybody who was merged into them.

    By addresses and accounts where these are somebody's: an installation may be another's by now, who keeps it.
    """
    named = Identity.objects.filter(pk__in=_named(names)).exclude(person=None)
    strong = named.exclude(kind=Identity.Kind.INSTALL)
    found = set((strong if strong.exists() else named).values_list("person_id", flat=True))
    found |= set(Person.objects.filter(email__in=names).values_list("pk", flat=True))
    while True:
        more = set(Person.objects.filter(merged_into__in=found).values_list("pk", flat=True)) - found
        if not more:
            return Person.objects.filter(pk__in=found)
        found |= more


def _identities(people: models.QuerySet[Person], names: Sequence[str]) -> models.QuerySet[Identity]:
    nobodys = models.Q(pk__in=_named(names), person=None)
    return Identity.objects.filter(models.Q(person__in=people) | nobodys)


def _forget_fleet(identities: models.QuerySet[Identity], said: Sequence[str]) -> None:
    Seat.objects.filter(identity__in=identities).delete()
    with connection.cursor() as cursor:
        for table, columns in (("seat", ("external_id", "name")), ("device", ("email", "host", "serial"))):
            for column in columns:
                cursor.execute(f"DELETE FROM connectors_{table} WHERE {_WITH_NAME.format(column)}", [list(said)])  # noqa: S608


def _forget_identities(identities: models.QuerySet[Identity]) -> None:
    """Those with usage go on as nobody's, under a value that says nothing; the others go."""
    rows = list(identities)
    used = set(UsageDay.objects.filter(identity__in=rows).values_list("identity_id", flat=True))
    kept = [row for row in rows if row.pk in used]
    for row in kept:
        row.value, row.person, row.basis = f"{ERASED}-{secrets.token_hex(8)}", None, ERASED
    Identity.objects.bulk_update(kept, ["value", "person", "basis"], 1000)
    Identity.objects.filter(pk__in=[row.pk for row in rows if row.pk not in used]).delete()


def _forget_changes(said: Sequence[str]) -> None:
    """What other people's histories say of them: the reasons that somebody wrote."""
    with connection.cursor() as cursor:
        cursor.execute(_TELLING, [list(said)])


def _forget_reported(said: Sequence[str]) -> None:
    """Figures stay, names in them are struck out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM connectors_reported WHERE {_WITH_NAME.format('key || data::text')}",  # noqa: S608
            [list(said)],
        )
        ids = [key for (key,) in cursor.fetchall()]
    for row in Reported.objects.filter(pk__in=ids).iterator(500):
        row.data = struck(row.data, said)
        if _says(row.key, said):
            row.key = f"{ERASED}-{secrets.token_hex(8)}"
        row.save(update_fields=["key", "data"])


def struck(data: Any, said: Sequence[str]) -> Any:
    """JSON without the texts and keys that name them."""
    if isinstance(data, dict):
        return {(ERASED if _says(key, said) else key): struck(value, said) for key, value in data.items()}
    if isinstance(data, list):
        return [struck(value, said) for value in data]
    return ERASED if isinstance(data, str) and _says(data, said) else data


def _says(text: str, said: Iterable[str]) -> bool:
    lower = text.lower()
    return any(name in lower for name in said)


def _forget_pages(said: Sequence[str]) -> None:
    """Bodies that name them are dropped; number and hash stay, so that it can be told that there was one."""
    if not said:
        return
    pattern = re.compile("|".join(re.escape(name) for name in said))
    dead = [key for key, body in _bodies() if names_them(body, pattern)]
    Page.objects.filter(pk__in=dead).update(body=b"", cursor="")


def _bodies() -> Iterator[tuple[int, bytes]]:
    rows = Page.objects.exclude(body=b"").order_by("pk").values_list("pk", "body")
    return ((key, bytes(body)) for key, body in rows.iterator(PAGES_AT_ONCE))


def names_them(body: bytes, pattern: re.Pattern[str]) -> bool:
    """Whether a gzipped body has one of the names, however its JSON spells them. What cannot be read counts as one."""
    try:
        text = gzip.decompress(body).decode("utf-8", "replace")
        if pattern.search(text.lower()):
            return True
        return "\\" in text and pattern.search(json.dumps(json.loads(text), ensure_ascii=False).lower()) is not None
    except (OSError, EOFError, ValueError, RecursionError):
        return True


def told_of(sender: Any, names: Sequence[str], **kwargs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What connectors keep of a person, for them: one kind and row after the other."""
    people = _people(names)
    identities = _identities(people, names)
    every = [*names, *identities.values_list("value", flat=True)]
    rows: Sequence[tuple[str, models.QuerySet[Any]]] = (
        ("person", people),
        ("person_identity", identities),
        ("team_membership", Membership.objects.filter(person__in=people).annotate(team_name=models.F("team__name"))),
        ("person_change", PersonChange.objects.filter(person__in=people)),
        ("seat", Seat.objects.filter(identity__in=identities)),
        ("device", Device.objects.filter(email__in=every)),
        ("usage_day", UsageDay.objects.filter(identity__in=identities)),
    )
    for kind, found in rows:
        for row in found.order_by("pk").values().iterator(500):
            yield kind, row
