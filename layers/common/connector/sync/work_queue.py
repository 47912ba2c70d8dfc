"""The work list of a run: the links that it must resolve, in lists that outlive an invocation.

A run that dies leaves its lists in the ledger, where the next run finds them. So does a dirty link
that is on no list: a decision of an admin, or the link of a form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from connector.model import MAX_LISTED, Counts, Progress, Run, WorkList
from connector.sync.context import SyncContext

LISTS_AT_A_TIME: Final = 20
"""Lists read in one call: a list of a thousand e-mails takes about 10 KB."""


class WorkQueue:
    """The lists of one run, and those that earlier runs have left."""

    def __init__(self, context: SyncContext, run: Run) -> None:
        self._context = context
        self._run_id = run.id
        self._number = run.progress.lists

    def add(self, emails: Sequence[str]) -> Progress:
        """Store e-mails of links to resolve; return the progress to add to the run's record.

        The lists are stored before the caller moves a cursor past what made the links dirty.
        """
        unique = list(dict.fromkeys(emails))
        parts = [unique[start : start + MAX_LISTED] for start in range(0, len(unique), MAX_LISTED)]
        for part in parts:
            self._context.work.save_work(WorkList(self._run_id, self._number), part)
            self._number += 1
        return Progress(lists=len(parts), listed=len(unique))

    def adopt_unlisted(self) -> None:
        """Put dirty links that are on no list on lists of this run."""
        after = ""
        while emails := self._context.links.dirty_emails(MAX_LISTED, after):
            after = emails[-1]
            self._context.runs.add_counts(self._run_id, Counts(), self.add(emails))

    @property
    def number(self) -> int:
        """The number of the next list of this run."""
        return self._number

    def lists(
        self, after: WorkList | None = None, first: int = 0
    ) -> Iterator[tuple[WorkList, tuple[str, ...]]]:
        """Yield the lists that exist, the newest of this run first, then those of earlier runs.

        `after` is the list behind which to start. `first` is the lowest number of this run's lists
        to yield; if it is not 0, the lists of earlier runs were visited with the lower ones.

        The newest first: what a user has just typed does not wait for the rest of a first
        synchronization. The lists of this run are found by their keys, because the index lags.
        """
        if after is None or after.run_id == self._run_id:
            yield from self.own_lists(after, first)
            after = None
        if first:
            return
        while others := self._context.work.open_work(LISTS_AT_A_TIME, after):
            after = others[-1]
            yield from self._load([work for work in others if work.run_id != self._run_id])

    def own_lists(
        self, after: WorkList | None = None, first: int = 0
    ) -> Iterator[tuple[WorkList, tuple[str, ...]]]:
        """Yield the lists of this run that exist, the newest first, as `lists` does."""
        numbers = range((self._number if after is None else after.number) - 1, first - 1, -1)
        for start in range(0, len(numbers), LISTS_AT_A_TIME):
            keys = [
                WorkList(self._run_id, number)
                for number in numbers[start : start + LISTS_AT_A_TIME]
            ]
            yield from self._load(keys)

    def _load(self, keys: Sequence[WorkList]) -> Iterator[tuple[WorkList, tuple[str, ...]]]:
        found = self._context.work.load_work(keys) if keys else {}
        for work in keys:
            if work in found:
                yield work, found[work]

    def keep(self, work: WorkList, emails: Sequence[str]) -> None:
        """Keep only these e-mails on a list; delete it when there are none."""
        self._context.work.save_work(work, emails)
