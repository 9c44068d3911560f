"""What a vendor's key is recognised by. Nothing here keeps or shows one."""

import hashlib
import hmac

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from connectors.vendors.shape import KeyKind, Vendor

FINGERPRINT_DIGITS = 16
LONGEST_KEY = 4096
_PURPOSE = b"agp/vendor-key/v1\n"


class WrongKey(Exception):
    """What was pasted is no key that this vendor takes; the message says why, in plain words and without the key."""


@sensitive_variables("key")
def recognised(vendor: Vendor, key: str) -> KeyKind:
    """The kind of key it is, by its beginning. Raises WrongKey."""
    if not key:
        raise WrongKey("Paste the key.")
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise WrongKey("This is no key: keys are one word of letters, digits and signs. Copy it again, whole.")
    kind = vendor.kind_of(key)
    if kind is None:
        raise WrongKey(f"This does not look like a key for {vendor.title}: it begins differently.")
    if kind.refusal:
        raise WrongKey(kind.refusal)
    return kind


@sensitive_variables("key")
def fingerprint(key: str) -> str:
    """The same key has the same fingerprint on this portal, and nobody else can try keys against it."""
    digest = hmac.new(settings.INGEST_SECRET_KEY, _PURPOSE + key.encode(), hashlib.sha256)
    return digest.hexdigest()[:FINGERPRINT_DIGITS]


@sensitive_variables("key")
def last_four(key: str) -> str:
    """For a person to compare; nothing of a key that is too short for that."""
    return key[-4:] if len(key) >= 20 else ""
