"""Queries and scans: one page at a time, of 1 MB at most."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.rehearsal.dynamodb.database import Database
from local.rehearsal.dynamodb.errors import InvalidRequestError
from local.rehearsal.dynamodb.expressions import (
    Condition,
    KeyTest,
    check_placeholders,
    parse_condition,
    parse_key_condition,
)
from local.rehearsal.dynamodb.limits import MAX_PARTITION_KEY_BYTES as LONGEST_KEY
from local.rehearsal.dynamodb.limits import (
    MAX_QUERY_BYTES,
    Item,
    KeyAttribute,
    KeySchema,
    check_key_value,
    plain_value,
)
from local.rehearsal.dynamodb.storage import (
    HIGHEST,
    Key,
    OrderedItems,
    Stored,
    StoredTable,
    key_attributes,
    plain_key,
)
from local.rehearsal.dynamodb.units import UnitKind, read_units

LAST_TEXT: Final = "\U0010ffff"
"""The last character of Unicode: sorts behind every text that begins alike."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What a query reads: a table or one of its indexes."""

    table: StoredTable
    index: str
    key: KeySchema
    entries: OrderedItems

    def last_key(self, item: Item) -> dict[str, Any]:
        """Return the key of the last item that was read, as the next page needs it."""
        return {
            **key_attributes(self.key, item),
            **key_attributes(self.table.schema.key, item),
        }

    def order(self, start: Item) -> Key:
        """Return the position of a start key within its partition."""
        primary = plain_key(self.table.schema.key, start)
        if not self.index:
            return primary[1:]
        return (*plain_key(self.key, start)[1:], *primary)


def _source(database: Database, request: Mapping[str, Any]) -> _Source:
    table = database.table(request["TableName"], "Query")
    name = request.get("IndexName", "")
    if not name:
        return _Source(table, "", table.schema.key, table.items)
    index = table.indexes.get(name)
    if index is None:
        raise InvalidRequestError(f"The table does not have the specified index: {name}")
    if request.get("ConsistentRead"):
        raise InvalidRequestError("Consistent reads are not supported on global secondary indexes")
    return _Source(table, name, index.key, index.visible(database.clock()))


