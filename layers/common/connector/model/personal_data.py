"""What is stored about one person: the names that lead to it, and the stored items that have them.

A name is a canonical e-mail or the id of a record.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonNames:
    """The e-mails and the record ids of one person."""

    emails: frozenset[str]
    records: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """The e-mails and the record ids."""
        return self.emails | self.records

    def joined(self, other: PersonNames) -> PersonNames:
        """Return the names of both, which are one person."""
        return PersonNames(self.emails | other.emails, self.records | other.records)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What one stored item has about a person; `content` is JSON-ready.

    `table` is the ledger or the journal, `kind` says what the item is.
    """

    table: str
    kind: str
    content: object


@dataclass(frozen=True, slots=True)
class VisitedPage:
    """What a part of the tables has about a person, and where the next part begins ('': the end).

    `mentions` are links of other people that have one of the names, `unreadable` are items that
    cannot be decoded; both are left as they are.
    """

    items: tuple[StoredItem, ...]
    position: str
    mentions: int = 0
    unreadable: int = 0
