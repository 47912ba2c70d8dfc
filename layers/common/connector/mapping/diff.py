"""The changes between two versions of the mapping, field pair by field pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

from connector.mapping.model import FieldPair, Filter, MappingConfig

SETTINGS: Final = tuple(
    field.name for field in fields(MappingConfig) if field.name not in ("version", "pairs")
)
"""The settings of a mapping as a whole."""


@dataclass(frozen=True, slots=True)
class MappingChange:
    """One changed property, with its value before and after ('': it did not exist).

    `pair` is the Salesforce field of the pair, or the name of a setting; `field` is the property of
    the pair ('' for a new or removed pair, and for a setting).
    """

    pair: str
    field: str
    before: str
    after: str


def diff_mappings(before: MappingConfig, after: MappingConfig) -> tuple[MappingChange, ...]:
    """Return what changed, in the order of the newer mapping; the order of pairs is ignored."""
    return (*_setting_changes(before, after), *_pair_changes(before, after))


def _setting_changes(before: MappingConfig, after: MappingConfig) -> Iterator[MappingChange]:
    for name in SETTINGS:
        old, new = _to_text(getattr(before, name)), _to_text(getattr(after, name))
        if old != new:
            yield MappingChange(name, "", old, new)


def _pair_changes(before: MappingConfig, after: MappingConfig) -> Iterator[MappingChange]:
    old_pairs = {pair.key: pair for pair in before.pairs}
    new_pairs = {pair.key: pair for pair in after.pairs}
    for key, pair in new_pairs.items():
        if key not in old_pairs:
            yield MappingChange(key, "", "", _summary(pair))
            continue
        for field in fields(FieldPair):
            old = _to_text(getattr(old_pairs[key], field.name))
            new = _to_text(getattr(pair, field.name))
            if old != new:
                yield MappingChange(key, field.name, old, new)
    for key, pair in old_pairs.items():
        if key not in new_pairs:
            yield MappingChange(key, "", _summary(pair), "")


def _summary(pair: FieldPair) -> str:
    return f"{pair.plezi} {pair.direction.value}"


def _to_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return "; ".join(map(str, value))
        case Filter():
            return f"{value.field} {value.operator.value} {value.value}"
        case _:
            return str(value)
