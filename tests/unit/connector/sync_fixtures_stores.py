"""The stores, the clock and the log of the connector, in memory, with faults on request.

Every part shows what it was asked: what was stored, who was looked up, what was logged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from connector.errors import UnstorableError
from connector.log_events import Event
from connector.model import (
    Counts,
    Cursor,
    JournalEntry,
    Link,
    LinkChange,
    Progress,
    RecordKind,
    Run,
    SaveResult,
    WorkList,
)
from local.world.memory import MemoryJournal, MemoryLedger

NOW: Final = 1_800_000_000.0
"""The time at which every clock begins, in seconds since 1970."""
NO_PROGRESS: Final = Progress()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.now += seconds


class Log:
    """The events that were written."""

    def __init__(self) -> None:
        self.lines: list[tuple[Event, dict[str, object]]] = []

    def __call__(self, event: Event, /, **fields: object) -> None:
        """Write one event."""
        self.lines.append((event, fields))

    def of(self, event: Event) -> list[dict[str, object]]:
        """Return the lines of one event."""
        return [fields for kind, fields in self.lines if kind is event]


class Tombstones:
    """The names of people who were erased; `requested` has the names of each look-up."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.requested: list[set[str]] = []

    def erased(self, names: Iterable[str]) -> frozenset[str]:
        wanted = set(names)
        self.requested.append(wanted)
        return frozenset(wanted & self.names)


class Budget:
    """The calls of the API: `org` and `ours` are the shares that are used, if they are known.

    `reasons` are what the next questions get; the last one stays.
    """

    def __init__(self, org: float | None = None, ours: float | None = None) -> None:
        self.org, self.ours = org, ours
        self.reasons = [""]
        self.form_reason = ""
        self.saved = 0

    def exhausted_reason(self, *, forms: bool = False) -> str:
        if forms:
            return self.form_reason
        return self.reasons.pop(0) if len(self.reasons) > 1 else self.reasons[0]

    def save_usage(self) -> None:
        self.saved += 1

    def our_share(self) -> float | None:
        return self.ours

    def org_share(self) -> float | None:
        return self.org


class Ledger(MemoryLedger):
    """The ledger; some links are busy, too large or not storable.

    `before_save` is done before its next puts of links, one for each put. `then` is what is done
    before its next calls of some other methods, by the name of the method. `busy` says how often a
    link is still refused. `saves` are the e-mails of each put with its `listed`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.then: defaultdict[str, list[Callable[[], object]]] = defaultdict(list)
        self.before_save: list[Callable[[], object]] = []
        self.busy: dict[str, int] = {}
        self.too_large: set[str] = set()
        self.defects: dict[str, str] = {}
        self.saves: list[tuple[list[str], bool]] = []
        self.checkpoints: list[tuple[RecordKind, str, dict[tuple[str, str], int]]] = []

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        """Store the links without a fault, after what another process does."""
        self.saves.append(([change.link.email for change in changes], listed))
        if self.before_save:
            self.before_save.pop(0)()
        emails = {change.link.email for change in changes}
        busy = {email for email in emails if self.busy.get(email, 0) > 0}
        for email in busy:
            self.busy[email] -= 1
        too_large = emails & self.too_large - busy
        defects = {it: self.defects[it] for it in sorted(emails - busy) if it in self.defects}
        usable = [it for it in changes if it.link.email not in busy | too_large | defects.keys()]
        saved = super().save_links(usable, listed=listed)
        return SaveResult(
            saved.refused | busy, frozenset(too_large), defects, displaced=saved.displaced
        )

    def _begin(self, method: str) -> None:
        if self.then[method]:
            self.then[method].pop(0)()

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        self._begin("owner_emails")
        return super().owner_emails(records)

    def load_run(self, run: str) -> Run | None:
        self._begin("load_run")
        return super().load_run(run)

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        self._begin("list_runs")
        return super().list_runs(limit, before, forms=forms)

    def note_error(self, run: str, error: str) -> None:
        self._begin("note_error")
        super().note_error(run, error)

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        self.checkpoints.append((cursor.kind, run, dict(counts.numbers)))
        super().checkpoint(cursor, run, counts, progress)

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        return super().dirty_emails(int(limit), after)

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:
        return super().open_work(int(limit), after)

    def put(self, *links: Link, listed: bool = False) -> dict[str, Link]:
        """Store links as they are, whatever the faults; return what is stored, by e-mail."""
        changes = [LinkChange(link) for link in links]
        assert not MemoryLedger.save_links(self, changes, listed=listed).refused
        return self.load_links(link.email for link in links)

    def erase(self, email: str) -> None:
        """Delete a link, and leave the pointers to it."""
        del self._links[email]

    def forget_run(self, run: str) -> None:
        """Delete the record of a run, as its time to live does."""
        del self._runs[run]

    def remove_link(self, link: Link) -> bool:
        """Raise `AssertionError`: no run removes a link."""
        raise AssertionError(link.email)

    def touch(self, email: str, **changes: Any) -> None:
        """Change a link as another process does."""
        self.put(replace(self.load_links([email])[email], **changes))


class Journal(MemoryJournal):
    """The journal; a person without an entry is missing, as in DynamoDB.

    `refused` says of some people why their entries cannot be stored. `requested` are the people
    and the time of each look-up.
    """

    def __init__(self, refused: dict[str, str] | None = None) -> None:
        super().__init__()
        self.refused = refused or {}
        self.writes = 0
        self.requested: list[tuple[list[str], float]] = []

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store the entries of all others, then raise `UnstorableError`."""
        self.writes += 1
        super().write([it for it in entries if it.email not in self.refused])
        if failed := {it.email for it in entries} & self.refused.keys():
            raise UnstorableError({it: self.refused[it] for it in sorted(failed)})

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        self.requested.append((list(emails), since))
        found = super().entries_since(emails, since)
        return {email: entries for email, entries in found.items() if entries}
