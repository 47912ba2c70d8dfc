"""What users typed in every field of every record, and who could see it when they typed over it.

A *cell* is one field of one record. It shows the value of one *typing* and knows the typings that
its value replaces: those that the person who typed could see there, and those that gave way to it
before. Of two cells, the value of the first replaces that of the second if the typing of the second
is among those. If neither replaces the other, they are in conflict. Clocks play no part in this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

CellKey = tuple[str, str]
"""The id of a record and the name of one of its fields, as its side names it."""
NOBODY = 0
"""The number of no typing: a blank, or a placeholder, that nobody typed."""


class Relation(Enum):
    """How the value of a source relates to the value that it would replace."""

    FORWARD = "forward"
    """The author of the source's value could see the other value, or no user typed the other."""
    UNSURE = "unsure"
    """The oracle cannot know whether the connector could have known the other value."""
    CONFLICT = "conflict"
    """Neither of the two could see the other."""
    BACKWARD = "backward"
    """The other value was typed over the source's value, which is older."""


@dataclass(frozen=True, slots=True)
class Typing:
    """One value that a user typed; `number` orders the user actions."""

    number: int
    key: CellKey
    value: str
    at: float
    description: str


@dataclass(frozen=True, slots=True)
class State:
    """What a cell shows: a value, its typing, and the typings that it replaces.

    `maybe` are typings of which it is unknown whether the connector stored that the sides agreed on
    them. `weak`: a clearing that the connector may not be able to tell from a field that was never
    filled. `may_be_known`: it may be able to, because the sides agreed on the cleared value before
    another record of the person was deleted. `may_replace`: typings that showed the same value as
    the one typed over when both were read: the connector may have agreed on it.
    """

    value: str = ""
    typing: int = NOBODY
    seen: frozenset[int] = frozenset()
    maybe: frozenset[int] = frozenset()
    weak: bool = False
    may_be_known: bool = False
    may_replace: frozenset[int] = frozenset()


@dataclass(slots=True)
class Cell:
    """One field of one record: its present state, and the states before.

    `agreed` are the cells of the other side with which it surely had an agreement, `maybe_agreed`
    those with which it may have had one. `agreed_state` is the state at the last agreement,
    `earlier_agreed_state` the one at the agreement before, `forgotten_state` the one at an
    agreement that ended with a record of the person. `agreed_after` is the number of the last user
    action before the last agreement, `agreed_without` the typings in Contacts of the person that
    the connector had not read when it wrote what was agreed.
    """

    state: State = field(default_factory=State)
    past: list[State] = field(default_factory=list)
    agreed: set[CellKey] = field(default_factory=set)
    maybe_agreed: set[CellKey] = field(default_factory=set)
    agreed_state: State | None = None
    earlier_agreed_state: State | None = None
    forgotten_state: State | None = None
    agreed_after: int = 0
    agreed_without: frozenset[int] = frozenset()

    def show(self, state: State) -> None:
        """Show another state."""
        self.past.append(self.state)
        self.state = state

    def state_with(self, value: str) -> State | None:
        """Return the last state in which the cell showed a value, or None."""
        if self.state.value == value:
            return self.state
        return next((it for it in reversed(self.past) if it.value == value), None)


