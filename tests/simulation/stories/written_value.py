"""One value that the connector writes: where it comes from, and what it replaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.model import MergeRule, RecordKind, Side, Value, Write
from connector.planning.plan import Plan
from tests.simulation.history.typing_history import NOBODY, Relation
from tests.simulation.stories.person import Person, ViolationError
from tests.simulation.stories.records import KINDS
from tests.simulation.stories.sights import Cell, State

RANK: Final = {
    Relation.FORWARD: 0,
    Relation.UNSURE: 1,
    Relation.CONFLICT: 2,
    Relation.BACKWARD: 3,
}


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """One value that a plan writes over another one: all that an excuse may ask about.

    `before` are the states of all records before the plan was carried out, by record id, `source`
    is the record with the value that is written.
    """

    person: Person
    plan: Plan
    key: str
    target: str
    source: str
    new: Value
    before: Mapping[str, State]

    @property
    def cell(self) -> Cell:
        """The cell that is written."""
        return self.person.records.cell(self.target, self.key)

    @property
    def source_cell(self) -> Cell:
        """The cell with the value that is written."""
        return self.person.records.cell(self.source, self.key)

    @property
    def lost(self) -> State:
        """What the write replaces."""
        return self.cell.state

    @property
    def won(self) -> State:
        """What the source shows."""
        return self.before[self.source]

    @property
    def relation(self) -> Relation:
        """How the two relate."""
        return self.person.records.sights.relation(self.won, self.lost)

    @property
    def is_of_nobody(self) -> bool:
        """Whether nobody typed the written value; a typed blank that met it made it its own."""
        if self.won.typing != NOBODY:
            return False
        configuration, typings = self.person.configuration, self.person.records.sights.typings
        return not any(
            it > self.lost.typing and configuration.is_blank(typings[it].value)
            for it in self.won.seen
        )

    @property
    def clears(self) -> bool:
        """Whether a blank is written."""
        return self.person.configuration.is_blank(self.new)

    @property
    def fills(self) -> bool:
        """Whether the write fills a blank."""
        return self.person.configuration.is_blank(self.lost.value)

    @property
    def kind(self) -> RecordKind:
        """The kind of the record that is written."""
        return KINDS[self.target[0]]

    @property
    def source_kind(self) -> RecordKind:
        """The kind of the record with the value that is written."""
        return KINDS[self.source[0]]

    @property
    def source_is_written(self) -> bool:
        """Whether the record with the value is one that the connector may write to."""
        direction = self.person.configuration.direction
        is_contact = self.source_kind is RecordKind.CONTACT
        return not is_contact and direction.can_receive(self.source_kind.side)

    @property
    def decision(self) -> tuple[str, str, int, int]:
        """Which value gives way to which: the record, the pair, and both typings."""
        return self.target, self.key, self.lost.typing, self.won.typing

    def side(self, record_id: str) -> Side:
        """Return the side of a record."""
        return KINDS[record_id[0]].side

    def has_agreed(self, record_id: str) -> bool:
        """Whether a record ever agreed in this pair with the present contact in Plezi."""
        cell = self.person.records.cell(record_id, self.key)
        contact = self.plan.participants.members[0].record_id
        return cell.agreed is not None and cell.agreed_with == contact

    def others(self, kind: RecordKind | None = None) -> list[str]:
        """Return the other records that take part in the pair, of a kind or all."""
        return [
            it.record_id
            for it in self.plan.participants.members
            if it.observation is not None
            and it.record_id != self.target
            and it.takes_part_in(self.key)
            and kind in (None, it.kind)
        ]

    def gives_way(self, record_id: str) -> bool:
        """Whether the plan writes over the value of a record, or journals it."""
        field = self.person.records.key(record_id, self.key)[1]
        return any(
            it.record_id == record_id and field in it.values for it in self.plan.writes
        ) or any((it.record_id, it.pair) == (record_id, self.key) for it in self.plan.overwritten)

    @property
    def is_journaled(self) -> bool:
        """Whether the plan journals the value that is replaced."""
        return bool(self.rules)

    @property
    def rules(self) -> list[MergeRule]:
        """The rules by which the plan journals the value that is replaced."""
        return [
            it.rule
            for it in self.plan.overwritten
            if (it.record_id, it.pair) == (self.target, self.key)
        ]

    def sides_of(self, state: State) -> set[Side]:
        """Return the side where the value of a state was typed; none if nobody typed it."""
        typing = self.person.records.sights.typings.get(state.typing)
        return set() if typing is None else {self.side(typing.key[0])}

    def modified(self, record_id: str) -> str:
        """Return the modification time of a record as the connector read it."""
        observation = self.plan.link.observation(record_id)
        return "" if observation is None else observation.modified

    def __str__(self) -> str:
        rules = [it.value for it in self.rules]
        return (
            f"{self.key} of {self.target}: {self.lost.value!r} (typing {self.lost.typing}) is "
            f"replaced by {self.new!r} (typing {self.won.typing}) of {self.source}; "
            f"{self.relation.value}, {f'journaled as {rules[0]}' if rules else 'not journaled'}"
        )


def find_sources(
    person: Person,
    plan: Plan,
    write: Write,
    target: str,
    key: str,
    before: Mapping[str, State],
) -> list[WrittenValue]:
    """Return a written value with each source that shows it; the one that relates best is first.

    What somebody typed is no blank of nobody. Raises `ViolationError` if no record that takes part
    shows the value.
    """
    new = write.values[person.records.key(target, key)[1]]
    found = [
        WrittenValue(person, plan, key, target, it.record_id, new, before)
        for it in plan.participants.members
        if it.observation is not None
        and it.record_id != write.record_id
        and it.takes_part_in(key)
        and person.configuration.is_same(before[it.record_id].value, new)
    ]
    typed = [it for it in found if it.won.typing != NOBODY] or found
    if not typed:
        raise ViolationError(
            f"no source: {new!r} is written to {target}, and no other record shows it"
        )
    return sorted(typed, key=lambda it: RANK[it.relation])
