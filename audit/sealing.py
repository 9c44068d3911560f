"""The sealer’s process, round by round: number and integrate, sign the head, leave a heartbeat in the ledger."""

import time
from collections.abc import Callable

import psycopg
from django.conf import settings

from audit import acts, checkpoints, sealer, tree
from audit.loop import Halted
from audit.signer import Signer, SignerError

SIGN_SECONDS = 1.0
HEARTBEAT_SECONDS = 60.0


class Sealing:
    """Without a key this process only numbers and integrates: the one signer is on another host."""

    def __init__(self, signer: Signer | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._signer = signer or Signer(settings.AUDIT_SIGNER_FOLDER)
        self._clock = clock
        self._signed_at = self._beaten_at = -SIGN_SECONDS - HEARTBEAT_SECONDS

    def round(self, connection: psycopg.Connection) -> int:
        """How many events were numbered or integrated. Raises Halted when more was signed than the database holds."""
        try:
            checkpoints.check_grown(connection, self._signer)
            done = sealer.seal(connection)
            self._sign(connection)
        except SignerError as error:
            raise Halted(f"{error} docs/ledger.md says what to do.") from error
        self._beat(connection)
        return done

    def _sign(self, connection: psycopg.Connection) -> None:
        if self._signer.has_key and self._clock() - self._signed_at >= SIGN_SECONDS:
            checkpoints.sign(connection, self._signer)
            self._signed_at = self._clock()

    def _beat(self, connection: psycopg.Connection) -> None:
        """An event that says the ledger was alive: silence between two of them is silence of the agents."""
        if self._clock() - self._beaten_at >= HEARTBEAT_SECONDS:
            with psycopg.Cursor(connection) as cursor:
                acts.record("ledger.heartbeat", facts={"ledger.size": tree.size(cursor)})
            self._beaten_at = self._clock()
