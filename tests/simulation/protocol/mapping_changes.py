"""Changes of the mapping between runs: the pair is removed, added again, or pointed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from connector.mapping import BoundMapping
from connector.model import Link, RecordKind
from tests.simulation.protocol.records import (
    LEAD_FIELD,
    OTHER_PLEZI_FIELD,
    PLEZI_FIELD,
    Record,
    base_key,
)
from tests.simulation.protocol.system_states import (
    DELIVERED,
    NEVER_AGREED,
    PENDING,
    EditMark,
    SystemState,
)

ATTRIBUTES: Final = {"mobile": OTHER_PLEZI_FIELD, "phone": PLEZI_FIELD}


def mapping_changes(system: SystemState) -> Iterator[tuple[str, SystemState]]:
    """Yield each change of the mapping that is possible now, with the state after it."""
    first = system.records[0]
    for event in system.one_time_events:
        verb, _, target = event.partition(" ")
        remaining = tuple(it for it in system.one_time_events if it != event)
        left = system._replace(one_time_events=remaining)
        if (verb, first.is_mapped) in (("unmap", True), ("map", False)):
            mapped = verb == "map"
            records = tuple(it._replace(is_mapped=mapped) for it in left.records)
            yield f"an admin action: {event}", left._replace(records=records)
        elif verb == "point" and first.is_mapped and first.attribute != ATTRIBUTES[target]:
            yield f"an admin action: {event}", _pointed_elsewhere(left, ATTRIBUTES[target])


def _pointed_elsewhere(system: SystemState, attribute: str) -> SystemState:
    """Return the state after the pair is pointed at Plezi's other attribute."""
    records, marks = [], []
    for record, mark in zip(system.records, system.marks, strict=True):
        after = record._replace(attribute=attribute)
        if record.kind is RecordKind.PLEZI_CONTACT:
            after = after._replace(value=record.other, other=record.value)
        records.append(after)
        marks.append(_mark_of_other_pair(after, mark))
    after_change = system._replace(records=tuple(records), marks=tuple(marks))
    return after_change.with_equal_values_delivered()


def _mark_of_other_pair(record: Record, mark: EditMark) -> EditMark:
    """Return the mark of a record in the pair that is mapped now.

    Values of a pair that never agreed meet for the first time: each must reach the other side, wait
    for review, or be journaled. In a pair that agreed before, what differs from the agreement and
    did not arrive is an edit.
    """
    status = mark.status if record.kind is RecordKind.LEAD else mark.other_status
    if mark.other_agreed == NEVER_AGREED:
        status = DELIVERED if record.value is None else PENDING
    elif record.value == mark.other_agreed:
        status = DELIVERED
    return EditMark(status, mark.other_agreed, mark.status, mark.agreed)


def with_agreement_by_field(link: Link, bound: BoundMapping) -> Link:
    """Return the link of a weaker protocol: the last agreement of the field counts for any pair."""
    pair = next((it for it in bound.pairs if it.key == LEAD_FIELD), None)
    if pair is None:
        return link
    keys = [base_key(RecordKind.LEAD, it) for it in ATTRIBUTES.values()]
    current = pair.base_keys[RecordKind.LEAD]
    base = {
        record: dict.fromkeys([current], values[key]) | dict(values)
        for record, values in link.base.items()
        for key in keys
        if key in values
    }
    return replace(link, base=base)
