"""A ledger that is read like the real one, and keeps to itself all that is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connector.engine.ports import Ledger
from connector.model import Breaker, Change, Counts, Cursor, Kind, Link, Run, RunState


class ShadowLedger:
    """What the real ledger would hold after a run that never was; gone with the object."""

    def __init__(self, real: Ledger) -> None:
        self._real = real
        self._links: dict[str, Link | None] = {}
        self._owners: dict[str, str] = {}
        self._cursors: dict[Kind, Cursor] = {}
        self.counts = Counts()

    def kept(self) -> list[Link]:
        """Return every link that was written here, in order of e-mails."""
        return [link for _, link in sorted(self._links.items()) if link is not None]

    def links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links known under these canonical e-mails."""
        asked = set(emails)
        known = self._real.links(asked - self._links.keys()) if asked - self._links.keys() else {}
        mine = {email: self._links[email] for email in asked & self._links.keys()}
        return known | {email: link for email, link in mine.items() if link is not None}

    def owners(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each record id that is known, the e-mail of its link."""
        asked = set(records)
        known = self._real.owners(asked - self._owners.keys())
        return known | {each: self._owners[each] for each in asked & self._owners.keys()}

    def put(self, changes: Sequence[Change]) -> frozenset[str]:
        """Keep new states of links; nobody else writes here, so none is ever refused."""
        for change in changes:
            if change.moved_from is not None:
                self._links[change.moved_from.email] = None
            link = change.link
            self._links[link.email] = replace(
                link, revision=link.revision + 1, pointed=link.records
            )
            self._owners |= dict.fromkeys(link.records, link.email)
        return frozenset()

    def dirty(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links, in order, beginning after one."""
        mine = [
            email
            for email, link in self._links.items()
            if link is not None and link.dirty and email > after
        ]
        theirs: list[str] = []
        while len(theirs) < limit:
            page = self._real.dirty(limit, after)
            if not page:
                break
            theirs += [email for email in page if email not in self._links]
            after = page[-1]
        return sorted([*mine, *theirs])[:limit]

    def cursor(self, kind: Kind) -> Cursor:
        """Return the cursor of a kind of record."""
        return self._cursors.get(kind) or self._real.cursor(kind)

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:  # noqa: ARG002  # a port
        """Keep a cursor and count."""
        self._cursors[cursor.kind] = cursor
        self.counts.update(counts)

    def count(self, run: str, counts: Counts) -> None:  # noqa: ARG002  # a port
        """Count."""
        self.counts.update(counts)

    def add_run(self, run: Run) -> None:
        """Nothing: a run that never was has no record."""

    def run(self, run: str) -> Run | None:
        """Return the record of a run."""
        return self._real.run(run)

    def start_part(self, run: str, now: float, mapping_version: int) -> None:
        """Nothing: the real run's record tells that it runs."""

    def finish_run(
        self, run: str, state: RunState, now: float, reason: str = "", message: str = ""
    ) -> None:
        """Nothing: the real run's record tells how it ended."""

    def started(self) -> bool:
        """Whether the start switch is on: for what would be, it is."""
        return True

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        return self._real.breaker()

    def open_breaker(self, breaker: Breaker) -> None:
        """Nothing: what would stop a run does not stop its preview."""

    def emptying_allowed_until(self) -> float:
        """Return until when a person lets runs empty many fields: for what would be, always."""
        return math.inf

    def applied_version(self) -> int | None:
        """Return the version of the mapping that was last applied to everybody; None: never."""
        return self._real.applied_version()

    def parked(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""
        return self._real.parked()

    def keep_parked(self, parked: Mapping[str, str]) -> None:
        """Nothing: the next real run will see for itself."""
