"""Compilation of SOQL conditions to SQL with bound values.

SOQL has two truth values: a comparison with an empty field is false, and `!=` finds empty fields.
Text comparison is case-insensitive; SQLite does it for ASCII, the function `fold` for other text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from local.salesforce_org.date_literals import span
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import NUMBERS, TEXTS, Field
from local.salesforce_org.soql_ast import (
    Aggregate,
    Comparison,
    Condition,
    DateLiteral,
    FieldPath,
    Group,
    Negation,
    Scalar,
    Selected,
    SemiJoin,
)
from local.salesforce_org.soql_scope import Column, Scope
from local.salesforce_org.soql_semi_joins import check_fields
from local.salesforce_org.values import stamp

Stored = str | int | float | None
LOWER_BOUND_OPERATORS = {"=", ">", ">="}
ORDERING = {"<", "<=", ">", ">="}
WITH_LOWEST_TEXT = TEXTS | {"id", "reference"}
"""Types for which `> ''` is legal: it is true for every value (asserted by a client's tests)."""
EQUALITY = {"=", "!=", "IN", "NOT IN"}
"""Operators on a field with deterministic encryption (Salesforce Help, "Considerations for Using
Deterministic Encryption"); the code of the refusal of others is assumed."""
_SOQL_TYPE = {"datetime": "dateTime", "int": "int", "boolean": "boolean", "date": "date"}


class Conditions:
    """Compiles the conditions of one query; `parameters` have the order of the SQL text."""

    def __init__(self, scope: Scope, now: datetime) -> None:
        self._scope = scope
        self._now = now
        self._today = now.astimezone(UTC).date()
        self.parameters: list[Stored] = []

    def where(self, condition: Condition) -> str:
        """Return the SQL of a WHERE condition, with a lower bound that an index can use.

        `(a = x AND b > y) OR a > x` has a lower bound of `a` that SQLite does not detect: without
        it, keyset paging over a million rows would scan all rows.
        """
        sql = self._condition(condition)
        if not isinstance(condition, Comparison):
            for column, bound in self._lower_bounds(condition).items():
                sql = f"{column} >= ? AND ({sql})"
                self.parameters.insert(0, bound)
        return sql

    def having(self, condition: Condition) -> str:
        """Return the SQL of a HAVING condition."""
        return self._condition(condition)

    def aggregate(self, item: Aggregate) -> tuple[str, Column | None]:
        """Return the SQL of an aggregate function and the column it reads."""
        if item.path is None:
            return "count(*)", None
        column = self._scope.column(item.path)
        function = item.function
        numeric = column.field.type in NUMBERS
        if function in {"SUM", "AVG"} and not numeric:
            problem = f"field {column.field.name} does not support aggregate operator {function}"
            raise self._scope.refusal("MALFORMED_QUERY", item.at, problem)
        ordered = function in {"MIN", "MAX"}
        if not column.field.filterable or (ordered and column.field.encryption):
            problem = f"field {column.field.name} does not support aggregate operator {function}"
            raise self._scope.refusal("MALFORMED_QUERY", item.at, problem)
        if function == "COUNT_DISTINCT":
            return f"count(DISTINCT {column.sql})", None
        return f"{function.lower()}({column.sql})", None if function == "COUNT" else column

    def _condition(self, condition: Condition) -> str:
        match condition:
            case Negation(inner):
                return f"NOT coalesce(({self._condition(inner)}), 0)"
            case Group(operator, members):
                return f" {operator} ".join(f"({self._condition(member)})" for member in members)
            case SemiJoin():
                return self._semi_join(condition)
            case Comparison(subject, operator, values):
                if isinstance(subject, FieldPath):
                    return self._comparison(subject, operator, values)
                sql, _ = self.aggregate(subject)
                if operator not in {"=", "!=", "<", "<=", ">", ">="}:
                    raise self._bad_operator(subject.at)
                return self._compare(sql, operator, self._number(subject, values[0]))

    def _semi_join(self, join: SemiJoin) -> str:
        """Return the SQL of a sub-query, without deleted rows and rows that the caller misses."""
        outer = self._filterable(join.subject)
        scope = self._scope.inner(join.query)
        [selected] = join.query.selected
        if not isinstance(selected, Selected) or not isinstance(selected.item, FieldPath):
            raise TypeError("a sub-query selects one field")
        inner = scope.column(selected.item)
        check_fields(self._scope.query.text, join, outer, inner)
        conditions = Conditions(scope, self._now)
        parts = [f"{inner.sql} IS NOT NULL"]
        parts += ["t0.IsDeleted = 0"] if scope.kind.business else []
        parts += [visible] if (visible := scope.access.visible_rows(scope.kind, "t0")) else []
        if join.query.where is not None:
            parts.append(f"({conditions.where(join.query.where)})")
        self.parameters += conditions.parameters
        rows = f"SELECT {inner.sql} FROM {scope.tables()} WHERE {' AND '.join(parts)}"  # noqa: S608  # compiled by us
        sql = f"{outer.sql} IN ({rows})"
        return sql if join.operator == "IN" else f"NOT coalesce(({sql}), 0)"

    def _filterable(self, path: FieldPath) -> Column:
        column = self._scope.column(path)
        if not column.field.filterable:
            problem = f"field '{column.field.name}' can not be filtered in a query call"
            raise self._scope.refusal("INVALID_FIELD", path.at, problem)
        return column

    def _comparison(self, path: FieldPath, operator: str, values: tuple[Scalar, ...]) -> str:
        column = self._filterable(path)
        if column.field.type in {"date", "datetime"} and isinstance(values[0], DateLiteral):
            return self._in_spans(column, operator, values, path)
        self._check_operator(column.field, operator, path)
        if operator in ORDERING and values[0] == "" and column.field.type in WITH_LOWEST_TEXT:
            return self._compare(column.sql, operator, "")
        stored = [self._stored(column.field, value, path) for value in values]
        match operator:
            case "LIKE":
                return self._like(column, stored[0])
            case "INCLUDES" | "EXCLUDES":
                return self._includes(column, stored, negative=operator == "EXCLUDES")
            case "IN" | "=":
                return self._any_of(column, stored)
            case "NOT IN" | "!=":
                return f"NOT coalesce(({self._any_of(column, stored)}), 0)"
            case _:
                if stored[0] is None:
                    raise self._bad_operator(path.at)
                return self._compare(column.sql, operator, stored[0])

    def _check_operator(self, field: Field, operator: str, path: FieldPath) -> None:
        if field.encryption and operator not in EQUALITY:
            raise self._bad_operator(path.at)
        several = field.type == "multipicklist"
        if operator in {"INCLUDES", "EXCLUDES"} and not several:
            raise self._bad_operator(path.at)
        if operator == "LIKE" and (not field.is_text or several):
            raise self._bad_operator(path.at)
        if operator in ORDERING and (several or field.type == "boolean"):
            raise self._bad_operator(path.at)

    def _any_of(self, column: Column, values: Sequence[Stored]) -> str:
        """Return the SQL of `=` or `IN`, with separate tests for empty and for non-ASCII values."""
        non_empty = [value for value in values if value is not None]
        parts = []
        plain, folded = list[Stored](), list[Stored]()
        text = column.field.is_text and not column.field.case_sensitive
        for value in non_empty:
            fold = text and isinstance(value, str) and not value.isascii()
            (folded if fold else plain).append(value.casefold() if fold else value)  # type: ignore[union-attr]  # a str if fold
        if plain:
            parts.append(self._in(column.sql, plain))
        if folded:
            parts.append(self._in(f"fold({column.sql})", folded))
        if len(non_empty) < len(values):
            parts.append(f"{column.sql} IS NULL")
        return " OR ".join(parts)

    def _in(self, sql: str, values: list[Stored]) -> str:
        self.parameters.extend(values)
        if len(values) == 1:
            return f"{sql} = ?"
        return f"{sql} IN ({', '.join('?' * len(values))})"

    def _compare(self, sql: str, operator: str, value: Stored) -> str:
        self.parameters.append(value)
        return f"{sql} {operator} ?"

    def _like(self, column: Column, pattern: Stored) -> str:
        if not isinstance(pattern, str):
            return f"{column.sql} IS NULL"
        if pattern.isascii():
            return self._compare(column.sql, "LIKE", pattern) + " ESCAPE '\\'"
        self.parameters.append(pattern.casefold())
        return f"folded_like(?, {column.sql})"

    def _includes(self, column: Column, values: Sequence[Stored], *, negative: bool) -> str:
        """Return the SQL of `INCLUDES ('a;b', 'c')`: a and b, or c."""
        choices = []
        for value in values:
            parts = [part for part in str(value or "").split(";") if part]
            self.parameters.extend(parts)
            has = f"instr(lower(';' || {column.sql} || ';'), lower(';' || ? || ';')) > 0"
            choices.append(" AND ".join([has] * len(parts)) or f"{column.sql} IS NULL")
        sql = " OR ".join(f"({choice})" for choice in choices)
        return f"NOT coalesce(({sql}), 0)" if negative else sql

    def _in_spans(
        self, column: Column, operator: str, values: tuple[Scalar, ...], path: FieldPath
    ) -> str:
        """Return the SQL of date literals; `IN` takes several (documentation: "Date Formats")."""
        literals = [value for value in values if isinstance(value, DateLiteral)]
        if len(literals) < len(values) or operator == "LIKE":
            raise self._bad_operator(path.at)
        if operator not in {"IN", "NOT IN"}:
            return self._in_span(column, operator, literals[0])
        spans = " OR ".join(f"({self._in_span(column, '=', each)})" for each in literals)
        return spans if operator == "IN" else f"NOT coalesce(({spans}), 0)"

    def _in_span(self, column: Column, operator: str, literal: DateLiteral) -> str:
        first, after = span(literal, self._today)
        start, end = (self._day(column.field, day) for day in (first, after))
        match operator:
            case "=" | "!=":
                self.parameters += [start, end]
                sql = f"{column.sql} >= ? AND {column.sql} < ?"
                return sql if operator == "=" else f"NOT coalesce(({sql}), 0)"
            case "<" | ">=":
                return self._compare(column.sql, operator, start)
            case _:
                return self._compare(column.sql, "<" if operator == "<=" else ">=", end)

    @staticmethod
    def _day(field: Field, day: date) -> str:
        if field.type == "date":
            return day.isoformat()
        return stamp(datetime.combine(day, time(), UTC))

    def _stored(self, field: Field, value: Scalar, path: FieldPath) -> Stored:
        """Return a literal in the stored form of its field; refuse a wrong type."""
        if value is None or value == "":
            if field.type == "boolean":
                raise self._wrong_type(field, path)
            return None
        match field.type, value:
            case "id" | "reference", str():
                full = full_id(value)
                if full is None:
                    problem = f"invalid ID field: {value}"
                    raise self._scope.refusal("INVALID_QUERY_FILTER_OPERATOR", path.at, problem)
                return full
            case "boolean", bool():
                return int(value)
            case "datetime", datetime():
                return stamp(value)
            case "date", date() if not isinstance(value, datetime):
                return value.isoformat()
            case "int" | "double" | "currency" | "percent", int() | float() if not isinstance(
                value, bool
            ):
                return value
            case _, str() if field.is_text:
                return value
        raise self._wrong_type(field, path)

    def _wrong_type(self, field: Field, path: FieldPath) -> RefusedError:
        if field.is_text or field.type in {"id", "reference"}:
            kind, quotes = "string", "should be enclosed in quotes"
        else:
            kind, quotes = _SOQL_TYPE.get(field.type, "double"), "should not be enclosed in quotes"
        problem = (
            f"value of filter criterion for field '{field.name}' must be of type {kind}"
            f" and {quotes}"
        )
        return self._scope.refusal("INVALID_FIELD", path.at, problem)

    def _bad_operator(self, at: int) -> RefusedError:
        return self._scope.refusal("INVALID_QUERY_FILTER_OPERATOR", at, "invalid operator")

    def _number(self, item: Aggregate, value: Scalar) -> Stored:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._bad_operator(item.at)
        return value

    def _lower_bounds(self, condition: Condition) -> dict[str, Stored]:
        """Return the lower bounds of date columns below which the condition is false."""
        match condition:
            case Comparison(FieldPath() as path, operator, (datetime() as value,)):
                if operator in LOWER_BOUND_OPERATORS:
                    return {self._scope.column(path).sql: stamp(value)}
            case Group("AND", members):
                bounds: dict[str, Stored] = {}
                for member in members:
                    bounds |= self._lower_bounds(member)
                return bounds
            case Group("OR", members):
                branches = [self._lower_bounds(member) for member in members]
                shared = set(branches[0]).intersection(*branches[1:])
                return {column: min(str(b[column]) for b in branches) for column in shared}
        return {}
