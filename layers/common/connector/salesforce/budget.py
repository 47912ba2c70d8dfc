"""The share of the org's daily API calls that is ours, counted by us and by Salesforce.

Salesforce tells on every answer how many calls the whole org has made in the last 24 hours, and how
many it may (`Sforce-Limit-Info`). Other programs live on the same number, so we keep to a share of
it, and count our own calls hour by hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

FORMS_RESERVE: Final = 0.05
"""What forms may use beyond the share, and what is left to others at the end of the org's day
(reference: reliability, invariant 27)."""
SECONDS_OF_HOUR: Final = 3600
HOURS: Final = 24
USAGE_KEY: Final = "api_usage"


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the whole org in the last 24 hours, and how many it may make."""

    used: int
    total: int


class CallStore(Protocol):
    """Where our calls are counted for all invocations."""

    def add_calls(self, hour: int, number: int) -> None:
        """Count calls in an hour (hours since 1970)."""

    def calls_since(self, hour: int) -> int:
        """Return the calls in an hour and the 23 after it."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class CallMeter(Protocol):
    """Who makes the calls."""

    @property
    def calls(self) -> int:
        """Return the number of calls made so far."""

    @property
    def usage(self) -> Usage | None:
        """Return what Salesforce said last of the whole org's calls."""


class ApiBudget:
    """Says when our share is spent. `share` is a fraction of the org's calls in 24 hours."""

    def __init__(
        self, meter: CallMeter, store: CallStore, clock: Callable[[], float], share: float
    ) -> None:
        self._meter = meter
        self._store = store
        self._clock = clock
        self._share = share
        self._counted = meter.calls
        self._earlier: int | None = None

    def exhausted_reason(self, *, forms: bool = False) -> str:
        """Say why no more may be used now, in plain words; '' while more may be."""
        usage = self._usage()
        if usage is None or usage.total <= 0:
            return ""
        share = self._share + (FORMS_RESERVE if forms else 0.0)
        ours = self.ours()
        if ours >= share * usage.total:
            return (
                f"{ours:,} of our {share * usage.total:,.0f} Salesforce calls of the last 24 hours "
                f"are used ({share:.0%} of {usage.total:,})"
            )
        # What the org had used in the past is no reason to stop: it must be heard again first.
        left_to_others = 0.0 if forms else FORMS_RESERVE
        if self._called_since_saved() and usage.used >= (1 - left_to_others) * usage.total:
            return f"the org has used {usage.used:,} of its {usage.total:,} API calls of 24 hours"
        return ""

    def our_share(self) -> float | None:
        """Return how much of our part is used (1: all of it); None before Salesforce has told."""
        usage = self._usage()
        if usage is None or usage.total <= 0:
            return None
        return self.ours() / (self._share * usage.total)

    def org_share(self) -> float | None:
        """Return how much of the org's calls is used; None before Salesforce has told."""
        usage = self._usage()
        return None if usage is None or usage.total <= 0 else usage.used / usage.total

    def ours(self) -> int:
        """Return our own calls of the last 24 hours."""
        if self._earlier is None:
            self._earlier = self._store.calls_since(self._hour() - HOURS + 1)
        return self._earlier + self._meter.calls - self._counted

    def save_usage(self) -> None:
        """Keep what was used since the last time, and what Salesforce said last."""
        number = self._meter.calls - self._counted
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
        kept = self._store.load_document(USAGE_KEY)
        return None if kept is None else Usage(kept["used"], kept["total"])

    def _called_since_saved(self) -> bool:
        """Whether Salesforce was asked since the last time that our calls were kept."""
        return self._meter.calls > self._counted

    def _hour(self) -> int:
        return int(self._clock()) // SECONDS_OF_HOUR
