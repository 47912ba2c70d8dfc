"""The two systems, and the kinds of records in them."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """One of the two systems; each is source and target."""

    PLEZI = "plezi"
    SALESFORCE = "salesforce"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.SALESFORCE if self is Side.PLEZI else Side.PLEZI


class RecordKind(StrEnum):
    """The type of a record, spelled as its side spells it."""

    PLEZI_CONTACT = "contact"
    LEAD = "Lead"
    CONTACT = "Contact"

    @property
    def side(self) -> Side:
        """The side that stores records of this kind."""
        return Side.PLEZI if self is RecordKind.PLEZI_CONTACT else Side.SALESFORCE
