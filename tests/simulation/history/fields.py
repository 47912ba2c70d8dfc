"""The fields of a history: one of every type, with the values that users type in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from connector.mapping import ConflictPolicy, Direction, FieldPair
from connector.model import RecordKind

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
LONG_TEXT_CHARACTERS: Final = 1200
"""Longer than the texts that the ledger stores whole (1,000 characters)."""


class Kind(StrEnum):
    """The type of a field, as its users see it."""

    TEXT = "text"
    PHONE = "phone"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi-picklist"
    LONG_TEXT = "long text"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One meaning: its attribute in Plezi and its fields in Salesforce, as first mapped.

    `contact` is the field of a Salesforce Contact ('': none). `created`: the history creates the
    attribute in Plezi, and the field in Salesforce where its name ends in `__c`.
    """

    plezi: str
    lead: str
    kind: Kind
    contact: str = ""
    placeholder: str = ""
    direction: Direction = Direction.BOTH
    created: bool = False

    def pair(self, policy: ConflictPolicy) -> FieldPair:
        """Return the field pair of this meaning."""
        return FieldPair(
            self.plezi,
            self.lead,
            self.direction,
            contact=self.contact,
            policy=policy,
            placeholder=self.placeholder,
        )


FIELDS: Final = {
    it.plezi: it
    for it in (
        FieldSpec("phone", "Phone", Kind.PHONE, "Phone"),
        FieldSpec("mobile", "MobilePhone", Kind.PHONE, "MobilePhone"),
        FieldSpec("last_name", "LastName", Kind.TEXT, "LastName", "[unknown]"),
        FieldSpec("company", "Company", Kind.TEXT, "Account.Name", "[unknown]"),
        FieldSpec("first_name", "FirstName", Kind.TEXT, "FirstName"),
        FieldSpec("function", "Title", Kind.TEXT, "Title", direction=Direction.TO_SALESFORCE),
        FieldSpec(
            "newsletter_optout", "newsletter_optout__c", Kind.CHECKBOX, "newsletter_optout__c"
        ),
        FieldSpec("employees", "employees__c", Kind.NUMBER, "employees__c"),
        FieldSpec("birthdate", "birthdate__c", Kind.DATE, "birthdate__c"),
        FieldSpec("last_visit", "last_visit__c", Kind.DATETIME, "last_visit__c"),
        FieldSpec("segment", "segment__c", Kind.PICKLIST, "segment__c"),
        FieldSpec("interests", "interests__c", Kind.MULTI_PICKLIST, "interests__c"),
        FieldSpec("notes", "Description", Kind.LONG_TEXT, "Description", created=True),
    )
}
"""Every field that a history may map, by its attribute in Plezi."""
TWO_WAY: Final = ("phone", "mobile", "last_name", "company")
"""Two-way fields of every history."""
TYPED: Final = (
    "first_name", "employees", "birthdate", "last_visit", "segment", "interests", "notes"
)  # fmt: skip
"""Two-way fields of every other type: some histories map some of them."""
ALWAYS_MAPPED: Final = (*TWO_WAY, "function", "newsletter_optout")
SPARE: Final = ("Fax", "MobilePhone", "Phone")
"""Fields of a Lead to which a pair of phones may be moved."""
NEW_NAME: Final = "renamed__c"
"""The name that a renamed field of the Lead gets."""
SEGMENTS: Final = ("smb", "mid", "large")
INTERESTS: Final = ("events", "product", "hiring")
REQUIRED_LEAD_FIELDS: Final = ("LastName", "Company")
"""Fields of a Lead that users cannot clear."""


def typed_value(kind: Kind, number: int, record: RecordKind) -> Any:  # of any type
    """Return what a user types in a field: a different value for each number where possible."""
    match kind:
        case Kind.NUMBER:
            return 1000 + number
        case Kind.CHECKBOX:
            return number % 2 == 0
        case Kind.DATE:
            return (EPOCH + timedelta(days=number)).date().isoformat()
        case Kind.DATETIME:
            moment = EPOCH + timedelta(minutes=number)
            return moment.isoformat().replace("+00:00", "Z")
        case Kind.PICKLIST:
            return SEGMENTS[number % len(SEGMENTS)]
        case Kind.MULTI_PICKLIST:
            chosen = [it for place, it in enumerate(INTERESTS) if (number % 7 + 1) >> place & 1]
            return chosen if record is RecordKind.PLEZI_CONTACT else ";".join(chosen)
        case Kind.LONG_TEXT:
            return f"note {number} " + "x" * LONG_TEXT_CHARACTERS
        case _:
            return f"{number:03d}"
