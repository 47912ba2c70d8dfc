"""A ledger that is read like the real one, and keeps to itself all that is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connector.errors import StopReason
from connector.model import Breaker, Counts, Cursor, Link, LinkChange, RecordKind, Run, RunState
from connector.sync.ports import Ledger


class OverlayLedger:
    """What the real ledger would hold after a run that never was; gone with the object."""

    def __init__(self, real: Ledger) -> None:
        self._real = real
        self._links: dict[str, Link | None] = {}
        self._owners: dict[str, str] = {}
        self._cursors: dict[RecordKind, Cursor] = {}
        self.counts = Counts()

    def written_links(self) -> list[Link]:
        """Return every link that was written here, in order of e-mails."""
        return [link for _, link in sorted(self._links.items()) if link is not None]

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""
        asked = set(emails)
        known = (
            self._real.load_links(asked - self._links.keys()) if asked - self._links.keys() else {}
        )
        mine = {email: self._links[email] for email in asked & self._links.keys()}
        return known | {email: link for email, link in mine.items() if link is not None}

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that is known, the e-mail of its link."""
        asked = set(records)
        known = self._real.owner_emails(asked - self._owners.keys())
        return known | {each: self._owners[each] for each in asked & self._owners.keys()}

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Keep new states of links; nobody else writes here, so none is ever refused."""
        for change in changes:
            if change.moved_from is not None:
                self._links[change.moved_from.email] = None
            link = change.link
            self._links[link.email] = replace(
                link, revision=link.revision + 1, indexed_records=link.record_ids
            )
            self._owners |= dict.fromkeys(link.record_ids, link.email)
        return frozenset()

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, beginning after one."""
        mine = [
            email
            for email, link in self._links.items()
            if link is not None and link.dirty and email > after
        ]
        theirs: list[str] = []
        while len(theirs) < limit:
            page = self._real.dirty_emails(limit, after)
            if not page:
                break
            theirs += [email for email in page if email not in self._links]
            after = page[-1]
        return sorted([*mine, *theirs])[:limit]

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record."""
        return self._cursors.get(kind) or self._real.load_cursor(kind)

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:  # noqa: ARG002  # a port
        """Keep a cursor and count."""
        self._cursors[cursor.kind] = cursor
        self.counts.update(counts)

    def add_counts(self, run: str, counts: Counts) -> None:  # noqa: ARG002  # a port
        """Count."""
        self.counts.update(counts)

    def create_run(self, run: Run) -> None:
        """Nothing: a run that never was has no record."""

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run."""
        return self._real.load_run(run)

    def start_phase(self, run: str, now: float, mapping_version: int) -> None:
        """Nothing: the real run's record tells that it runs."""

    def finish_run(
        self,
        run: str,
        state: RunState,
        now: float,
        reason: StopReason | None = None,
        message: str = "",
    ) -> None:
        """Nothing: the real run's record tells how it ended."""

    def is_enabled(self) -> bool:
        """Whether the start switch is on: for what would be, it is."""
        return True

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        return self._real.breaker()

    def open_breaker(self, breaker: Breaker) -> None:
        """Nothing: what would stop a run does not stop its preview."""

    def clearing_allowed_until(self) -> float:
        """Return until when a person lets runs empty many fields: for what would be, always."""
        return math.inf

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""
        return self._real.applied_version()

    def suspended_pairs(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""
        return self._real.suspended_pairs()

    def save_suspended_pairs(self, parked: Mapping[str, str]) -> None:
        """Nothing: the next real run will see for itself."""
