"""One run: the person is read, planned and written until nothing is left to do, and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from connector.mapping import ConflictPolicy, Direction
from connector.model import RecordKind, Side, Write
from connector.planning.plan import Plan
from connector.planning.write_outcome import WriteOutcome, WriteResult
from tests.simulation.stories.final_check import check_final, check_journal
from tests.simulation.stories.person import (
    MAX_PLANS,
    NOT_ARRIVED,
    REFUSED,
    Person,
    Unanswered,
    ViolationError,
)
from tests.simulation.stories.records import KINDS
from tests.simulation.stories.sights import State
from tests.simulation.stories.write_check import check_write, note_decision
from tests.simulation.stories.written_value import find_sources

NOTHING_WRITTEN: Final[Mapping[str, str]] = MappingProxyType({})


def run(person: Person, faults: Mapping[str, str]) -> None:
    """Run once; `faults` say what becomes of the first writes of some records.

    Without a fault all is checked at the end: the plan of a person whose writes are done writes
    nothing more, except to a record that was created (docstring of `plan_link`).
    """
    person.read()
    repeated = person.recover()
    has_written = False
    for _ in range(MAX_PLANS):
        plan = person.plan(repeated)
        repeated = frozenset()
        _note_holds(person, plan)
        if not plan.writes:
            _finish(person, plan)
            return
        is_refilled = person.configuration.policy is ConflictPolicy.FILL_BLANK and person.choices
        if has_written and not is_refilled:
            raise ViolationError(f"unstable: a plan writes again: {plan.writes}")
        has_written = not any(it.is_create for it in plan.writes)
        _carry_out(person, plan, faults)
        if faults:
            person.was_interrupted = True
            person.records.sights.end_run(person.unread())
            check_journal(person)
            return
    raise ViolationError("unstable: plans go on writing")


def _carry_out(person: Person, plan: Plan, faults: Mapping[str, str]) -> None:
    """Carry out the writes of a plan, check each, and note what the sides agree on then."""
    records = person.records
    before = {
        (it, key): records.state(it, key)
        for it in records.by_id
        for key in person.configuration.keys
    }
    person.begin(plan)
    outcomes: dict[str, WriteOutcome] = {}
    written: dict[str, str] = {}
    for write in plan.writes:
        fault = person.fault_of(write, faults)
        record_id = write.record_id
        if fault not in (REFUSED, NOT_ARRIVED):
            record_id = written[write.record_id] = person.create_for(write)
            _write(person, plan, write, record_id, before)
        else:
            _note_decisions(person, plan, write, before)
        outcomes[write.record_id] = person.outcome(write, record_id, fault)
    person.end(outcomes)
    for key in person.configuration.keys:
        ids = [
            it.record_id
            for it in plan.writes
            if records.configuration.field(it.kind, key) in it.values
        ]
        if not ids and key in person.link.holds:
            continue  # nothing is agreed, and what the hold shows stays shown
        results = {outcomes[it].result for it in ids}
        if WriteResult.UNKNOWN not in results:
            is_done = results == {WriteResult.DONE}
            agreement = _Agreement.ALL if is_done else _Agreement.EQUAL
            _agree(person, plan, key, agreement, written if is_done else {})
        elif written.keys() >= set(ids):
            unknown = [it for it in ids if outcomes[it].result is WriteResult.UNKNOWN]
            _note_unanswered(person, plan, key, [written[it] for it in unknown])


def _note_unanswered(person: Person, plan: Plan, key: str, written: Sequence[str]) -> None:
    """Note what is agreed: the writes were done, and some of them have no answer yet."""
    records = person.records
    known = [it.record_id for it in plan.participants.members if it.record_id in records.by_id]
    ids = {*known, *written}
    cells = [records.key(it, key) for it in ids]
    contact = next((it for it in ids if KINDS[it[0]].side is Side.PLEZI), "")
    person.unanswered.append(
        Unanswered(
            tuple((it, records.sights.cell(it).state) for it in cells),
            tuple(records.key(it, key) for it in written),
            records.sights.last,
            contact,
        )
    )


def _note_decisions(
    person: Person, plan: Plan, write: Write, before: Mapping[tuple[str, str], State]
) -> None:
    """Note which values would give way to a write that does not arrive."""
    if write.is_create:
        return
    for key in person.configuration.keys:
        if person.records.key(write.record_id, key)[1] in write.values:
            states = {it: state for (it, name), state in before.items() if name == key}
            note_decision(find_sources(person, plan, write, write.record_id, key, states))


def _write(
    person: Person,
    plan: Plan,
    write: Write,
    record_id: str,
    before: Mapping[tuple[str, str], State],
) -> None:
    """Write one record; each value is checked first."""
    records = person.records
    for key in person.configuration.keys:
        cell = records.key(record_id, key)
        if cell[1] not in write.values:
            continue
        states = {it: state for (it, name), state in before.items() if name == key}
        value = check_write(find_sources(person, plan, write, record_id, key, states))
        person.written[cell] += 1
        records.sights.write(cell, records.key(value.source, key), value.won, value.new)
    records.by_id[record_id].modified = records.now()


def _finish(person: Person, plan: Plan) -> None:
    """Store a plan that writes nothing, and check the person."""
    person.journal += plan.overwritten
    if plan.link is not person.link:
        person.link = replace(plan.link, dirty=False)
    for key in person.configuration.keys:
        if key not in person.link.holds:
            _agree(person, plan, key, _Agreement.WITHOUT_WRITE)
    again = person.plan()
    if again.writes:
        raise ViolationError(f"unstable: writes after a plan without: {again.writes}")
    if again.link is not person.link:
        person.link = again.link
        if person.plan().link is not again.link:
            raise ViolationError("unstable: the link changes three times")
    person.records.sights.end_run(person.unread())
    check_journal(person)
    check_final(person, plan)
    person.took_part = {it.record_id for it in plan.participants.members if it.only is None}


def _note_holds(person: Person, plan: Plan) -> None:
    """Note which values the holds show together."""
    records = person.records
    for key, hold in plan.link.holds.items():
        if key in person.configuration.keys:
            known = [
                (records.key(it, key), hold.values[it]) for it in hold.values if it in records.by_id
            ]
            records.sights.show_together(known)


class _Agreement(Enum):
    """Which records of a pair agree: all that take part, or those with Plezi's value.

    The third: all if the records that are written to are equal, else new ones that never are.
    """

    ALL = "all"
    EQUAL = "equal"
    WITHOUT_WRITE = "without a write"


def _agree(
    person: Person,
    plan: Plan,
    key: str,
    agreement: _Agreement,
    written: Mapping[str, str] = NOTHING_WRITTEN,
) -> None:
    """Note the agreement on a pair, and that equal values are seen together from now on.

    `written` holds the records with a value of the pair that was written, by their id in the plan.
    """
    records, same = person.records, person.configuration.is_same
    members = [
        written.get(it.record_id, it.record_id)
        for it in plan.participants.members
        if it.takes_part_in(key)
    ]
    contact = person.link.plezi
    values = {it: records.state(it, key).value for it in members if it in records.by_id}
    if contact is not None and contact.id not in values:
        values[contact.id] = records.state(contact.id, key).value
    for value in set(values.values()):
        equal = [it for it in values if same(values[it], value)]
        if len(equal) > 1:
            records.sights.meet(records.key(it, key) for it in equal)
    if contact is None or not contact.is_active or len(values) < len(Side):
        return
    equal = [it for it in values if same(values[it], values[contact.id])]
    last = {it.record_id for it in plan.participants.members if it.only is not None}
    present = [it for it in values if it not in last]  # a last edit may give way
    is_all = agreement is _Agreement.ALL or _are_equal(person, present, equal)
    is_one_way = person.configuration.direction is not Direction.BOTH
    may_be_partial = is_one_way or agreement is _Agreement.EQUAL
    for record_id in values:
        is_equal = may_be_partial and len(equal) > 1 and record_id in equal
        if is_all or is_equal or _is_new_sender(person, record_id, key):
            records.sights.agree(records.key(record_id, key), contact.id)


def _are_equal(person: Person, values: Collection[str], equal: Collection[str]) -> bool:
    """Whether all records agree without a write: of two directions, all that are written to."""
    configuration = person.configuration
    is_both = configuration.direction is Direction.BOTH
    if not is_both or configuration.policy is ConflictPolicy.FILL_BLANK:
        return len(equal) == len(values)
    written = [it for it in values if KINDS[it[0]] is not RecordKind.CONTACT]
    return len(equal) == len(values) or (len(written) > 1 and set(written) <= set(equal))


def _is_new_sender(person: Person, record_id: str, key: str) -> bool:
    """Whether a record is never written to in a pair, and has not agreed yet: it keeps its own."""
    kind = KINDS[record_id[0]]
    is_written = kind is not RecordKind.CONTACT
    is_written &= person.configuration.direction.can_receive(kind.side)
    if person.configuration.policy is ConflictPolicy.FILL_BLANK:
        return False
    return not is_written and person.records.cell(record_id, key).agreed is None
