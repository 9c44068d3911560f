"""Changing the key that secrets are sealed with, while everything goes on.

The new key becomes current under a lock that waits for those who are sealing; from then on nothing is sealed with an
older one. Then each secret is sealed anew, in a transaction of its own; cut off, it goes on where it was.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from django.db import connection, models, transaction
from django.db.models.functions import Now
from psycopg import sql

from audit import acts
from connectors import credentials
from connectors.credentials.cipher import ID_BYTES
from connectors.credentials.field import SealedField
from connectors.credentials.rows import sealed_fields
from connectors.models import KeyRotation


def begin(by: acts.Who) -> KeyRotation:
    """A new key, current from now on, and the rotation that seals everything anew with it (`reseal`)."""
    ring = credentials.ring()
    with transaction.atomic():
        credentials.wait_for_sealing()
        old = ring.newest()
        new = ring.make()
        rotation = KeyRotation.objects.create(
            old_key=old.hex() if old else "",
            new_key=new.id.hex(),
            asked_by=str(by),
            total=sum(count for key, count in counts().items() if key != new.id),
        )
        acts.require("credentials.key_rotated", by=by, facts={"key.new": new.id.hex(), "key.old": rotation.old_key})
    return rotation


def counts() -> Counter[bytes]:
    """How many secrets are sealed with each key, by its id."""
    found: Counter[bytes] = Counter()
    with connection.cursor() as cursor:
        for model, field in sealed_fields():
            query = sql.SQL(
                "SELECT substring({column} from 2 for %s), count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1"
            ).format(column=sql.Identifier(field.get_attname()), table=sql.Identifier(model._meta.db_table))
            cursor.execute(query, [ID_BYTES])
            for key, count in cursor.fetchall():
                found[bytes(key)] += count
    return found


def reseal(tell: Callable[[KeyRotation], None] = lambda rotation: None) -> None:
    """Seals with the current key whatever is sealed with another. What does not open stays as it is, and is told."""
    rotation = KeyRotation.objects.filter(finished_at=None).order_by("-pk").first()
    if rotation is None:
        return
    unreadable = []
    newest = credentials.ring().newest()
    for model, field, pk in list(_older(newest)):
        try:
            done = _reseal(model, field, pk, newest)
        except (credentials.Unreadable, credentials.NoKey) as error:
            unreadable.append(f"{model._meta.verbose_name} {pk}: {error}")
            continue
        if done:
            rotation.resealed += 1
            rotation.save(update_fields=["resealed"])
            tell(rotation)
    rotation.told = "\n".join(unreadable)
    rotation.finished_at = Now()
    rotation.save(update_fields=["told", "finished_at"])
    KeyRotation.objects.filter(finished_at=None).update(finished_at=Now())  # overtaken by this one


def remove_unused(by: acts.Who) -> list[bytes]:
    """Deletes the keys that nothing is sealed with, save the current one; their ids."""
    ring = credentials.ring()
    with transaction.atomic():
        credentials.wait_for_sealing()
        used, current = counts(), ring.newest()
        unused = [key for key in ring.ids() if key not in used and key != current]
        for key in unused:
            acts.require("credentials.key_removed", by=by, facts={"key.id": key.hex()})
            ring.remove(key)
    return unused


def _older(newest: bytes | None) -> Iterator[tuple[type[models.Model], SealedField, object]]:
    for model, field in sealed_fields():
        rows = model._default_manager.exclude(**{field.name: None}).order_by("pk").values_list("pk", field.name)
        yield from ((model, field, pk) for pk, sealed in rows if credentials.key_id_or_none(sealed) != newest)


def _reseal(model: type[models.Model], field: SealedField, pk: object, newest: bytes | None) -> bool:
    """Whether there was still something to do: the row may have gone, or its secret been set anew, meanwhile."""
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=pk).exclude(**{field.name: None}).first()
        if row is None or credentials.key_id_or_none(getattr(row, field.name)) == newest:
            return False
        credentials.seal(row, field.name, credentials.unseal(row, field.name))
        row.save(update_fields=[field.name])
    return True
