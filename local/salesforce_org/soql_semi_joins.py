"""Semi-joins and anti-joins: `<field> IN (SELECT ...)`, with the restrictions of SOQL.

Documentation: SOQL and SOSL Reference, "Semi-Joins with IN and Anti-Joins with NOT IN". The texts
of the refusals are assumed.
"""

from __future__ import annotations

from local.salesforce_org.soql_ast import Condition, Group, Negation, SemiJoin
from local.salesforce_org.soql_errors import malformed
from local.salesforce_org.soql_scope import Column

MAX_SEMI_JOINS = 2
"""Sub-queries in one WHERE clause."""
IDS = frozenset({"id", "reference"})


def check_semi_joins(soql: str, where: Condition) -> None:
    """Refuse a condition that has sub-queries where SOQL allows none, or too many of them.

    Raises:
        RefusedError: `MALFORMED_QUERY`.
    """
    found = _semi_joins(soql, where, allowed=True)
    for join in found[MAX_SEMI_JOINS:]:
        problem = f"only {MAX_SEMI_JOINS} semi-joins and anti-joins are allowed in a query"
        raise malformed(soql, join.subject.at, problem)
    for join in found:
        if join.query.where is not None:
            _semi_joins(soql, join.query.where, allowed=False)


def check_fields(soql: str, join: SemiJoin, outer: Column, inner: Column) -> None:
    """Refuse a sub-query whose field does not refer to the objects of the field outside.

    Raises:
        RefusedError: `MALFORMED_QUERY`.
    """
    at = join.subject.at
    if outer.field.type not in IDS or inner.field.type not in IDS:
        raise malformed(soql, at, "semi-joins and anti-joins compare ids and references only")
    if outer.relations or inner.relations:
        raise malformed(soql, at, "the fields of a semi-join or anti-join cannot be of a parent")
    if outer.kind is inner.kind:
        raise malformed(
            soql, join.query.entity_at, "the inner and outer selects cannot be on the same object"
        )
    if not _objects(outer) & _objects(inner):
        problem = (
            f"the outer field '{outer.field.name}' and the inner select field"
            f" '{inner.field.name}' do not refer to the same object type"
        )
        raise malformed(soql, at, problem)


def _objects(column: Column) -> set[str]:
    return {column.kind.name} if column.field.type == "id" else set(column.field.reference_to)


def _semi_joins(soql: str, condition: Condition, *, allowed: bool) -> list[SemiJoin]:
    match condition:
        case SemiJoin(subject, _, _) if not allowed:
            problem = "a sub-query cannot be nested, negated or used with OR"
            raise malformed(soql, subject.at, problem)
        case SemiJoin():
            return [condition]
        case Negation(inner):
            return _semi_joins(soql, inner, allowed=False)
        case Group(operator, members):
            allowed = allowed and operator == "AND"
            return [join for each in members for join in _semi_joins(soql, each, allowed=allowed)]
        case _:
            return []
