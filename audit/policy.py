"""The policy that the offline verifier needs: whose word counts (docs/ledger.md, "Verifying offline")."""

import json
from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from audit.exceptions import AuditError
from audit.signer import Signer, SignerError

FORMAT = "agp-policy/1"


class NoPolicy(AuditError):
    """Nothing was signed yet, or the key is not on this machine; the text says which."""


def text() -> str:
    """The policy of this ledger as a JSON file, with the keys of all its epochs. Raises NoPolicy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT origin FROM audit_epoch ORDER BY epoch")
        origins = [origin for (origin,) in cursor.fetchall()]
    if not origins:
        raise NoPolicy("Nothing was signed yet.")
    signer = Signer(settings.AUDIT_SIGNER_FOLDER)
    try:
        keys = [str(signer.verifier_key(origin)) for origin in origins]
    except SignerError as error:
        raise NoPolicy(str(error)) from error
    return spelled(origins, keys)


def spelled(origins: Sequence[str], keys: Sequence[str]) -> str:
    """A policy for the epochs of one ledger and their keys, first epoch first."""
    policy = {
        "format": FORMAT,
        "origin": origins[0].rpartition("/")[0],
        "log_keys": keys,
        "witness_keys": [str(each.key) for each in settings.AUDIT_WITNESSES],
        "quorum": settings.AUDIT_WITNESS_QUORUM,
        "max_checkpoint_age_seconds": None,
        "max_heartbeat_gap_seconds": None,
    }
    return json.dumps(policy, indent=2)
