"""The fields of both sides, as an administrator chooses among them (product P5, P12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.administration.office import Office
from connector.mapping import Field, FieldKind, FieldMapping, Schema
from connector.model import Kind

LAST_LOOK = "last_look"
"""The document with the names that were shown last, by kind of record."""


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One field of one side.

    `length` is in characters, `scale` in decimals (None: not told). `options` are the values of a
    list; `restricted`: no other is taken. `creatable` and `updatable` are two rights, `writable`
    either of them. `required`: no record without a value. `mapped`: a line of the mapping names it.
    """

    name: str
    label: str
    type: FieldKind
    length: int | None
    scale: int | None
    options: tuple[str, ...]
    restricted: bool
    writable: bool
    creatable: bool
    updatable: bool
    required: bool
    unique: bool
    mapped: bool
    new_since_last_look: bool


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of both sides; `previous_look` is when they were last shown (None: never)."""

    plezi: tuple[FieldTold, ...]
    lead: tuple[FieldTold, ...]
    contact: tuple[FieldTold, ...]
    previous_look: float | None


def list_fields(office: Office, *, refresh: bool = False) -> Fields:
    """Return the fields of both sides, and remember that they were shown.

    `refresh` asks both sides to describe themselves again. Raises what the sides raise.
    """
    sides = office.sides()
    if refresh:
        sides.forget_schemas()
    schemas = sides.schemas()
    seen = office.ledger.document(LAST_LOOK)
    mapped = _mapped(office.configuration.current())

    def told(kind: Kind) -> tuple[FieldTold, ...]:
        known = None if seen is None else frozenset(seen["names"].get(kind.value, ()))
        return tuple(_told(it, mapped[kind], known) for it in schemas[kind].values())

    fields = Fields(
        told(Kind.PLEZI_CONTACT),
        told(Kind.LEAD),
        told(Kind.CONTACT),
        None if seen is None else float(seen["at"]),
    )
    _remember(office, schemas)
    return fields


def _remember(office: Office, schemas: Mapping[Kind, Schema]) -> None:
    names = {kind.value: sorted(schema) for kind, schema in schemas.items()}
    office.ledger.keep_document(LAST_LOOK, {"at": office.clock(), "names": names})


def _mapped(mapping: FieldMapping) -> dict[Kind, frozenset[str]]:
    return {
        Kind.PLEZI_CONTACT: frozenset(line.plezi for line in mapping.lines),
        Kind.LEAD: frozenset(line.salesforce for line in mapping.lines),
        Kind.CONTACT: frozenset(line.contact for line in mapping.lines),
    }


def _told(field: Field, mapped: frozenset[str], known: frozenset[str] | None) -> FieldTold:
    return FieldTold(
        name=field.name,
        label=field.label,
        type=field.kind,
        length=field.length,
        scale=field.scale,
        options=field.options,
        restricted=field.restricted,
        writable=field.creatable or field.updatable,
        creatable=field.creatable,
        updatable=field.updatable,
        required=field.required,
        unique=field.unique,
        mapped=field.name in mapped,
        new_since_last_look=known is not None and field.name not in known,
    )
