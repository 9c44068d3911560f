"""Secrets that must be read again, such as vendors' API keys: sealed in the database, with keys that are not in it.

AES-256-GCM (NIST SP 800-38D) with a random nonce. The associated data is table, row and field, so that a sealed value
copied to another place does not open. `seal` and `unseal` are all there is; nothing but a worker should unseal.
"""

from django.conf import settings
from django.db import connection, models
from django.db.transaction import TransactionManagementError

from connectors.credentials.cipher import Key, Unreadable, key_id_of
from connectors.credentials.cipher import seal as _seal
from connectors.credentials.cipher import unseal as _unseal
from connectors.credentials.field import SealedField
from connectors.credentials.keyring import KeyRing, NoKey
from connectors.credentials.rows import sealed_fields

__all__ = [
    "KeyRing",
    "NoKey",
    "SealedField",
    "Unreadable",
    "current_key",
    "key_id_or_none",
    "ring",
    "seal",
    "unseal",
    "wait_for_sealing",
]

_SEALING = "hashtextextended('connectors.credentials', 0)"


def ring() -> KeyRing:
    """The key ring of this installation."""
    return KeyRing(settings.CONNECTORS_KEY_FOLDER)


def seal(row: models.Model, field: str, secret: str) -> None:
    """Puts the secret into the row's field, sealed for just that place. The row must have its primary key.

    Call it in the transaction that saves the row: until that ends, no rotation takes this key out of use.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("Secrets are sealed in the transaction that saves them.")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_SEALING})")
    setattr(row, field, _seal(current_key(), _place(row, field), secret.encode()))


def current_key() -> Key:
    """The key for new values, made if there never was one. Raises NoKey if the ring is gone that others need."""
    return ring().current(may_make=not _any_sealed())


def unseal(row: models.Model, field: str) -> str:
    """The secret in the row's field.

    Raises Unreadable when it was changed or belongs elsewhere, and NoKey when its key is not in the ring.
    """
    sealed = bytes(getattr(row, field))
    return _unseal(ring().key(key_id_of(sealed)), _place(row, field), sealed).decode()


def key_id_or_none(sealed: bytes) -> bytes | None:
    """The id of the key it was sealed with; None if it is no sealed value."""
    try:
        return key_id_of(bytes(sealed))
    except Unreadable:
        return None


def wait_for_sealing() -> None:
    """Until the transaction ends, nobody seals; whoever was at it has ended."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_SEALING})")


def _place(row: models.Model, field: str) -> bytes:
    """Where a sealed value belongs: its associated data."""
    return f"{row._meta.db_table}|{row.pk}|{field}".encode()


def _any_sealed() -> bool:
    """Whether something is sealed already: then a missing key ring was lost, and a new key would hide that."""
    return any(model._default_manager.exclude(**{field.name: None}).exists() for model, field in sealed_fields())
