"""Long transactions: rows have the stamp of their save, but become visible at the commit.

This makes a watermark skip rows (airbyte#27146): a row appears with a SystemModstamp that is older
than the newest row already read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class DeferredChange:
    """A change of a record that is applied at a later time."""

    object_name: str
    record_id: str
    started_at: datetime
    due: datetime
    apply: Callable[[], None]
    is_transaction: bool  # an open transaction: locks its record and limits latestDateCovered
    unique_values: frozenset[tuple[str, str]] = frozenset()  # (field, value) pairs that it writes


class Transactions:
    """The uncommitted transactions and the scheduled flows."""

    def __init__(self) -> None:
        self._pending: list[DeferredChange] = []

    def add(self, deferred: DeferredChange) -> None:
        """Schedule a change."""
        self._pending.append(deferred)

    def apply_due(self, now: datetime) -> None:
        """Apply the changes that are due, the oldest first."""
        if not self._pending:
            return
        due = sorted((d for d in self._pending if d.due <= now), key=lambda d: d.due)
        self._pending = [d for d in self._pending if d.due > now]
        for deferred in due:
            deferred.apply()

    def is_locked(self, record_id: str) -> bool:
        """Return whether an open transaction has locked a record."""
        return any(d.is_transaction and d.record_id == record_id for d in self._pending)

    def has_unique_value(self, field_name: str, value: str, record_id: str) -> bool:
        """Return whether an open transaction has written this unique value to another record."""
        pair = (field_name, value.casefold())
        return any(pair in d.unique_values and d.record_id != record_id for d in self._pending)

    def oldest_start(self) -> datetime | None:
        """Return when the oldest open transaction began."""
        return min((d.started_at for d in self._pending if d.is_transaction), default=None)

    def open_count(self) -> int:
        """Return how many transactions are open."""
        return sum(d.is_transaction for d in self._pending)
