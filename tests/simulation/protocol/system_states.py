"""What both sides hold, and what has become of what people typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from connector.model import RecordKind, Side, Value
from tests.simulation.protocol.numbered import Numbered
from tests.simulation.protocol.records import Record
from tests.simulation.protocol.symmetry import Names, Numbers, letters, reworded, spoken_by

HEARD, PENDING, JOURNALLED = 0, 1, 2
"""What has become of a value that a person typed: it reached the other side, it did not yet, or the
journal names it as one that gives way."""
UNHEARD: Final = "~"
"""What a record agreed to that never agreed to anything."""


class EditMark(NamedTuple):
    """What has become of what a record says, and what it last agreed to, as a run could know it.

    A value typed and taken back before a run told it to the other side, or saw it there, is not an
    edit, for us as for Unison.
    """

    fate: int = HEARD
    kept: Value = UNHEARD

    def with_fate(self, fate: int) -> EditMark:
        """Return the mark with another fate."""
        return EditMark(fate, self.kept)


class SystemState(NamedTuple):
    """Everything outside of us. `marks` stand beside `records`; `chances` may happen once each."""

    records: tuple[Record, ...]
    marks: tuple[EditMark, ...]
    chances: tuple[str, ...] = ()

    def place(self, record: str) -> int | None:
        """Return where a record stands."""
        return next((place for place, it in enumerate(self.records) if it.id == record), None)

    def later(self) -> int:
        """Return a stamp later than all others: what we know of is never newer than what is."""
        return 1 + max(it.stamp for it in self.records)

    def with_record(self, place: int, record: Record, mark: EditMark) -> SystemState:
        """Return the world with another record, and mark, in one place."""
        records = (*self.records[:place], record, *self.records[place + 1 :])
        marks = (*self.marks[:place], mark, *self.marks[place + 1 :])
        return SystemState(records, marks, self.chances)

    def with_new(self, record: Record, mark: EditMark) -> SystemState:
        """Return the world with one record more; one of the same id, a grave, gives way."""
        both = [it for it in zip(self.records, self.marks, strict=True) if it[0].id != record.id]
        both = sorted([*both, (record, mark)], key=lambda it: it[0].id)
        return SystemState(
            tuple(it for it, _ in both), tuple(mark for _, mark in both), self.chances
        )

    def heard(self) -> SystemState:
        """Return the world after forgetting what was typed and the other side now says too."""
        if not any(mark.fate for mark in self.marks):
            return self
        said = {(it.side, it.value) for it in self.records if it.takes_part}
        return self._marked(
            mark.with_fate(HEARD) if mark.fate and (it.side.other, it.value) in said else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def kept(self, words: Mapping[str, Value]) -> SystemState:
        """Return the world after a run has told, or seen agreed, what some records said."""
        return self._marked(
            EditMark(mark.fate, words.get(it.id, mark.kept))
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def keeps(self, words: Mapping[str, Value]) -> bool:
        """Whether these words are what their records last agreed to."""
        return all(
            mark.kept == words.get(it.id, mark.kept)
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def agreed(self, words: Mapping[str, Value]) -> SystemState:
        """Return the world after a run has read one word on both sides, or made it so.

        No two systems are read at one instant. What both were read to say is agreed, even if one of
        them had moved on by then: that later word is a new edit.
        """
        return self._marked(
            mark.with_fate(HEARD) if it.id in words and words[it.id] == it.value else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def journalled(self, lost: Iterable[tuple[str, Value]]) -> SystemState:
        """Return the world after the journal has named some (record, value) as giving way."""
        named = set(lost)
        return self._marked(
            mark.with_fate(JOURNALLED)
            if mark.fate == PENDING and (it.id, it.value) in named
            else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def _marked(self, marks: Iterable[EditMark]) -> SystemState:
        return SystemState(self.records, tuple(marks), self.chances)


@dataclass(frozen=True, slots=True)
class Pages:
    """The records of a world as a run reads them, by kind or by side, graves too."""

    kinds: Mapping[RecordKind, tuple[Record, ...]]
    sides: Mapping[Side, tuple[Record, ...]]


class SystemStates(Numbered[SystemState]):
    """Worlds by number."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[int, Pages] = {}

    def pages(self, number: int) -> Pages:
        """Return what a run can read in a world."""
        known = self._pages.get(number)
        if known is None:
            records = self.things[number].records
            known = self._pages[number] = Pages(
                {kind: tuple(it for it in records if it.kind is kind) for kind in RecordKind},
                {side: tuple(it for it in records if it.side is side) for side in Side},
            )
        return known

    def bits_of(self, thing: SystemState) -> int:
        return spoken_by(thing.records)

    def spelled(self, thing: SystemState) -> tuple[str, ...]:
        said = [it.value for it in thing.records]
        return letters([*said, *(mark.kept for mark in thing.marks)])

    def renumbered(self, thing: SystemState, numbers: Numbers) -> SystemState:
        return thing._replace(records=tuple(map(numbers.record, thing.records)))

    def renamed(self, thing: SystemState, words: Names) -> SystemState:
        return SystemState(
            tuple(it._replace(value=reworded(it.value, words)) for it in thing.records),
            tuple(EditMark(mark.fate, reworded(mark.kept, words)) for mark in thing.marks),
            thing.chances,
        )
