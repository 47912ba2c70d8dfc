"""The fields of both sides, for the choice of field pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.mapping import Field, FieldKind, MappingConfig, Schema
from connector.model import RecordKind

LAST_VIEWED: Final = "last_viewed"
"""The document with the names of the fields of the last view, by kind of record."""
NO_RIGHT: Final = "it is read-only: a system field, or the user has no edit access"
CONTACT_IS_READ: Final = "the connector never writes to a Contact"


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of one side.

    `length` is in characters, `scale` in decimals (None: not known). `options` are the values of a
    list; `restricted`: it accepts no other value. `creatable` and `updatable` are two rights,
    `writable` is true if either of them is. `required`: a record needs a value. `mapped`: a pair of
    the mapping contains the field. `is_new`: the field was not in the last view.

    `type` is how values are compared, `described_type` the type as the system names it. `sends`:
    its values can be written to the other side, and `receives`: it can be written, as far as its
    type and the rights allow; `reason` is why not ('': it can do both). A field whose type is
    `unsupported` can do neither: `components` are the fields to map instead, if there are some.
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
    described_type: str
    sends: bool
    receives: bool
    reason: str
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldList:
    """The fields of both sides; `previous_view` is the time of the last view (None: none yet)."""

    plezi: tuple[FieldView, ...]
    lead: tuple[FieldView, ...]
    contact: tuple[FieldView, ...]
    previous_view: float | None


def list_fields(context: AdminContext, *, refresh: bool = False) -> FieldList:
    """Return the fields of both sides, and store their names as the last view.

    With `refresh`, both sides describe their fields again. Raises the errors of the sides' clients.
    """
    sides = context.sides()
    if refresh:
        sides.invalidate_schemas()
    schemas = sides.schemas()
    last_view = context.documents.load_document(LAST_VIEWED)
    mapped = _mapped_names(context.mappings.current())

    def views(kind: RecordKind) -> tuple[FieldView, ...]:
        viewed = None if last_view is None else frozenset(last_view["names"].get(kind.value, ()))
        return tuple(
            _field_view(field, kind, mapped[kind], viewed) for field in schemas[kind].values()
        )

    fields = FieldList(
        views(RecordKind.PLEZI_CONTACT),
        views(RecordKind.LEAD),
        views(RecordKind.CONTACT),
        None if last_view is None else float(last_view["at"]),
    )
    _save_last_view(context, schemas)
    return fields


def _save_last_view(context: AdminContext, schemas: Mapping[RecordKind, Schema]) -> None:
    names = {kind.value: sorted(schema) for kind, schema in schemas.items()}
    context.documents.save_document(LAST_VIEWED, {"at": context.clock(), "names": names})


def _mapped_names(mapping: MappingConfig) -> dict[RecordKind, frozenset[str]]:
    return {
        RecordKind.PLEZI_CONTACT: frozenset(pair.plezi for pair in mapping.pairs),
        RecordKind.LEAD: frozenset(pair.salesforce for pair in mapping.pairs),
        RecordKind.CONTACT: frozenset(pair.contact for pair in mapping.pairs),
    }


def _field_view(
    field: Field, kind: RecordKind, mapped: frozenset[str], viewed: frozenset[str] | None
) -> FieldView:
    reason = _reason(field)
    return FieldView(
        name=field.name,
        label=field.label,
        type=field.kind,
        length=field.length,
        scale=field.scale,
        options=field.options,
        restricted=field.restricted,
        writable=field.writable,
        creatable=field.creatable,
        updatable=field.updatable,
        required=field.required,
        unique=field.unique,
        mapped=field.name in mapped,
        is_new=viewed is not None and field.name not in viewed,
        described_type=field.type_name,
        sends=not field.unusable,
        receives=kind is not RecordKind.CONTACT and not reason,
        reason=reason or (CONTACT_IS_READ if kind is RecordKind.CONTACT else ""),
        components=field.components,
    )


def _reason(field: Field) -> str:
    """Return why a field cannot be written, or why it cannot be synchronized at all."""
    no_right = "" if field.writable else NO_RIGHT
    return field.unusable or field.read_only or no_right
