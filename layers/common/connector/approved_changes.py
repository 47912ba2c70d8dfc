"""What an approved preview allows, and how many people are synchronized: kept in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from connector.model import RecordKind, Side
from connector.planning.announced_changes import FieldChange
from connector.stores import DocumentStore

APPROVED_KEY: Final = "approved_changes"
PEOPLE_KEY: Final = "people"
COUNTER: Final = "people.{kind}"
"""The counter of a run: the records of a kind that take part, in a reading of all records."""


@dataclass(frozen=True, slots=True)
class ApprovedChanges:
    """What the preview of a dry run showed, by side and counter, and an admin approved.

    It is for runs that begin to use it before `until` (seconds since 1970). `used_by` are the ids
    of these runs: what they did is no longer allowed.
    """

    dry_run: str = ""
    until: float = 0.0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    used_by: tuple[str, ...] = ()

    def expected(self, change: FieldChange) -> int:
        """Return how many records the preview changes in this way."""
        return self.counts.get(change.side.value, {}).get(change.counter, 0)


def load_approved(store: DocumentStore) -> ApprovedChanges:
    """Return what was approved last; nothing is allowed by an empty one."""
    document = store.load_document(APPROVED_KEY) or {}
    return ApprovedChanges(**{**document, "used_by": tuple(document.get("used_by", ()))})


def save_approved(store: DocumentStore, approved: ApprovedChanges) -> None:
    """Store what was approved, in place of what was approved before."""
    store.save_document(
        APPROVED_KEY,
        {
            "dry_run": approved.dry_run,
            "until": approved.until,
            "counts": {side: dict(numbers) for side, numbers in approved.counts.items()},
            "used_by": list(approved.used_by),
        },
    )


def number_of_people(store: DocumentStore) -> int:
    """Return about how many people are synchronized; 0 before the first reading of all records.

    It is the number of records that take part on the side that has more of them.
    """
    records = store.load_document(PEOPLE_KEY) or {}
    return max(
        sum(int(records.get(kind.value, 0)) for kind in RecordKind if kind.side is side)
        for side in Side
    )


def note_people(store: DocumentStore, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Store how many records take part, of the kinds that a run has read completely."""
    before = store.load_document(PEOPLE_KEY) or {}
    found = {
        kind.value: number
        for kind in RecordKind
        if (number := counts.get(kind.side.value, {}).get(COUNTER.format(kind=kind.value)))
    }
    if (after := {**before, **found}) != before:
        store.save_document(PEOPLE_KEY, after)
