"""The records of the model, and its field mapping."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

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
from connector.model import Observation, RecordKind, Side, Value, Values

EMAIL: Final = "ana@example.com"
PLEZI_FIELD: Final = "phone"
OTHER_PLEZI_FIELD: Final = "mobile"
"""The attribute that an admin may point the pair at."""
LEAD_FIELD: Final = "Phone"
URL: Final = "https://app.plezi.co/contacts/p"
URL_FIELD: Final = "plezi_url__c"
TYPED_VALUES: Final = ("a", "b", "c")
"""What users type, besides clearing the field. No rule depends on which of them it is."""
CONVERTED_CONTACT: Final = "c"
"""The id of the Contact of a converted Lead."""
SIDE_NAMES: Final = {Side.PLEZI: "Plezi", Side.SALESFORCE: "Salesforce"}


class Record(NamedTuple):
    """One record as its side stores it; `stamp` orders the user actions on both sides.

    `attribute` is the Plezi attribute of the pair that the mapping has now, or had last if it has
    none (`is_mapped`). `value` is that of this pair, `other` that of Plezi's other attribute.
    """

    kind: RecordKind
    id: str
    value: Value
    version: int = 0
    stamp: int = 0
    url: bool = False
    deleted: bool = False
    converted: bool = False
    eligible: bool = True
    has_email: bool = True
    attribute: str = PLEZI_FIELD
    is_mapped: bool = True
    other: Value = None

    @property
    def side(self) -> Side:
        """The side that stores the record."""
        return self.kind.side

    @property
    def is_participant(self) -> bool:
        """Whether the record takes part in the synchronization."""
        return self.eligible and self.has_email and self.exists

    @property
    def exists(self) -> bool:
        """Whether the record can be written to: neither deleted nor converted."""
        return not (self.deleted or self.converted)

    def observation(self) -> Observation:
        """Return the observation that an adapter makes of the record."""
        if self.kind is RecordKind.PLEZI_CONTACT:
            values: dict[str, Value] = {self.attribute: self.value} if self.is_mapped else {}
            values["url"] = URL
        else:
            values = {LEAD_FIELD: self.value} if self.is_mapped else {}
            if self.kind is RecordKind.LEAD:
                values[URL_FIELD] = URL if self.url else None
        return Observation(
            self.kind,
            self.id,
            EMAIL if self.has_email else "",
            version=f"{self.version:02d}",
            modified=f"{self.stamp:02d}",
            as_of=0.0,
            values=values if self.eligible else {},
            eligible=self.eligible,
            converted=self.converted,
            deleted=self.deleted,
            successor=CONVERTED_CONTACT if self.converted else "",
        )


def value_field(kind: RecordKind, values: Values) -> str:
    """Return the name of the modelled field on a kind of record; `values` have one attribute."""
    if kind is not RecordKind.PLEZI_CONTACT:
        return LEAD_FIELD
    return OTHER_PLEZI_FIELD if OTHER_PLEZI_FIELD in values else PLEZI_FIELD


def value_in(kind: RecordKind, values: Values) -> Value:
    """Return the value of the modelled field among the values of a record."""
    return values.get(value_field(kind, values))


def base_key(kind: RecordKind, attribute: str = PLEZI_FIELD) -> str:
    """Return the base key of the modelled field for a kind of record."""
    other = LEAD_FIELD
    return FieldPair(attribute, other, Direction.BOTH, contact=other).base_key(kind)


@cache
def bound_mapping(
    policy: ConflictPolicy,
    duplicates: DuplicatePolicy,
    *,
    with_url: bool,
    attribute: str = PLEZI_FIELD,
    is_mapped: bool = True,
) -> BoundMapping:
    """Return the mapping: one two-way pair and, where records are created, the page URL."""
    phone = FieldPair(attribute, LEAD_FIELD, Direction.BOTH, contact=LEAD_FIELD, policy=policy)
    pairs = [
        BoundPair(
            phone,
            {
                RecordKind.PLEZI_CONTACT: Field(attribute, FieldKind.TEXT),
                RecordKind.LEAD: Field(LEAD_FIELD, FieldKind.TEXT),
                RecordKind.CONTACT: Field(LEAD_FIELD, FieldKind.TEXT),
            },
        )
    ]
    if not is_mapped:
        pairs.clear()
    if with_url:
        url = FieldPair("url", URL_FIELD, Direction.TO_SALESFORCE, locked=True, enforced=True)
        pairs.append(
            BoundPair(
                url,
                {
                    RecordKind.PLEZI_CONTACT: Field("url", FieldKind.TEXT, updatable=False),
                    RecordKind.LEAD: Field(
                        URL_FIELD, FieldKind.TEXT, external_id=True, unique=True
                    ),
                },
            )
        )
    mapping = MappingConfig(0, tuple(it.pair for it in pairs), None, duplicates=duplicates)
    return BoundMapping(mapping, tuple(pairs), ())
