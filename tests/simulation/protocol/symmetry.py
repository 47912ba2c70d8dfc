"""Names of versions, stamps and words: what makes the space of states finite.

Versions and stamps are only ever compared, and no rule tells one word from another. So the versions
of each record, and the stamps of all, are numbered anew from zero after each step, and the words
are named in the order in which they stand in the state. People may then type for ever, and still
there are only so many states.

Which numbers something speaks of is one integer, a bit for each, in a lane of its own for each
record and one for the stamps: what several things speak of is then a single `|`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.model import Value
from tests.simulation.protocol.records import WORDS, Record

LANE: Final = 16
"""Bits of one lane; a state never speaks of more than six versions of one record."""
LANES: Final = {name: place * LANE for place, name in enumerate(("p", "l1", "l2", "l3", "c"))}
STAMPS: Final = len(LANES) * LANE
ONES: Final = sum(1 << lane for lane in (*LANES.values(), STAMPS))


def spoken(record: str, version: int) -> int:
    """Return the bit of one version of one record."""
    assert version < LANE - 1, "the top bit of a lane must stay free"
    return 1 << (LANES[record] + version)


def stamped(stamp: int) -> int:
    """Return the bit of a stamp."""
    return 1 << (STAMPS + stamp)


def spoken_by(records: Iterable[Record]) -> int:
    """Return the bits of every version and stamp that some records have."""
    bits = 0
    for it in records:
        bits |= spoken(it.id, it.version) | stamped(it.stamp)
    return bits


def has_gaps(bits: int) -> bool:
    """Whether the numbers of some lane are not 0, 1, 2 and so on."""
    return bits & (bits + ONES) != 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """New numbers for versions, by record, and for stamps: of what changes only."""

    versions: Mapping[tuple[str, int], int]
    stamps: Mapping[int, int]

    @property
    def key(self) -> Hashable:
        """What tells one change from another."""
        return (*sorted(self.versions.items()), *sorted(self.stamps.items()))

    def record(self, it: Record) -> Record:
        """Return a record with its new numbers."""
        version = self.versions.get((it.id, it.version), it.version)
        return it._replace(version=version, stamp=self.stamps.get(it.stamp, it.stamp))


def numbers(bits: int) -> Numbers:
    """Return the new numbers that close the gaps."""
    versions = {
        (record, old): new for record, lane in LANES.items() for old, new in _closed(bits >> lane)
    }
    return Numbers(versions, dict(_closed(bits >> STAMPS)))


def _closed(lane: int) -> list[tuple[int, int]]:
    known = [number for number in range(LANE) if lane >> number & 1]
    return [(old, new) for new, old in enumerate(known) if old != new]


Names = Mapping[str, str]
"""Each typed word's new name."""


def letters(said: Iterable[Value]) -> tuple[str, ...]:
    """Return the typed words among some values, each where it first stands."""
    return tuple(dict.fromkeys(str(word) for word in said if word in WORDS))


def names(said: Iterable[str]) -> Names:
    """Return new names in order of appearance; none where that is their order already."""
    pairs = dict(zip(dict.fromkeys(said), WORDS, strict=False))
    return pairs if any(old != new for old, new in pairs.items()) else {}


def reworded(word: Value, words: Names) -> Value:
    """Return a typed word's new name; anything else as it is."""
    return words.get(word, word) if isinstance(word, str) else word
