"""Detection of writes that clear fields: a single one is an edit, very many may be an accident."""

from __future__ import annotations

from connector.mapping import BoundMapping
from connector.planning.plan import Plan


def clears_value(plan: Plan, bound: BoundMapping) -> bool:
    """Whether a plan clears a field of an existing record that has a value now."""
    for write in plan.writes:
        if write.is_create:
            continue
        for name, value in write.values.items():
            pair = bound.by_field.get((write.kind, name))
            if pair is None:
                continue
            before = write.before.get(name)
            if pair.is_blank(write.side, value) and not pair.is_blank(write.side, before):
                return True
    return False
