"""Plezi's attributes as a schema: those that the tenant describes, else the known ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connector.mapping import Field, FieldKind, Schema

KINDS: Final[Mapping[str, FieldKind]] = {
    "email": FieldKind.EMAIL,
    "phone": FieldKind.PHONE,
    "number": FieldKind.NUMBER,
    "checkbox": FieldKind.CHECKBOX,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
    "list": FieldKind.PICKLIST,
    "multi_list": FieldKind.MULTI_PICKLIST,
}
"""Types of the attribute call (assumed) -> kinds; every other type is text."""


def _known_field(name: str, kind: FieldKind = FieldKind.TEXT, *, writable: bool = True) -> Field:
    return Field(name, kind, name, creatable=writable, updatable=writable)


KNOWN_SCHEMA: Final[Schema] = {
    field.name: field
    for field in (
        Field("email", FieldKind.EMAIL, "email", required=True),
        _known_field("first_name"),
        _known_field("last_name"),
        _known_field("company"),
        _known_field("phone", FieldKind.PHONE),
        _known_field("mobile", FieldKind.PHONE),
        _known_field("function"),
        _known_field("behaviour_score", FieldKind.NUMBER, writable=False),
        _known_field("state", writable=False),
        _known_field("url", writable=False),
    )
}
"""The attributes that Plezi's help pages and public clients of its API name."""


def parse_schema(rows: Iterable[Mapping[str, Any]], tenant_names: Mapping[str, str]) -> Schema:
    """Return the schema of an attribute call.

    `tenant_names` maps the connector's names to the tenant's; the schema has the connector's.
    """
    names = {tenant_name: name for name, tenant_name in tenant_names.items()}
    fields = {}
    for row in rows:
        attribute = row["attributes"]
        name = names.get(attribute["name"], attribute["name"])
        writable = not attribute.get("read_only", False)
        fields[name] = Field(
            name=name,
            kind=KINDS.get(attribute.get("type", ""), FieldKind.TEXT),
            label=attribute.get("label", name),
            options=tuple(str(option["key"]) for option in attribute.get("options", ())),
            restricted=bool(attribute.get("options")),
            required=bool(attribute.get("mandatory", False)),
            creatable=writable,
            updatable=writable,
        )
    return {"url": KNOWN_SCHEMA["url"], **fields}
