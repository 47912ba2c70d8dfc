"""Schemas from describes (Salesforce REST API Developer Guide, "sObject Describe")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.mapping import Field, FieldKind, Schema
from connector.model import RecordKind

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


def parse_schema(kind: RecordKind, described: Mapping[str, Any]) -> Schema:
    """Return the schema of an object's describe.

    A Contact has no company field: its schema gets the name of its Account, read only.
    """
    fields = {field["name"]: _field(field) for field in described["fields"]}
    if kind is RecordKind.CONTACT and "AccountId" in fields:
        fields[ACCOUNT_NAME] = Field(
            ACCOUNT_NAME, FieldKind.TEXT, "Account Name", creatable=False, updatable=False
        )
    return fields


def _field(described: Mapping[str, Any]) -> Field:
    kind = KINDS.get(described["type"], FieldKind.TEXT)
    required = not described.get("nillable", True) and not described.get("defaultedOnCreate", False)
    return Field(
        name=described["name"],
        kind=kind,
        label=described.get("label", ""),
        length=described.get("length") or None,
        scale=described.get("scale") if kind is FieldKind.NUMBER else None,
        options=tuple(
            option["value"]
            for option in described.get("picklistValues", ())
            if option.get("active", True)
        ),
        restricted=bool(described.get("restrictedPicklist", False)),
        required=required and bool(described.get("createable", False)),
        creatable=bool(described.get("createable", False)),
        updatable=bool(described.get("updateable", False)),
        external_id=bool(described.get("externalId", False)),
        unique=bool(described.get("unique", False)),
    )
