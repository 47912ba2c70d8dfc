"""Execution of SOQL: the ordered set of rows first, then their JSON page by page.

The pages of one query are a snapshot: a row of an open cursor is rendered before it changes.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.salesforce_org.column_metadata import aggregate_columns, describe_columns, field_columns
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.exchange import to_json
from local.salesforce_org.ids import IdGenerator
from local.salesforce_org.rendering import RowTemplate
from local.salesforce_org.schema import Field, ObjectType, Schema
from local.salesforce_org.soql_ast import Aggregate, AllFields, FieldPath, Ordering, Query, Selected
from local.salesforce_org.soql_conditions import Conditions
from local.salesforce_org.soql_errors import malformed
from local.salesforce_org.soql_parser import parse
from local.salesforce_org.soql_scope import Access, Column, Scope
from local.salesforce_org.store import Store

MAX_PAGE_ROWS = 2000  # the default and the maximum
MIN_PAGE_ROWS = 200
CURSOR_LIFETIME = timedelta(days=2)  # since API 56.0
MAX_CURSORS = 10  # open cursors per user; the oldest is released (general knowledge)
MAX_SOQL_CHARACTERS = 100_000  # of one statement
MAX_OFFSET = 2000
MAX_FIELDS_ALL_LIMIT = 200  # largest LIMIT of FIELDS(ALL) (general knowledge)


@dataclass(slots=True)
class QueryCursor:
    """An open query with unread rows."""

    id: str
    user_id: str
    kind: ObjectType
    sql: str  # rows by rowid: `... WHERE t0.rowid IN (SELECT value FROM json_each(?))`
    rowids: array[int]
    total: int
    page: int
    expires: datetime
    snapshots: dict[int, str] = field(default_factory=dict)
    members: frozenset[int] | None = None

    def contains(self, rowid: int) -> bool:
        """Return whether a row belongs to the cursor; the set is built at the first call."""
        if self.members is None:
            self.members = frozenset(self.rowids)
        return rowid in self.members


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """The context of a query: user, access, time, version, page size and options."""

    user_id: str
    access: Access
    now: datetime
    version: str
    page: int = MAX_PAGE_ROWS
    include_deleted: bool = False  # queryAll: deleted and merged rows too
    tooling: bool = False


class Queries:
    """The query engine of one org."""

    def __init__(self, schema: Schema, store: Store, ids: IdGenerator) -> None:
        self._schema = schema
        self._store = store
        self._ids = ids
        self._cursors: dict[str, QueryCursor] = {}
        store.listeners.append(self._snapshot_rows)

    def run(self, soql: str, request: QueryRequest) -> tuple[str, int]:
        """Return the first page as JSON, and its number of rows.

        Raises:
            RefusedError: when the query is refused.
        """
        query, scope = self._parse(soql, request)
        if query.is_count:
            return self._count(query, scope, request)
        if query.is_aggregate:
            return self._aggregate(query, scope, request)
        return self._records(query, scope, request)

    def columns(self, soql: str, request: QueryRequest) -> dict[str, Any]:
        """Return the description of the columns of a query, which is checked but not answered.

        Raises:
            RefusedError: when the query is refused.
        """
        query, scope = self._parse(soql, request)
        if query.is_aggregate:
            self.run(soql, request)  # for its refusals; it opens no cursor
            columns = aggregate_columns(query, scope)
        else:
            columns = field_columns(self._columns(query, scope), scope.access)
            self._condition(query, scope, request)  # for its refusals, as the next one
            self._order([self._ordering(o, scope) for o in query.ordered])
        return describe_columns(scope.kind, columns, grouped=bool(query.grouped))

    def _parse(self, soql: str, request: QueryRequest) -> tuple[Query, Scope]:
        if len(soql) > MAX_SOQL_CHARACTERS:
            message = f"SOQL statements cannot be longer than {MAX_SOQL_CHARACTERS} characters."
            raise RefusedError("MALFORMED_QUERY", message, fields=None)
        query = parse(soql)
        scope = Scope(query, self._schema, request.access, tooling=request.tooling)
        if query.offset > MAX_OFFSET:
            problem = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise scope.refusal("NUMBER_OUTSIDE_VALID_RANGE", query.offset_at, problem)
        return query, scope

    def next_page(self, locator: str, user_id: str, now: datetime, version: str) -> tuple[str, int]:
        """Return a later page and its number of rows; a locator is `<cursor>-<first row>`.

        Raises:
            RefusedError: when the cursor is unknown or expired.
        """
        name, _, start = locator.partition("-")
        cursor = self._cursors.get(name)
        invalid = cursor is None or cursor.expires <= now or cursor.user_id != user_id
        if cursor is None or invalid or not start.isdigit() or int(start) >= cursor.total:
            raise RefusedError("INVALID_QUERY_LOCATOR", "invalid query locator", fields=None)
        return self._page(cursor, int(start), version)

    def expire(self) -> None:
        """Release all cursors."""
        self._cursors.clear()

    def record(self, kind: ObjectType, sql: str, record_id: str, access: Access) -> str | None:
        """Return one record that the caller sees as JSON, rendered by SQL, or None."""
        condition = "" if not kind.business else " AND t0.IsDeleted = 0"
        if visible := access.visible_rows(kind, "t0"):
            condition += f" AND {visible}"
        text = self._store.first(
            f'SELECT {sql} FROM "{kind.name}" AS t0 WHERE t0.Id = ?{condition}',  # noqa: S608  # names of the schema
            (record_id,),
        )
        return str(text) if text is not None else None

    def matches(self, kind: ObjectType, conditions: Conditions, sql: str, record_id: str) -> bool:
        """Return whether one row meets a compiled condition."""
        match = self._store.first(
            f'SELECT 1 FROM "{kind.name}" AS t0 WHERE t0.Id = ? AND ({sql})',  # noqa: S608  # compiled by us
            [record_id, *conditions.parameters],
        )
        return match is not None

    def _snapshot_rows(self, kind: ObjectType, rowids: Sequence[int]) -> None:
        for cursor in self._cursors.values():
            if cursor.kind is not kind:
                continue
            changing = [r for r in rowids if r not in cursor.snapshots and cursor.contains(r)]
            if changing:
                cursor.snapshots.update(self._rows(cursor, changing))

    def _rows(self, cursor: QueryCursor, rowids: Sequence[int]) -> dict[int, str]:
        return dict(self._store.run(cursor.sql, (json.dumps(list(rowids)),)).fetchall())

    def _condition(
        self, query: Query, scope: Scope, request: QueryRequest
    ) -> tuple[str, Conditions]:
        conditions = Conditions(scope, request.now)
        parts = [] if request.include_deleted or not scope.kind.business else ["t0.IsDeleted = 0"]
        if visible := scope.access.visible_rows(scope.kind, "t0"):
            parts.append(visible)
        if query.where is not None:
            parts.append(f"({conditions.where(query.where)})")
        return (" WHERE " + " AND ".join(parts)) if parts else "", conditions

    def _count(self, query: Query, scope: Scope, request: QueryRequest) -> tuple[str, int]:
        if query.grouped or query.ordered:
            at = query.grouped[0].at if query.grouped else 0
            raise malformed(query.text, at, "COUNT() must be the only thing that is selected")
        where, conditions = self._condition(query, scope, request)
        window = f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
        total = self._store.first(
            f"SELECT count(*) FROM (SELECT 1 FROM {scope.tables()}{where}{window})",  # noqa: S608  # compiled by us
            conditions.parameters,
        )
        return f'{{"totalSize":{total},"done":true,"records":[]}}', 1

    def _records(self, query: Query, scope: Scope, request: QueryRequest) -> tuple[str, int]:
        columns = self._columns(query, scope)
        template = RowTemplate(scope, columns, request.version).sql()
        where, conditions = self._condition(query, scope, request)
        order = self._order([self._ordering(o, scope) for o in query.ordered])
        window = f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
        found = self._store.run(
            f"SELECT t0.rowid FROM {scope.tables()}{where}{order}{window}",  # noqa: S608  # compiled by us
            conditions.parameters,
        )
        rowids = array("q", (row[0] for row in found))
        sql = (
            f"SELECT t0.rowid, {template} FROM {scope.tables()}"  # noqa: S608  # compiled by us
            " WHERE t0.rowid IN (SELECT value FROM json_each(?))"
        )
        cursor = QueryCursor(
            "", request.user_id, scope.kind, sql, rowids, len(rowids), request.page,
            request.now + CURSOR_LIFETIME,
        )  # fmt: skip
        if len(rowids) > request.page:
            cursor.id = self._ids.next_id("01g")
            self._release_cursors(request)
            self._cursors[cursor.id] = cursor
        return self._page(cursor, 0, request.version)

    def _page(self, cursor: QueryCursor, start: int, version: str) -> tuple[str, int]:
        """Return a page; one of the Tooling API has three members more (recorded)."""
        end = min(start + cursor.page, cursor.total)
        page_rowids = cursor.rowids[start:end]
        rows = self._rows(cursor, page_rowids)
        snapshots = cursor.snapshots
        rows.update({r: snapshots[r] for r in page_rowids if r in snapshots} if snapshots else {})
        records = ",".join([rows[rowid] for rowid in page_rowids])
        done = end >= cursor.total
        next_url = ""
        if not done:
            next_url = f'"nextRecordsUrl":"/services/data/v{version}/query/{cursor.id}-{end}",'
        head = f'{{"totalSize":{cursor.total},"done":{"true" if done else "false"},{next_url}'
        if cursor.kind.tooling:
            head = head.replace("{", f'{{"size":{len(page_rowids)},', 1)
            head += f'"queryLocator":null,"entityTypeName":"{cursor.kind.name}",'
        return f'{head}"records":[{records}]}}', len(page_rowids)

    def _release_cursors(self, request: QueryRequest) -> None:
        """Release the expired cursors, and the user's oldest one when ten are open."""
        self._cursors = {k: c for k, c in self._cursors.items() if c.expires > request.now}
        own = [k for k, c in self._cursors.items() if c.user_id == request.user_id]
        for name in own[: max(0, len(own) - MAX_CURSORS + 1)]:
            del self._cursors[name]

    def _columns(self, query: Query, scope: Scope) -> list[Column]:
        columns: list[Column] = []
        selected: set[tuple[tuple[str, ...], str]] = set()
        for item in query.selected:
            if isinstance(item, AllFields):
                columns += self._all_fields(query, item, scope)
                continue
            if item.alias is not None or not isinstance(item.item, FieldPath):
                raise malformed(
                    query.text, item.item.at, "only aggregate expressions use field aliasing"
                )
            column = scope.column(item.item)
            key = (column.relations, column.field.name)
            if key in selected:
                problem = f"duplicate field selected: {item.item}"
                raise scope.refusal("INVALID_FIELD", item.item.at, problem)
            selected.add(key)
            columns.append(column)
        return columns

    def _all_fields(self, query: Query, item: AllFields, scope: Scope) -> list[Column]:
        if item.which != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_ALL_LIMIT):
            problem = (
                "The SOQL FIELDS function must have a LIMIT of at most"
                f" {MAX_FIELDS_ALL_LIMIT} (FIELDS({item.which}))"
            )
            raise malformed(query.text, item.at, problem)
        return [
            Column(scope.kind, field, "t0", ())
            for field in scope.kind.fields.values()
            if scope.access.can_read(scope.kind, field) and _is_in_field_group(field, item.which)
        ]

    def _ordering(self, ordering: Ordering, scope: Scope) -> str:
        if not isinstance(ordering.subject, FieldPath):
            raise malformed(scope.query.text, ordering.subject.at, "nothing is grouped")
        column = scope.column(ordering.subject)
        if not column.field.sortable:
            problem = f"field '{column.field.name}' can not be sorted in a query call"
            raise scope.refusal("INVALID_FIELD", ordering.subject.at, problem)
        return _direction(column.sql, ordering, nillable=column.field.nillable)

    @staticmethod
    def _order(items: list[str]) -> str:
        return " ORDER BY " + ", ".join(items) if items else ""

    def _aggregate(self, query: Query, scope: Scope, request: QueryRequest) -> tuple[str, int]:
        where, conditions = self._condition(query, scope, request)
        grouped = [self._grouping(path, scope) for path in query.grouped]
        names, expressions = self._results(query, scope, conditions, {c.sql for c in grouped})
        having = ""
        if query.having is not None:
            having = f" HAVING {conditions.having(query.having)}"
        group = " GROUP BY " + ", ".join(c.sql for c in grouped) if grouped else ""
        order = self._order([self._aggregate_ordering(o, scope, conditions) for o in query.ordered])
        window = f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
        rows = self._store.run(
            f"SELECT {', '.join(expressions)} FROM {scope.tables()}{where}{group}{having}"  # noqa: S608  # compiled by us
            f"{order}{window}",
            conditions.parameters,
        ).fetchall()
        if len(rows) > MAX_PAGE_ROWS:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
                " to a single batch"
            )
            raise RefusedError("EXCEEDED_ID_LIMIT", message, fields=None)
        attributes = {"type": "AggregateResult"}
        records = [{"attributes": attributes, **dict(zip(names, row, strict=True))} for row in rows]
        return to_json({"totalSize": len(rows), "done": True, "records": records}), len(rows)

    def _grouping(self, path: FieldPath, scope: Scope) -> Column:
        column = scope.column(path)
        if not column.field.groupable:
            problem = f"field '{path}' can not be grouped in a query call"
            raise malformed(scope.query.text, path.at, problem)
        return column

    def _results(
        self, query: Query, scope: Scope, conditions: Conditions, grouped: set[str]
    ) -> tuple[list[str], list[str]]:
        names, expressions = list[str](), list[str]()
        unnamed = 0
        for item in query.selected:
            if isinstance(item, AllFields):
                raise malformed(query.text, item.at, "FIELDS() can not be grouped")
            if isinstance(item.item, Aggregate):
                sql, _ = conditions.aggregate(item.item)
                names.append(item.alias or f"expr{unnamed}")
                unnamed += item.alias is None
            else:
                sql = self._grouped_column(query, scope, item, grouped)
                names.append(item.alias or scope.column(item.item).field.name)
            expressions.append(sql)
        if len(set(names)) < len(names):
            raise malformed(query.text, 0, "duplicate alias")
        return names, expressions

    def _grouped_column(self, query: Query, scope: Scope, item: Selected, grouped: set[str]) -> str:
        path = item.item
        if not isinstance(path, FieldPath):
            raise TypeError("a selected column is a path")
        sql = scope.column(path).sql
        if sql not in grouped:
            raise malformed(query.text, path.at, f"Field must be grouped or aggregated: {path}")
        return sql

    def _aggregate_ordering(self, ordering: Ordering, scope: Scope, conditions: Conditions) -> str:
        if isinstance(ordering.subject, Aggregate):
            sql, _ = conditions.aggregate(ordering.subject)
            return _direction(sql, ordering, nillable=True)
        path = ordering.subject
        aliases = {
            s.alias.lower(): s.item
            for s in scope.query.selected
            if isinstance(s, Selected) and s.alias
        }
        aliased = aliases.get(str(path).lower())
        if isinstance(aliased, Aggregate):
            return _direction(conditions.aggregate(aliased)[0], ordering, nillable=True)
        column = scope.column(path)
        if column.sql not in {scope.column(g).sql for g in scope.query.grouped}:
            problem = f"Ordered field must be grouped or aggregated: {path}"
            raise malformed(scope.query.text, path.at, problem)
        return _direction(column.sql, ordering, nillable=column.field.nillable)


def _direction(sql: str, ordering: Ordering, *, nillable: bool) -> str:
    """Return one item of ORDER BY; by default empty values come first in both directions."""
    direction = " DESC" if ordering.descending else ""
    return f"{sql}{direction} NULLS {ordering.nulls}" if nillable else f"{sql}{direction}"


def _is_in_field_group(field: Field, which: str) -> bool:
    return which == "ALL" or field.custom == (which == "CUSTOM")
