"""Detection of automations that undo each other: a value that is undone too often is held.

A flow in Salesforce that rewrites a value, and an automation in Plezi that writes it back, would
otherwise keep both sides busy without end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.mapping import BoundPair
from connector.mapping.values import stored_value, to_text
from connector.model import Link, RecentWrite, Side, Value

MAX_UNDONE: Final = 2
"""How often one value may be undone in one record in a day before it is not written again."""
DAY_SECONDS: Final = 86_400.0
MAX_REMEMBERED: Final = 20
"""Writes of a pair that a link remembers: more than a loop needs, in however many records."""


def undone_writes(
    link: Link, pair: BoundPair, side: Side, current: Mapping[str, Value], *, now: float
) -> frozenset[str]:
    """Return the records in which somebody replaced the value that we wrote last.

    `current` are the values of records of one side, by record id.
    """
    last = {it.record_id: it.value for it in _recent(link, pair.key, now)}
    return frozenset(
        record_id
        for record_id, value in current.items()
        if record_id in last
        and _stored_text(value) != last[record_id]
        and pair.canonical(side, value) != pair.canonical(side, last[record_id])
    )


def is_write_loop(
    link: Link, key: str, writes: Mapping[str, Value], undone: Collection[str], *, now: float
) -> bool:
    """Whether one of the values (by record id) was undone too often in its record.

    `undone` are the records in which the value that we wrote last was replaced. Values that change
    often are no loop: nobody undoes them.
    """
    return any(
        _times_undone(_of_record(link, key, record_id, now), _stored_text(value), undone)
        >= MAX_UNDONE
        for record_id, value in writes.items()
    )


def _times_undone(writes: Sequence[RecentWrite], value: str, undone: Collection[str]) -> int:
    """Return how often a value was written to one record and then replaced by somebody else."""
    replaced = [it.after_undo for it in writes[1:]]
    replaced += [writes[-1].record_id in undone] if writes else []
    return sum(
        was_replaced and it.value == value
        for it, was_replaced in zip(writes, replaced, strict=True)
    )


def remember_write(
    link: Link, key: str, record_id: str, value: Value, *, after_undo: bool, now: float
) -> Link:
    """Return the link with a value noted that was written in place of an agreed one."""
    entry = RecentWrite(record_id, _stored_text(value), now, after_undo)
    recent = (*_recent(link, key, now), entry)[-MAX_REMEMBERED:]
    return replace(link, recent_writes={**link.recent_writes, key: recent})


def _recent(link: Link, key: str, now: float) -> Sequence[RecentWrite]:
    return [it for it in link.recent_writes.get(key, ()) if now - it.at < DAY_SECONDS]


def _of_record(link: Link, key: str, record_id: str, now: float) -> Sequence[RecentWrite]:
    return [it for it in _recent(link, key, now) if it.record_id == record_id]


def _stored_text(value: Value) -> str:
    """Return a value as it is noted: the digest of a long text."""
    return to_text(stored_value(value))
