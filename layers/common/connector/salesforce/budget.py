"""The connector's share of the org's daily API calls, counted by the connector and by Salesforce.

Every response of Salesforce has the number of calls of the whole org in the last 24 hours and their
limit (header `Sforce-Limit-Info`). Other programs use the same limit, so the connector uses only a
share of it, and counts its own calls by the hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from connector.stores import DocumentStore

FORMS_RESERVE: Final = 0.05
"""The part of the limit that forms may use beyond the share; the connector also leaves this part to
other programs when the org's calls run out."""
SECONDS_OF_HOUR: Final = 3600
HOURS: Final = 24
USAGE_KEY: Final = "api_usage"


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the whole org in the last 24 hours, and how many it may make."""

    used: int
    total: int


class CallCounter(Protocol):
    """The connector's own calls, counted for all invocations."""

    def add_calls(self, hour: int, number: int) -> None:
        """Add calls to an hour (hours since 1970)."""

    def calls_since(self, hour: int) -> int:
        """Return the calls in an hour and in the 23 hours after it."""


class CallStore(CallCounter, DocumentStore, Protocol):
    """The shared state of the budget; the ledger implements both parts."""


class CallMeter(Protocol):
    """Counts the calls of one process and keeps the last usage that Salesforce reported."""

    @property
    def served_calls(self) -> int:
        """Return the number of calls that reached Salesforce so far."""

    @property
    def usage(self) -> Usage | None:
        """Return the last usage of the whole org; None before the first response."""


class ApiBudget:
    """Checks the connector's share, a fraction of the org's calls in 24 hours."""

    def __init__(
        self, meter: CallMeter, store: CallStore, clock: Callable[[], float], share: float
    ) -> None:
        self._meter = meter
        self._store = store
        self._clock = clock
        self._share = share
        self._counted = meter.served_calls
        self._earlier: int | None = None

    def exhausted_reason(self, *, forms: bool = False) -> str:
        """Return why no more calls are allowed now, as a sentence; '' while more are allowed."""
        usage = self._usage()
        if usage is None or usage.total <= 0:
            return ""
        share = self._share + (FORMS_RESERVE if forms else 0.0)
        ours = self.ours()
        if ours >= share * usage.total:
            return (
                f"{ours:,} of the connector's {share * usage.total:,.0f} Salesforce calls of the "
                f"last 24 hours are used ({share:.0%} of {usage.total:,})"
            )
        # A stored usage is no reason to stop: only one that Salesforce reported since then is.
        left_to_others = 0.0 if forms else FORMS_RESERVE
        if self._called_since_saved() and usage.used >= (1 - left_to_others) * usage.total:
            return f"the org has used {usage.used:,} of its {usage.total:,} API calls of 24 hours"
        return ""

    def our_share(self) -> float | None:
        """Return the used part of our share (1: all of it); None while the limit is not known."""
        usage = self._usage()
        if usage is None or usage.total <= 0:
            return None
        return self.ours() / (self._share * usage.total)

    def org_share(self) -> float | None:
        """Return the used part of the org's calls; None while the limit is not known."""
        usage = self._usage()
        return None if usage is None or usage.total <= 0 else usage.used / usage.total

    def ours(self) -> int:
        """Return the connector's own calls of the last 24 hours."""
        if self._earlier is None:
            self._earlier = self._store.calls_since(self._hour() - HOURS + 1)
        return self._earlier + self._meter.served_calls - self._counted

    def save_usage(self) -> None:
        """Store the calls since the last save, and the last usage of the org."""
        number = self._meter.served_calls - self._counted
        if not number:
            return
        self._store.add_calls(self._hour(), number)
        self._counted += number
        self._earlier = None
        if (usage := self._meter.usage) is not None:
            self._store.save_document(USAGE_KEY, {"used": usage.used, "total": usage.total})

    def _usage(self) -> Usage | None:
        usage = self._meter.usage
        if usage is not None and self._called_since_saved():
            return usage
        match self._store.load_document(USAGE_KEY):
            case {"used": int(used), "total": int(total)}:
                return Usage(used, total)
            case _:
                return None

    def _called_since_saved(self) -> bool:
        """Return whether there was a call since the last save."""
        return self._meter.served_calls > self._counted

    def _hour(self) -> int:
        return int(self._clock()) // SECONDS_OF_HOUR
