"""Each token's budget of records a minute, as a bucket that fills steadily (in each process by itself)."""

import threading
import time
from collections.abc import Callable

from connectors.tokens import TokenRecord


class Budgets:
    """Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}

    def spend(self, token: TokenRecord, records: int) -> bool:
        """Takes `records` from the token's bucket; False, and nothing taken, if it is empty.

        A bucket holds one minute's worth. A request larger than what is left may still pass once, since it could
        otherwise never pass; the bucket then has a debt to fill first.
        """
        limit = token.records_per_minute
        if limit is None:
            return True
        now = self._clock()
        with self._lock:
            left, since = self._buckets.get(token.id, (float(limit), now))
            left = min(limit, left + (now - since) * limit / 60)
            if left <= 0:
                self._buckets[token.id] = (left, now)
                return False
            self._buckets[token.id] = (left - records, now)
            return True
