"""Which lines of a link have something to say: a merge is costly, and most lines are at rest."""

from __future__ import annotations

from collections.abc import Sequence

from connector.mapping import BoundMapping, is_identical
from connector.model import NO_VALUES, Link
from connector.planning.field_merge import NoBase
from connector.planning.participants import Participant


def changed_pairs(link: Link, bound: BoundMapping, roles: Sequence[Participant]) -> set[str]:
    """Return the keys of the lines that may have something to say; all others are at rest.

    At rest, every record says what it said at the last agreement: nobody speaks, nobody joins, and
    `resolve` would find agreement on the same words, or quiet.
    """
    keys = set(link.holds)
    for role in roles:
        says = NO_VALUES if role.observation is None else role.observation.values
        agreed = link.base.get(role.record_id, NO_VALUES)
        for key, name in bound.fields_of[role.kind]:
            if not is_identical(says.get(name), agreed.get(name, NoBase.NO_BASE)):
                keys.add(key)
    for line in bound.always_compared:
        words = [
            role.observation.values.get(line.fields[role.kind].name)
            for role in roles
            if role.observation is not None and role.kind in line.fields
        ]
        # The placeholder is a blank in Salesforce and a word in Plezi.
        if line.pair.placeholder or not all(is_identical(word, words[0]) for word in words):
            keys.add(line.key)
    return keys
