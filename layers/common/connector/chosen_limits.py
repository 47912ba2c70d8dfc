"""What a run may change without being asked, where an admin chose other numbers than the stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from connector.planning.announced_changes import ChangeKind, ChangeLimits
from connector.stores import DocumentStore

KEY: Final = "change_limits"
FRESH_SECONDS: Final = 60.0
"""How long a process uses what it read: a run looks at the limits for every unit of its work."""


def load_chosen(store: DocumentStore) -> ChangeLimits | None:
    """Return the limits that an admin chose; None for those of the stack, or a damaged document."""
    document: dict[str, Any] = store.load_document(KEY) or {}
    try:
        chosen = document["limits"]
        if chosen is None:
            return None
        limits = ChangeLimits(
            int(chosen["cleared"]), int(chosen["overwritten"]), float(chosen["share"])
        )
    except (KeyError, TypeError, ValueError):
        return None
    is_usable = min(limits.cleared, limits.overwritten) >= 0 and 0 <= limits.share <= 1
    return limits if is_usable else None


def save_chosen(store: DocumentStore, limits: ChangeLimits | None) -> None:
    """Store the limits that an admin chose; None: those of the stack count again."""
    members = None
    if limits is not None:
        members = {
            "cleared": limits.cleared,
            "overwritten": limits.overwritten,
            "share": limits.share,
        }
    store.save_document(KEY, {"limits": members})


class ChosenLimits:
    """Reads what an admin chose, at most once a minute."""

    def __init__(self, store: DocumentStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._read_at = 0.0
        self._limits: ChangeLimits | None = None

    def __call__(self) -> ChangeLimits | None:
        """Return the chosen limits; None: there are none."""
        now = self._clock()
        if not 0 <= now - self._read_at < FRESH_SECONDS:
            self._limits, self._read_at = load_chosen(self._store), now
        return self._limits


@dataclass(frozen=True, slots=True)
class CurrentLimits(ChangeLimits):
    """The limits of the stack, and in their place those that an admin chose."""

    chosen: Callable[[], ChangeLimits | None]

    def number(self, kind: ChangeKind, people: int) -> int:
        """Return the limit for a field when so many people are synchronized (0: not known)."""
        chosen = self.chosen()
        if chosen is None:
            # Not `super()`: a dataclass with slots is another class than the one of this method.
            return ChangeLimits.number(self, kind, people)
        return chosen.number(kind, people)
