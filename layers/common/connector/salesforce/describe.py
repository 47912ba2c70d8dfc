"""Schemas from describes (Salesforce REST API Developer Guide, "sObject Describe")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.mapping import Field, FieldKind, Schema
from connector.model import RecordKind
from connector.salesforce.answers import is_unicode, unusable_answer

KINDS: Final[Mapping[str, FieldKind]] = {
    "email": FieldKind.EMAIL,
    "phone": FieldKind.PHONE,
    "boolean": FieldKind.CHECKBOX,
    "int": FieldKind.NUMBER,
    "double": FieldKind.NUMBER,
    "currency": FieldKind.NUMBER,
    "percent": FieldKind.NUMBER,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
    "picklist": FieldKind.PICKLIST,
    "multipicklist": FieldKind.MULTI_PICKLIST,
}
"""Describe types that have a comparison of their own; every other type is text."""
ACCOUNT_NAME: Final = "Account.Name"


MAX_LENGTH: Final = 2**31
"""No length or scale of a field is larger."""


def checked_describe(body: object) -> dict[str, Any]:
    """Return the fields of a response that describes an object; raise `RetryError` for others."""
    match body:
        case {"fields": [_, *_] as fields}:
            return {"fields": fields}
        case _:
            raise unusable_answer("description of an object")


def parse_schema(kind: RecordKind, described: Mapping[str, object]) -> Schema:
    """Return the schema of an object's describe.

    A Contact has no company field: its schema gets the name of its Account, read only. A field that
    is not described as documented is left out: its pair is suspended. Raises `RetryError` when
    there is no list of fields.
    """
    entries = described.get("fields")
    if not isinstance(entries, list):
        raise unusable_answer("description of an object")
    fields = {field.name: field for entry in entries if (field := _field(entry)) is not None}
    if kind is RecordKind.CONTACT and "AccountId" in fields:
        fields[ACCOUNT_NAME] = Field(
            ACCOUNT_NAME, FieldKind.TEXT, "Account Name", creatable=False, updatable=False
        )
    return fields


def _field(described: object) -> Field | None:
    match described:
        case {"name": str(name), "type": str(type_name), **rest} if name and is_unicode(name):
            pass
        case _:
            return None
    kind = KINDS.get(type_name, FieldKind.TEXT)
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
    )


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
