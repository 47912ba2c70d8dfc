"""Which lines of a link have something to say: a merge is costly, and most lines are at rest."""

from __future__ import annotations

from collections.abc import Sequence

from connector.mapping import BoundMapping, identical
from connector.matching import Role
from connector.merge import Unagreed
from connector.model import NOTHING, Link


def stirring(link: Link, bound: BoundMapping, roles: Sequence[Role]) -> set[str]:
    """Return the keys of the lines that may have something to say; all others are at rest.

    At rest, every record says what it said at the last agreement: nobody speaks, nobody joins, and
    `settle` would find agreement on the same words, or quiet.
    """
    keys = set(link.holds)
    for role in roles:
        says = NOTHING if role.seen is None else role.seen.values
        agreed = link.base.get(role.record, NOTHING)
        for key, name in bound.fields_of[role.kind]:
            if not identical(says.get(name), agreed.get(name, Unagreed.NEVER)):
                keys.add(key)
    for line in bound.compared_always:
        words = [
            role.seen.values.get(line.fields[role.kind].name)
            for role in roles
            if role.seen is not None and role.kind in line.fields
        ]
        # The placeholder is a blank in Salesforce and a word in Plezi.
        if line.line.placeholder or not all(identical(word, words[0]) for word in words):
            keys.add(line.key)
    return keys
