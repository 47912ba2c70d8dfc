"""Automations that undo each other: told the same word again and again, a field is held. Pure.

A flow in Salesforce that rewrites a value, and one in Plezi that writes it back, would keep both
sides busy for ever (reference: reliability, invariant 4 and fault 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connector.mapping.values import words_of
from connector.model import Link, Told, Value

MOST_TIMES: Final = 2
"""How often one word may be written to one record in a day; the third time somebody undoes it."""
DAY_SECONDS: Final = 86_400.0


def oscillates(link: Link, line: str, writes: Mapping[str, Value], *, now: float) -> bool:
    """Whether one of these words was written to the same record so often that it must not again."""
    lately = [it for it in link.told.get(line, ()) if now - it.at < DAY_SECONDS]
    return any(
        sum(it.record == record and it.word == words_of(value) for it in lately) >= MOST_TIMES
        for record, value in writes.items()
    )


def tell(link: Link, line: str, record: str, value: Value, *, now: float) -> Link:
    """Return the link with a word noted that was written over one that had been agreed."""
    lately = [it for it in link.told.get(line, ()) if now - it.at < DAY_SECONDS]
    told = {**link.told, line: (*lately, Told(record, words_of(value), now))}
    return replace(link, told=told)
