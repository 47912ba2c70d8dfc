"""The records of one person in both systems, and what users do to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from connector.mapping import FieldKind
from connector.model import Observation, RecordKind, Side, Value
from tests.simulation.history.typing_history import CellKey
from tests.simulation.stories.configuration import Configuration
from tests.simulation.stories.sights import Cell, Sights, State

EMAIL: Final = "ana@example.com"
KINDS: Final = {"p": RecordKind.PLEZI_CONTACT, "l": RecordKind.LEAD, "c": RecordKind.CONTACT}
"""The kind of a record by the first letter of its id."""
NEW_VALUE: Final = "new"
BLANK: Final = "blank"


@dataclass(slots=True)
class Record:
    """One record as its system stores it, without the mapped values."""

    kind: RecordKind
    id: str
    created: str
    modified: str
    email: str = EMAIL
    eligible: bool = True
    deleted: bool = False
    converted: bool = False
    successor: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it is neither deleted nor converted."""
        return not (self.deleted or self.converted)


class Records:
    """All records of one person; each method with the name of an act is what a user does."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.sights = Sights(configuration.blank, configuration.is_blank)
        self.by_id: dict[str, Record] = {}
        self.time = 0
        self.typed_outside: set[int] = set()

    def now(self) -> str:
        """Return the next minute as a stamp of both systems."""
        self.time += 1
        hours, minutes = divmod(self.time, 60)
        return f"2026-01-{1 + hours // 24:02d}T{hours % 24:02d}:{minutes:02d}:00Z"

    def key(self, record_id: str, key: str) -> CellKey:
        """Return the cell of a pair in a record."""
        return record_id, self.configuration.field(KINDS[record_id[0]], key)

    def cell(self, record_id: str, key: str) -> Cell:
        """Return the cell of a pair in a record."""
        return self.sights.cell(self.key(record_id, key))

    def active(self, record_id: str, kind: RecordKind | None = None) -> Record | None:
        """Return a record if it is neither deleted nor converted, and of a kind."""
        record = self.by_id.get(record_id)
        if record is None or not record.is_active or kind not in (None, record.kind):
            return None
        return record

    def former(self, record_id: str) -> Iterator[Record]:
        """Yield the records that this one replaced: its Lead, the Leads merged into it."""
        yield from (it for it in self.by_id.values() if it.successor == record_id)

    def add(self, record_id: str) -> Record:
        """Add a record without values."""
        now = self.now()
        record = Record(KINDS[record_id[0]], record_id, now, now)
        self.by_id[record_id] = record
        return record

    def observe(self, record: Record) -> Observation:
        """Return what a reading shows: of a record outside the filter, its opt-outs only."""
        configuration = self.configuration
        email = "email" if record.kind.side is Side.PLEZI else "Email"
        values: dict[str, Value] = {}
        if record.eligible:
            values[email] = record.email or None
        is_opt_out = configuration.kind is FieldKind.CHECKBOX
        for key in configuration.keys if record.eligible or is_opt_out else ():
            name = configuration.field(record.kind, key)
            values[name] = self.sights.cell((record.id, name)).state.value
        return Observation(
            record.kind,
            record.id,
            record.email,
            record.modified,
            record.modified,
            float(self.time),
            values,
            eligible=record.eligible,
            converted=record.converted,
            deleted=record.deleted,
            successor=record.successor,
            created="" if record.kind.side is Side.PLEZI else record.created,
        )

    # What users do

    def type(self, record_id: str, key: str, what: str) -> None:
        """Type a new value, a blank, or the value of another record."""
        record = self.active(record_id)
        if record is None or key not in self.configuration.keys:
            return
        if what not in (NEW_VALUE, BLANK) and what not in self.by_id:
            return
        record.modified = self.now()
        self._type(record, key, self._value(key, what))

    def _value(self, key: str, what: str) -> Value:
        if what == BLANK:
            return self.configuration.blank
        if what != NEW_VALUE:
            return self.cell(what, key).state.value
        if self.configuration.kind is FieldKind.CHECKBOX:
            return True
        return f"t{self.sights.last + 1}"

    def _type(self, record: Record, key: str, value: Value) -> None:
        attribute = self.configuration.field(RecordKind.PLEZI_CONTACT, key)
        can_send = self.configuration.direction.can_send(record.kind.side)
        others = [self.key(it, key) for it in self.by_id if can_send and it != record.id]
        self.sights.type(self.key(record.id, key), value, attribute, others)
        if not record.eligible:
            self.typed_outside.add(self.cell(record.id, key).state.typing)

    def create(self, record_id: str, filled: str) -> None:
        """Create a record, with values in some fields; a person has one contact in Plezi."""
        kind = KINDS[record_id[0]]
        if record_id in self.by_id:
            return
        if kind is RecordKind.PLEZI_CONTACT:
            if any(it.kind is kind and not it.deleted for it in self.by_id.values()):
                return
            self.sights.forget_contact()
        record = self.add(record_id)
        for key in self.configuration.keys:
            if key in filled.split(","):
                self._type(record, key, self._value(key, NEW_VALUE))

    def delete(self, record_id: str) -> None:
        """Delete a record."""
        if (record := self.active(record_id)) is not None:
            record.deleted = True
            record.modified = self.now()

    def undelete(self, record_id: str) -> None:
        """Take a Lead or Contact out of the recycle bin; a merged one is not there."""
        record = self.by_id.get(record_id)
        if record is None or not record.deleted or record.successor:
            return
        if record.kind is not RecordKind.PLEZI_CONTACT:
            record.deleted = False
            record.modified = self.now()

    def clear_email(self, record_id: str) -> None:
        """Clear the e-mail of a Lead."""
        if (record := self.active(record_id, RecordKind.LEAD)) is not None:
            record.email = ""
            record.modified = self.now()

    def set_email(self, record_id: str) -> None:
        """Give a Lead without e-mail that of the person again."""
        record = self.active(record_id, RecordKind.LEAD)
        if record is not None and not record.email:
            record.email = EMAIL
            record.modified = self.now()

    def flag(self, record_id: str) -> None:
        """Change the flag with which a Lead or Contact takes part."""
        record = self.active(record_id)
        if record is not None and record.kind is not RecordKind.PLEZI_CONTACT:
            record.eligible = not record.eligible
            record.modified = self.now()

    def convert(self, record_id: str, flag: str) -> None:
        """Convert a Lead into a new Contact; a conversion does not copy custom fields."""
        lead = self.active(record_id, RecordKind.LEAD)
        contact_id = f"c{record_id}"
        if lead is None or contact_id in self.by_id:
            return
        lead.converted, lead.successor, lead.modified = True, contact_id, self.now()
        self.by_id[contact_id] = replace(
            lead,
            kind=RecordKind.CONTACT,
            id=contact_id,
            created=lead.modified,
            eligible=flag == "flagged",
            converted=False,
            successor="",
        )
        if not self.configuration.is_custom:
            for key in self.configuration.keys:
                copied = self.cell(record_id, key).copy()
                self.sights.cells[self.key(contact_id, key)] = copied

    def merge(self, winner_id: str, merged_id: str) -> None:
        """Merge two Leads; a blank of the winner is filled with the value of the other one."""
        winner = self.active(winner_id, RecordKind.LEAD)
        merged = self.active(merged_id, RecordKind.LEAD)
        if winner is None or merged is None or winner is merged or not winner.email:
            return
        merged.deleted, merged.successor = True, winner_id
        merged.modified = winner.modified = self.now()
        for key in self.configuration.keys:
            self.sights.take_over(self.key(winner_id, key), self.key(merged_id, key))

    def state(self, record_id: str, key: str) -> State:
        """Return what a record shows in a pair."""
        return self.cell(record_id, key).state
