"""Schemas from describes (Salesforce REST API Developer Guide, "sObject Describe")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.mapping import Direction, Field, FieldKind, Schema
from connector.model import RecordKind
from connector.salesforce.answers import is_unicode, unusable_answer
from connector.salesforce.field_types import FORMULA, RECORD_NAME, TYPES, FieldType, field_type

NAMED_OBJECTS: Final = frozenset({"Account", "Group", "User"})
"""Objects whose name is read through a reference. Every user can read users and queues, and a user
with "Read" on Account sees the name of a Contact's Account. A query for the name of another object
could be refused, and with it all records of the page."""
ACCOUNT: Final = "Account"
OBJECT_FLAGS: Final = ("createable", "updateable", "recordTypeInfos")
"""What the user may do with the records of the object, and its record types."""
MAX_LENGTH: Final = 2**31
"""No length or scale of a field is larger."""


def checked_describe(body: object) -> dict[str, Any]:
    """Return the fields of a response that describes an object, and what the user may do with it.

    Raises `RetryError` for any other response.
    """
    match body:
        case {"fields": [_, *_] as fields, **rest}:
            flags = {name: flag for name, flag in rest.items() if name in OBJECT_FLAGS}
            return {"fields": fields, **flags}
        case _:
            raise unusable_answer("description of an object")


def parse_schema(kind: RecordKind, described: Mapping[str, object]) -> Schema:
    """Return the schema of an object's describe.

    A field of the schema is read only where it is the name of a linked record, such as the Account
    of a Contact (which has no company field) or the owner. A field that is not described as
    documented is left out: its pair is suspended. Raises `RetryError` when there is no list of
    fields.
    """
    entries = described.get("fields")
    if not isinstance(entries, list):
        raise unusable_answer("description of an object")
    components = _components(entries)
    fields: dict[str, Field] = {}
    for entry in entries:
        field = _field(entry, components)
        if field is None:
            continue
        fields[field.name] = field
        if (name := _record_name(kind, entry)) is not None:
            fields[name.name] = name
    return fields


def encrypted_fields(described: Mapping[str, object]) -> frozenset[str]:
    """Return the names of the fields that are described as encrypted at rest (Shield)."""
    entries = described.get("fields")
    return frozenset(
        str(entry["name"])
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and entry.get("encrypted") is True and "name" in entry
    )


def without_account(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the described fields without the way to the Account, whose name cannot be read then.

    A query that names a field of an object without "Read" is refused, with all its records.
    """
    return [
        {key: value for key, value in field.items() if key != "relationshipName"}
        if field.get("relationshipName") == ACCOUNT
        else field
        for field in fields
    ]


def _components(entries: list[object]) -> Mapping[str, tuple[str, ...]]:
    """Return the fields of each compound, by its name."""
    components: dict[str, list[str]] = {}
    for entry in entries:
        match entry:
            case {"name": str(name), "compoundFieldName": str(compound)} if name != compound:
                components.setdefault(compound, []).append(name)
    return {compound: tuple(names) for compound, names in components.items()}


def _record_name(kind: RecordKind, described: object) -> Field | None:
    """Return the name of the record that a reference leads to, as a field that is read only."""
    match described:
        case {
            "type": "reference",
            "relationshipName": str(relation),
            "referenceTo": [_, *_] as targets,
            **rest,
        }:
            pass
        case _:
            return None
    objects = {str(target) for target in targets}
    is_own_account = kind is RecordKind.CONTACT and relation == ACCOUNT
    if not objects <= NAMED_OBJECTS or (ACCOUNT in objects and not is_own_account):
        return None
    label = rest.get("label")
    label = label if isinstance(label, str) and is_unicode(label) else relation
    return Field(
        f"{relation}.Name",
        RECORD_NAME.kind,
        f"{label.removesuffix(' ID')} Name",
        creatable=False,
        updatable=False,
        type_name=RECORD_NAME.name,
        read_only=RECORD_NAME.remark,
    )


def _field(described: object, components: Mapping[str, tuple[str, ...]]) -> Field | None:
    match described:
        case {"name": str(name), "type": str(type_name), **rest} if name and is_unicode(name):
            pass
        case _:
            return None
    row = field_type(type_name, rest, is_compound=name in components)
    kind = TYPES[type_name].kind if row is FORMULA else row.kind
    label = rest.get("label")
    creatable = rest.get("createable") is True
    required = rest.get("nillable") is False and rest.get("defaultedOnCreate") is not True
    return Field(
        name=name,
        kind=kind,
        label=label if isinstance(label, str) and is_unicode(label) else "",
        length=_number(rest.get("length")) or None,
        precision=_precision(rest) if kind is FieldKind.NUMBER else None,
        scale=_number(rest.get("scale")) if kind is FieldKind.NUMBER else None,
        options=_options(rest.get("picklistValues")),
        restricted=rest.get("restrictedPicklist") is True,
        required=required and creatable,
        creatable=creatable,
        updatable=rest.get("updateable") is True,
        external_id=rest.get("externalId") is True,
        unique=rest.get("unique") is True,
        type_name=type_name,
        read_only=row.remark if row.direction is Direction.TO_PLEZI else "",
        refusal=_refusal(type_name, row),
        remedy=_remedy(row, components.get(name, ())),
        components=components.get(name, ()) if row.is_refused else (),
    )


def _refusal(type_name: str, row: FieldType) -> str:
    """Return why no pair can have a field, with the name of its type; '' if one can."""
    return f"{row.remark} (type {type_name})" if row.is_refused else ""


def _remedy(row: FieldType, components: tuple[str, ...]) -> str:
    return f"{row.remedy}: {', '.join(components)}" if components and row.remedy else row.remedy


def _number(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 <= value < MAX_LENGTH else None


def _options(values: object) -> tuple[str, ...]:
    """Return the active values of a picklist."""
    if not isinstance(values, list):
        return ()
    return tuple(
        option["value"]
        for option in values
        if isinstance(option, dict)
        and option.get("active", True) is True
        and isinstance(option.get("value"), str)
        and is_unicode(option["value"])
    )


def _precision(described: Mapping[object, object]) -> int | None:
    """Return the digits of a number; of a whole number they are `digits`, and `precision` is 0."""
    return _number(described.get("precision")) or _number(described.get("digits")) or None
