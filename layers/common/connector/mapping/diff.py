"""What changed between two versions of the mapping, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from connector.mapping.model import FieldPair, Filter, MappingConfig


@dataclass(frozen=True, slots=True)
class MappingChange:
    """One thing that changed: where, and what it said before and says now ('': it was not there).

    `line` is a line's Salesforce field, or the name of a setting; `field` the property of the line.
    """

    pair: str
    field: str
    before: str
    after: str


def diff_mappings(before: MappingConfig, after: MappingConfig) -> tuple[MappingChange, ...]:
    """Return what changed, in the order of the newer mapping; a new order of lines is no change."""
    return (*_setting_changes(before, after), *_pair_changes(before, after))


def _setting_changes(before: MappingConfig, after: MappingConfig) -> Iterator[MappingChange]:
    for name in ("contact_filter", "lead_filter", "duplicates", "create_lead_beside_contact"):
        was, is_now = _to_text(getattr(before, name)), _to_text(getattr(after, name))
        if was != is_now:
            yield MappingChange(name, "", was, is_now)


def _pair_changes(before: MappingConfig, after: MappingConfig) -> Iterator[MappingChange]:
    old = {line.key: line for line in before.pairs}
    new = {line.key: line for line in after.pairs}
    for key, line in new.items():
        if key not in old:
            yield MappingChange(key, "", "", _summary(line))
            continue
        for field in fields(FieldPair):
            was = _to_text(getattr(old[key], field.name))
            is_now = _to_text(getattr(line, field.name))
            if was != is_now:
                yield MappingChange(key, field.name, was, is_now)
    for key, line in old.items():
        if key not in new:
            yield MappingChange(key, "", _summary(line), "")


def _summary(line: FieldPair) -> str:
    return f"{line.plezi} {line.direction.value}"


def _to_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Filter():
            return f"{value.field} {value.operator.value} {value.value}"
        case _:
            return str(value)
