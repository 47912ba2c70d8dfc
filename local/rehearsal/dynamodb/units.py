"""Read and write units, as DynamoDB counts them.

Amazon DynamoDB Developer Guide, "DynamoDB read and write operations" and "Using Global Secondary
Indexes in DynamoDB", "Write throughput". One write unit is 1 KB, one read unit 4 KB with strong
consistency; an eventually consistent read costs half, an action of a transaction double.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from local.rehearsal.dynamodb.limits import KIB

READ_BYTES: Final = 4 * KIB
WRITE_BYTES: Final = KIB
TRANSACTION_FACTOR: Final = 2


@dataclass(frozen=True, slots=True)
class UnitKind:
    """What units were used for.

    `kind` is the part of the partition key before its first `#`, `index` the index ('': the table).
    """

    table: str
    operation: str
    kind: str
    index: str = ""


def read_units(size: int, *, consistent: bool) -> float:
    """Return the read units of one item, or of one page of a query."""
    units = max(1, math.ceil(size / READ_BYTES))
    return units if consistent else units / 2


def write_units(size: int) -> int:
    """Return the write units of one item: the larger of its sizes before and after counts."""
    return max(1, math.ceil(size / WRITE_BYTES))


class Units:
    """The units that were used, by kind."""

    def __init__(self) -> None:
        self._reads: Counter[UnitKind] = Counter()
        self._writes: Counter[UnitKind] = Counter()
        self.calls: Counter[str] = Counter()

    def read(self, kind: UnitKind, units: float) -> None:
        """Count read units."""
        self._reads[kind] += units  # type: ignore[assignment]  # halves of units are counted

    def write(self, kind: UnitKind, units: float) -> None:
        """Count write units."""
        self._writes[kind] += units  # type: ignore[assignment]  # as above

    def clear(self) -> None:
        """Set all counts to zero."""
        self._reads.clear()
        self._writes.clear()
        self.calls.clear()

    @property
    def reads(self) -> Mapping[UnitKind, float]:
        """The read units by kind."""
        return dict(self._reads)

    @property
    def writes(self) -> Mapping[UnitKind, float]:
        """The write units by kind."""
        return dict(self._writes)

    def rows(self) -> Iterator[tuple[UnitKind, float, float]]:
        """Return each kind with its read and write units, in order."""
        kinds = {*self._reads, *self._writes}
        for kind in sorted(kinds, key=lambda it: (it.table, it.operation, it.kind, it.index)):
            yield kind, float(self._reads[kind]), float(self._writes[kind])

    @property
    def total_reads(self) -> float:
        """All read units."""
        return float(sum(self._reads.values()))

    @property
    def total_writes(self) -> float:
        """All write units."""
        return float(sum(self._writes.values()))
