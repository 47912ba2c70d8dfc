"""What users typed in the fields of one person, and which typings each of them could see.

As in `tests.simulation.history.typing_history`, a cell is one field of one record: it shows the
value of one typing, and knows the typings that this value replaces. Here every reading is at once
and nothing is read by two processes, so that nothing about them is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from connector.model import Value
from tests.simulation.history.typing_history import NOBODY, CellKey, Relation

NEVER: Final = -1
"""When cells agreed that never did: before the first typing."""


@dataclass(frozen=True, slots=True)
class State:
    """What a cell shows: a value, its typing, and the typings that it replaces.

    `merged` are those that it replaces by a merge only: nobody typed over them. `is_weak`: a blank
    that the connector cannot tell from a field that nobody ever filled.
    """

    value: Value = None
    typing: int = NOBODY
    seen: frozenset[int] = frozenset()
    is_weak: bool = False
    merged: frozenset[int] = frozenset()

    @property
    def known(self) -> frozenset[int]:
        """The typings that the value shows or replaces."""
        return self.seen | ({self.typing} - {NOBODY})


@dataclass(slots=True)
class Cell:
    """One field of one record.

    `read` is its state after the last run, `agreed` the one at its last agreement (None: it never
    agreed), `agreed_after` the number of the last typing before that, and `agreed_with` the contact
    in Plezi of then. `held` is the state that a hold of the field showed, `shown` are the typings
    that it showed together. `is_forgotten`: the last agreement was one with another contact, or of
    a pair with another attribute of Plezi. `other_pair` is the agreement, and what was shown, of
    the other one of two pairs.
    """

    state: State = field(default_factory=State)
    past: list[State] = field(default_factory=list)
    read: State = field(default_factory=State)
    agreed: State | None = None
    agreed_after: int = NEVER
    agreed_with: str = ""
    shown: frozenset[int] = frozenset()
    held: State | None = None
    is_forgotten: bool = False
    other_pair: tuple[State | None, int, str, frozenset[int]] = (None, NEVER, "", frozenset())

    def show(self, state: State) -> None:
        """Show another state."""
        self.past.append(self.state)
        self.state = state

    @property
    def agreed_typing(self) -> int:
        """The typing on which it agreed last."""
        return NOBODY if self.agreed is None else self.agreed.typing

    @property
    def is_edited(self) -> bool:
        """Whether a user typed in it since its last agreement."""
        return self.state.typing > self.agreed_after

    def copy(self) -> Cell:
        """Return a cell with the same states, for a record that continues this one."""
        return replace(self, past=list(self.past))


@dataclass(frozen=True, slots=True)
class Typing:
    """One value that a user typed in a cell; `attribute` is that of Plezi in its pair then."""

    key: CellKey
    value: Value
    attribute: str


class Sights:
    """All cells and all typings of one person."""

    def __init__(self, blank: Value, is_blank: Callable[[Value], bool]) -> None:
        self.cells: dict[CellKey, Cell] = {}
        self.typings: dict[int, Typing] = {}
        self._blank = State(blank)
        self._is_blank = is_blank

    @property
    def last(self) -> int:
        """The number of the last typing."""
        return len(self.typings)

    def cell(self, key: CellKey) -> Cell:
        """Return a cell; one that nobody typed in is blank."""
        if key not in self.cells:
            self.cells[key] = Cell(self._blank, read=self._blank)
        return self.cells[key]

    def is_same(self, one: Value, other: Value) -> bool:
        """Whether two values are equal for the connector."""
        return one == other or (self._is_blank(one) and self._is_blank(other))

    def type(self, key: CellKey, value: Value, attribute: str, others: Iterable[CellKey]) -> None:
        """Note that a user typed a value over what the cell shows; `others` are in the same pair.

        A value that the last run saw, that a hold showed, or that was agreed on before one that
        stayed in its record,
        is no edit when it is typed again (README.md, what the guarantee does not cover).
        """
        cell = self.cell(key)
        if self.is_same(cell.state.value, value):
            return
        former = self._typed_back(key, value, [self.cell(it) for it in others])
        if former is not None:
            cell.show(former)
            return
        typed = self.typings.get(cell.state.typing)
        # By the connector, which knows it in the pair of then.
        was_written = typed is not None and typed.key != key and not cell.is_forgotten
        # A run has read what is cleared now.
        was_read = not self._is_blank(cell.read.value)
        is_known = cell.agreed is not None or bool(cell.shown) or was_written or was_read
        weak = self._is_blank(value) and not is_known
        number = self.last + 1
        self.typings[number] = Typing(key, value, attribute)
        cell.show(State(value, number, cell.state.known | cell.shown, weak))

    def _typed_back(self, key: CellKey, value: Value, others: Sequence[Cell]) -> State | None:
        """Return the state that a typing brings back, if the connector sees no edit in it."""
        cell = self.cell(key)
        if self.is_same(cell.read.value, value) and cell.read.typing != cell.state.typing:
            return cell.read
        if cell.shown and cell.held is not None and self.is_same(cell.held.value, value):
            return cell.held
        agreed = cell.agreed
        if agreed is None or not self.is_same(agreed.value, value):
            return None
        read = self.typings.get(cell.read.typing)
        is_written = cell.read.typing not in (cell.agreed_typing, cell.state.typing)
        if cell.is_forgotten and self._is_blank(value) and not cell.shown:
            return replace(agreed, is_weak=True)  # as one that nobody made
        if cell.shown or cell.is_forgotten or (is_written and read and read.key != key):
            return None
        has_travelled = any(
            it.state.typing == cell.state.typing or it.agreed_after > cell.agreed_after
            for it in others
        )
        return None if has_travelled else agreed

    def forget_contact(self) -> None:
        """Note that the person has a new contact in Plezi: all records meet for the first time.

        An agreed blank counts as one that nobody made; a clearing since then stays an edit.
        """
        for cell in self.cells.values():
            cell.is_forgotten = True
            if self._is_blank(cell.state.value) and not cell.is_edited:
                cell.state = replace(cell.state, is_weak=True)

    def change_pair(self) -> None:
        """Note that the pair is pointed at its other attribute: what was agreed is of that pair."""
        for key, cell in self.cells.items():
            if key[0].startswith("p"):
                continue  # an attribute of Plezi is in one of the two pairs only
            former = (cell.agreed, cell.agreed_after, cell.agreed_with, cell.shown)
            is_cleared = cell.agreed is not None and cell.state.typing != NOBODY
            cell.agreed, cell.agreed_after, cell.agreed_with, cell.shown = cell.other_pair
            cell.other_pair, cell.is_forgotten = former, True
            if self._is_blank(cell.state.value):
                is_new = cell.agreed is None and not cell.shown
                cell.state = replace(cell.state, is_weak=is_new and not is_cleared)

    def take_over(self, winner: CellKey, merged: CellKey) -> None:
        """Note a merge: a blank of the winner is filled, and its user saw both values."""
        cell, other = self.cell(winner), self.cell(merged)
        seen = cell.state.known | other.state.known
        if self._is_blank(cell.state.value) and not self._is_blank(other.state.value):
            cell.show(replace(other.state, seen=seen | cell.shown))
            cell.shown |= other.shown
        else:
            new = other.state.known - cell.state.known
            cell.state = replace(cell.state, seen=seen, merged=cell.state.merged | new)
        if cell.agreed is None and other.agreed is not None:
            cell.agreed, cell.agreed_after = other.agreed, other.agreed_after
            cell.agreed_with = other.agreed_with

    def write(self, target: CellKey, source: CellKey, state: State, value: Value) -> None:
        """Note that the connector wrote the value of a source; what it replaces gave way."""
        cell, origin = self.cell(target), self.cell(source)
        seen = state.known | cell.state.known
        cell.show(State(value, state.typing, seen))
        cell.shown = frozenset()
        origin.shown = frozenset()
        origin.state = replace(origin.state, seen=origin.state.seen | seen)

    def meet(self, keys: Iterable[CellKey]) -> None:
        """Note that some cells show equal values: who types in one of them sees all."""
        cells = [self.cell(key) for key in keys]
        seen = frozenset[int]().union(*(it.state.known for it in cells))
        for cell in cells:
            cell.state = replace(cell.state, seen=seen)
            cell.shown = frozenset()

    def agree(self, key: CellKey, contact: str) -> None:
        """Note that what a cell shows was part of an agreement with a contact in Plezi."""
        self.agree_on(key, self.cell(key).state, self.last, contact)

    def agree_on(self, key: CellKey, state: State, last: int, contact: str) -> None:
        """Note an agreement on a former state of a cell, after the last typing of then."""
        cell = self.cell(key)
        if cell.state is not state:  # it was edited since: a blank is a clearing
            cell.state = replace(cell.state, is_weak=False)
        is_new = cell.agreed_typing != state.typing or cell.agreed_with != contact
        if is_new or cell.agreed is None or cell.is_forgotten:
            cell.agreed_after = last  # to agree again on the same is no news
        cell.agreed, cell.agreed_with = state, contact
        cell.is_forgotten = False

    def show_together(self, values: Iterable[tuple[CellKey, Value]]) -> None:
        """Note that a hold shows some cells with these values."""
        shown = [(self.cell(key), value) for key, value in values]
        same = [cell for cell, value in shown if self.is_same(cell.state.value, value)]
        typings = frozenset(cell.state.typing for cell in same) - {NOBODY}
        for cell in same:
            cell.held = cell.state
        for cell, _ in shown:
            cell.shown |= typings

    def end_run(self, hidden: Collection[str] = ()) -> None:
        """Note that a run has read all cells, but those of hidden records."""
        for key, cell in self.cells.items():
            if key[0] not in hidden:
                cell.read = cell.state
            cell.other_pair = (*cell.other_pair[:3], frozenset())  # its hold is over

    def relation(self, source: State, target: State) -> Relation:
        """Return how the value of a source relates to the value that it would replace."""
        if target.typing in (NOBODY, source.typing) or target.typing in source.seen:
            return Relation.FORWARD
        if target.is_weak:
            return Relation.UNSURE
        if source.typing != NOBODY and source.typing in target.seen - target.merged:
            return Relation.BACKWARD
        return Relation.CONFLICT
