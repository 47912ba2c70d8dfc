"""The state of both systems, and the status of every value that users typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from connector.model import RecordKind, Side, Value
from tests.simulation.protocol.interning import Interner
from tests.simulation.protocol.records import Record
from tests.simulation.protocol.symmetry import (
    Numbering,
    Renaming,
    bits_of_records,
    rename,
    rename_record,
    typed_values_in,
)

DELIVERED, PENDING, JOURNALED = 0, 1, 2
"""The status of a value that a user typed: it reached the other side, it did not yet, or the
journal has an entry that it is overwritten."""
NEVER_AGREED: Final = "~"
"""The agreed value of a record that never agreed with the other side."""


class EditMark(NamedTuple):
    """The status of a record's value, and the value that it last agreed on, as a run can know it.

    A value that is typed and reverted before a run delivers or observes it is not an edit. Unison,
    the file synchronizer, does the same. `other_status` and `other_agreed` are those of the pair
    with Plezi's other attribute.
    """

    status: int = DELIVERED
    agreed: Value = NEVER_AGREED
    other_status: int = DELIVERED
    other_agreed: Value = NEVER_AGREED

    def with_status(self, status: int) -> EditMark:
        """Return the mark with another status."""
        return self._replace(status=status)


class Choice(NamedTuple):
    """An admin's choice: the record whose value wins, and the values shown, by record."""

    record: str
    shown: tuple[tuple[str, Value], ...]


class SystemState(NamedTuple):
    """Both systems. `marks` has one mark per record; each of `one_time_events` happens once.

    `choice` is the last decision of an admin, as long as it is not carried out or over.
    """

    records: tuple[Record, ...]
    marks: tuple[EditMark, ...]
    one_time_events: tuple[str, ...] = ()
    choice: Choice | None = None

    def place(self, record: str) -> int | None:
        """Return the place of a record, or None."""
        return next((place for place, it in enumerate(self.records) if it.id == record), None)

    def next_stamp(self) -> int:
        """Return a timestamp later than all others."""
        return 1 + max(it.stamp for it in self.records)

    def with_record(self, place: int, record: Record, mark: EditMark) -> SystemState:
        """Return the state with another record and mark in one place."""
        records = (*self.records[:place], record, *self.records[place + 1 :])
        marks = (*self.marks[:place], mark, *self.marks[place + 1 :])
        return self._replace(records=records, marks=marks)

    def with_new(self, record: Record, mark: EditMark) -> SystemState:
        """Return the state with a new record; it replaces a deleted record with the same id."""
        both = [it for it in zip(self.records, self.marks, strict=True) if it[0].id != record.id]
        both = sorted([*both, (record, mark)], key=lambda it: it[0].id)
        return self._replace(
            records=tuple(it for it, _ in both), marks=tuple(mark for _, mark in both)
        )

    def with_equal_values_delivered(self) -> SystemState:
        """Return the state where values that the other side has too count as delivered."""
        if not any(mark.status for mark in self.marks):
            return self
        values = {(it.side, it.value) for it in self.records if it.is_participant}
        return self.with_marks(
            mark.with_status(DELIVERED)
            if mark.status and (it.side.other, it.value) in values
            else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def with_agreed(self, values: Mapping[str, Value]) -> SystemState:
        """Return the state after a run delivered, or observed as agreed, the values by record."""
        return self.with_marks(
            mark._replace(agreed=values.get(it.id, mark.agreed))
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def has_agreed(self, values: Mapping[str, Value]) -> bool:
        """Whether these are the values that their records last agreed on."""
        return all(
            mark.agreed == values.get(it.id, mark.agreed)
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def with_delivered(self, values: Mapping[str, Value]) -> SystemState:
        """Return the state after a run observed the values on both sides, or wrote them.

        Two systems cannot be read at the same instant. A value that was read on both sides is
        agreed, even if one record has changed since: the later value is a new edit.
        """
        return self.with_marks(
            mark.with_status(DELIVERED) if it.id in values and values[it.id] == it.value else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def with_other_agreed(self, values: Mapping[str, Value]) -> SystemState:
        """Return the state after a run found the values agreed in the pair that is not mapped."""
        return self.with_marks(
            mark._replace(
                other_status=DELIVERED if it.other == values[it.id] else mark.other_status,
                other_agreed=values[it.id],
            )
            if it.id in values
            else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def without_agreement(self, attribute: str) -> SystemState:
        """Return the state where the pair of a Plezi attribute never agreed; a blank is no edit."""
        return self.with_marks(
            _without_agreement(it.value, mark)
            if it.attribute == attribute
            else mark._replace(
                other_status=DELIVERED if it.other is None else mark.other_status,
                other_agreed=NEVER_AGREED,
            )
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def with_marks(self, marks: Iterable[EditMark]) -> SystemState:
        """Return the state with other marks, in the order of the records."""
        return self._replace(marks=tuple(marks))

    def with_first_meeting(self) -> SystemState:
        """Return the state where the records count as never agreed; a blank is no edit."""
        return self.with_marks(
            _without_agreement(it.value, mark)
            for it, mark in zip(self.records, self.marks, strict=True)
        )

    def with_journaled(self, overwritten: Iterable[tuple[str, Value]]) -> SystemState:
        """Return the state after the journal stored the overwritten (record id, value) pairs."""
        entries = set(overwritten)
        return self.with_marks(
            mark.with_status(JOURNALED)
            if mark.status == PENDING and (it.id, it.value) in entries
            else mark
            for it, mark in zip(self.records, self.marks, strict=True)
        )


def _without_agreement(value: Value, mark: EditMark) -> EditMark:
    status = DELIVERED if value is None else mark.status
    return mark._replace(status=status, agreed=NEVER_AGREED)


@dataclass(frozen=True, slots=True)
class Pages:
    """The records of a system state as a run reads them, by kind or by side, deleted ones too."""

    by_kind: Mapping[RecordKind, tuple[Record, ...]]
    by_side: Mapping[Side, tuple[Record, ...]]


class SystemStateInterner(Interner[SystemState]):
    """System states by number."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[int, Pages] = {}

    def pages(self, number: int) -> Pages:
        """Return what a run can read in a system state."""
        pages = self._pages.get(number)
        if pages is None:
            records = self.objects[number].records
            pages = self._pages[number] = Pages(
                {kind: tuple(it for it in records if it.kind is kind) for kind in RecordKind},
                {side: tuple(it for it in records if it.side is side) for side in Side},
            )
        return pages

    def _bits_of(self, thing: SystemState) -> int:
        return bits_of_records(thing.records)

    def _values_of(self, thing: SystemState) -> tuple[str, ...]:
        values = [value for it in thing.records for value in (it.value, it.other)]
        shown = thing.choice.shown if thing.choice is not None else ()
        values += [value for it in thing.marks for value in (it.agreed, it.other_agreed)]
        return typed_values_in([*values, *(value for _, value in shown)])

    def _renumbered(self, thing: SystemState, numbering: Numbering) -> SystemState:
        return thing._replace(records=tuple(map(numbering.renumber, thing.records)))

    def _renamed(self, thing: SystemState, renaming: Renaming) -> SystemState:
        choice = thing.choice
        if choice is not None:
            shown = tuple((record, rename(value, renaming)) for record, value in choice.shown)
            choice = choice._replace(shown=shown)
        return thing._replace(
            records=tuple(rename_record(it, renaming) for it in thing.records),
            marks=tuple(
                it._replace(
                    agreed=rename(it.agreed, renaming),
                    other_agreed=rename(it.other_agreed, renaming),
                )
                for it in thing.marks
            ),
            choice=choice,
        )
