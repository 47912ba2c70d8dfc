"""A ledger for dry runs: it reads the real one, and keeps in memory what is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connector.errors import StopReason
from connector.model import (
    Breaker,
    Counts,
    Cursor,
    Link,
    LinkChange,
    RecordKind,
    Run,
    RunState,
)
from connector.sync.ports import ControlState, CursorStore, LinkStore, RunStore


class OverlayLedger:
    """What the real ledger would contain after a run; it disappears with the object."""

    def __init__(
        self, links: LinkStore, cursors: CursorStore, runs: RunStore, control: ControlState
    ) -> None:
        self._real_links = links
        self._real_cursors = cursors
        self._real_runs = runs
        self._real_control = control
        self._links: dict[str, Link | None] = {}
        self._owners: dict[str, str] = {}
        self._cursors: dict[RecordKind, Cursor] = {}
        self.counts = Counts()

    def written_links(self) -> list[Link]:
        """Return every link that was written here, in order of e-mails."""
        return [link for _, link in sorted(self._links.items()) if link is not None]

    # Links

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""
        wanted = set(emails)
        elsewhere = wanted - self._links.keys()
        known = self._real_links.load_links(elsewhere) if elsewhere else {}
        here = {email: self._links[email] for email in wanted & self._links.keys()}
        return known | {email: link for email, link in here.items() if link is not None}

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that belongs to a link, the e-mail of that link."""
        wanted = set(records)
        known = self._real_links.owner_emails(wanted - self._owners.keys())
        return known | {record: self._owners[record] for record in wanted & self._owners.keys()}

    def save_links(self, changes: Sequence[LinkChange]) -> frozenset[str]:
        """Keep new states of links; no other process writes here, so none is refused."""
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
        """Return e-mails of dirty links, in order, the first one behind `after`."""
        here = [
            email
            for email, link in self._links.items()
            if link is not None and link.dirty and email > after
        ]
        elsewhere: list[str] = []
        while len(elsewhere) < limit:
            page = self._real_links.dirty_emails(limit, after)
            if not page:
                break
            elsewhere += [email for email in page if email not in self._links]
            after = page[-1]
        return sorted([*here, *elsewhere])[:limit]

    # Cursors

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record."""
        return self._cursors.get(kind) or self._real_cursors.load_cursor(kind)

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:  # noqa: ARG002  # a port
        """Keep a cursor and count."""
        self._cursors[cursor.kind] = cursor
        self.counts.update(counts)

    def applied_version(self) -> int | None:
        """Return the mapping's version that was last applied to all people; None: none was."""
        return self._real_cursors.applied_version()

    # Runs

    def create_run(self, run: Run) -> None:
        """Do nothing: a run inside a dry run has no record."""

    def load_run(self, run: str) -> Run | None:
        """Return the record of a run."""
        return self._real_runs.load_run(run)

    def start_phase(self, run: str, now: float, mapping_version: int) -> None:
        """Do nothing: the dry run's own record shows that it works."""

    def add_counts(self, run: str, counts: Counts) -> None:  # noqa: ARG002  # a port
        """Count."""
        self.counts.update(counts)

    def finish_run(
        self,
        run: str,
        state: RunState,
        now: float,
        reason: StopReason | None = None,
        message: str = "",
    ) -> None:
        """Do nothing: the dry run's own record shows how it ended."""

    # Control state

    def is_enabled(self) -> bool:
        """Return True: a dry run shows what an enabled synchronization would do."""
        return True

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        return self._real_control.breaker()

    def open_breaker(self, breaker: Breaker) -> None:
        """Do nothing: what would stop a run does not stop its preview."""

    def clearing_allowed_until(self) -> float:
        """Return infinity: a preview shows every field that would be cleared."""
        return math.inf

    def suspended_pairs(self) -> dict[str, str]:
        """Return the field pairs that could not be used in the last run, with the reasons."""
        return self._real_control.suspended_pairs()

    def save_suspended_pairs(self, suspended: Mapping[str, str]) -> None:
        """Do nothing: the next real run finds them again."""
