"""The items of one table and the entries of its indexes, in order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from local.rehearsal.dynamodb.limits import (
    AttributeValue,
    Item,
    KeySchema,
    TableSchema,
    item_bytes,
    key_of,
    plain_value,
)

Key: TypeAlias = tuple[Any, ...]
"""The values of a key: texts, bytes and decimals, which sort as DynamoDB sorts them."""


class _Highest:
    """Sorts behind every key."""

    def __lt__(self, _other: object) -> bool:
        return False

    def __gt__(self, _other: object) -> bool:
        return True


HIGHEST: Final = _Highest()


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored item and its size in bytes."""

    item: Item
    size: int


@dataclass(frozen=True, slots=True)
class IndexWrite:
    """What the change of an item means for one index: the write units that it costs."""

    index: str
    units: tuple[int, ...]
    """The size in bytes of each entry that is written or deleted."""


@dataclass(slots=True)
class _Partition:
    """One partition: the rests of its keys in order, and the entry of each."""

    orders: list[Key] = field(default_factory=list)
    entries: dict[Key, Stored] = field(default_factory=dict)


class OrderedItems:
    """Items, or entries of an index, by partition key and then by the rest of the key."""

    def __init__(self) -> None:
        self._partitions: dict[Any, _Partition] = {}
        self._places: dict[Key, tuple[Any, Key]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def get(self, primary: Key) -> Stored | None:
        """Return the entry of an item, by the primary key of the table."""
        place = self._places.get(primary)
        return None if place is None else self._partitions[place[0]].entries[place[1]]

    def put(self, primary: Key, partition: Any, order: Key, stored: Stored) -> None:  # noqa: ANN401  # a key
        """Store an entry in place of that of the same item."""
        place = self._places.get(primary)
        if place is not None and place != (partition, order):
            self.remove(primary)
            place = None
        found = self._partitions.get(partition)
        if found is None:
            found = self._partitions[partition] = _Partition()
        found.entries[order] = stored
        if place is None:
            self._places[primary] = (partition, order)
            insort(found.orders, order)

    def remove(self, primary: Key) -> None:
        """Remove the entry of an item, if there is one."""
        place = self._places.pop(primary, None)
        if place is None:
            return
        partition, order = place
        found = self._partitions[partition]
        del found.orders[bisect_left(found.orders, order)]
        del found.entries[order]
        if not found.orders:
            del self._partitions[partition]

    def range(self, partition: Any, low: Key, high: Key, *, forward: bool) -> Iterator[Stored]:  # noqa: ANN401  # a key
        """Return the entries of a partition from `low` up to, not with, `high`."""
        found = self._partitions.get(partition)
        if found is None:
            return
        start, end = bisect_left(found.orders, low), bisect_left(found.orders, high)
        positions = range(start, end) if forward else range(end - 1, start - 1, -1)
        for position in positions:
            yield found.entries[found.orders[position]]

    def all(self) -> Iterator[Stored]:
        """Return every entry."""
        for found in self._partitions.values():
            yield from found.entries.values()


class Index:
    """One index: eventually consistent, by a lag in seconds."""

    def __init__(self, name: str, key: KeySchema, table_key: KeySchema, *, complete: bool) -> None:
        self.name = name
        self.key = key
        self._table_key = table_key
        self._complete = complete
        self._names = {each.name for schema in (key, table_key) for each in schema.attributes()}
        self._entries = OrderedItems()
        self._newest: dict[Key, Stored | None] = {}
        self._pending: deque[tuple[float, Key, Stored | None]] = deque()

    def project(self, item: Item) -> Item | None:
        """Return the entry of an item; None for an item that lacks a key attribute of the index."""
        if any(each.name not in item for each in self.key.attributes()):
            return None
        return item if self._complete else {name: item[name] for name in self._names}

    def change(
        self, primary: Key, before: Item | None, after: Item | None, at: float
    ) -> IndexWrite:
        """Take the change of an item, which is visible at a time; return what it costs."""
        old = None if before is None else self.project(before)
        new = None if after is None else self.project(after)
        if old == new:
            return IndexWrite(self.name, ())
        sizes = self._costs(old, new)
        stored = None if new is None else Stored(new, item_bytes(new))
        self._pending.append((at, primary, stored))
        return IndexWrite(self.name, sizes)

    def _costs(self, old: Item | None, new: Item | None) -> tuple[int, ...]:
        if old is None or new is None:
            only = new if old is None else old
            return (item_bytes(only or {}),)
        if key_of(self.key, old) != key_of(self.key, new):
            return (item_bytes(old), item_bytes(new))
        return (max(item_bytes(old), item_bytes(new)),)

    def visible(self, now: float) -> OrderedItems:
        """Return the entries as a query sees them now."""
        while self._pending and self._pending[0][0] <= now:
            _, primary, stored = self._pending.popleft()
            if stored is None:
                self._entries.remove(primary)
            else:
                partition, *rest = key_of(self.key, stored.item)
                self._entries.put(primary, partition, (*rest, *primary), stored)
        return self._entries


class StoredTable:
    """One table with its indexes."""

    def __init__(self, schema: TableSchema, clock: Callable[[], float]) -> None:
        self.schema = schema
        self.items = OrderedItems()
        self.index_lag = 0.0
        self._clock = clock
        self.indexes = {
            name: Index(name, key, schema.key, complete=name in schema.complete_indexes)
            for name, key in schema.indexes.items()
        }

    def key(self, item: Item) -> Key:
        """Return the primary key of an item or of a key."""
        return key_of(self.schema.key, item)

    def put(self, primary: Key, item: Item, size: int) -> list[IndexWrite]:
        """Store an item; return what its indexes cost."""
        before = self.items.get(primary)
        self.items.put(primary, primary[0], primary[1:], Stored(item, size))
        return self._change_indexes(primary, before, item)

    def delete(self, primary: Key) -> list[IndexWrite]:
        """Delete an item, if there is one; return what its indexes cost."""
        before = self.items.get(primary)
        self.items.remove(primary)
        return self._change_indexes(primary, before, None)

    def _change_indexes(
        self, primary: Key, before: Stored | None, after: Item | None
    ) -> list[IndexWrite]:
        if not self.indexes:
            return []
        old = None if before is None else before.item
        at = self._clock() + self.index_lag
        writes = [index.change(primary, old, after, at) for index in self.indexes.values()]
        return [write for write in writes if write.units]


def key_attributes(schema: KeySchema, item: Item) -> dict[str, AttributeValue]:
    """Return the key attributes of an item."""
    return {each.name: item[each.name] for each in schema.attributes()}


def plain_key(schema: KeySchema, values: Item) -> Key:
    """Return the comparable key in these attributes; they must all be there."""
    return tuple(plain_value(values[each.name], each.type) for each in schema.attributes())
