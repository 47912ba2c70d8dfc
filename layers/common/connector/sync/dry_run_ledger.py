"""The ledger of a dry run: it reads the real one, and stores apart what would be written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from connector.model import (
    Breaker,
    Counts,
    Cursor,
    Link,
    LinkChange,
    Progress,
    RecordKind,
    SaveResult,
    WorkList,
)
from connector.sync.ports import (
    NO_PROGRESS,
    ControlState,
    CursorStore,
    LinkStore,
    RunStore,
    ScratchStore,
    WorkStore,
)


class OverlayLinks:
    """The links that the ledger would contain after a run."""

    def __init__(self, real: LinkStore, scratch: ScratchStore) -> None:
        self._real = real
        self._scratch = scratch

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""
        wanted = set(emails)
        here = self._scratch.load_scratch_links(wanted)
        elsewhere = wanted - here.keys()
        known = self._real.load_links(elsewhere) if elsewhere else {}
        return known | {email: link for email, link in here.items() if link is not None}

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each name with a pointer, the e-mail that the pointer leads to."""
        wanted = set(records)
        here = self._scratch.scratch_owners(wanted)
        return {**self._real.owner_emails(wanted - here.keys()), **here}

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:  # noqa: ARG002  # a port
        """Store new states of links apart; no other process writes here, so none is refused."""
        states: dict[str, Link | None] = {}
        for change in changes:
            if change.moved_from is not None:
                states[change.moved_from.email] = None
            link = change.link
            states[link.email] = replace(link, revision=link.next_revision, indexed=link.names)
        return self._scratch.save_scratch_links(states)

    def remove_link(self, link: Link) -> bool:
        """Remove a link from what is stored apart; the real ledger stays as it is."""
        self._scratch.save_scratch_links({link.email: None})
        return True

    def list_unreadable(self, email: str) -> None:
        """Leave the real ledger as it is: a run will show this link to the admins."""

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links of the real ledger that are on no work list."""
        return self._real.dirty_emails(limit, after)

    def all_emails(self, limit: int, after: str = "") -> list[str]:
        """Return the e-mails of some stored links; a dry run never needs them all."""
        return self._real.all_emails(limit, after)


class OverlayWork:
    """The lists of a dry run, and those that runs have left, which stay as they are.

    The next run begins with the people on them, so that the dry run shows them too.
    """

    def __init__(self, real: WorkStore, scratch: WorkStore, run_id: str) -> None:
        self._real = real
        self._scratch = scratch
        self._run_id = run_id

    def save_work(self, work: WorkList, emails: Sequence[str]) -> None:
        """Store a list of the dry run; one of another run stays as it is."""
        if work.run_id == self._run_id:
            self._scratch.save_work(work, emails)

    def load_work(self, lists: Sequence[WorkList]) -> dict[WorkList, tuple[str, ...]]:
        """Return the e-mails of the lists that exist."""
        own = [work for work in lists if work.run_id == self._run_id]
        others = [work for work in lists if work.run_id != self._run_id]
        return {
            **(self._scratch.load_work(own) if own else {}),
            **(self._real.load_work(others) if others else {}),
        }

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:
        """Return lists that runs have left, in order, the first one behind `after`."""
        return self._real.open_work(limit, after)


class DryRunCursors:
    """The cursors of a dry run, stored apart; `first` gives the one from which it starts."""

    def __init__(
        self,
        real: CursorStore,
        scratch: ScratchStore,
        runs: RunStore,
        first: Callable[[RecordKind], Cursor],
    ) -> None:
        self._real = real
        self._scratch = scratch
        self._runs = runs
        self._first = first

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record."""
        return self._scratch.load_scratch_cursor(kind) or self._first(kind)

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        """Store a cursor apart, and add to the counts and the progress of the dry run."""
        self._scratch.save_scratch_cursor(cursor)
        self._runs.add_counts(run, counts, progress)

    def applied_version(self) -> int | None:
        """Return the mapping's version that was last applied to all people; None: none was."""
        return self._real.applied_version()


class DryRunControl:
    """The control state of a dry run: nothing stops it, and it stops nothing."""

    def __init__(self, real: ControlState) -> None:
        self._real = real

    def is_enabled(self) -> bool:
        """Return True: a dry run shows what an enabled synchronization would do."""
        return True

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        return self._real.breaker()

    def open_breaker(self, breaker: Breaker) -> None:
        """Do nothing: what would stop a run does not stop its preview."""

    def clearing_allowed_until(self) -> float:
        """Return infinity: a preview shows everything that would be cleared and overwritten."""
        return math.inf

    def add_form_changes(self, day: int, counts: Counts) -> Mapping[str, Mapping[str, int]]:  # noqa: ARG002  # a port
        """Count nothing: a preview is not the work of a form."""
        return {}

    def defects_allowed_until(self) -> float:
        """Return infinity: a preview shows how many people would be left out."""
        return math.inf

    def suspended_pairs(self) -> dict[str, str]:
        """Return the field pairs that could not be used in the last run, with the reasons."""
        return self._real.suspended_pairs()

    def save_suspended_pairs(self, suspended: Mapping[str, str]) -> None:
        """Do nothing: the next real run finds them again."""
