"""Rows as JSON, rendered by SQLite: Python only joins the rows of a page."""

from __future__ import annotations

from collections.abc import Iterable

from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.soql_scope import Column, Scope
from local.salesforce_org.standard_fields import ADDRESS_PARTS, location_parts

UNESCAPED_TYPES = frozenset(
    {"id", "reference", "date", "datetime", "time"}
)  # types whose stored text needs no JSON escapes


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def value_sql(field: Field, alias: str) -> str:
    """Return the SQL expression of the JSON value of a field."""
    column = f'{alias}."{field.name}"'
    if field.type == "boolean":
        return f"iif({column}, 'true', 'false')"
    if field.type == "address":
        return address_sql(field, alias)
    if field.type == "location":
        return location_sql(field, alias)
    if field.type == "encryptedstring":  # no user of this org may view encrypted data
        return f"json_quote(replace(hex(zeroblob(length({column}))), '00', '{field.mask}'))"
    if field.type in UNESCAPED_TYPES:
        return f"""coalesce('"' || {column} || '"', 'null')"""
    return f"json_quote({column})"


def address_sql(field: Field, alias: str) -> str:
    """Return the SQL expression of a compound address: null when all parts are empty."""
    parts = {part: f'{alias}."{field.address}{part}"' for part, _, _ in ADDRESS_PARTS}
    pairs = ", ".join(
        [
            f"'city', {parts['City']}",
            f"'country', {parts['Country']}",
            "'geocodeAccuracy', NULL, 'latitude', NULL, 'longitude', NULL",
            f"'postalCode', {parts['PostalCode']}",
            f"'state', {parts['State']}",
            f"'street', {parts['Street']}",
        ]
    )
    filled = ", ".join(parts.values())
    return f"iif(coalesce({filled}) IS NULL, 'null', json_object({pairs}))"


def location_sql(field: Field, alias: str) -> str:
    """Return the SQL expression of a geolocation: null when both parts are empty."""
    latitude, longitude = (f'{alias}."{part}"' for part in location_parts(field.name))
    pairs = f"'latitude', {latitude}, 'longitude', {longitude}"
    return f"iif(coalesce({latitude}, {longitude}) IS NULL, 'null', json_object({pairs}))"


def attributes_sql(kind: ObjectType, alias: str, version: str, *, key: str = "Id") -> str:
    """Return the SQL expression of `attributes`, the first member of every record."""
    segment = "tooling/sobjects" if kind.tooling else "sobjects"
    url = f"/services/data/v{version}/{segment}/{kind.name}/"
    start = f'{{"attributes":{{"type":"{kind.name}","url":"{url}'
    return f"""{literal(start)} || {alias}."{key}" || '"}}'"""


def record_sql(kind: ObjectType, fields: Iterable[Field], version: str) -> str:
    """Return the SQL expression of a record; its table has the alias t0."""
    pieces = [attributes_sql(kind, "t0", version)]
    for field in fields:
        pieces.append(literal(f',"{field.name}":'))
        pieces.append(value_sql(field, "t0"))
    return " || ".join([*pieces, "'}'"])


Tree = dict[str, "Column | Tree"]


class RowTemplate:
    """The SQL expression of a query's rows: selected fields, parents nested where first named."""

    def __init__(self, scope: Scope, columns: Iterable[Column], version: str) -> None:
        self._scope = scope
        self._version = version
        self._tree: Tree = {}
        for column in columns:
            node = self._tree
            for relation in column.relations:
                child = node.setdefault(relation, {})
                node = child if isinstance(child, dict) else node
            node[column.field.name] = column

    def sql(self) -> str:
        """Return the expression of one row."""
        return self._record(self._tree, self._scope.kind, "t0", ())

    def _record(self, tree: Tree, kind: ObjectType, alias: str, relations: tuple[str, ...]) -> str:
        pieces = [attributes_sql(kind, alias, self._version)]
        for name, node in tree.items():
            pieces.append(literal(f',"{name}":'))
            if isinstance(node, dict):
                path = (*relations, name)
                parent, joined = self._scope.parent(path)
                inner = self._record(node, parent, joined, path)
                pieces.append(f"iif({joined}.\"Id\" IS NULL, 'null', {inner})")
            else:
                pieces.append(value_sql(node.field, node.alias))
        return " || ".join([*pieces, "'}'"])
