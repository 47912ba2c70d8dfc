"""Writes whose call was not answered: in which parts they are sent when they are planned again.

A call that ends without an answer, again and again, may be too large for the org's automation, or
have one record that its automation never finishes. Such a write is never repeated blindly: its
intent is in doubt, and a later run plans it again after a reading. Then the records of one such
call are sent apart from all others, in halves, and afterwards in quarters. So everybody else is
written in the first call, and a guilty record among n is alone after about log4(n) further calls
without an answer; 4 log4(n) is 2 log2(n) calls. When smaller calls are answered for all records,
the size was the fault, and it is learned. The memory is shared by all functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from connector.errors import RetryError
from connector.log_events import link_hash
from connector.model import Write
from connector.salesforce.batch_size import (
    FAULTS_BEFORE_LEARNING,
    LOAD_SECONDS,
    MEMORY_SECONDS,
    BatchSize,
)
from connector.stores import DocumentStore

LOST_KEY: Final = "salesforce_lost_writes"
FIRST_PARTS: Final = 2
"""Parts of a call that was lost once: a limit on the size is known within a factor of two."""
LATER_PARTS: Final = 4
"""Parts of a call that was lost again: a guilty record is alone after few runs."""
MAX_RECORDS: Final = 2_000
"""Records that are remembered: 18 characters each are far below the 400 KB of an item (Amazon
DynamoDB Developer Guide, "Service, account, and table quotas")."""
MIN_FAULT_SIZE: Final = 20
"""A call of fewer records is not taken to be lost because of its size (assumed): two short failures
of the network would else make the calls of a whole day small."""
MAX_LOST_IN_A_ROW: Final = 2
"""Calls without an answer, while none was answered, before the org is taken to be unavailable."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Records of a lost call. `size`: its records, 0 when the size is not the fault."""

    keys: tuple[str, ...]
    losses: int
    size: int
    at: float

    def parts(self) -> int:
        return FIRST_PARTS if self.losses == 1 else LATER_PARTS


class LostWrites:
    """The writes of lost calls, shared by all functions. `clock`: seconds since 1970.

    `batch_size` is the size of all other calls.
    """

    def __init__(
        self, store: DocumentStore, clock: Callable[[], float], batch_size: BatchSize
    ) -> None:
        self._store = store
        self._clock = clock
        self.batch_size = batch_size
        self._groups: list[_Group] = []
        self._faults: list[int] = []
        self._loaded_at = -math.inf
        self._is_changed = False

    def refresh(self) -> None:
        """Read what other processes remember, unless it was read a moment ago."""
        now = self._clock()
        if not self._loaded_at <= now <= self._loaded_at + LOAD_SECONDS:
            self._load()
            self._loaded_at = now
        self._groups = [it for it in self._groups if 0 <= now - it.at <= MEMORY_SECONDS]

    def parts(self, writes: Sequence[Write], numbers: Sequence[int]) -> list[list[int]]:
        """Return the calls for those of these writes that are remembered; each is in one call."""
        of_key = {_key(writes[number]): number for number in numbers}
        parts: list[list[int]] = []
        for group in self._groups:
            members = [of_key[key] for key in group.keys if key in of_key]
            size = -(-len(group.keys) // group.parts())
            parts += [members[at : at + size] for at in range(0, len(members), size)]
        return parts

    def report_lost(self, writes: Sequence[Write]) -> None:
        """Remember the writes of a call that was not answered."""
        keys = [_key(write) for write in writes]
        before = [it for it in self._groups if not set(keys).isdisjoint(it.keys)]
        losses = max((it.losses for it in before), default=0) + 1
        self._forget(keys, is_lost=True)
        size = len(keys) if len(keys) >= MIN_FAULT_SIZE else 0
        self._groups.append(_Group(tuple(keys), losses, size, self._clock()))
        self._is_changed = True

    def report_answered(self, writes: Sequence[Write]) -> None:
        """Forget the writes of a call that was answered; learn the size, if that was the fault."""
        faults = [size for size in self._faults if size > len(writes)]
        self._is_changed |= faults != self._faults
        self._faults = faults
        if self._groups:
            self._forget([_key(write) for write in writes], is_lost=False)
        if len(self._faults) >= FAULTS_BEFORE_LEARNING:
            self.batch_size.learn(-(-min(self._faults) // FIRST_PARTS))
            self._faults = []

    def save(self) -> None:
        """Store what is remembered, if it changed."""
        if not self._is_changed:
            return
        self._is_changed = False
        kept: list[_Group] = []
        room = MAX_RECORDS
        for group in reversed(self._groups):
            room -= len(group.keys)
            if room >= 0:
                kept.insert(0, group)
        self._groups = kept
        groups = [
            {"keys": list(it.keys), "losses": it.losses, "size": it.size, "at": it.at}
            for it in kept
        ]
        # When it cannot be stored, other processes find the fault themselves.
        with suppress(RetryError):
            self._store.save_document(LOST_KEY, {"groups": groups, "faults": self._faults})

    def _forget(self, keys: Sequence[str], *, is_lost: bool) -> None:
        gone = set(keys)
        groups: list[_Group] = []
        for group in self._groups:
            rest = tuple(key for key in group.keys if key not in gone)
            if len(rest) == len(group.keys):
                groups.append(group)
                continue
            self._is_changed = True
            if rest:
                groups.append(replace(group, keys=rest, size=0 if is_lost else group.size))
            elif group.size and not is_lost:
                self._faults.append(group.size)
        self._groups = groups

    def _load(self) -> None:
        document = self._store.load_document(LOST_KEY) or {}
        groups, faults = document.get("groups"), document.get("faults")
        self._groups = [
            group
            for each in (groups if isinstance(groups, list) else [])
            if (group := _read_group(each)) is not None
        ]
        self._faults = [
            size for size in (faults if isinstance(faults, list) else []) if isinstance(size, int)
        ]


def _read_group(stored: object) -> _Group | None:
    """Return a stored group; None where it cannot be used."""
    match stored:
        case {
            "keys": list(keys),
            "losses": int(losses),
            "size": int(size),
            "at": int() | float() as at,
        } if keys and losses > 0 and math.isfinite(at):
            return _Group(tuple(str(key) for key in keys), losses, size, float(at))
        case _:
            return None


def _key(write: Write) -> str:
    """Return what a write is remembered by: the id of its record, or a hash of its e-mail."""
    return write.record_id or link_hash(write.email)
