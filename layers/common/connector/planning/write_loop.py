"""Automations that undo each other: told the same word again and again, a field is held. Pure.

A flow in Salesforce that rewrites a value, and one in Plezi that writes it back, would keep both
sides busy for ever (reference: reliability, invariant 4 and fault 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connector.mapping.values import to_text
from connector.model import Link, RecentWrite, Value

MAX_REPEATS: Final = 2
"""How often one word may be written to one record in a day; the third time somebody undoes it."""
DAY_SECONDS: Final = 86_400.0


def is_write_loop(link: Link, line: str, writes: Mapping[str, Value], *, now: float) -> bool:
    """Whether one of these words was written to the same record so often that it must not again."""
    lately = [it for it in link.recent_writes.get(line, ()) if now - it.at < DAY_SECONDS]
    return any(
        sum(it.record_id == record and it.value == to_text(value) for it in lately) >= MAX_REPEATS
        for record, value in writes.items()
    )


def remember_write(link: Link, line: str, record: str, value: Value, *, now: float) -> Link:
    """Return the link with a word noted that was written over one that had been agreed."""
    lately = [it for it in link.recent_writes.get(line, ()) if now - it.at < DAY_SECONDS]
    told = {**link.recent_writes, line: (*lately, RecentWrite(record, to_text(value), now))}
    return replace(link, recent_writes=told)
