"""Rows as JSON, written by SQLite itself: Python only joins the lines of a page."""

from __future__ import annotations

from collections.abc import Iterable

from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.soql_scope import Column, Scope
from local.salesforce_org.standard_fields import ADDRESS_PARTS

PLAIN = frozenset({"id", "reference", "date", "datetime"})  # stored text that needs no escaping


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def value_sql(field: Field, alias: str) -> str:
    """Return the SQL that writes the JSON value of a field."""
    column = f'{alias}."{field.name}"'
    if field.type == "boolean":
        return f"iif({column}, 'true', 'false')"
    if field.type == "address":
        return address_sql(field, alias)
    if field.type in PLAIN:
        return f"""coalesce('"' || {column} || '"', 'null')"""
    return f"json_quote({column})"


def address_sql(field: Field, alias: str) -> str:
    """Return the SQL of a compound address: null when every part is empty."""
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


def attributes_sql(kind: ObjectType, alias: str, version: str, *, key: str = "Id") -> str:
    """Return the SQL of `attributes`, which comes first in every record."""
    segment = "tooling/sobjects" if kind.tooling else "sobjects"
    url = f"/services/data/v{version}/{segment}/{kind.name}/"
    start = f'{{"attributes":{{"type":"{kind.name}","url":"{url}'
    return f"""{literal(start)} || {alias}."{key}" || '"}}'"""


def record_sql(kind: ObjectType, fields: Iterable[Field], version: str) -> str:
    """Return the SQL of a whole record of one table aliased t0."""
    pieces = [attributes_sql(kind, "t0", version)]
    for field in fields:
        pieces.append(literal(f',"{field.name}":'))
        pieces.append(value_sql(field, "t0"))
    return " || ".join([*pieces, "'}'"])


Tree = dict[str, "Column | Tree"]


class RowTemplate:
    """The SQL of one query's rows: the fields asked for, parents nested where first named."""

    def __init__(self, scope: Scope, columns: Iterable[Column], version: str) -> None:
        self._scope = scope
        self._version = version
        self._tree: Tree = {}
        for column in columns:
            node = self._tree
            for relation in column.relations:
                deeper = node.setdefault(relation, {})
                node = deeper if isinstance(deeper, dict) else node
            node[column.field.name] = column

    def sql(self) -> str:
        """Return the expression that writes one row."""
        return self._record(self._tree, self._scope.kind, "t0", ())

    def _record(self, tree: Tree, kind: ObjectType, alias: str, relations: tuple[str, ...]) -> str:
        pieces = [attributes_sql(kind, alias, self._version)]
        for name, node in tree.items():
            pieces.append(literal(f',"{name}":'))
            if isinstance(node, dict):
                deeper = (*relations, name)
                parent, joined = self._scope.parent(deeper)
                inner = self._record(node, parent, joined, deeper)
                pieces.append(f"iif({joined}.\"Id\" IS NULL, 'null', {inner})")
            else:
                pieces.append(value_sql(node.field, node.alias))
        return " || ".join([*pieces, "'}'"])
