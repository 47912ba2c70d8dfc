"""The syntax tree of SOQL, built by the parser and read by the compiler."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field, possibly of a parent: `Account.Owner.Name`; `at` is its offset in the text."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function; `path` is None for `COUNT()`."""

    function: str
    path: FieldPath | None
    at: int


@dataclass(frozen=True, slots=True)
class Selected:
    """One item of the select list, with its alias."""

    item: FieldPath | Aggregate
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class AllFields:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    which: str
    at: int


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """`TODAY`, `LAST_N_DAYS:30`, ...: a span of days."""

    name: str
    number: int
    at: int


Scalar = str | int | float | bool | date | datetime | DateLiteral | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test on a field (or, in HAVING, on an aggregate)."""

    subject: FieldPath | Aggregate
    operator: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """`<field> IN (SELECT ...)`, or an anti-join: `<field> NOT IN (SELECT ...)`."""

    subject: FieldPath
    operator: Literal["IN", "NOT IN"]
    query: Query


@dataclass(frozen=True, slots=True)
class Negation:
    """`NOT ...`."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by one operator; SOQL refuses a mix of both without parentheses."""

    operator: Literal["AND", "OR"]
    members: tuple[Condition, ...]


Condition = Comparison | SemiJoin | Negation | Group


@dataclass(frozen=True, slots=True)
class Ordering:
    """One item of ORDER BY; the default of `nulls` is FIRST, in both directions."""

    subject: FieldPath | Aggregate
    descending: bool
    nulls: str


@dataclass(slots=True)
class Query:
    """A whole query."""

    text: str
    entity: str
    entity_at: int
    selected: list[Selected | AllFields]
    alias: str | None = None
    where: Condition | None = None
    grouped: list[FieldPath] = field(default_factory=list)
    having: Condition | None = None
    ordered: list[Ordering] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
    offset_at: int = 0

    @property
    def is_count(self) -> bool:
        """Whether the query is `SELECT COUNT() FROM ...`."""
        first = self.selected[0]
        return (
            isinstance(first, Selected)
            and isinstance(first.item, Aggregate)
            and first.item.path is None
        )

    @property
    def is_aggregate(self) -> bool:
        """Whether the result consists of AggregateResult rows."""
        return bool(self.grouped) or any(
            isinstance(s, Selected) and isinstance(s.item, Aggregate) for s in self.selected
        )
