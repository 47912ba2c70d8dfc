"""Plezi's attributes as a schema: those that the tenant describes, else the known ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from connector.errors import RetryError, StopReason
from connector.mapping import Field, FieldKind, Schema
from connector.mapping.values import to_text

KINDS: Final[Mapping[str, FieldKind]] = {
    "text": FieldKind.TEXT,
    "email": FieldKind.EMAIL,
    "phone": FieldKind.PHONE,
    "number": FieldKind.NUMBER,
    "checkbox": FieldKind.CHECKBOX,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
    "list": FieldKind.PICKLIST,
    "multi_list": FieldKind.MULTI_PICKLIST,
}
"""Types of the attribute call (assumed) -> kinds. An attribute of another type is refused, except
those of `KNOWN_SCHEMA`, whose kinds the help pages tell."""
NO_TYPES: Final[Mapping[str, str]] = {}
UNKNOWN_TYPE: Final = "its type is {!r}, and the connector does not know this type of Plezi"
UNKNOWN_REMEDY: Final = (
    "map another attribute, or name a known type for it in attribute_types of PleziDialect"
)

ListKey = str | bool | int | float
"""The key of an option of a list: Plezi accepts it in its own type only (assumed)."""
ListKeys = Mapping[str, Mapping[str, ListKey]]
"""The keys of lists, by attribute and by their text, which stands for them in the connector."""


def _known_field(name: str, kind: FieldKind = FieldKind.TEXT, *, writable: bool = True) -> Field:
    return Field(name, kind, name, creatable=writable, updatable=writable, type_name=kind.value)


KNOWN_SCHEMA: Final[Schema] = {
    field.name: field
    for field in (
        Field("email", FieldKind.EMAIL, "email", required=True, type_name=FieldKind.EMAIL.value),
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


def attribute_rows(body: Mapping[str, Any]) -> list[object]:
    """Return the rows of an attribute call. Raises `RetryError` for a response without a list."""
    rows = body.get("data")
    if isinstance(rows, list):
        return rows
    raise RetryError("Plezi's attributes have no 'data'", reason=StopReason.PLEZI_UNAVAILABLE)


def parse_schema(
    rows: Sequence[object],
    tenant_names: Mapping[str, str],
    tenant_types: Mapping[str, str] = NO_TYPES,
) -> Schema:
    """Return the schema of an attribute call; a row without a name is left out.

    `tenant_names` maps the connector's names to the tenant's, `tenant_types` the tenant's types to
    those of `KINDS`; the schema has the connector's.
    """
    described = _attributes(rows, tenant_names)
    fields = {name: _field(name, attribute, tenant_types) for name, attribute in described}
    return {"url": KNOWN_SCHEMA["url"], **fields}


def list_keys(rows: Sequence[object], tenant_names: Mapping[str, str]) -> ListKeys:
    """Return the keys of each list of an attribute call that has keys which are no texts.

    `consents` of Plezi has the keys 1 and 2. Of two keys with one text the first counts.
    """
    lists = {}
    for name, attribute in _attributes(rows, tenant_names):
        keys = {to_text(key): key for key in reversed(_keys(attribute.get("options")))}
        if not all(isinstance(key, str) for key in keys.values()):
            lists[name] = keys
    return lists


def _attributes(
    rows: Sequence[object], tenant_names: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the attributes that have a name, each with the name that the connector uses."""
    names = {tenant_name: name for name, tenant_name in tenant_names.items()}
    for row in rows:
        attribute = row.get("attributes") if isinstance(row, dict) else None
        tenant_name = attribute.get("name") if isinstance(attribute, dict) else None
        if isinstance(attribute, dict) and isinstance(tenant_name, str) and tenant_name:
            yield names.get(tenant_name, tenant_name), attribute


def _field(name: str, attribute: Mapping[str, Any], types: Mapping[str, str]) -> Field:
    """Return the field of an attribute; a member of an unexpected type counts as absent."""
    type_name, label = attribute.get("type"), attribute.get("label")
    type_name = type_name if isinstance(type_name, str) else ""
    kind = _kind(name, types.get(type_name, type_name))
    is_refused = kind is FieldKind.UNSUPPORTED
    options = tuple(map(to_text, _keys(attribute.get("options"))))
    writable = not attribute.get("read_only", False)
    return Field(
        name=name,
        kind=kind,
        label=label if isinstance(label, str) else name,
        options=options,
        restricted=bool(options),
        required=bool(attribute.get("mandatory", False)),
        creatable=writable,
        updatable=writable,
        type_name=type_name,
        read_only="" if writable else "Plezi sets it",
        refusal=UNKNOWN_TYPE.format(type_name) if is_refused else "",
        remedy=UNKNOWN_REMEDY if is_refused else "",
    )


def _kind(name: str, type_name: str) -> FieldKind:
    """Return the kind of an attribute; a known attribute has its own if the type is not known."""
    if type_name in KINDS or name not in KNOWN_SCHEMA:
        return KINDS.get(type_name, FieldKind.UNSUPPORTED)
    return KNOWN_SCHEMA[name].kind


def _keys(raw: object) -> list[ListKey]:
    """Return the keys of the options of a list."""
    rows = raw if isinstance(raw, list) else []
    keys = [row.get("key") for row in rows if isinstance(row, dict)]
    return [key for key in keys if isinstance(key, str | int | float)]
