"""The rate limit: a bucket that holds one minute's calls and fills again as time passes."""

from __future__ import annotations

import math
import threading
from datetime import datetime

from local.control import SimulatedClock

MINUTE = 60.0


class TokenBucket:
    """Calls allowed per minute on average; a quiet minute may be spent at once."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._per_minute = 0
        self._tokens = 0.0
        self._filled_at: datetime = clock.now()

    def wait_for_one(self, per_minute: int) -> int:
        """Take one call out of the bucket: 0, or after how many whole seconds to ask again."""
        with self._lock:
            now = self._clock.now()
            if per_minute != self._per_minute:
                self._per_minute = per_minute
                self._tokens = float(per_minute)
            elapsed = max(0.0, (now - self._filled_at).total_seconds())
            self._tokens = min(float(per_minute), self._tokens + elapsed * per_minute / MINUTE)
            self._filled_at = now
            if per_minute == 0:
                return 0
            if self._tokens >= 1:
                self._tokens -= 1
                return 0
            return math.ceil((1 - self._tokens) * MINUTE / per_minute)
