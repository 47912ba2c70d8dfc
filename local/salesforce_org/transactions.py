"""Long transactions: rows stamped when they were saved, seen by others only when they commit.

This is what makes a watermark skip rows (airbyte#27146): a row appears whose SystemModstamp is
older than the newest one that was already read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Deferred:
    """Something that happens to a record at a later instant."""

    object_name: str
    record_id: str
    started_at: datetime
    due: datetime
    apply: Callable[[], None]
    holds: bool  # an open transaction: locks its record and holds back latestDateCovered
    claims: frozenset[tuple[str, str]] = frozenset()  # unique values it has written


class Transactions:
    """What is not committed yet, and what a flow will do later."""

    def __init__(self) -> None:
        self._waiting: list[Deferred] = []

    def add(self, deferred: Deferred) -> None:
        """Have something happen later."""
        self._waiting.append(deferred)

    def settle(self, now: datetime) -> None:
        """Do what is due, oldest first."""
        if not self._waiting:
            return
        due = sorted((d for d in self._waiting if d.due <= now), key=lambda d: d.due)
        self._waiting = [d for d in self._waiting if d.due > now]
        for deferred in due:
            deferred.apply()

    def holds(self, record_id: str) -> bool:
        """Tell whether an open transaction has locked a record."""
        return any(d.holds and d.record_id == record_id for d in self._waiting)

    def claims(self, field_name: str, value: str, record_id: str) -> bool:
        """Tell whether an open transaction has written this unique value to another record."""
        wanted = (field_name, value.casefold())
        return any(wanted in d.claims and d.record_id != record_id for d in self._waiting)

    def oldest_start(self) -> datetime | None:
        """Return when the oldest open transaction began."""
        return min((d.started_at for d in self._waiting if d.holds), default=None)

    def open_count(self) -> int:
        """Return how many transactions are open."""
        return sum(d.holds for d in self._waiting)
