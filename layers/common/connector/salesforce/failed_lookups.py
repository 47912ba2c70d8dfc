"""Values whose look-up failed: they are looked up last, and apart from all others.

A query for one record may fail again and again, or take so long that an invocation has time for two
of them. So the values of the smallest query that failed are remembered for a day, by all functions:
the next look-up asks for all others first, and then for these in quarters. A guilty value among n
is alone after about log4(n) further look-ups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from connector.errors import RetryError
from connector.log_events import link_hash
from connector.salesforce.batch_size import LOAD_SECONDS, MEMORY_SECONDS
from connector.salesforce.lookup_queries import LookupQuery
from connector.stores import DocumentStore

FAILED_KEY: Final = "salesforce_failed_lookups"
PARTS: Final = 4
"""Parts of a query that failed, in the next look-up."""
MAX_VALUES: Final = 2_000
"""Values that are remembered, as in `lost_writes.MAX_RECORDS`."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The values of a query that failed, by their keys, and the time (seconds since 1970)."""

    keys: tuple[str, ...]
    at: float


class FailedLookups:
    """The values of queries that failed, shared by all functions. `clock`: seconds since 1970."""

    def __init__(self, store: DocumentStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._groups: list[_Group] = []
        self._loaded_at = -math.inf
        self._is_changed = False

    def divide(self, queries: Iterable[LookupQuery]) -> tuple[list[LookupQuery], list[LookupQuery]]:
        """Return queries for the values that never failed, and small ones for those that did."""
        self._refresh()
        ordinary: list[LookupQuery] = []
        apart: list[tuple[int, LookupQuery]] = []
        group_of = {key: at for at, group in enumerate(self._groups) for key in group.keys}
        for query in queries:
            values: dict[int, list[str]] = {}
            for value in query.values:
                values.setdefault(group_of.get(_key(query, value), -1), []).append(value)
            for group, members in values.items():
                if group < 0:
                    ordinary.append(replace(query, values=tuple(members)))
                    continue
                size = -(-len(self._groups[group].keys) // PARTS)
                parts = (members[at : at + size] for at in range(0, len(members), size))
                apart += [(group, replace(query, values=tuple(part))) for part in parts]
        # The values that failed last are asked for last.
        return ordinary, [query for _, query in sorted(apart, key=lambda each: each[0])]

    def report_failed(self, query: LookupQuery) -> None:
        """Remember the values of a query that failed while Salesforce answers others."""
        keys = _keys(query)
        self._forget(keys)
        self._groups.append(_Group(keys, self._clock()))
        self._is_changed = True

    def report_answered(self, query: LookupQuery) -> None:
        """Forget the values of a query that was answered."""
        if self._groups:
            self._forget(_keys(query))

    def save(self) -> None:
        """Store what is remembered, if it changed."""
        if not self._is_changed:
            return
        self._is_changed = False
        kept: list[_Group] = []
        room = MAX_VALUES
        for group in reversed(self._groups):
            room -= len(group.keys)
            if room >= 0:
                kept.insert(0, group)
        self._groups = kept
        groups = [{"keys": list(it.keys), "at": it.at} for it in kept]
        # When it cannot be stored, other processes find the fault themselves.
        with suppress(RetryError):
            self._store.save_document(FAILED_KEY, {"groups": groups})

    def _refresh(self) -> None:
        """Read what other processes remember, unless it was read a moment ago."""
        now = self._clock()
        if not self._loaded_at <= now <= self._loaded_at + LOAD_SECONDS:
            groups = (self._store.load_document(FAILED_KEY) or {}).get("groups")
            stored = groups if isinstance(groups, list) else []
            self._groups = [group for each in stored if (group := _read_group(each)) is not None]
            self._loaded_at = now
        self._groups = [it for it in self._groups if 0 <= now - it.at <= MEMORY_SECONDS]

    def _forget(self, keys: Sequence[str]) -> None:
        gone = set(keys)
        for at, group in enumerate(self._groups):
            rest = tuple(key for key in group.keys if key not in gone)
            if len(rest) < len(group.keys):
                self._groups[at] = replace(group, keys=rest)
                self._is_changed = True
        self._groups = [group for group in self._groups if group.keys]


def _read_group(stored: object) -> _Group | None:
    """Return a stored group; None where it cannot be used."""
    match stored:
        case {"keys": list(keys), "at": int() | float() as at} if keys and math.isfinite(at):
            return _Group(tuple(str(key) for key in keys), float(at))
        case _:
            return None


def _keys(query: LookupQuery) -> tuple[str, ...]:
    return tuple(_key(query, value) for value in query.values)


def _key(query: LookupQuery, value: str) -> str:
    """Return what a value is remembered by: an id, or a hash of an e-mail or address."""
    return value if query.is_by_id else link_hash(f"{query.kind.value} {query.field} {value}")
