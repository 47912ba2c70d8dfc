"""The judgement of one value that the connector wrote: where it comes from, what it replaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from connector.mapping import FieldPair
from connector.model import JournalEntry, JournalKind, RecordKind, Side
from connector.planning.observation import WRITE_LAG_SECONDS
from connector.sync.reread import FRESH_SECONDS
from local.world.both_sides import StoredRecord
from tests.simulation.history import reference
from tests.simulation.history.excuses import (
    FILLS,
    JOINS,
    OLDEST,
    RACE,
    RACE_OF_HOLD,
    RACE_OF_STAMP,
    REPLACED,
    RETYPED,
    UNREAD_LEAD,
    UNSEARCHED,
    UNSEEN,
    UNSURE,
)
from tests.simulation.history.reference import Contender, field_of, find_pair
from tests.simulation.history.typing_history import NOBODY, Cell, CellKey, Relation, State
from tests.simulation.history.values import is_same_text, kind_of

if TYPE_CHECKING:
    from tests.simulation.history.oracle import Oracle

ADDRESS: Final = {
    kind: "email" if kind is RecordKind.PLEZI_CONTACT else "Email" for kind in RecordKind
}
"""The field of each kind of record with the e-mail, by which records are matched."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """One value that the connector replaced in a record, in one of some runs.

    `pairs` are the pairs of the field in the versions of the mapping that a run may have used.
    """

    record: str
    pair: str
    before: str
    after: str
    description: str = ""
    name: str = ""
    runs: frozenset[str] = frozenset()
    is_one_way: bool = False
    is_chosen: bool = False
    at: float = 0.0
    pairs: frozenset[str] = frozenset()

    def matches(self, entry: JournalEntry) -> bool:
        """Whether an entry is about this: right record, field, before and after."""
        return (
            entry.record_id == self.record
            and entry.field in {self.pair, *self.pairs}
            and is_same_text(entry.before, self.before)
            and is_same_text(entry.after, self.after)
        )

    def matches_write(self, entry: JournalEntry) -> bool:
        """Whether this is what an entry tells; a user may have typed another value before it."""
        return (
            entry.record_id == self.record
            and entry.field in {self.pair, *self.pairs}
            and is_same_text(entry.after, self.after)
        )


@dataclass(frozen=True, slots=True)
class WriteCheck:
    """Judges one written value against each of its possible sources."""

    oracle: Oracle
    record: StoredRecord
    name: str
    target: Cell
    new: str
    pair: FieldPair
    is_create: bool

    def problem(self, source: CellKey, state: State) -> tuple[str, str]:
        """Return what is wrong with a write from this source ('': nothing), and its excuse."""
        history = self.oracle.history
        relation = history.relation(state, self.target)
        if relation is Relation.FORWARD or self._is_an_edit(source, state):
            return "", ""
        lost = history.typings.get(self.target.state.typing)
        what = lost.description if lost else "a value that somebody typed"
        if excuse := self._unknowable(relation, source, state):
            return "", excuse
        if self._is_a_blank_of_nobody(state) and not self._was_held_meanwhile(source, state):
            return f"7 no lost update: {what}; a blank that was never agreed replaced it", ""
        if self._is_chosen(source):
            return self._lost(what, is_chosen=True)
        kind = kind_of(source[0])
        if (excuse_of_kind := self._gives_way_to(kind)) is not None:
            return self._lost(what, excuse_of_kind)
        if relation is Relation.BACKWARD and self._is_typed_in_this_pair():
            return f"7 no lost update: {what}; an older value was written over it", ""
        if self._joins():
            return self._lost(what, JOINS)
        if self._is_later_lead():
            return self._lost(what, OLDEST)
        if self._was_held_meanwhile(source, state):
            return self._lost(what, RACE_OF_HOLD)
        return self._by_policy(source, what)

    def _unknowable(self, relation: Relation, source: CellKey, state: State) -> str:
        """Return why the connector could not know what it replaced ('': it could)."""
        oracle = self.oracle
        if self._is_race() and not self._creates_over_a_lead():
            seen = oracle.observed.observed_at.get(self.record.id, 0)
            states = (*self.target.past, self.target.state)
            oracle.raced |= {it.typing for it in states if it.typing > seen}
            return RACE
        if state.typing in oracle.raced:  # the connector may take it for an edit after its write
            return RACE
        if relation is Relation.UNSURE:
            return UNSURE
        if oracle.is_taken_for_another(self.record.id):
            return RETYPED
        if self._looks_like_the_state_before_a_write():
            return REPLACED
        if self._was_created_unsearched():
            return UNSEARCHED
        is_filled = bool(self.target.state.value) or self._has_agreed_in_this_pair(source)
        return "" if is_filled else FILLS

    def _looks_like_the_state_before_a_write(self) -> bool:
        """Whether a user typed what our write had replaced, and the connector could not tell.

        A Plezi without times may show the state before a write for a while: a reading of that state
        counts after a minute only (`WRITE_LAG_SECONDS`), and this write was made before the next.
        """
        lost = self.oracle.history.typings.get(self.target.state.typing)
        if self.oracle.has_times or self.record.kind.side is not Side.PLEZI or lost is None:
            return False
        return any(
            (it.record, it.before) == (self.record.id, lost.value)
            and self.pair.key in {it.pair, *it.pairs}
            and lost.at - WRITE_LAG_SECONDS <= it.at <= lost.at
            and self.oracle.now() <= it.at + WRITE_LAG_SECONDS + FRESH_SECONDS
            for it in self.oracle.replaced
        )

    def _was_created_unsearched(self) -> bool:
        """Whether a creation without an answer sent this value, and Plezi cannot be searched.

        The next creation is refused, because the e-mail is known, and the connector reads the
        contact later than what users typed in Salesforce since.
        """
        oracle, name = self.oracle, self.pair.plezi
        return not oracle.can_search and any(
            oracle.unanswered.get(other, {}).get(name) == self.new
            for other in oracle.records_of_person(self.record.id)
        )

    def _has_agreed_in_this_pair(self, source: CellKey) -> bool:
        """Whether a source had an agreement in the pair of the write, not in another pair only.

        The mapping may have been changed since: the two fields meet for the first time then. What
        the same run has written from one Lead to another is no agreement with Plezi.
        """
        names = {field_of(self.pair, kind) for kind in RecordKind}
        side = kind_of(source[0]).side
        return any(
            name in names and kind_of(record).side is not side
            for record, name in self.oracle.history.cell(source).agreed
        )

    def _was_held_meanwhile(self, source: CellKey, state: State) -> bool:
        """Whether the hold of both values was stored after the source was typed over.

        The connector takes what was typed for an edit of the value that the hold shows.
        """
        typing = self.oracle.history.typings.get(state.typing)
        past = [it.value for it in self.oracle.history.cell(source).past if it.value]
        held = [it for it in self.oracle.journal() if it.kind is JournalKind.HELD]
        shown = [
            it
            for it in held
            if (it.record_id, it.field) == (source[0], self.pair.key)
            and any(is_same_text(it.before, value) for value in past)
        ]
        return typing is not None and any(
            it.at >= typing.at
            and (other.run_id, other.at, other.field) == (it.run_id, it.at, it.field)
            and other.record_id == self.record.id
            and is_same_text(other.before, self.target.state.value)
            for it in shown
            for other in held
        )

    def _is_an_edit(self, source: CellKey, state: State) -> bool:
        """Whether the source is an edit of the target's value that its author did not see."""
        return (
            self._is_same_address_before(source, state)
            or self._is_edited_after_agreement(source, state)
            or self._is_superseded(source)
        )

    def _is_superseded(self, source: CellKey) -> bool:
        """Whether a Lead's value was typed over in Plezi, with which it had agreed, before a Lead.

        It is lost in any case. What was typed over it is in conflict with the other Lead, and is
        judged where it gives way.
        """
        lost, history = self.target.state.typing, self.oracle.history
        if lost == NOBODY or {kind_of(source[0]), self.record.kind} != {RecordKind.LEAD}:
            return False
        return any(
            kind_of(other[0]) is RecordKind.PLEZI_CONTACT
            and lost in (state := history.cell(other).state).seen
            and state.typing not in (NOBODY, lost)
            for other in self.target.agreed
        )

    def _is_edited_after_agreement(self, source: CellKey, state: State) -> bool:
        """Whether a Contact was edited after the target's value was agreed on without it.

        A Contact is never written to: it keeps a value that gave way, or that others have typed
        over. Its next value is an edit against what was agreed, if the connector knew it then. So
        is one that was typed while the connector wrote, after it had read the Contact.
        """
        cell, agreed = self.oracle.history.cell(source), self.target.agreed_state
        if kind_of(source[0]) is not RecordKind.CONTACT or agreed is None:
            return False
        is_agreed = agreed.typing == self.target.state.typing
        return (
            is_agreed
            and (
                self.target.agreed_after < state.typing
                or state.typing in self.target.agreed_without
            )
            and (bool(cell.agreed) or self._gave_way(source, cell, state))
        )

    def _gave_way(self, source: CellKey, cell: Cell, state: State) -> bool:
        """Whether a former value of the source gave way before this one was typed, or read."""
        typing = self.oracle.history.typings.get(state.typing)
        return typing is not None and any(
            it.kind is JournalKind.OVERWRITTEN
            and (it.record_id, it.field) == (source[0], self.pair.key)
            and (it.at <= typing.at or state.typing in self.target.agreed_without)
            and any(is_same_text(it.before, former.value) for former in cell.past)
            for it in self.oracle.journal()
        )

    def _is_same_address_before(self, source: CellKey, state: State) -> bool:
        """Whether the source showed the address of the target, and was then typed over.

        Records are matched by their e-mail: equal addresses are agreed without a write. A record
        that got the address after the other had left it is another person's.
        """
        shown = self.target.state
        return (
            self.name == ADDRESS[self.record.kind]
            and shown.typing < state.typing
            and any(it.value == shown.value for it in self.oracle.history.cell(source).past)
        )

    def _is_typed_in_this_pair(self) -> bool:
        """Whether the replaced value was typed in a field of the pair, or its field is unknown.

        Else an earlier version of the mapping copied it from another field, where it still is: two
        fields meet, and neither has the older value of the other.
        """
        lost = self.oracle.history.typings.get(self.target.state.typing)
        names = {field_of(self.pair, kind) for kind in RecordKind}
        return lost is None or lost.key[1] in names

    def _is_a_blank_of_nobody(self, state: State) -> bool:
        """Whether the source is a blank that the connector cannot tell from an empty field."""
        return not self.new and state.weak and not state.may_be_known

    def _gives_way_to(self, kind: RecordKind) -> str | None:
        """Return '' or an excuse if the value gives way to one of this kind at any time."""
        if (
            reference.is_overruled(self.pair, self.record.kind.side)
            or self.pair.enforced
            or self._only_contacts_are_left(kind)
            or reference.refills(self.pair.policy, self.target.state.value, self.new)
        ):
            return ""
        return UNREAD_LEAD if self._only_contacts_are_left(kind, with_unread=False) else None

    def _by_policy(self, source: CellKey, what: str) -> tuple[str, str]:
        """Judge a conflict by the policy table."""
        kind = kind_of(source[0])
        observed = self.oracle.observed
        for modified, excuse in (
            (observed.modified, ""),
            (observed.modified_before, RACE_OF_STAMP),
            # What looks unchanged is no edit: its modification time is not noted.
            (observed.modified_first, UNSEEN),
        ):
            winner = Contender(kind.side, self.new, modified.get(source[0], ""))
            overwritten = [
                Contender(side, self.target.state.value, modified.get(self.record.id, ""))
                for side in self._sides_of_target()
            ]
            wins = any(reference.wins(self.pair.policy, winner, it) for it in overwritten)
            if wins and (modified or not excuse):
                return self._lost(what, excuse)
        return (
            f"7 no lost update: {what}; it was overwritten with {self.new[:40]!r} "
            f"against the policy {self.pair.policy.value}"
        ), ""

    def _sides_of_target(self) -> set[Side]:
        """Return the sides of the replaced value: that of the record, and where it was typed.

        Of two Leads one may show what was typed in Plezi in this pair, and the other what a user
        typed then in Salesforce: the policy table has a row for these two.
        """
        lost = self.oracle.history.typings.get(self.target.state.typing)
        sides = {self.record.kind.side}
        if lost is not None and self._is_typed_in_this_pair():
            sides.add(kind_of(lost.key[0]).side)
        return sides

    def _is_later_lead(self) -> bool:
        """Whether the record is a Lead that meets the person after another one: it gives way.

        Ids of an org are given in order. The first Lead may give way to a Contact itself. It may
        have been deleted since it was read.
        """
        if self.record.kind is not RecordKind.LEAD or self.target.agreed:
            return False
        return any(
            kind_of(other) is RecordKind.LEAD
            and other < self.record.id
            and (stored := self.oracle.stored.get(other)) is not None
            and not (stored.deleted and self.oracle.has_seen_deleted(other))
            and not stored.converted
            for other in self.oracle.records_of_person(self.record.id)
        )

    def _joins(self) -> bool:
        """Whether a record that never agreed joins others of its side that did.

        Their agreement may have ended with a record whose deletion the connector has not seen.
        """
        if self.target.agreed:
            return False
        for other in self.oracle.records_of_person(self.record.id):
            stored = self.oracle.stored.get(other)
            if other == self.record.id or stored is None:
                continue
            if stored.deleted and self.oracle.has_seen_deleted(other):
                continue
            if stored.kind.side is not self.record.kind.side:
                continue
            name = field_of(self.pair, stored.kind)
            if "." in name and self._has_agreed(other):
                return True  # the company of a Contact is that of its account: no cell shows it
            cell = self.oracle.history.cells.get((other, name))
            if cell is None:
                continue
            if cell.agreed or self._continues_ended(cell):
                return True
        return False

    def _continues_ended(self, cell: Cell) -> bool:
        """Whether an agreement that ended with another record was on the written value.

        Or on the value that was typed over with it in a record that is still there: the connector
        may know the agreement of the two, and takes this for an edit.
        """
        ended = cell.forgotten_state
        if ended is None:
            return False
        if is_same_text(ended.value, self.new):
            return True
        for other in cell.maybe_agreed:
            stored, state = self.oracle.stored.get(other[0]), self.oracle.history.cell(other).state
            is_there = stored is not None and not stored.deleted
            if is_there and is_same_text(state.value, self.new):
                return ended.typing in state.seen | state.maybe
        return False

    def _only_contacts_are_left(self, source: RecordKind, *, with_unread: bool = True) -> bool:
        """Whether Plezi's value cannot go anywhere: a Contact is never written (docs/people.md).

        `with_unread`: a Lead counts that was created after the Leads were read for the last time.
        """
        if source is not RecordKind.CONTACT or self.record.kind is not RecordKind.PLEZI_CONTACT:
            return False
        known = [self.oracle.stored.get(it) for it in self.oracle.records_of_person(self.record.id)]
        return not any(
            it is not None
            and it.kind is RecordKind.LEAD
            and not (it.deleted or it.converted)
            and it.email
            and (with_unread or not self.oracle.is_unread(it.id))
            and (it.email == self.record.email or self._is_known_by_id(it))
            and not self._is_of_another_contact(it)
            for it in known
        )

    def _is_of_another_contact(self, lead: StoredRecord) -> bool:
        """Whether a Lead has the e-mail of another contact in Plezi: they are one person.

        That contact had the e-mail of this person before, and left it.
        """
        return any(
            it.kind is RecordKind.PLEZI_CONTACT
            and it.id != self.record.id
            and not it.deleted
            and it.email == lead.email
            for it in self.oracle.stored.values()
        )

    def _is_known_by_id(self, lead: StoredRecord) -> bool:
        """Whether a Lead belongs to the person whatever its address is: they have agreed before.

        Not if the contact was created for it without an answer, and it got another address since.
        """
        is_recorded = self.record.id not in self.oracle.unanswered
        return is_recorded and not self.oracle.is_ledger_lost and self._has_agreed(lead.id)

    def _has_agreed(self, record: str) -> bool:
        """Whether a record surely had an agreement on one of its fields."""
        cells = self.oracle.history.cells
        return any(cell.agreed for key, cell in cells.items() if key[0] == record)

    def _is_race(self) -> bool:
        """Whether a user typed the replaced value after the connector's last read of the record."""
        seen = self.oracle.observed.observed_at.get(self.record.id, 0)
        return self.target.state.typing > seen

    def _creates_over_a_lead(self) -> bool:
        """Whether a creation hit a Lead that exists: a creation can never overwrite."""
        return self.is_create and self.record.kind is RecordKind.LEAD

    def _is_chosen(self, source: CellKey) -> bool:
        """Whether an admin chose the value of the source when the replaced value was shown."""
        return any(
            it.pair == self.pair.key
            and it.number >= self.target.state.typing
            and (
                it.record == source[0]
                or self.oracle.group(it.record) == self.oracle.group(source[0])
            )
            for it in self.oracle.decisions
        )

    def _may_be_one_way(self) -> bool:
        """Whether the pair goes in one direction in a version of the mapping that may be used."""
        versions = (find_pair(it, self.record.kind, self.name) for it in self.oracle.mappings)
        return any(
            reference.is_overruled(pair, self.record.kind.side)
            for pair in versions
            if pair is not None
        )

    def _lost(self, what: str, excuse: str = "", *, is_chosen: bool = False) -> tuple[str, str]:
        """Note a permitted loss: the journal must have it at the end."""
        loss = Replaced(
            self.record.id,
            self.pair.key,
            self.target.state.value,
            self.new,
            what,
            self.name,
            frozenset(self.oracle.runs),
            is_chosen=is_chosen,
            is_one_way=self._may_be_one_way(),
            pairs=self.oracle.keys_of(self.record.kind, self.name),
        )
        self.oracle.losses.append(loss)
        return "", excuse
