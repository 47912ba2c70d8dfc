"""The links of synchronization, guarded: nobody who was erased gets a link again.

A person's tombstone is stored before the link is removed, and it is looked for after a new link was
stored. So one of both processes sees the other: either the erasure finds the new link, or the
writer finds the tombstone and removes the link that it has just stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from connector.model import Link, LinkChange, SaveResult
from connector.sync.ports import LinkStore, Tombstones


class GuardedLinks:
    """The links of the ledger, without those of people who were erased."""

    def __init__(self, links: LinkStore, tombstones: Tombstones) -> None:
        self._links = links
        self._tombstones = tombstones

    def load_links(self, emails: Iterable[str]) -> dict[str, Link]:
        """Return the links that exist under these canonical e-mails."""
        return self._links.load_links(emails)

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return, for each name of a link (`Link.names`), the e-mail of that link."""
        return self._links.owner_emails(records)

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        """Store new states of links; remove a new one at once whose person was erased."""
        saved = self._links.save_links(changes, listed=listed)
        new = [
            change.link
            for change in changes
            if not change.link.revision and change.link.email not in saved.all_emails
        ]
        if new:
            names = {link.email: {link.email, *link.record_ids} for link in new}
            erased = self._tombstones.erased(set().union(*names.values()))
            for link in new:
                if names[link.email] & erased:
                    self._links.remove_link(replace(link, revision=link.next_revision))
        return saved

    def remove_link(self, link: Link) -> bool:
        """Delete a link unless it changed, and the pointers of its records."""
        return self._links.remove_link(link)

    def list_unreadable(self, email: str) -> None:
        """Show a stored link that cannot be decoded to the admins, and leave its item as it is."""
        self._links.list_unreadable(email)

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        """Return e-mails of dirty links on no work list, in order, the first one behind `after`."""
        return self._links.dirty_emails(limit, after)

    def all_emails(self, limit: int, after: str = "") -> list[str]:
        """Return the e-mails of some links, in the store's own order, those behind `after`."""
        return self._links.all_emails(limit, after)
