"""The check after a run: each typed value is in both systems, or the journal or a hold says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.mapping import ConflictPolicy, Direction, FieldKind
from connector.model import Hold, HoldReason, Observation, RecordKind, Side
from connector.planning.plan import Plan
from tests.simulation.history.typing_history import NOBODY
from tests.simulation.stories.person import Loss, Person, ViolationError
from tests.simulation.stories.records import KINDS, Record
from tests.simulation.stories.sights import State


def check_journal(person: Person) -> None:
    """Raise `ViolationError` if the journal lacks a value that gave way in a run that is over."""
    if person.link.intent is not None:
        return
    for loss in person.losses:
        if not person.has_journaled(loss):
            raise ViolationError(
                f"journal: it lacks {loss.key} of {loss.record}, {loss.state.value!r}"
            )
    person.losses.clear()


def check_final(person: Person, plan: Plan) -> None:
    """Raise `ViolationError` if a value is missing after a run in which all writes were done."""
    for key in person.configuration.keys:
        check = _FieldCheck(person, plan, key)
        hold = person.link.holds.get(key)
        if hold is not None:
            check.check_hold(hold)
        else:
            check.check_values()


@dataclass(frozen=True, slots=True)
class _FieldCheck:
    """The check of one pair; `plan` is the last plan of the run, which writes nothing."""

    person: Person
    plan: Plan
    key: str

    def members(self) -> Iterator[Observation]:
        """Yield the records that take part in all pairs."""
        for member in self.plan.participants.members:
            if member.observation is not None and member.only is None:
                yield member.observation

    def check_hold(self, hold: Hold) -> None:
        """Check that a hold shows what the records have, and that it has its reason."""
        records, same = self.person.records, self.person.configuration.is_same
        sides = {it.side for it in self.members()}
        for member in self.members() if len(sides) > 1 else ():
            value = records.state(member.id, self.key).value
            if member.id in hold.values and not same(hold.values[member.id], value):
                raise ViolationError(
                    f"hold: {self.key} of {member.id} is {value!r}, and "
                    f"{hold.values[member.id]!r} is shown"
                )
        if not self._may_be_held(hold):
            raise ViolationError(f"hold: {self.key} is held {hold.reason.value} without a reason")
        is_new = self.key not in self.person.held_before
        if is_new and hold.reason is HoldReason.CONFLICT and self._is_one_edit():
            raise ViolationError(f"hold: {self.key} is held for one edit of what all agreed on")

    def _may_be_held(self, hold: Hold) -> bool:
        """Whether something happened that a hold of this reason needs (docs/mapping.md)."""
        match hold.reason:
            case HoldReason.CONFLICT:
                return ConflictPolicy.HOLD in self.person.policies
            case HoldReason.NEVER_AGREED:
                is_beside_contact = any(it[0] == "c" for it in self.person.records.by_id)
                has_changed = self.person.was_moved or len(self.person.policies) > 1
                return has_changed or is_beside_contact or self.person.was_interrupted
            case HoldReason.IN_DOUBT:
                return self.person.lost_answer
            case HoldReason.WRITE_LOOP:  # docs/architecture.md: undone twice in a day
                return max(self.person.written.values(), default=0) > 1
            case _:
                return False

    def _is_one_edit(self) -> bool:
        """Whether one record was edited after all had agreed on the same, and no other was."""
        records, plezi = self.person.records, self.person.link.plezi
        cells = [records.cell(it.id, self.key) for it in self.members()]
        known = [records.cell(it, self.key) for it in self.person.link.record_ids]
        return (
            plezi is not None
            and len({it.agreed_typing for it in cells}) == 1
            and all(it.agreed is not None and it.agreed_with == plezi.id for it in cells)
            and sum(it.is_edited for it in known) <= 1
        )

    def check_values(self) -> None:
        """Check a pair that is not held."""
        plezi = next((it for it in self.members() if it.side is Side.PLEZI), None)
        if plezi is None:
            return
        here = self.person.records.state(plezi.id, self.key)
        for member in self.members():
            if member is not plezi:
                self._check_record(plezi.id, here, member)
        for record in self.person.records.by_id.values():
            if record.id in self.person.link.record_ids and record.kind.side is Side.SALESFORCE:
                self._check_last_edit(here, record)

    def _check_record(self, plezi_id: str, here: State, member: Observation) -> None:
        """Check that neither of two records has a value that should be in the other one."""
        configuration = self.person.configuration
        there = self.person.records.state(member.id, self.key)
        if configuration.is_same(here.value, there.value):
            return
        if self._stays_by_policy(member.kind, here, there):
            self.person.counts["stays_by_policy"] += 1
            return
        if self._stays_after_redirection(plezi_id):
            self.person.counts["open: stays_after_redirection"] += 1
            return
        both = configuration.direction is Direction.BOTH
        if member.kind is RecordKind.LEAD and both:
            raise ViolationError(
                f"differs: {self.key} of {member.id} is {there.value!r}, and {here.value!r} in "
                "Plezi, without a hold"
            )
        if configuration.direction.can_send(Side.SALESFORCE):
            self._check_sent(member.id, there, here)
        if configuration.direction is Direction.TO_SALESFORCE and member.kind is RecordKind.LEAD:
            self._check_sent(plezi_id, here, there)

    def _stays_by_policy(self, kind: RecordKind, here: State, there: State) -> bool:
        """Whether `fill_blank` leaves two different values as they are (docs/mapping.md)."""
        configuration = self.person.configuration
        is_blank = configuration.is_blank
        return configuration.policy is ConflictPolicy.FILL_BLANK and (
            not (is_blank(here.value) or is_blank(there.value))
            or self._has_several_values()
            or (kind is RecordKind.CONTACT and is_blank(there.value))  # it is never filled
            or configuration.direction is not Direction.BOTH
        )

    def _stays_after_redirection(self, plezi_id: str) -> bool:
        """Whether a record differs since the pairs had another direction; nobody typed since.

        Open: no document says it. A value that does not differ from its base is no change
        (docs/architecture.md), and what differs so keeps later records from joining.
        """
        if not self.person.was_redirected:
            return False
        ids = {it.id for it in self.members()}
        cells = [self.person.records.cell(it, self.key) for it in ids]
        here = self.person.records.cell(plezi_id, self.key)
        return not here.is_edited and any(
            it.agreed is not None
            and not it.is_edited
            and not self.person.configuration.is_same(it.state.value, here.state.value)
            for it in cells
        )

    def _has_several_values(self) -> bool:
        """Whether the records that take part have more than one value to fill a blank with."""
        values = {self.person.records.state(it.id, self.key).value for it in self.members()}
        return len({it for it in values if not self.person.configuration.is_blank(it)}) > 1

    def _check_sent(self, record: str, sent: State, received: State) -> None:
        """Check that a typed value of a record was taken over, typed over, or journaled."""
        if sent.typing == NOBODY or sent.typing in received.known or sent.is_weak:
            return
        excuses = {
            "is_journaled": self._is_journaled(record, sent),
            "is_unticked": self._is_unticked(sent, received),
            "clears_own_value": self._clears_own_value(record, sent, received),
            "joins_without_clearing": self._joins_without_clearing(record, sent, received),
            "cleared_outside_filter": self._cleared_outside_filter(sent),
            "edited_on_receiving_side": self._edited_on_receiving_side(sent, received),
            "open: kept_by_contact": self._kept_by_contact(record),
        }
        if name := next((it for it, holds in excuses.items() if holds), ""):
            self.person.counts[name] += 1
            return
        raise ViolationError(
            f"not sent: {self.key} of {record} is {sent.value!r} (typing {sent.typing}), and "
            f"{received.value!r} on the other side, without a hold or an entry in the journal"
        )

    def _is_journaled(self, record: str, sent: State) -> bool:
        """Whether the journal names the value as one of this record, or of one that it replaced."""
        ids = {record, *(it.id for it in self.person.records.former(record))}
        return any(self.person.has_journaled(Loss(it, self.key, sent, 0)) for it in ids)

    def _is_unticked(self, sent: State, received: State) -> bool:
        """Whether a checkbox is not ticked beside one that is (docs/mapping.md)."""
        policy = self.person.configuration.policy
        is_restrictive = policy is ConflictPolicy.MOST_RESTRICTIVE
        return is_restrictive and not sent.value and received.value is True

    def _clears_own_value(self, record: str, sent: State, received: State) -> bool:
        """Whether a Contact was cleared of a value that only it had.

        docs/people.md: "A clearing of what only the Contact had clears nothing else". It does not
        hold where Plezi has the value that was cleared.
        """
        configuration = self.person.configuration
        agreed = self.person.records.cell(record, self.key).agreed
        is_contact = KINDS[record[0]] is RecordKind.CONTACT
        return (
            is_contact
            and configuration.is_blank(sent.value)
            and (agreed is None or not configuration.is_same(agreed.value, received.value))
        )

    def _joins_without_clearing(self, record: str, sent: State, received: State) -> bool:
        """Whether a clearing clears nothing in a record that never agreed.

        README.md: "a first meeting fills blanks": nobody cleared what such a record has.
        """
        return self.person.configuration.is_blank(sent.value) and self._is_new(record, received)

    def _cleared_outside_filter(self, sent: State) -> bool:
        """Whether a field was cleared in a record outside the filter, of which nothing is read.

        README.md: "a clearing in a record that never agreed", or outside the filter.
        """
        is_blank = self.person.configuration.is_blank(sent.value)
        return is_blank and sent.typing in self.person.records.typed_outside

    def _edited_on_receiving_side(self, sent: State, received: State) -> bool:
        """Whether the value was typed before an edit on the receiving side of a one-way pair.

        docs/mapping.md: that edit stays there until the sending side changes again.
        """
        direction = self.person.configuration.direction
        return direction is not Direction.BOTH and received.typing > sent.typing

    def _kept_by_contact(self, record: str) -> bool:
        """Whether the Contact of a converted Lead has what was agreed with a former contact.

        Open: it is never written to, and no line says that the new contact in Plezi differs.
        """
        former = self.person.records.former(record)
        return record[0] == "c" and any(
            self.person.records.cell(it.id, self.key).is_forgotten for it in former
        )

    def _is_new(self, record: str, received: State) -> bool:
        cells = self.person.records.sights.cells
        return any(
            it.state is received and it.agreed is None
            for key, it in cells.items()
            if key[0] != record
        )

    def _check_last_edit(self, here: State, record: Record) -> None:
        """Check what was typed in a record before it left (docs/people.md).

        Of a converted Lead, an edit that its Contact does not have; of any record that left, a
        ticked opt-out. It must be a record that agreed with Plezi before.
        """
        configuration, records = self.person.configuration, self.person.records
        cell = records.cell(record.id, self.key)
        state = cell.state
        is_opt_out = configuration.kind is FieldKind.CHECKBOX and state.value is True
        if (
            any(it.id == record.id for it in self.members())
            or not (record.converted or (is_opt_out and not record.is_active))
            or cell.agreed is None
            or record.id not in self.person.took_part
            or not record.eligible
            or not cell.is_edited
            or not configuration.direction.can_send(Side.SALESFORCE)
        ):
            return
        if state.typing in here.known or state.is_weak:
            return
        if configuration.is_same(state.value, here.value) or self._is_filled(here):
            return
        if self._is_continued(record, state) or self._is_journaled(record.id, state):
            return
        raise ViolationError(
            f"last edit: {self.key} of {record.id} is {state.value!r}, and {here.value!r} in Plezi"
        )

    def _is_filled(self, here: State) -> bool:
        """Whether `fill_blank` finds no blank to fill (docs/mapping.md)."""
        configuration = self.person.configuration
        is_filling = configuration.policy is ConflictPolicy.FILL_BLANK
        return is_filling and not configuration.is_blank(here.value)

    def _is_continued(self, record: Record, state: State) -> bool:
        """Whether the record that replaced this one has its value, or what was typed over it.

        Open: of a custom field, the Contact may have what was typed over the blank that a
        conversion leaves; the connector takes it for an edit of the Lead's value.
        """
        records = self.person.records
        if record.successor not in records.by_id:
            return False
        cell = records.cell(record.successor, self.key)
        successor = cell.state
        if any(state.typing in it.known for it in (successor, *cell.past)):
            return True  # also where its user typed the agreed value again
        is_open = self.person.configuration.is_custom and successor.typing != NOBODY
        self.person.counts["open: typed_in_blank_contact"] += is_open
        return is_open
