"""The field pairs of a link that need a merge: a merge is costly, and most pairs are unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from connector.mapping import BoundMapping, is_identical
from connector.model import NO_VALUES, Link
from connector.planning.field_merge import NoBase
from connector.planning.participating_records import Participant


def changed_pairs(link: Link, bound: BoundMapping, participants: Sequence[Participant]) -> set[str]:
    """Return the keys of the pairs that may need a write, a hold or a new base.

    In all other pairs every record has exactly the value of the last agreement: no value changed
    or still has to reach the other system, no record joins, and `resolve` would return the same
    agreement, or no change.
    """
    keys = set(link.holds)
    for participant in participants:
        record = participant.observation
        values = NO_VALUES if record is None else record.values
        base = link.base.get(participant.record_id, NO_VALUES)
        for key, name, base_key in bound.fields_of[participant.kind]:
            is_same = is_identical(values.get(name), base.get(base_key, NoBase.NO_BASE))
            if not is_same or (participant.record_id, base_key) in link.undelivered:
                keys.add(key)
    for pair in bound.always_compared:
        current = [
            participant.observation.values.get(pair.fields[participant.kind].name)
            for participant in participants
            if participant.observation is not None and participant.kind in pair.fields
        ]
        # The placeholder is a blank in Salesforce and a value in Plezi.
        if pair.pair.placeholder or not all(is_identical(it, current[0]) for it in current):
            keys.add(pair.key)
    return keys
