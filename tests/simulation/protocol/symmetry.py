"""Symmetry reduction: renumbered versions and timestamps, and renamed values, in a canonical order.

It makes the state space finite. Versions and timestamps are only compared, and no rule depends on
what a typed value is. So after each step the versions of each record and all timestamps are
renumbered from zero, and the typed values are renamed in the order in which they stand in the
state. Users may then type without end, and the number of states is still bounded.

The numbers that an object uses are one integer, a bit for each: each record has its own range of
bits for its versions, and one range is for the timestamps. The numbers of several objects together
are then one `|`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.model import Value
from tests.simulation.protocol.records import TYPED_VALUES, Record

RANGE_BITS: Final = 16
"""Bits of one range; a state never has more than six versions of one record."""
RANGES: Final = {
    record: place * RANGE_BITS for place, record in enumerate(("p", "l1", "l2", "l3", "c"))
}
STAMPS: Final = len(RANGES) * RANGE_BITS
LOWEST_BITS: Final = sum(1 << start for start in (*RANGES.values(), STAMPS))


def version_bit(record: str, version: int) -> int:
    """Return the bit of one version of one record."""
    assert version < RANGE_BITS - 1, "the top bit of a range must stay free"
    return 1 << (RANGES[record] + version)


def stamp_bit(stamp: int) -> int:
    """Return the bit of a timestamp."""
    return 1 << (STAMPS + stamp)


def bits_of_records(records: Iterable[Record]) -> int:
    """Return the bits of every version and timestamp of some records."""
    bits = 0
    for record in records:
        bits |= version_bit(record.id, record.version) | stamp_bit(record.stamp)
    return bits


def has_gaps(bits: int) -> bool:
    """Whether the numbers of some range are not 0, 1, 2 and so on."""
    return bits & (bits + LOWEST_BITS) != 0


@dataclass(frozen=True, slots=True)
class Numbering:
    """New numbers for versions, by record, and for timestamps; only those that change."""

    versions: Mapping[tuple[str, int], int]
    stamps: Mapping[int, int]

    @property
    def key(self) -> Hashable:
        """A key that is equal for equal numberings."""
        return (*sorted(self.versions.items()), *sorted(self.stamps.items()))

    def renumber(self, record: Record) -> Record:
        """Return a record with its new numbers."""
        version = self.versions.get((record.id, record.version), record.version)
        return record._replace(version=version, stamp=self.stamps.get(record.stamp, record.stamp))


def without_gaps(bits: int) -> Numbering:
    """Return the numbering that closes the gaps."""
    versions = {
        (record, old): new
        for record, start in RANGES.items()
        for old, new in _changed_numbers(bits >> start)
    }
    return Numbering(versions, dict(_changed_numbers(bits >> STAMPS)))


def _changed_numbers(bits: int) -> list[tuple[int, int]]:
    used = [number for number in range(RANGE_BITS) if bits >> number & 1]
    return [(old, new) for new, old in enumerate(used) if old != new]


Renaming = Mapping[str, str]
"""The new value of each typed value."""


def typed_values_in(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the typed values among some values, each at its first place."""
    return tuple(dict.fromkeys(str(value) for value in values if value in TYPED_VALUES))


def in_order_of_appearance(values: Iterable[str]) -> Renaming:
    """Return a renaming by order of appearance; an empty one if the order is right already."""
    pairs = dict(zip(dict.fromkeys(values), TYPED_VALUES, strict=False))
    return pairs if any(old != new for old, new in pairs.items()) else {}


def rename(value: Value, renaming: Renaming) -> Value:
    """Return the new value of a typed value; any other value does not change."""
    return renaming.get(value, value) if isinstance(value, str) else value


def rename_record(record: Record, renaming: Renaming) -> Record:
    """Return a record with renamed values."""
    value, other = rename(record.value, renaming), rename(record.other, renaming)
    return record._replace(value=value, other=other)
