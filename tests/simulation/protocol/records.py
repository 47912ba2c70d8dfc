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
from connector.model import Observation, RecordKind, Side, Value

EMAIL: Final = "ana@example.com"
PLEZI_FIELD: Final = "phone"
LEAD_FIELD: Final = "Phone"
URL: Final = "https://app.plezi.co/contacts/p"
URL_FIELD: Final = "plezi_url__c"
TYPED_VALUES: Final = ("a", "b", "c")
"""What users type, besides clearing the field. No rule depends on which of them it is."""
CONVERTED_CONTACT: Final = "c"
"""The id of the Contact of a converted Lead."""
SIDE_NAMES: Final = {Side.PLEZI: "Plezi", Side.SALESFORCE: "Salesforce"}


class Record(NamedTuple):
    """One record as its side stores it; `stamp` orders the user actions on both sides."""

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
            values: dict[str, Value] = {PLEZI_FIELD: self.value, "url": URL}
        else:
            values = {LEAD_FIELD: self.value}
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


def value_field(kind: RecordKind) -> str:
    """Return the name of the modelled field on a kind of record."""
    return PLEZI_FIELD if kind is RecordKind.PLEZI_CONTACT else LEAD_FIELD


def base_key(kind: RecordKind) -> str:
    """Return the base key of the modelled field for a kind of record."""
    other = LEAD_FIELD
    return FieldPair(PLEZI_FIELD, other, Direction.BOTH, contact=other).base_key(kind)


@cache
def bound_mapping(
    policy: ConflictPolicy, duplicates: DuplicatePolicy, *, with_url: bool
) -> BoundMapping:
    """Return the mapping: one two-way pair and, where records are created, the page URL."""
    phone = FieldPair(PLEZI_FIELD, LEAD_FIELD, Direction.BOTH, contact=LEAD_FIELD, policy=policy)
    pairs = [
        BoundPair(
            phone,
            {
                RecordKind.PLEZI_CONTACT: Field(PLEZI_FIELD, FieldKind.TEXT),
                RecordKind.LEAD: Field(LEAD_FIELD, FieldKind.TEXT),
                RecordKind.CONTACT: Field(LEAD_FIELD, FieldKind.TEXT),
            },
        )
    ]
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
