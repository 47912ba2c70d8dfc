"""Queries from the grammar that the simulated org claims, and mutations that break them.

The grammar is that of docs/simulators/salesforce.md ("SOQL: ..."), written here a second time, from
Salesforce's "SOQL and SOSL Reference": fields and their flags come from a describe of the org.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
DAYS = ("TODAY", "YESTERDAY", "TOMORROW", "LAST_90_DAYS", "THIS_WEEK", "NEXT_FISCAL_YEAR")
SPANS = ("LAST_N_DAYS", "NEXT_N_WEEKS", "N_MONTHS_AGO", "LAST_N_FISCAL_QUARTERS", "N_YEARS_AGO")
TEXTS = frozenset({"string", "email", "phone", "picklist", "url"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})
DATES = frozenset({"date", "datetime"})
IDS = frozenset({"id", "reference"})
PARENTS = {
    "Lead": ("Owner.Name", "CreatedBy.Email", "LastModifiedBy.Profile.Name"),
    "Contact": ("Account.Name", "Account.Owner.Name", "Account.CreatedBy.Profile.Name"),
}
"""Fields of parents, by one relationship to three: all of them texts."""
SEMI_JOINS = {
    "Lead": (
        "OwnerId IN (SELECT Id FROM User WHERE IsActive = TRUE)",
        "ConvertedContactId NOT IN (SELECT Id FROM Contact)",
        "CreatedById IN (SELECT OwnerId FROM Contact WHERE LastName LIKE 'a%')",
    ),
    "Contact": (
        "AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'a%')",
        "Id NOT IN (SELECT ConvertedContactId FROM Lead)",
        "OwnerId IN (SELECT OwnerId FROM Lead WHERE IsConverted = FALSE)",
    ),
}
USERS = "OwnerId IN (SELECT Id FROM User)"
QUOTED = ("''", "'a'", "'it\\'s'", "'é\\n'", "'\\\\'")
PATTERNS = (*QUOTED, "'a%'", "'_b'", "'50\\% \\_'")
"""Texts, and patterns: only in a pattern, `%` and `_` can be escaped."""


@dataclass(frozen=True)
class SoqlQuery:
    """A query by its clauses; '' where it has none of a kind."""

    select: tuple[str, ...]
    entity: str
    where: str = ""
    group: tuple[str, ...] = ()
    having: str = ""
    order: tuple[str, ...] = ()
    limit: int | None = None
    offset: int | None = None
    plain: tuple[str, ...] = field(default=(), compare=False)

    def text(self) -> str:
        """Return the query as SOQL."""
        parts = [f"SELECT {', '.join(self.select)} FROM {self.entity}"]
        parts += [f"WHERE {self.where}"] if self.where else []
        parts += [f"GROUP BY {', '.join(self.group)}"] if self.group else []
        parts += [f"HAVING {self.having}"] if self.having else []
        parts += [f"ORDER BY {', '.join(self.order)}"] if self.order else []
        parts += [f"LIMIT {self.limit}"] if self.limit is not None else []
        parts += [f"OFFSET {self.offset}"] if self.offset is not None else []
        return " ".join(parts)


@dataclass(frozen=True)
class SoqlGrammar:
    """The grammar for one object, whose fields are those of its describe."""

    entity: str
    fields: Sequence[Mapping[str, Any]]

    def queries(self) -> st.SearchStrategy[SoqlQuery]:
        """Return all kinds of queries."""
        return st.one_of(self.rows(), self.counts(), self.aggregates())

    def rows(self) -> st.SearchStrategy[SoqlQuery]:
        """Return queries of rows, or of all fields of a kind."""
        return st.composite(self._rows)()

    def counts(self) -> st.SearchStrategy[SoqlQuery]:
        """Return queries that only count."""
        return st.builds(
            lambda where, limit: SoqlQuery(("COUNT()",), self.entity, where, limit=limit),
            st.just("") | self._conditions() | self._semi_joins(),
            st.none() | st.integers(0, 5),
        )

    def aggregates(self) -> st.SearchStrategy[SoqlQuery]:
        """Return queries with functions, grouped or not."""
        return st.composite(self._aggregates)()

    def _rows(self, draw: Draw) -> SoqlQuery:
        names = st.sampled_from([*(each["name"] for each in self.fields), *PARENTS[self.entity]])
        plain = tuple(draw(st.lists(names, min_size=1, max_size=5, unique=True)))
        which = draw(st.sampled_from(("", "", "", "STANDARD", "CUSTOM", "ALL")))
        sortable = [each["name"] for each in self.fields if each["sortable"]]
        limit = draw(st.none() | st.integers(0, 200))
        return SoqlQuery(
            (f"FIELDS({which})",) if which else plain,
            self.entity,
            draw(st.just("") | self._conditions() | self._semi_joins()),
            order=tuple(draw(st.lists(_ordering(sortable), max_size=2))),
            limit=200 if which in ("ALL", "CUSTOM") and limit is None else limit,
            offset=draw(st.none() | st.integers(0, 2000)),
            plain=() if which else plain,
        )

    def _aggregates(self, draw: Draw) -> SoqlQuery:
        groupable = [each["name"] for each in self.fields if each["groupable"]]
        group = tuple(draw(st.lists(st.sampled_from(groupable), max_size=2, unique=True)))
        numeric = [f["name"] for f in self._filterable() if f["type"] in NUMBERS]
        functions = st.one_of(
            st.sampled_from(numeric).map("SUM({})".format),
            st.sampled_from(numeric).map("AVG({})".format),
            st.sampled_from(numeric).map("MAX({})".format),
            st.just("COUNT(Id)"),
            st.just("COUNT_DISTINCT(Email)"),
        )
        function = draw(functions)
        alias = draw(st.sampled_from(("", " total")))
        having = draw(st.sampled_from(("", f"{function} > 1"))) if group else ""
        return SoqlQuery(
            (*group, function + alias),
            self.entity,
            draw(st.just("") | self._conditions()),
            group,
            having,
            tuple(draw(st.lists(_ordering([*group, function]), max_size=1))),
            draw(st.none() | st.integers(0, 2000)),
        )

    def _filterable(self) -> list[Mapping[str, Any]]:
        return [each for each in self.fields if each["filterable"]]

    def _conditions(self) -> st.SearchStrategy[str]:
        """Return conditions; where AND meets OR, and after NOT, there are parentheses."""
        simple = st.composite(self._comparison)()
        return st.recursive(
            simple,
            lambda inner: st.one_of(
                st.builds(_joined, st.sampled_from(("AND", "OR")), st.lists(inner, min_size=2)),
                inner.map("NOT ({})".format),
                inner.map("({})".format),
            ),
            max_leaves=4,
        )

    def _semi_joins(self) -> st.SearchStrategy[str]:
        """Return conditions with one or two sub-queries, each joined by AND."""
        return st.builds(
            lambda joins, other: " AND ".join([*joins, *([f"({other})"] if other else [])]),
            st.lists(st.sampled_from(SEMI_JOINS[self.entity]), min_size=1, max_size=2),
            st.just("") | self._conditions(),
        )

    def _comparison(self, draw: Draw) -> str:
        if draw(st.integers(0, 5)) == 0:
            return f"{draw(st.sampled_from(PARENTS[self.entity]))} LIKE 'a%'"
        chosen = draw(st.sampled_from(self._filterable()))
        name, kind = chosen["name"], chosen["type"]
        literals = draw(st.sampled_from(_dates(kind))) if kind in DATES else _literals(kind)
        operators = ["=", "!=", "<>", "IN", "NOT IN"]
        if kind in TEXTS:
            operators.append("LIKE")
        if kind in TEXTS | NUMBERS | DATES:
            operators += ["<", "<=", ">", ">="]
        if kind == "boolean":
            operators = ["=", "!=", "<>"]
        if kind == "multipicklist":
            operators = ["=", "!=", "INCLUDES", "EXCLUDES"]
        operator = draw(st.sampled_from(operators))
        if operator in ("IN", "NOT IN", "INCLUDES", "EXCLUDES"):
            return (
                f"{name} {operator} ({', '.join(draw(st.lists(literals, min_size=1, max_size=3)))})"
            )
        patterns = st.sampled_from(PATTERNS)
        return f"{name} {operator} {draw(patterns if operator == 'LIKE' else literals)}"


def _joined(operator: str, members: list[str]) -> str:
    return f" {operator} ".join(f"({each})" for each in members)


def _ordering(names: Sequence[str]) -> st.SearchStrategy[str]:
    return st.builds(
        "{}{}{}".format,
        st.sampled_from(names),
        st.sampled_from(("", " ASC", " DESC")),
        st.sampled_from(("", " NULLS FIRST", " NULLS LAST")),
    )


def _dates(kind: str) -> list[st.SearchStrategy[str]]:
    """Return days and times, or literals of spans: a list has one of both."""
    exact = {
        "date": ("2026-11-23",),
        "datetime": ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00+01:00"),
    }
    spans = st.builds("{}:{}".format, st.sampled_from(SPANS), st.integers(1, 9))
    return [st.sampled_from(exact[kind]), st.sampled_from(DAYS) | spans]


def _literals(kind: str) -> st.SearchStrategy[str]:
    """Return literals of the type of a field."""
    if kind == "boolean":
        return st.sampled_from(("TRUE", "FALSE", "true"))
    if kind in NUMBERS:
        return st.integers(-5, 5).map(str) | st.sampled_from(("1.5", "-0.25", ".5", "+3"))
    if kind in IDS:
        return st.sampled_from(("'00Q8d00000DvfYjEAJ'", "'00Q8d00000DvfYj'"))
    return st.sampled_from(QUOTED)


MUTATIONS: Mapping[str, Callable[[SoqlQuery], str]] = {
    "no FROM": lambda query: query.text().replace(" FROM ", " ", 1),
    "no SELECT": lambda query: query.text().removeprefix("SELECT "),
    "star": lambda query: _with_first(query, "*"),
    "trailing comma": lambda query: _with_first(query, f"{query.select[-1]},"),
    "double comma": lambda query: _with_first(query, f"{query.select[0]},, Id"),
    "unknown field": lambda query: _with_first(query, "Nope__c"),
    "unknown parent": lambda query: _with_first(query, "Nope__r.Name"),
    "unknown object": lambda query: query.text().replace(f"FROM {query.entity}", "FROM Nope"),
    "two objects": lambda query: query.text().replace(
        f"FROM {query.entity}", f"FROM {query.entity}, Account"
    ),
    "semicolon": lambda query: f"{query.text()};",
    "comment": lambda query: f"{query.text()} -- all",
    "open quote": lambda query: _with_where(query, "Email = 'a"),
    "double quotes": lambda query: _with_where(query, 'Email = "a"'),
    "no quotes": lambda query: _with_where(query, "Email = a"),
    "number for a text": lambda query: _with_where(query, "Email = 5"),
    "text for a number": lambda query: _with_where(query, "CreatedDate > 'today'"),
    "text for a boolean": lambda query: _with_where(query, "IsDeleted = 'true'"),
    "null for a boolean": lambda query: _with_where(query, "IsDeleted = null"),
    "LIKE a number": lambda query: _with_where(query, "Email LIKE 5"),
    "double equals": lambda query: _with_where(query, "Email == 'a'"),
    "IN without a list": lambda query: _with_where(query, "Email IN 'a'"),
    "IN an empty list": lambda query: _with_where(query, "Email IN ()"),
    "INCLUDES in a text": lambda query: _with_where(query, "Email INCLUDES ('a')"),
    "AND meets OR": lambda query: _with_where(query, "Id = null OR Id = null AND Id = null"),
    "NOT without an end": lambda query: _with_where(query, "NOT"),
    "open parenthesis": lambda query: _with_where(query, "(Email = 'a'"),
    "no value": lambda query: _with_where(query, "Email ="),
    "no operator": lambda query: _with_where(query, "Email 'a'"),
    "between": lambda query: _with_where(query, "Email BETWEEN 'a' AND 'b'"),
    "is null": lambda query: _with_where(query, "Email IS NULL"),
    "invalid escape": lambda query: _with_where(query, "Email = '\\q'"),
    "invalid day": lambda query: _with_where(query, "CreatedDate > 2026-13-40T00:00:00Z"),
    "invalid id": lambda query: _with_where(query, "Id = 'x'"),
    "days without a number": lambda query: _with_where(query, "CreatedDate = LAST_N_DAYS"),
    "unknown date literal": lambda query: _with_where(query, "CreatedDate = SOMEDAY"),
    "sub-query of other ids": lambda query: _with_where(query, "Id IN (SELECT Id FROM Account)"),
    "sub-query of texts": lambda query: _with_where(query, "Email IN (SELECT Email FROM User)"),
    "sub-query of a parent": lambda query: _with_where(
        query, "OwnerId IN (SELECT Owner.Id FROM Account)"
    ),
    "sub-query on the same object": lambda query: _with_where(
        query, f"OwnerId IN (SELECT OwnerId FROM {query.entity})"
    ),
    "sub-query with OR": lambda query: _with_where(query, f"{USERS} OR Id = null"),
    "sub-query after NOT": lambda query: _with_where(query, f"NOT {USERS}"),
    "sub-query in a sub-query": lambda query: _with_where(
        query, "OwnerId IN (SELECT Id FROM User WHERE ProfileId IN (SELECT Id FROM Profile))"
    ),
    "three sub-queries": lambda query: _with_where(query, " AND ".join([USERS] * 3)),
    "sub-query with a limit": lambda query: _with_where(query, f"{USERS[:-1]} LIMIT 1)"),
    "sub-query of two fields": lambda query: _with_where(
        query, "OwnerId IN (SELECT Id, Name FROM User)"
    ),
    "sub-query after equals": lambda query: _with_where(query, "OwnerId = (SELECT Id FROM User)"),
    "negative limit": lambda query: f"SELECT Id FROM {query.entity} LIMIT -1",
    "limit as text": lambda query: f"SELECT Id FROM {query.entity} LIMIT '1'",
    "limit before order": lambda query: f"SELECT Id FROM {query.entity} LIMIT 1 ORDER BY Id",
    "offset above 2000": lambda query: f"SELECT Id FROM {query.entity} OFFSET 2001",
    "for update": lambda query: f"{query.text()} FOR UPDATE",
    "function": lambda query: _with_first(query, "toLabel(Status)"),
    "children": lambda query: _with_first(query, "(SELECT Id FROM Tasks)"),
    "group without a grouped field": lambda query: (
        f"SELECT Email, COUNT(Id) FROM {query.entity} GROUP BY OwnerId"
    ),
    "aggregate and a field": lambda query: f"SELECT Email, COUNT(Id) FROM {query.entity}",
    "having without a group": lambda query: (
        f"SELECT COUNT(Id) FROM {query.entity} HAVING COUNT(Id) > 1"
    ),
    "sum of a text": lambda query: f"SELECT SUM(Email) FROM {query.entity}",
    "alias of a field": lambda query: f"SELECT Email mail FROM {query.entity}",
    "alias of COUNT()": lambda query: f"SELECT COUNT() number FROM {query.entity}",
    "COUNT() and a field": lambda query: (
        f"SELECT Email, COUNT() FROM {query.entity} GROUP BY Email"
    ),
    "order by COUNT()": lambda query: f"SELECT COUNT(Id) FROM {query.entity} ORDER BY COUNT()",
    "aggregate in a condition": lambda query: _with_where(query, "COUNT(Id) > 1"),
    "exponent": lambda query: _with_where(query, "employees__c > 1e3"),
    "number with a bare point": lambda query: f"SELECT Id FROM {query.entity} LIMIT 5.",
    "reserved word as alias": lambda query: f"SELECT Id FROM {query.entity} true",
    "all fields without a limit": lambda query: f"SELECT FIELDS(ALL) FROM {query.entity}",
    "the same field twice": lambda query: f"SELECT Email, email FROM {query.entity}",
    "two statements": lambda query: f"{query.text()} SELECT Id FROM {query.entity}",
}
"""Changes of a query, each of which Salesforce refuses."""


def _with_first(query: SoqlQuery, item: str) -> str:
    """Return the query with another item in place of its first one."""
    return query.text().replace(f"SELECT {query.select[0]}", f"SELECT {item}", 1)


def _with_where(query: SoqlQuery, condition: str) -> str:
    return f"SELECT {', '.join(query.plain or ('Id',))} FROM {query.entity} WHERE {condition}"