def run_query(database: Database, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of a query. Raises `InvalidRequestError` as DynamoDB refuses it."""
    source = _source(database, request)
    condition = parse_key_condition(request["KeyConditionExpression"])
    text = request.get("FilterExpression")
    filtered = None if text is None else parse_condition(text, "FilterExpression")
    check_placeholders(
        request,
        condition.names | (filtered.names if filtered else frozenset()),
        condition.used_values | (filtered.values if filtered else frozenset()),
    )
    partition, low, high = _bounds(source, request, condition.tests)
    forward = request.get("ScanIndexForward", True)
    if start := request.get("ExclusiveStartKey"):
        if set(start) != set(source.last_key(start)):
            raise InvalidRequestError("The provided starting key is invalid")
        order = source.order(start)
        low, high = ((*order, HIGHEST), high) if forward else (low, order)
    found = source.entries.range(partition, low, high, forward=forward)
    page, size, last = _page(found, request.get("Limit"))
    consistent = bool(request.get("ConsistentRead"))
    kind = UnitKind(
        source.table.schema.name, "Query", str(partition).partition("#")[0], source.index
    )
    database.units.read(kind, read_units(size, consistent=consistent))
    return _response(source, request, page, filtered, more=last)


def _response(
    source: _Source,
    request: Mapping[str, Any],
    page: list[Stored],
    filtered: Condition | None,
    *,
    more: bool,
) -> dict[str, Any]:
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    items = [
        dict(stored.item)
        for stored in page
        if filtered is None or filtered.test(stored.item, names, values)
    ]
    response: dict[str, Any] = {"Count": len(items), "ScannedCount": len(page)}
    if request.get("Select") != "COUNT":
        response["Items"] = items
    if more:
        response["LastEvaluatedKey"] = source.last_key(page[-1].item)
    return response


def _page(found: Iterator[Stored], limit: int | None) -> tuple[list[Stored], int, bool]:
    """Return the items of one page, their size, and whether there may be another page.

    DynamoDB returns a last key whenever the limit was reached, also when nothing follows.
    """
    if limit is not None and limit < 1:
        raise InvalidRequestError("Limit must be greater than or equal to 1")
    page: list[Stored] = []
    size = 0
    for stored in found:
        page.append(stored)
        size += stored.size
        if size >= MAX_QUERY_BYTES or len(page) == limit:
            return page, size, True
    return page, size, False


def _bounds(
    source: _Source, request: Mapping[str, Any], tests: tuple[KeyTest, ...]
) -> tuple[Any, Key, Key]:
    """Return the partition that a key condition selects, and the bounds within it."""
    names = request.get("ExpressionAttributeNames") or {}
    values = request["ExpressionAttributeValues"]
    by_name = {test.path.resolve(names)[0]: test for test in tests}
    partition = by_name.pop(source.key.partition.name, None)
    if partition is None or partition.operator != "=" or len(by_name) < len(tests) - 1:
        raise InvalidRequestError("Query condition missed key schema element")
    value = _value(source.key.partition, partition, values)[0]
    sort = source.key.sort
    if not by_name:
        return value, (), (HIGHEST,)
    test = None if sort is None else by_name.pop(sort.name, None)
    if sort is None or test is None or by_name:
        raise InvalidRequestError("Query key condition not supported")
    found = _value(sort, test, values)
    return value, *_sort_bounds(test.operator, found)


def _sort_bounds(operator: str, found: tuple[Any, ...]) -> tuple[Key, Key]:
    first = found[0]
    match operator:
        case "=":
            return (first,), (first, HIGHEST)
        case "<":
            return (), (first,)
        case "<=":
            return (), (first, HIGHEST)
        case ">":
            return (first, HIGHEST), (HIGHEST,)
        case ">=":
            return (first,), (HIGHEST,)
        case "between":
            return (first,), (found[1], HIGHEST)
    return (first,), (first + LAST_TEXT, HIGHEST)


def _value(attribute: KeyAttribute, test: KeyTest, values: Mapping[str, Any]) -> tuple[Any, ...]:
    for name in test.values:
        check_key_value(attribute, values[name], LONGEST_KEY)
    return tuple(plain_value(values[name], attribute.type) for name in test.values)


def _projected(item: Mapping[str, Any], expression: str) -> dict[str, Any]:
    """Return the named attributes of an item, all for ''; only plain names are simulated.

    All are returned when none is named, whatever their names are (Amazon DynamoDB API Reference,
    Scan, ProjectionExpression).
    """
    if not expression:
        return dict(item)
    names = [name.strip() for name in expression.split(",")]
    if not all(name.isidentifier() for name in names):
        raise TypeError(f"the projection {expression} is not simulated")
    return {name: item[name] for name in names if name in item}


def _scan_place(key: tuple[object, ...]) -> bytes:
    """Return the place of a key in a scan: the order of hashes, also of a key that was deleted."""
    return hashlib.sha256(repr(key).encode(errors="surrogatepass")).digest()


def run_scan(database: Database, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of all items of a table."""
    table = database.table(request["TableName"], "Scan")
    places = {_scan_place(table.key(it.item)): it for it in table.items.all()}
    after = _scan_place(table.key(start)) if (start := request.get("ExclusiveStartKey")) else b""
    items = (places[place] for place in sorted(places) if place > after)
    text = request.get("FilterExpression")
    filtered = None if text is None else parse_condition(text, "FilterExpression")
    check_placeholders(
        request,
        filtered.names if filtered else frozenset(),
        filtered.values if filtered else frozenset(),
    )
    page, size, more = _page(items, request.get("Limit"))
    consistent = bool(request.get("ConsistentRead"))
    database.units.read(
        UnitKind(table.schema.name, "Scan", ""), read_units(size, consistent=consistent)
    )
    values = request.get("ExpressionAttributeValues") or {}
    found = [
        _projected(stored.item, request.get("ProjectionExpression", ""))
        for stored in page
        if filtered is None or filtered.test(stored.item, {}, values)
    ]
    response: dict[str, Any] = {
        "Items": found,
        "Count": len(found),
        "ScannedCount": len(page),
    }
    if more:
        response["LastEvaluatedKey"] = key_attributes(table.schema.key, page[-1].item)
    return response
