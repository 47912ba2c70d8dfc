"""The rate limit: a token bucket with a capacity of one minute of calls."""

from __future__ import annotations

import threading

from local.control import SimulatedClock
from local.plezi_tenant.timestamps import to_millis

UNITS_PER_SECOND = 1000
UNITS_PER_CALL = 60 * UNITS_PER_SECOND
"""Cost of one call, in units. A limit of n calls a minute refills n units a millisecond: exact
integer arithmetic."""


class TokenBucket:
    """A limit on the average calls per minute, with a burst of up to one minute's calls."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._per_minute = 0
        self._units = 0
        self._filled_at = 0

    def take(self, per_minute: int) -> int:
        """Take one call from the bucket; return 0, or the whole seconds to wait before a retry."""
        with self._lock:
            now = to_millis(self._clock.now())
            full = per_minute * UNITS_PER_CALL
            if per_minute != self._per_minute:
                self._per_minute = per_minute
                self._units = full
            elapsed = max(0, now - self._filled_at)
            self._units = min(full, self._units + elapsed * per_minute)
            self._filled_at = now
            if per_minute == 0:
                return 0
            if self._units >= UNITS_PER_CALL:
                self._units -= UNITS_PER_CALL
                return 0
            return -(-(UNITS_PER_CALL - self._units) // (per_minute * UNITS_PER_SECOND))
