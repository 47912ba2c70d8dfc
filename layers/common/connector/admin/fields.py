"""The fields of both sides, as an administrator chooses among them (product P5, P12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.mapping import Field, FieldKind, MappingConfig, Schema
from connector.model import RecordKind

LAST_VIEWED = "last_viewed"
"""The document with the names that were shown last, by kind of record."""


@dataclass(frozen=True, slots=True)
class FieldView:
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
    is_new: bool


@dataclass(frozen=True, slots=True)
class FieldList:
    """The fields of both sides; `previous_view` is when they were last shown (None: never)."""

    plezi: tuple[FieldView, ...]
    lead: tuple[FieldView, ...]
    contact: tuple[FieldView, ...]
    previous_view: float | None


def list_fields(context: AdminContext, *, refresh: bool = False) -> FieldList:
    """Return the fields of both sides, and remember that they were shown.

    `refresh` asks both sides to describe themselves again. Raises what the sides raise.
    """
    sides = context.sides()
    if refresh:
        sides.invalidate_schemas()
    schemas = sides.schemas()
    seen = context.documents.load_document(LAST_VIEWED)
    mapped = _mapped(context.mappings.current())

    def told(kind: RecordKind) -> tuple[FieldView, ...]:
        known = None if seen is None else frozenset(seen["names"].get(kind.value, ()))
        return tuple(_field_view(it, mapped[kind], known) for it in schemas[kind].values())

    fields = FieldList(
        told(RecordKind.PLEZI_CONTACT),
        told(RecordKind.LEAD),
        told(RecordKind.CONTACT),
        None if seen is None else float(seen["at"]),
    )
    _remember(context, schemas)
    return fields


def _remember(context: AdminContext, schemas: Mapping[RecordKind, Schema]) -> None:
    names = {kind.value: sorted(schema) for kind, schema in schemas.items()}
    context.documents.save_document(LAST_VIEWED, {"at": context.clock(), "names": names})


def _mapped(mapping: MappingConfig) -> dict[RecordKind, frozenset[str]]:
    return {
        RecordKind.PLEZI_CONTACT: frozenset(line.plezi for line in mapping.pairs),
        RecordKind.LEAD: frozenset(line.salesforce for line in mapping.pairs),
        RecordKind.CONTACT: frozenset(line.contact for line in mapping.pairs),
    }


def _field_view(field: Field, mapped: frozenset[str], known: frozenset[str] | None) -> FieldView:
    return FieldView(
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
        is_new=known is not None and field.name not in known,
    )
