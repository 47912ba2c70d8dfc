"""Name resolution of a query: paths to columns, their joins, and the caller's access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from local.salesforce_org.errors import RefusedError
from local.salesforce_org.schema import Field, ObjectType, Schema
from local.salesforce_org.soql_ast import FieldPath, Query
from local.salesforce_org.soql_errors import point_at

NAME_HINT = (
    " If you are attempting to use a custom {what}, be sure to append the '__c' after the {name}."
    " Please reference your WSDL or the describe call for the appropriate names."
)


class Access(Protocol):
    """The access of one caller."""

    def can_see(self, kind: ObjectType) -> bool:
        """Return whether the object exists for the caller."""

    def can_read(self, kind: ObjectType, field: Field) -> bool:
        """Return whether the field exists for the caller."""

    def can_create(self, kind: ObjectType) -> bool:
        """Return whether the caller may create records of the object."""

    def can_update(self, kind: ObjectType) -> bool:
        """Return whether the caller may change records of the object."""

    def can_edit(self, kind: ObjectType, field: Field) -> bool:
        """Return whether field-level security lets the caller write the field."""

    def visible_rows(self, kind: ObjectType, alias: str) -> str:
        """Return the SQL condition of the rows that the caller sees; "" for all rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a table that takes part in the query."""

    kind: ObjectType
    field: Field
    alias: str
    relations: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The column, quoted."""
        return f'{self.alias}."{self.field.name}"'


def invalid_type(soql: str, at: int, name: str) -> RefusedError:
    """Return the error for an object that does not exist for the caller (recorded response)."""
    hint = NAME_HINT.format(what="object", name="entity name")
    problem = f"sObject type '{name}' is not supported.{hint}"
    return RefusedError("INVALID_TYPE", point_at(soql, at, problem), fields=None)


class Scope:
    """The tables and joins of one query."""

    def __init__(
        self, query: Query, schema: Schema, access: Access, *, tooling: bool = False
    ) -> None:
        self.query = query
        self.schema = schema
        self.access = access
        kind = schema.find(query.entity)
        if kind is None or kind.tooling != tooling or not access.can_see(kind):
            raise invalid_type(query.text, query.entity_at, query.entity)
        self.kind = kind
        self._joins: dict[tuple[str, ...], tuple[ObjectType, str, str]] = {}

    def inner(self, query: Query) -> Scope:
        """Return the scope of a sub-query, for the same caller."""
        return Scope(query, self.schema, self.access, tooling=self.kind.tooling)

    def column(self, path: FieldPath) -> Column:
        """Return the column of a path.

        Raises:
            RefusedError: `INVALID_FIELD`, for an unknown or invisible field.
        """
        parts = self._without_alias(path.parts)
        kind, alias, relations = self.kind, "t0", list[str]()
        for part in parts[:-1]:
            lookup = kind.relation(part)
            if lookup is None or not self._can_follow(kind, lookup):
                raise self.unknown_relation(path, part, kind)
            relations.append(lookup.relationship or part)
            kind, alias = self._join(tuple(relations), lookup, alias)
        field = kind.find(parts[-1])
        if field is None or not self.access.can_read(kind, field):
            raise self.unknown_column(path, parts[-1], kind)
        return Column(kind, field, alias, tuple(relations))

    def _can_follow(self, kind: ObjectType, lookup: Field) -> bool:
        """Return whether the caller may read fields of a parent.

        That a parent without read access cannot be named is inferred from object permissions.
        """
        parent = self.schema.get(lookup.reference_to[-1])
        return self.access.can_read(kind, lookup) and self.access.can_see(parent)

    def tables(self) -> str:
        """Return the FROM clause."""
        joins = [on for _, _, on in self._joins.values()]
        return f'"{self.kind.name}" AS t0 ' + " ".join(joins)

    def parent(self, relations: tuple[str, ...]) -> tuple[ObjectType, str]:
        """Return the object and the alias of a joined parent."""
        kind, alias, _ = self._joins[relations]
        return kind, alias

    def unknown_column(self, path: FieldPath, name: str, kind: ObjectType) -> RefusedError:
        """Return the error for an unknown field (recorded response)."""
        hint = NAME_HINT.format(what="field", name="custom field name")
        problem = f"No such column '{name}' on entity '{kind.name}'.{hint}"
        return self.refusal("INVALID_FIELD", path.at, problem)

    def unknown_relation(self, path: FieldPath, name: str, kind: ObjectType) -> RefusedError:
        """Return the error for an unknown parent relationship."""
        problem = (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use"
            " a custom relationship, be sure to append the '__r' after the custom relationship"
            f" name. Please reference your WSDL or the describe call for the appropriate names."
            f" (entity {kind.name})"
        )
        return self.refusal("INVALID_FIELD", path.at, problem)

    def refusal(self, code: str, at: int, problem: str) -> RefusedError:
        """Return an error with a position in the query."""
        return RefusedError(code, point_at(self.query.text, at, problem), fields=None)

    def _without_alias(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        known = {self.kind.name.lower(), (self.query.alias or self.kind.name).lower()}
        return parts[1:] if len(parts) > 1 and parts[0].lower() in known else parts

    def _join(
        self, relations: tuple[str, ...], lookup: Field, alias: str
    ) -> tuple[ObjectType, str]:
        if relations not in self._joins:
            parent = self.schema.get(
                lookup.reference_to[-1]
            )  # Owner is a Group or a User: use the User
            key = "DurableId" if parent.name == "EntityDefinition" else "Id"
            name = f"t{len(self._joins) + 1}"
            on = f'LEFT JOIN "{parent.name}" AS {name} ON {name}."{key}" = {alias}."{lookup.name}"'
            self._joins[relations] = (parent, name, on)
        kind, joined, _ = self._joins[relations]
        return kind, joined
