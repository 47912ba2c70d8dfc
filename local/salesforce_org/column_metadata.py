"""The columns of a query, as `/query?q=...&columns=true` describes them.

The `sf` command line asks for them to print a table. The member names and the columns of a plain
field are recorded: a test of Salesforce's extension of VS Code contains the description of
`SELECT Id, Name, AccountNumber FROM Account`; `@salesforce/types` declares the same members. The
names of Apex types other than `Id` and `String`, and the form of an aggregate, are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.soql_ast import Aggregate, FieldPath, Query, Selected
from local.salesforce_org.soql_scope import Access, Column, Scope

APEX_TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "double": "Double",
    "currency": "Double",
    "percent": "Double",
    "date": "Date",
    "datetime": "Datetime",
    "time": "Time",
    "address": "Address",
    "location": "Location",
}
"""The Apex type of each type of field; all others are strings."""
NUMBERS = frozenset({"Integer", "Double"})


def describe_columns(
    kind: ObjectType, columns: list[dict[str, Any]], *, grouped: bool
) -> dict[str, Any]:
    """Return the description of a query: its object and its columns, without any row."""
    return {
        "columnMetadata": columns,
        "entityName": kind.name,
        "groupBy": grouped,
        "idSelected": any(column["columnName"] == "Id" for column in columns),
        "keyPrefix": kind.prefix,
    }


def field_columns(columns: Iterable[Column], access: Access) -> list[dict[str, Any]]:
    """Return one entry for each field; fields of a parent are the join columns of its entry."""
    top = list[dict[str, Any]]()
    for column in columns:
        entries = top
        for relation in column.relations:
            entries = _parent(entries, relation)["joinColumns"]
        entries.append(_of_field(column, access))
    return top


def aggregate_columns(query: Query, scope: Scope) -> list[dict[str, Any]]:
    """Return one entry for each result of a query with aggregates; `COUNT()` alone has none."""
    columns = list[dict[str, Any]]()
    unnamed = 0
    for selected in query.selected:
        if not isinstance(selected, Selected) or query.is_count:
            continue
        if isinstance(selected.item, FieldPath):
            columns += field_columns([scope.column(selected.item)], scope.access)
            continue
        path = selected.item.path
        field = scope.column(path).field if path else None
        columns.append(_of_aggregate(selected.item, selected.alias or f"expr{unnamed}", field))
        unnamed += selected.alias is None
    return columns


def _of_aggregate(aggregate: Aggregate, name: str, field: Field | None) -> dict[str, Any]:
    is_counted = aggregate.function.upper().startswith("COUNT")
    apex_type = "Integer" if field is None or is_counted else _apex_type(field)
    shown = f"{aggregate.function.lower()}({aggregate.path or ''})"
    return _entry(name, apex_type, aggregate=True) | {"displayName": shown}


def _parent(entries: list[dict[str, Any]], relation: str) -> dict[str, Any]:
    for entry in entries:
        if entry["columnName"] == relation:
            return entry
    entries.append(_entry(relation, None))
    return entries[-1]


def _of_field(column: Column, access: Access) -> dict[str, Any]:
    kind, field = column.kind, column.field
    editable = access.can_edit(kind, field)
    return _entry(field.name, _apex_type(field)) | {
        "custom": field.custom,
        "insertable": field.createable and editable and access.can_create(kind),
        "updatable": field.updateable and editable and access.can_update(kind),
    }


def _apex_type(field: Field) -> str:
    return APEX_TYPES.get(field.type, "String")


def _entry(name: str, apex_type: str | None, *, aggregate: bool = False) -> dict[str, Any]:
    return {
        "aggregate": aggregate,
        "apexType": apex_type,
        "booleanType": apex_type == "Boolean",
        "columnName": name,
        "custom": False,
        "displayName": name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": list[dict[str, Any]](),
        "numberType": apex_type in NUMBERS,
        "textType": apex_type == "String",
        "updatable": False,
    }
