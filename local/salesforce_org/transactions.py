"""Long transactions: rows stamped when they were saved, seen by others only when they commit.

This is what makes a watermark skip rows (airbyte#27146): a row appears whose SystemModstamp is
older than the newest one that was already read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class DeferredChange:
    """Something that happens to a record at a later instant."""

    object_name: str
    record_id: str
    started_at: datetime
    due: datetime
    apply: Callable[[], None]
    is_transaction: bool  # an open transaction: locks its record and holds back latestDateCovered
    unique_values: frozenset[tuple[str, str]] = frozenset()  # unique values it has written


class Transactions:
    """What is not committed yet, and what a flow will do later."""

    def __init__(self) -> None:
        self._pending: list[DeferredChange] = []

    def add(self, deferred: DeferredChange) -> None:
        """Have something happen later."""
        self._pending.append(deferred)

    def apply_due(self, now: datetime) -> None:
        """Do what is due, oldest first."""
        if not self._pending:
            return
        due = sorted((d for d in self._pending if d.due <= now), key=lambda d: d.due)
        self._pending = [d for d in self._pending if d.due > now]
        for deferred in due:
            deferred.apply()

    def is_locked(self, record_id: str) -> bool:
        """Tell whether an open transaction has locked a record."""
        return any(d.is_transaction and d.record_id == record_id for d in self._pending)

    def has_unique_value(self, field_name: str, value: str, record_id: str) -> bool:
        """Tell whether an open transaction has written this unique value to another record."""
        wanted = (field_name, value.casefold())
        return any(wanted in d.unique_values and d.record_id != record_id for d in self._pending)

    def oldest_start(self) -> datetime | None:
        """Return when the oldest open transaction began."""
        return min((d.started_at for d in self._pending if d.is_transaction), default=None)

    def open_count(self) -> int:
        """Return how many transactions are open."""
        return sum(d.is_transaction for d in self._pending)
