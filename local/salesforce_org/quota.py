"""API requests of the last 24 hours, for `Sforce-Limit-Info` and `/limits`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
ENTERPRISE = 100_000 + 1_000 * 10  # requests per 24 hours: Enterprise Edition with ten licences


@dataclass(slots=True)
class _Minute:
    start: datetime
    calls: int


class Quota:
    """A rolling count in buckets of one minute."""

    def __init__(self, maximum: int = ENTERPRISE) -> None:
        self.maximum = maximum
        self._minutes: deque[_Minute] = deque()
        self._used = 0

    def count(self, now: datetime) -> None:
        """Count one request."""
        start = now.replace(second=0, microsecond=0)
        if self._minutes and self._minutes[-1].start == start:
            self._minutes[-1].calls += 1
        else:
            self._minutes.append(_Minute(start, 1))
        self._used += 1

    def used(self, now: datetime) -> int:
        """Return the number of requests in the last 24 hours."""
        while self._minutes and self._minutes[0].start <= now - DAY:
            self._used -= self._minutes.popleft().calls
        return self._used

    def set(self, used: int, now: datetime) -> None:
        """Replace the count: `used` requests, all at the current time."""
        self._minutes.clear()
        self._minutes.append(_Minute(now.replace(second=0, microsecond=0), used))
        self._used = used
