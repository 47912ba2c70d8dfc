"""Journal entries as people read them: what happened, to which field, from which value to which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from connector.admin.runs import JournalEntryView
from connector.console.labels import FieldLabels
from connector.mapping.values import to_text
from connector.model import JournalKind, Value

PAGE: Final = 200
"""Entries of one read: the most that the journal returns."""
MAX_READS: Final = 5
"""Reads of one page with a filter: 1,000 entries; the next page goes on from there."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of the journal. `label` is the field for people; `can_be_undone`: it was written.

    `clears`: a value was (or would be) replaced by a blank.
    """

    entry: JournalEntryView
    label: str
    can_be_undone: bool
    clears: bool

    @property
    def before(self) -> Value:
        """The value that was replaced."""
        return self.entry.before

    @property
    def after(self) -> Value:
        """The value that replaces it."""
        return self.entry.after


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are shown; '' stands for all."""

    kind: str = ""
    side: str = ""
    field: str = ""

    def accepts(self, entry: JournalEntryView) -> bool:
        """Return whether an entry is shown."""
        return (
            self.kind in ("", entry.kind)
            and self.side in ("", entry.side.value)
            and (not self.field or self.field in entry.field.split(","))
        )

    @property
    def is_set(self) -> bool:
        """Whether some entries are not shown."""
        return bool(self.kind or self.side or self.field)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """The entries of a page, and the token of the next one ('': there is none)."""

    rows: tuple[EntryRow, ...]
    next: str


def read_entries(
    read: Callable[[int, str], tuple[Iterable[JournalEntryView], str]],
    wanted: EntryFilter,
    labels: FieldLabels,
    *,
    limit: int,
    after: str,
) -> EntryPage:
    """Return up to `limit` entries that a filter accepts; `read` returns a page of the journal.

    With a filter, a page may have more entries than `limit`, by those of one read.
    """
    if not wanted.is_set:
        entries, following = read(limit, after)
        return EntryPage(
            without_repetition(entry_row(entry, labels) for entry in entries), following
        )
    rows: list[EntryRow] = []
    for _ in range(MAX_READS):
        entries, after = read(PAGE, after)
        rows += [entry_row(entry, labels) for entry in entries if wanted.accepts(entry)]
        if not after or len(rows) >= limit:
            break
    return EntryPage(tuple(rows), after)


def entry_row(entry: JournalEntryView, labels: FieldLabels) -> EntryRow:
    """Return the row of an entry."""
    is_written = entry.kind == JournalKind.WRITTEN.value and bool(entry.record)
    clears = bool(to_text(entry.before)) and not to_text(entry.after)
    return EntryRow(entry, labels.pair(entry.field), is_written, clears and is_written)


def without_repetition(rows: Iterable[EntryRow]) -> tuple[EntryRow, ...]:
    """Return the rows without those that say of a write, once more, which value gave way to it."""
    rows = tuple(rows)
    written = {_change(row) for row in rows if row.entry.kind == JournalKind.WRITTEN.value}
    return tuple(
        row
        for row in rows
        if row.entry.kind != JournalKind.OVERWRITTEN.value or _change(row) not in written
    )


def _change(row: EntryRow) -> str:
    entry = row.entry
    change = (entry.email, entry.run_id, entry.record, entry.field, entry.before, entry.after)
    return repr(change)


def last_of_each_field(rows: Iterable[EntryRow]) -> tuple[EntryRow, ...]:
    """Return the rows, the newest first, with an undo for the last change of each field only.

    An undo leaves a field as it is that was written again since.
    """
    seen: set[str] = set()
    found = []
    for row in rows:
        found.append(replace(row, can_be_undone=row.can_be_undone and row.entry.field not in seen))
        if row.can_be_undone:
            seen.add(row.entry.field)
    return tuple(found)


def most_serious_first(rows: Iterable[EntryRow]) -> list[EntryRow]:
    """Return the rows of a preview: values that would be lost first, then those that are filled."""
    return sorted(rows, key=_seriousness)


def _seriousness(row: EntryRow) -> int:
    if row.clears:
        return 0
    if row.entry.kind == JournalKind.OVERWRITTEN.value:
        return 1
    if row.entry.kind != JournalKind.WRITTEN.value:
        return 2
    return 3 if to_text(row.before) else 4
