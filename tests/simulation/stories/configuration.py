"""The mapping of a story: its fields, policy, direction and duplicate policy, bound to fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
)
from connector.mapping.model import EMAIL_PAIR
from connector.mapping.suggestions import CUSTOM_SUFFIX
from connector.model import RecordKind, Value

ATTRIBUTES: Final = {"Phone": ("phone", "mobile"), "City": ("city", "town")}
"""By field of Salesforce: the attribute of its pair, and the other one of which it may be."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The mapping of a story: one or two field pairs (`pairs`) with the same properties.

    `is_custom`: the fields are custom ones, which a conversion does not copy. `is_moved`: the pairs
    are pointed at their other attribute.
    """

    policy: ConflictPolicy = ConflictPolicy.NEWEST
    direction: Direction = Direction.BOTH
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    kind: FieldKind = FieldKind.TEXT
    is_custom: bool = False
    placeholder: str = ""
    pairs: int = 1
    is_moved: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the pairs: their fields in Salesforce."""
        suffix = CUSTOM_SUFFIX if self.is_custom else ""
        return tuple(f"{name}{suffix}" for name in list(ATTRIBUTES)[: self.pairs])

    def field(self, kind: RecordKind, key: str) -> str:
        """Return the field of a pair in a kind of record."""
        if kind is not RecordKind.PLEZI_CONTACT:
            return key
        return ATTRIBUTES[key.removesuffix(CUSTOM_SUFFIX)][self.is_moved]

    @property
    def blank(self) -> Value:
        """What a field shows that nobody filled."""
        return False if self.kind is FieldKind.CHECKBOX else None

    def is_blank(self, value: Value) -> bool:
        """Whether a value is blank, an unticked checkbox or the placeholder."""
        return value in (None, False, "") or (bool(self.placeholder) and value == self.placeholder)

    def is_same(self, one: Value, other: Value) -> bool:
        """Whether two values are equal for the connector."""
        return one == other or (self.is_blank(one) and self.is_blank(other))


@lru_cache(maxsize=1000)
def bind(configuration: Configuration) -> BoundMapping:
    """Return the mapping of a configuration, bound to its fields."""
    pairs = [
        FieldPair(
            configuration.field(RecordKind.PLEZI_CONTACT, key),
            key,
            configuration.direction,
            configuration.policy,
            contact=key,
            placeholder=configuration.placeholder,
        )
        for key in configuration.keys
    ]
    bound = [_bound(EMAIL_PAIR, FieldKind.EMAIL), *(_bound(it, configuration.kind) for it in pairs)]
    config = MappingConfig(1, (EMAIL_PAIR, *pairs), None, duplicates=configuration.duplicates)
    return BoundMapping(config, tuple(bound), ())


def _bound(pair: FieldPair, kind: FieldKind) -> BoundPair:
    names = {
        RecordKind.PLEZI_CONTACT: pair.plezi,
        RecordKind.LEAD: pair.salesforce,
        RecordKind.CONTACT: pair.contact,
    }
    return BoundPair(pair, {record: Field(name, kind) for record, name in names.items()})
