"""Writes that empty fields: one by one they are edits, a thousand at once are an accident. Pure."""

from __future__ import annotations

from connector.mapping import BoundMapping
from connector.planning.plan import Plan


def clears_value(each: Plan, bound: BoundMapping) -> bool:
    """Whether a plan would empty a field of an existing record that says something now."""
    for write in each.writes:
        if write.is_create:
            continue
        for name, value in write.values.items():
            line = bound.by_field.get((write.kind, name))
            if line is None:
                continue
            before = write.before.get(name)
            if line.is_blank(write.side, value) and not line.is_blank(write.side, before):
                return True
    return False
