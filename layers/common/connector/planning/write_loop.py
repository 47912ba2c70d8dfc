"""Detection of automations that undo each other: a value written too often is held.

A flow in Salesforce that rewrites a value, and an automation in Plezi that writes it back, would
otherwise keep both sides busy without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connector.mapping.values import stored_value, to_text
from connector.model import Link, RecentWrite, Value

MAX_REPEATS: Final = 2
"""Writes of one value to one record in a day; at the third, another automation undoes the value."""
DAY_SECONDS: Final = 86_400.0


def is_write_loop(link: Link, key: str, writes: Mapping[str, Value], *, now: float) -> bool:
    """Whether one of the values (by record id) was written too often to its record in a day."""
    recent = [it for it in link.recent_writes.get(key, ()) if now - it.at < DAY_SECONDS]
    return any(
        sum(it.record_id == record_id and it.value == _stored_text(value) for it in recent)
        >= MAX_REPEATS
        for record_id, value in writes.items()
    )


def remember_write(link: Link, key: str, record_id: str, value: Value, *, now: float) -> Link:
    """Return the link with a value noted that was written in place of an agreed one."""
    recent = [it for it in link.recent_writes.get(key, ()) if now - it.at < DAY_SECONDS]
    entry = RecentWrite(record_id, _stored_text(value), now)
    return replace(link, recent_writes={**link.recent_writes, key: (*recent, entry)})


def _stored_text(value: Value) -> str:
    """Return a value as it is noted: the digest of a long text."""
    return to_text(stored_value(value))
