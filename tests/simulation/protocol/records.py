"""One record as its side holds it, and the mapping by which the model's two sides agree."""

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
WORDS: Final = ("a", "b", "c")
"""What people type, beside nothing at all. No rule tells one word from another."""
SUCCESSOR: Final = "c"
"""The Contact of a converted Lead."""
NAMES: Final = {Side.PLEZI: "Plezi", Side.SALESFORCE: "Salesforce"}


class Record(NamedTuple):
    """One record as its side holds it; `stamp` orders what people did on both sides."""

    kind: RecordKind
    id: str
    value: Value
    version: int = 0
    stamp: int = 0
    url: bool = False
    deleted: bool = False
    converted: bool = False
    eligible: bool = True

    @property
    def side(self) -> Side:
        return self.kind.side

    @property
    def takes_part(self) -> bool:
        return self.eligible and not (self.deleted or self.converted)

    def observed(self) -> Observation:
        """Return what an adapter would say of it."""
        if self.kind is RecordKind.PLEZI_CONTACT:
            values: dict[str, Value] = {PLEZI_FIELD: self.value, "url": URL}
        else:
            values = {LEAD_FIELD: self.value}
            if self.kind is RecordKind.LEAD:
                values[URL_FIELD] = URL if self.url else None
        return Observation(
            self.kind,
            self.id,
            EMAIL,
            version=f"{self.version:02d}",
            modified=f"{self.stamp:02d}",
            as_of=0.0,
            values=values if self.eligible else {},
            eligible=self.eligible,
            converted=self.converted,
            deleted=self.deleted,
            successor=SUCCESSOR if self.converted else "",
        )


def value_field(kind: RecordKind) -> str:
    """Return the modelled field's name on a kind of record."""
    return PLEZI_FIELD if kind is RecordKind.PLEZI_CONTACT else LEAD_FIELD


@cache
def bound(policy: ConflictPolicy, duplicates: DuplicatePolicy, *, with_url: bool) -> BoundMapping:
    """Return the mapping of the model: one two-way field and, where records are made, the url."""
    phone = FieldPair(PLEZI_FIELD, LEAD_FIELD, Direction.BOTH, contact=LEAD_FIELD, policy=policy)
    lines = [
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
        lines.append(
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
    mapping = MappingConfig(0, tuple(it.pair for it in lines), None, duplicates=duplicates)
    return BoundMapping(mapping, tuple(lines), ())
