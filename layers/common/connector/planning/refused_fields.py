"""What is still written of a write that was refused: a refusal concerns fields, not a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.mapping import BoundMapping
from connector.mapping.model import EMAIL_PAIR, PLEZI_URL_PAIR
from connector.model import Link, RecordKind, Write
from connector.planning.write_outcome import WriteOutcome, WriteResult

IDENTITY: Final = frozenset(
    {EMAIL_PAIR.plezi, EMAIL_PAIR.salesforce, PLEZI_URL_PAIR.plezi, PLEZI_URL_PAIR.salesforce}
)
"""Fields without which no record is created: it could not be found again."""


def remaining_write(outcome: WriteOutcome, bound: BoundMapping) -> Write | None:
    """Return what to send at once after a refusal: everything but the fields that it names.

    Where a refusal names none of the fields, the consent of the person is sent alone. In a record
    to be created, a refused field that has a placeholder gets it. None: nothing is left to send.
    """
    if outcome.result is not WriteResult.REJECTED:
        return None
    write = outcome.write
    refused = write.values.keys() & set(outcome.fields)
    if write.is_create:
        return _smaller_creation(write, refused, bound)
    if not refused:
        refused = {name for name in write.values if not _is_consent(write.kind, name, bound)}
    values = {name: value for name, value in write.values.items() if name not in refused}
    if not values or len(values) == len(write.values):
        return None
    before = {name: value for name, value in write.before.items() if name in values}
    return replace(write, values=values, before=before)


def _smaller_creation(write: Write, refused: set[str], bound: BoundMapping) -> Write | None:
    if not refused or refused & IDENTITY:
        return None
    values = {}
    for name, value in write.values.items():
        if name not in refused:
            values[name] = value
            continue
        pair = bound.by_field.get((write.kind, name))
        placeholder = pair.pair.placeholder if pair and write.kind is RecordKind.LEAD else ""
        if placeholder and value != placeholder:
            values[name] = placeholder
    return replace(write, values=values) if values != write.values else None


def _is_consent(kind: RecordKind, name: str, bound: BoundMapping) -> bool:
    """Whether a field tells what a person allows: no other field may delay it."""
    pair = bound.by_field.get((kind, name))
    return pair is not None and pair.is_opt_out


def with_smaller_creation(link: Link, write: Write) -> Link:
    """Return the link whose intent creates a record with the values of this write only.

    It is stored before the write is sent. A record that we created proves that everything intended
    was written: without this, the recovery would take a refused value for one that a user cleared.
    """
    if link.intent is None:
        raise TypeError("a write that is carried out has an intent")
    writes = tuple(
        write if each.is_create and each.kind is write.kind else each for each in link.intent.writes
    )
    return replace(link, intent=replace(link.intent, writes=writes))


def combined(first: WriteOutcome, rest: WriteOutcome) -> WriteOutcome:
    """Return the outcome of a write whose refused fields were left out of a second one."""
    if rest.result is WriteResult.REJECTED:
        fields = dict.fromkeys((*first.fields, *rest.fields))
        return replace(first, fields=tuple(fields))
    return replace(rest, refusal=first)