class TypingHistory:
    """All cells and all typings of a history."""

    def __init__(self) -> None:
        self.cells: dict[CellKey, Cell] = {}
        self.typings: dict[int, Typing] = {}
        self.last = NOBODY
        self.undone = 0
        """How often users typed the agreed value again."""

    def cell(self, key: CellKey) -> Cell:
        """Return a cell; one that nobody typed in is blank."""
        return self.cells.setdefault(key, Cell())

    def next_number(self) -> int:
        """Return the number of the next user action."""
        self.last += 1
        return self.last

    def type(
        self,
        key: CellKey,
        value: str,
        at: float,
        description: str,
        *,
        shown: frozenset[int] = frozenset(),
    ) -> Typing:
        """Note that a user typed a value over what the cell shows.

        A clearing is an edit only where the connector can know that there was a value: without an
        agreement, or a hold that showed it, a blank is a field that was never filled. `shown` are
        the typings that a hold of the field showed: what is typed then settles it.
        """
        cell = self.cell(key)
        number = self.next_number()
        before = cell.state
        agreed_state = cell.agreed_state
        for number_shown in sorted(shown):
            was = self.typings.get(number_shown)
            if was is not None and was.key == key and was.value == value:
                # Back to the value that the hold showed: it shows no edit.
                self.undone += 1
                cell.show(State(value, number_shown, before.seen | {number_shown}, before.maybe))
                return Typing(number, key, value, at, description)
        if (
            agreed_state is not None
            and agreed_state.value == value
            and agreed_state.typing != before.typing
            and not shown - agreed_state.seen - {agreed_state.typing}
        ):
            # Back to the value that both sides agreed on: users of the other side see it. Its
            # author saw what it was typed over, which may be on its way to the other side.
            self.undone += 1
            cell.show(replace(agreed_state, seen=agreed_state.seen | before.seen))
            return Typing(number, key, value, at, description)
        typing = Typing(number, key, value, at, description)
        self.typings[number] = typing
        own = (self.typings[it] for it in shown if it in self.typings)
        was_shown = any(it.key == key and it.value for it in own)
        weak = not value and not cell.agreed and not was_shown
        forgotten = cell.forgotten_state
        may_be_known = weak and forgotten is not None and forgotten.value == before.value != ""
        seen = before.seen | shown | {number}
        cell.show(State(value, number, seen, before.maybe, weak, may_be_known, before.may_replace))
        return typing

    def weaken(self, key: CellKey) -> None:
        """Note that the connector cannot tell what the cell shows from a value of its own."""
        cell = self.cell(key)
        state = cell.state
        cell.state = replace(state, weak=True)

    def void_last_agreement(self, key: CellKey) -> None:
        """Note that for the connector the last write to a cell did not take place.

        What the other cells show is then compared with the agreement before it.
        """
        for partner in sorted(self.cell(key).agreed):
            cell = self.cell(partner)
            before = cell.earlier_agreed_state
            if before is not None:
                cell.agreed_state = before
                if cell.state.value == before.value:
                    self.weaken(partner)

    def agree(self, one: CellKey, other: CellKey, *, unread: frozenset[int] = frozenset()) -> None:
        """Note that both sides surely agreed on the values that these two cells show.

        `unread` are the typings in Contacts that the connector had not read.
        """
        first, second = self.cell(one), self.cell(other)
        first.agreed.add(other)
        second.agreed.add(one)
        seen = first.state.seen | second.state.seen
        seen |= {first.state.typing, second.state.typing} - {NOBODY}
        for cell in (first, second):
            state = cell.state
            maybe = first.state.maybe | second.state.maybe
            cell.state = replace(state, seen=seen, maybe=maybe)
            cell.agreed_state = cell.state
            cell.agreed_after = self.last
            cell.agreed_without = unread

    def maybe_agree(self, one: CellKey, other: CellKey) -> None:
        """Note that both sides may have agreed on the values that these two cells show."""
        first, second = self.cell(one), self.cell(other)
        first.maybe_agreed.add(other)
        second.maybe_agreed.add(one)
        maybe = first.state.seen | second.state.seen | first.state.maybe | second.state.maybe
        maybe |= {first.state.typing, second.state.typing} - {NOBODY}
        for cell in (first, second):
            state = cell.state
            if not maybe <= state.maybe:
                cell.state = replace(state, maybe=maybe)
            cell.agreed_state = cell.agreed_state or cell.state

    def were_equal(self, one: CellKey, other: CellKey, value: str) -> None:
        """Note that both sides showed a value when they were read; one was typed over since."""
        cells = (self.cell(one), self.cell(other))
        states = [cell.state_with(value) for cell in cells]
        typings = frozenset(it.typing for it in states if it is not None) - {NOBODY}
        for cell in cells:
            if cell.state.value != value:
                may_replace = cell.state.may_replace | typings
                cell.state = replace(cell.state, may_replace=may_replace)

    def write(
        self,
        target: CellKey,
        source: CellKey,
        state: State,
        value: str,
        *,
        unread: frozenset[int] = frozenset(),
    ) -> None:
        """Note that the connector wrote the value of a source; what it replaces gave way.

        `unread` are the typings in Contacts that it had not read.
        """
        cell, origin = self.cell(target), self.cell(source)
        seen = state.seen | cell.state.seen | ({state.typing, cell.state.typing} - {NOBODY})
        maybe = state.maybe | cell.state.maybe
        cell.show(State(value, state.typing, seen, maybe))
        now = origin.state
        # Cleared since it was read: the connector knows what was cleared, once both sides have it.
        may_be_known = now.may_be_known or (now.weak and now.typing != state.typing)
        origin.state = replace(
            now, seen=now.seen | seen, maybe=now.maybe | maybe, may_be_known=may_be_known
        )
        cell.agreed.add(source)
        origin.agreed.add(target)
        cell.earlier_agreed_state, origin.earlier_agreed_state = (
            cell.agreed_state,
            origin.agreed_state,
        )
        cell.agreed_after = origin.agreed_after = self.last
        cell.agreed_without = origin.agreed_without = unread
        cell.agreed_state = cell.state
        origin.agreed_state = origin.state if origin.state.typing == state.typing else state

    def copy(self, source: str, target: str, names: Iterable[tuple[str, str]]) -> None:
        """Let a record continue another one: a Contact its Lead, a winner the losing record."""
        for old, new in names:
            if (former := self.cells.get((source, old))) is None:
                continue
            cell = self.cell((target, new))
            if not cell.agreed:
                cell.agreed |= former.agreed
                cell.maybe_agreed |= former.maybe_agreed
                for partner in former.agreed:
                    self.cell(partner).agreed.add((target, new))

    def forget_agreements(self, records: frozenset[str] | None = None) -> None:
        """Forget the agreements of some records (None: of all): they meet for the first time.

        What was typed before stays typed, and is in conflict with different values of other
        records. Of some records only, the connector may remember the agreement nevertheless.
        """
        for key, cell in self.cells.items():
            if records is not None and key[0] not in records:
                continue
            state = cell.state
            # A clearing is a blank like any other, if the connector surely forgot the agreement.
            typing = state.typing if state.value or records is not None else NOBODY
            maybe = frozenset[int]() if records is None else state.maybe | state.seen
            cell.state = replace(state, typing=typing, seen=frozenset(), maybe=maybe)
            cell.maybe_agreed = set() if records is None else cell.maybe_agreed | cell.agreed
            cell.agreed = set()
            cell.forgotten_state = None if records is None else cell.agreed_state
            cell.agreed_state = None

    def relation(self, source: State, target: Cell) -> Relation:
        """Return how the value of a source relates to the value that it would replace."""
        shown = target.state
        if shown.typing in (NOBODY, source.typing) or shown.typing in source.seen:
            return Relation.FORWARD
        if shown.typing in source.maybe | source.may_replace:
            return Relation.UNSURE
        if shown.weak or source.typing in shown.maybe - shown.seen:
            return Relation.UNSURE
        if source.typing != NOBODY and source.typing in shown.seen:
            return Relation.BACKWARD
        return Relation.CONFLICT
