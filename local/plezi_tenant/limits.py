"""The rate limit: a bucket that holds one minute's calls and fills again as time passes."""

from __future__ import annotations

import threading

from local.control import SimulatedClock
from local.plezi_tenant.timestamps import to_millis

SECOND = 1000
MINUTE = 60 * SECOND
"""One call weighs a minute in milliseconds, so that a limit of n refills n a millisecond: exact."""


class TokenBucket:
    """Calls allowed per minute on average; a quiet minute may be spent at once."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._per_minute = 0
        self._held = 0
        self._filled_at = 0

    def wait_for_one(self, per_minute: int) -> int:
        """Take one call out of the bucket: 0, or after how many whole seconds to ask again."""
        with self._lock:
            now = to_millis(self._clock.now())
            full = per_minute * MINUTE
            if per_minute != self._per_minute:
                self._per_minute = per_minute
                self._held = full
            elapsed = max(0, now - self._filled_at)
            self._held = min(full, self._held + elapsed * per_minute)
            self._filled_at = now
            if per_minute == 0:
                return 0
            if self._held >= MINUTE:
                self._held -= MINUTE
                return 0
            return -(-(MINUTE - self._held) // (per_minute * SECOND))
