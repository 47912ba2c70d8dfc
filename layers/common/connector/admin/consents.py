"""The opt-outs of one person: their source, their time, and the proof on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.runs import JournalEntryView, journal_entry_view
from connector.mapping import ConflictPolicy, Direction, FieldKind, MappingConfig
from connector.mapping.values import canonical
from connector.model import JournalKind, Link, Side, Value

SEARCHED_PAGES: Final = 5
PAGE: Final = 200
"""Journal entries of one read, 1,000 in all: as many as for the last entry of each field."""
MAX_PROOFS: Final = 20
"""Entries that are shown of each opt-out, the newest first; the journal has the others."""


@dataclass(frozen=True, slots=True)
class Consent:
    """An opt-out of one person: a field whose pair has the policy `most_restrictive`.

    `opted_out`: it is ticked on a record. `values` is the proof of each record as it was last read,
    `proofs` are the journal entries of the writes that carried it to a record, the newest first.
    `source` is the side from which the last write came, `at` its time (seconds since 1970) and
    `run_id` its run (None, 0 and '': no write was needed, because both sides had it at their first
    comparison, or the entry expired).
    """

    field: str
    plezi: str
    opted_out: bool
    values: Mapping[str, Value]
    source: Side | None
    at: float
    run_id: str
    proofs: tuple[JournalEntryView, ...]


def consents_of(context: AdminContext, mapping: MappingConfig, link: Link) -> tuple[Consent, ...]:
    """Return the opt-outs of one person, those that are not ticked included."""
    pairs = [
        pair
        for pair in mapping.pairs
        if pair.policy is ConflictPolicy.MOST_RESTRICTIVE and pair.direction is not Direction.OFF
    ]
    if not pairs:
        return ()
    proofs = _proofs(context, link.email, {pair.key for pair in pairs})
    found = []
    for pair in pairs:
        values = {
            it.id: it.values[name]
            for it in link.observations()
            if it.is_active
            for name in [pair.plezi if it.side is Side.PLEZI else pair.salesforce]
            if name in it.values
        }
        entries = proofs[pair.key]
        last = entries[0] if entries else None
        found.append(
            Consent(
                pair.key,
                pair.plezi,
                any(_is_ticked(value) for value in values.values()),
                values,
                None if last is None else last.side.other,
                0.0 if last is None else last.at,
                "" if last is None else last.run_id,
                entries,
            )
        )
    return tuple(found)


def _proofs(
    context: AdminContext, email: str, keys: Iterable[str]
) -> dict[str, tuple[JournalEntryView, ...]]:
    """Return the newest writes of each opt-out."""
    found: dict[str, list[JournalEntryView]] = {key: [] for key in keys}
    after = ""
    for _ in range(SEARCHED_PAGES):
        page = context.journal.person_entries(email, PAGE, after)
        for entry in page.entries:
            is_write = entry.kind == JournalKind.WRITTEN and _is_ticked(entry.after)
            if is_write and len(found.get(entry.field, [None] * MAX_PROOFS)) < MAX_PROOFS:
                found[entry.field].append(journal_entry_view(entry))
        after = page.next
        if not after:
            break
    return {key: tuple(entries) for key, entries in found.items()}


def _is_ticked(value: Value) -> bool:
    return canonical(FieldKind.CHECKBOX, value) is True
