"""Plezi's attributes as a schema: described by the tenant where it can, else the known ones."""

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
"""Type words of the attribute call (assumed); every other word is text."""


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
"""The attributes that Plezi's own help and public clients name (reference: plezi 2.2)."""


def parse_schema(rows: Iterable[Mapping[str, Any]], spelling: Mapping[str, str]) -> Schema:
    """Return the schema of an attribute call, under our names for its attributes."""
    ours = {theirs: name for name, theirs in spelling.items()}
    fields = {}
    for row in rows:
        said = row["attributes"]
        name = ours.get(said["name"], said["name"])
        writable = not said.get("read_only", False)
        fields[name] = Field(
            name=name,
            kind=KINDS.get(said.get("type", ""), FieldKind.TEXT),
            label=said.get("label", name),
            options=tuple(str(option["key"]) for option in said.get("options", ())),
            restricted=bool(said.get("options")),
            required=bool(said.get("mandatory", False)),
            creatable=writable,
            updatable=writable,
        )
    return {"url": KNOWN_SCHEMA["url"], **fields}
