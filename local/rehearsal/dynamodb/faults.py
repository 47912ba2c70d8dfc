"""What DynamoDB does now and then: throttling, unprocessed items, conflicts, lost responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

THROUGHPUT_EXCEEDED: Final = "ProvisionedThroughputExceededException"
THROTTLING: Final = "ThrottlingException"


@dataclass(frozen=True, slots=True)
class Throttling:
    """Bursts in which requests are refused: `seconds` long, the first at `start`, then `every` s.

    `operations` are such as `PutItem` (empty: all). `every` = 0 is one burst.
    """

    seconds: float
    start: float = 0.0
    every: float = 0.0
    operations: frozenset[str] = frozenset()
    code: str = THROUGHPUT_EXCEEDED

    def applies(self, operation: str, now: float) -> bool:
        """Return whether a request is refused at a time (seconds, on the clock of `start`)."""
        if self.operations and operation not in self.operations:
            return False
        since = now - self.start
        if since < 0:
            return False
        return (since % self.every if self.every else since) < self.seconds


@dataclass(slots=True)
class Faults:
    """The faults of one database. A number `every_nth` of 0 means never.

    `unprocessed_every`: of each n-th batch, the second half is not processed. `conflict_every`:
    each n-th transaction meets another one. `lost_every`: the response of each n-th write is lost
    after the write was carried out.
    """

    throttling: Sequence[Throttling] = ()
    unprocessed_every: int = 0
    conflict_every: int = 0
    lost_every: int = 0
    injected: dict[str, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def throttled(self, operation: str, now: float) -> str:
        """Return the code with which a request is refused now, '' for none."""
        for each in self.throttling:
            if each.applies(operation, now):
                self._note("throttled")
                return each.code
        return ""

    def leaves_unprocessed(self) -> bool:
        """Return whether half of this batch is not processed."""
        return self._is_nth("unprocessed", self.unprocessed_every)

    def conflicts(self) -> bool:
        """Return whether this transaction meets another one."""
        return self._is_nth("conflict", self.conflict_every)

    def loses_response(self) -> bool:
        """Return whether the response of this write is lost."""
        return self._is_nth("lost", self.lost_every)

    def _is_nth(self, name: str, every: int) -> bool:
        if not every:
            return False
        self._counts[name] = self._counts.get(name, 0) + 1
        if self._counts[name] % every:
            return False
        self._note(name)
        return True

    def _note(self, name: str) -> None:
        self.injected[name] = self.injected.get(name, 0) + 1
