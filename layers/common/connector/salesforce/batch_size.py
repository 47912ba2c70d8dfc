"""The number of records in one call to sObject Collections, which adapts to the org's triggers.

A trigger that exceeds a governor limit fails every record of a call, and the cure is a smaller call
(Apex Developer Guide, "Execution Governors and Limits"). The size that works is remembered for a
day, for all functions; after that it is doubled every day, because triggers change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from connector.errors import RetryError
from connector.stores import DocumentStore

MAX_SIZE: Final = 200
"""Records in one call (REST API Developer Guide, "sObject Collections")."""
MEMORY_SECONDS: Final = 24 * 3600.0
"""How long a size is used before a larger one is tried."""
LOAD_SECONDS: Final = 300.0
"""How long a process uses the size that it read."""
SIZE_KEY: Final = "salesforce_batch_size"
FAULTS_BEFORE_LEARNING: Final = 2
"""One call that failed may have met a busy moment; the second one shows a limit of the org."""


class BatchSize:
    """The present size of a call, shared by all functions. `clock`: seconds since 1970."""

    def __init__(self, store: DocumentStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._size = MAX_SIZE
        self._loaded_at = -math.inf
        self._faults = 0

    @property
    def current(self) -> int:
        """How many records a call may have now."""
        return self._size

    def refresh(self) -> None:
        """Read the size that other processes have learned, unless it was read a moment ago."""
        now = self._clock()
        if not self._loaded_at <= now <= self._loaded_at + LOAD_SECONDS:
            self._size = self._load(now)
            self._loaded_at = now

    def report(self, failed: int, largest_saved: int) -> None:
        """Report the calls of one batch all of whose records can be saved.

        `failed` is the number of calls that failed as a whole, `largest_saved` the records of the
        largest call that succeeded.
        """
        if not failed:
            self._faults = 0 if largest_saved >= self._size else self._faults
            return
        self._faults += failed
        if self._faults < FAULTS_BEFORE_LEARNING or not 0 < largest_saved < self._size:
            return
        self.learn(largest_saved)

    def learn(self, size: int) -> None:
        """Use a smaller size, and remember it for a day."""
        if not 0 < size < self._size:
            return
        now = self._clock()
        self._size, self._loaded_at = size, now
        document = {"size": size, "until": now + MEMORY_SECONDS}
        # When it cannot be stored, other processes learn it themselves: the writes are done.
        with suppress(RetryError):
            self._store.save_document(SIZE_KEY, document)

    def _load(self, now: float) -> int:
        """Return the stored size, doubled for each day since its end."""
        match self._store.load_document(SIZE_KEY):
            case {"size": int(size), "until": float(until)} if (
                0 < size <= MAX_SIZE and math.isfinite(until)
            ):
                days = max(0, math.floor((now - until) / MEMORY_SECONDS) + 1)
                return min(MAX_SIZE, size << min(days, MAX_SIZE))
            case _:
                return MAX_SIZE
