"""User actions: type, clear, edit another field, create, delete, undelete, convert."""

from __future__ import annotations

from collections.abc import Iterator

from connector.model import Link, RecordKind, Value
from tests.simulation.protocol.records import CONVERTED_CONTACT, SIDE_NAMES, Record, value_field
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import (
    DELIVERED,
    NEVER_AGREED,
    PENDING,
    EditMark,
    SystemState,
)

Overwriting = frozenset[tuple[str, Value]]
"""The records that an unfinished intent updates, with the value from before the write."""


def overwriting(link: Link) -> Overwriting:
    """Return what the unfinished intent of a link overwrites."""
    if link.intent is None:
        return frozenset()
    return frozenset(
        (write.record_id, write.before[name])
        for write in link.intent.writes
        if not write.is_create and (name := value_field(write.kind, write.before)) in write.before
    )


def user_actions(
    scenario: Scenario, system: SystemState, unfinished: Overwriting
) -> Iterator[tuple[str, SystemState]]:
    """Yield every possible user action, with the system state after it.

    Nobody types the value from before an unfinished write again: such an edit looks as if the write
    had not arrived, and is overwritten and journaled (`MergeRule.REPEATED`).
    """
    for place, record in enumerate(system.records):
        if record.deleted or record.converted:
            continue
        where = f"{SIDE_NAMES[record.side]} ({record.id})"
        for value in scenario.values if record.id not in scenario.unedited else ():
            if value != record.value and (record.id, value) not in unfinished:
                action = "clears the field" if value is None else f"types {value}"
                yield f"a user {action} in {where}", _typed(scenario, system, place, value)
        if scenario.other_edits:
            touched = _new_version(scenario, system, record)
            after = system.with_record(place, touched, system.marks[place])
            yield f"a user edits another field in {where}", after
    for event in system.one_time_events:
        after_event = _after_event(scenario, system, event)
        if after_event is not None:
            yield f"a user action: {event}", after_event.with_equal_values_delivered()


def _new_version(scenario: Scenario, system: SystemState, record: Record) -> Record:
    """Return a record after any change."""
    stamp = system.next_stamp() if scenario.compares_stamps else 0
    return record._replace(version=record.version + 1, stamp=stamp)


def _typed(scenario: Scenario, system: SystemState, place: int, value: Value) -> SystemState:
    after = _new_version(scenario, system, system.records[place])._replace(value=value)
    mark = system.marks[place]
    # A blank is not an edit in a record that never agreed: the first match fills it.
    is_no_edit = value == mark.agreed or (value is None and mark.agreed == NEVER_AGREED)
    mark = mark.with_status(DELIVERED if is_no_edit else PENDING)
    return system.with_record(place, after, mark).with_equal_values_delivered()


def _after_event(scenario: Scenario, system: SystemState, event: str) -> SystemState | None:
    """Return the system state after a one-time event; None if it is not possible now."""
    verb, _, target = event.partition(" ")
    remaining = tuple(it for it in system.one_time_events if it != event)
    left = system._replace(one_time_events=remaining)
    place = system.place(target)
    if verb == "add":
        if place is not None:
            return None
        kind = RecordKind.PLEZI_CONTACT if target == "p" else RecordKind.LEAD
        return left.with_new(Record(kind, target, "b"), EditMark(PENDING))
    if verb == "convert":
        leads = (n for n, it in enumerate(system.records) if it.kind is RecordKind.LEAD)
        place = next(leads, None)
    if place is None:
        return None
    record, mark = system.records[place], system.marks[place]
    changed = _new_version(scenario, system, record)
    no_edit = mark.with_status(DELIVERED)
    if verb in ("clear_email", "set_email", "clear_url"):
        after = _with_identity(changed, verb)
        return left.with_record(place, after, mark) if after != changed and after.exists else None
    match verb:
        case "delete" if not record.deleted:
            return left.with_record(place, changed._replace(deleted=True), no_edit)
        case "undelete" if record.deleted:
            return left.with_record(place, changed._replace(deleted=False), no_edit)
        case "convert" if not record.deleted and not record.converted:
            contact = Record(
                RecordKind.CONTACT, CONVERTED_CONTACT, record.value, stamp=changed.stamp
            )
            left = left.with_record(place, changed._replace(converted=True), no_edit)
            return left.with_new(contact, mark)
    return None


def _with_identity(record: Record, verb: str) -> Record:
    """Return a record with its e-mail or its page URL changed."""
    if verb == "clear_url":
        return record._replace(url=False)
    return record._replace(has_email=verb == "set_email")
