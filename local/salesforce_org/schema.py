"""Objects and fields: the single definition from which all other metadata is derived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

TEXTS = frozenset(
    {"string", "email", "phone", "url", "textarea", "picklist", "multipicklist", "combobox"}
)
COMPOUNDS = frozenset({"address", "location"})  # values that consist of other fields
UNFILTERABLE = COMPOUNDS | {"encryptedstring"}
NUMBERS = frozenset({"double", "currency", "percent", "int"})
PROBABILISTIC, DETERMINISTIC = "probabilistic", "deterministic"
"""Schemes of Shield Platform Encryption: no filter at all, or equality only."""
LONG_TEXT = 4000  # a text area of this length or more can be neither filtered nor sorted


@dataclass(frozen=True, slots=True)
class Field:
    """One field, with its properties in describe."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    defaulted: bool = False
    default: object = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    calculated: bool = False
    formula: str | None = None
    fixed: bool = False  # standard and required, or system: no permission can hide it
    address: str = ""  # for a compound field: the prefix of its parts
    sql: str = ""  # for a computed column: the expression
    compound: str = ""  # the compound field of which this one is a part
    html: bool = False  # rich text
    auto_number: str = ""  # the display format, such as L-{0000}
    mask: str = ""  # the character that hides an encrypted text
    encryption: str = ""  # Shield Platform Encryption: probabilistic or deterministic

    @property
    def custom(self) -> bool:
        """Whether the field is custom."""
        return self.name.endswith("__c")

    @property
    def required(self) -> bool:
        """Whether a create must contain the field."""
        return not self.nillable and not self.defaulted and self.createable

    @property
    def permissionable(self) -> bool:
        """Whether field-level security can hide the field; false for required and system fields."""
        may_be_empty = self.nillable or self.type == "boolean" or bool(self.auto_number)
        return not self.fixed and may_be_empty

    @property
    def is_compound(self) -> bool:
        """Whether the value consists of other fields: it has no column and is never written."""
        return self.type in COMPOUNDS

    @property
    def filterable(self) -> bool:
        """Whether SOQL may filter by the field; false for long text areas and compound fields.

        Text (Encrypted) cannot be filtered either (Salesforce Help, "Classic Encryption"), nor can
        a field with probabilistic encryption (Salesforce Help, "How Deterministic Encryption
        Supports Filtering").
        """
        is_long = self.type == "textarea" and self.length >= LONG_TEXT
        is_random = self.encryption == PROBABILISTIC
        return self.type not in UNFILTERABLE and not is_long and not is_random

    @property
    def sortable(self) -> bool:
        """Whether SOQL may sort by the field; never by an encrypted one, nor group by it.

        Salesforce Help, "Considerations for Using Deterministic Encryption": ORDER BY, GROUP BY.
        """
        return self.filterable and self.type != "multipicklist" and not self.encryption

    @property
    def groupable(self) -> bool:
        """Whether SOQL may group by the field."""
        return self.sortable and self.type not in {"datetime", "double", "currency", "percent"}

    @property
    def is_text(self) -> bool:
        """Whether the values are text with case-insensitive comparison."""
        return self.type in TEXTS

    @property
    def key(self) -> bool:
        """Whether an upsert may use the field as key."""
        return (self.external_id or self.id_lookup) and self.filterable


@dataclass(slots=True)
class ObjectType:
    """One object: its id prefix and its fields; names are case-insensitive."""

    name: str
    label: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)
    plural: str = ""
    business: bool = True  # a business record: it can be deleted, undeleted, replicated
    tooling: bool = False  # served under /tooling only
    createable: bool = True
    updateable: bool = True
    changed_at: datetime | None = None

    def find(self, name: str) -> Field | None:
        """Return the field with this name, or None."""
        return self.fields.get(name.lower())

    def get(self, name: str) -> Field:
        """Return an existing field.

        Raises:
            KeyError: when there is no such field.
        """
        return self.fields[name.lower()]

    def relation(self, name: str) -> Field | None:
        """Return the reference field with this relationship name, or None."""
        lowered = name.lower()
        for candidate in self.fields.values():
            if candidate.relationship and candidate.relationship.lower() == lowered:
                return candidate
        return None

    def columns(self) -> list[Field]:
        """Return the stored fields: all except compound and computed fields."""
        return [f for f in self.fields.values() if not f.is_compound and not f.sql]

    def put(self, new: Field) -> None:
        """Add or replace a field."""
        self.fields[new.name.lower()] = new

    def change(self, name: str, **changes: object) -> Field:
        """Change some properties of a field and return it."""
        new = replace(self.get(name), **changes)  # type: ignore[arg-type]  # the fields of Field
        self.put(new)
        return new


class Schema:
    """All objects of the org; names are case-insensitive."""

    def __init__(self, objects: Iterable[ObjectType]) -> None:
        self._objects = {kind.name.lower(): kind for kind in objects}

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self._objects.values())

    def find(self, name: str) -> ObjectType | None:
        """Return the object with this name, or None."""
        return self._objects.get(name.lower())

    def get(self, name: str) -> ObjectType:
        """Return an existing object.

        Raises:
            KeyError: when there is no such object.
        """
        return self._objects[name.lower()]

    def of_id(self, record_id: str) -> ObjectType | None:
        """Return the object of an id's prefix, or None."""
        prefix = record_id[:3]
        return next((kind for kind in self if kind.prefix == prefix), None)
