"""API calls by kind, with separate totals of reads, writes and logins."""

from __future__ import annotations

from typing import Any

from local.control import CallCounter

LOGIN = "login"
WRITES = frozenset(
    {
        "create",
        "update",
        "upsert",
        "delete",
        "collections_create",
        "collections_update",
        "collections_upsert",
        "collections_delete",
    }
)


class OrgCallCounter(CallCounter):
    """The shared counter, with totals of reads, writes and logins; a login is not an API request.

    A composite or tooling call counts as a write when it contains a write.
    """

    def __init__(self) -> None:
        super().__init__()
        self._other_writes = 0

    def count_call(self, kind: str, records: int, *, writes: bool) -> None:
        """Count one API call of a kind that may read or write."""
        self.count(kind, records)
        if writes and kind not in WRITES:
            with self._lock:
                self._other_writes += 1

    def mark(self) -> None:
        """Set all counts to zero."""
        super().mark()
        with self._lock:
            self._other_writes = 0

    def since_mark(self) -> dict[str, Any]:
        """Return the totals, the calls by kind and the records by kind."""
        counts = super().since_mark()
        calls: dict[str, int] = counts["calls"]
        logins = calls.get(LOGIN, 0)
        total = counts["total"] - logins
        writes = sum(n for kind, n in calls.items() if kind in WRITES) + self._other_writes
        return counts | {
            "total": total,
            "reads": total - writes,
            "writes": writes,
            "logins": logins,
        }
