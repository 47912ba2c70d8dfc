"""What an object and a field are: the one description from which everything else is derived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

TEXTS = frozenset(
    {"string", "email", "phone", "url", "textarea", "picklist", "multipicklist", "combobox"}
)
NUMBERS = frozenset({"double", "currency", "percent", "int"})
LONG_TEXT = 4000  # from this length a text area can be neither filtered nor sorted


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as describe tells it."""

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
    fixed: bool = False  # standard and required or system: nobody can be denied it
    address: str = ""  # for a compound: the prefix of its parts
    sql: str = ""  # for a computed column: the expression

    @property
    def custom(self) -> bool:
        """Whether an administrator made it."""
        return self.name.endswith("__c")

    @property
    def required(self) -> bool:
        """Whether a creation must bring it."""
        return not self.nillable and not self.defaulted and self.createable

    @property
    def permissionable(self) -> bool:
        """Whether field-level security can hide it: never a required or a system field."""
        return not self.fixed and (self.nillable or self.type == "boolean")

    @property
    def filterable(self) -> bool:
        """Whether SOQL may filter on it; long text areas and compounds may not be."""
        return self.type != "address" and not (self.type == "textarea" and self.length >= LONG_TEXT)

    @property
    def sortable(self) -> bool:
        """Whether SOQL may order by it."""
        return self.filterable and self.type != "multipicklist"

    @property
    def groupable(self) -> bool:
        """Whether SOQL may group by it."""
        return self.sortable and self.type not in {"datetime", "double", "currency", "percent"}

    @property
    def is_text(self) -> bool:
        """Whether its values are text that compares without case."""
        return self.type in TEXTS

    @property
    def key(self) -> bool:
        """Whether an upsert may find a record by it."""
        return self.external_id or self.id_lookup


@dataclass(slots=True)
class ObjectType:
    """One object: its prefix and its fields, looked up without regard to case."""

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
        """Return the field of this name, whatever its case."""
        return self.fields.get(name.lower())

    def get(self, name: str) -> Field:
        """Return a field that is known to exist."""
        return self.fields[name.lower()]

    def relation(self, name: str) -> Field | None:
        """Return the reference whose relationship has this name, whatever its case."""
        lowered = name.lower()
        for candidate in self.fields.values():
            if candidate.relationship and candidate.relationship.lower() == lowered:
                return candidate
        return None

    def columns(self) -> list[Field]:
        """Return the fields that are stored (all but compounds and computed ones)."""
        return [f for f in self.fields.values() if f.type != "address" and not f.sql]

    def put(self, new: Field) -> None:
        """Add a field or change it."""
        self.fields[new.name.lower()] = new

    def change(self, name: str, **changes: object) -> Field:
        """Change some properties of a field and return it."""
        new = replace(self.get(name), **changes)  # type: ignore[arg-type]  # the fields of Field
        self.put(new)
        return new


class Schema:
    """Every object of the org, looked up without regard to case."""

    def __init__(self, objects: Iterable[ObjectType]) -> None:
        self._objects = {kind.name.lower(): kind for kind in objects}

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self._objects.values())

    def find(self, name: str) -> ObjectType | None:
        """Return the object of this name, whatever its case."""
        return self._objects.get(name.lower())

    def get(self, name: str) -> ObjectType:
        """Return an object that is known to exist."""
        return self._objects[name.lower()]

    def of_id(self, record_id: str) -> ObjectType | None:
        """Return the object to which an id's prefix belongs."""
        prefix = record_id[:3]
        return next((kind for kind in self if kind.prefix == prefix), None)
