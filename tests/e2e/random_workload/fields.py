"""The fields that users edit: one of every type, what is typed in them, and when values are equal.

Nothing here uses the connector: the examination compares values by rules of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
LONG_TEXT_CHARACTERS: Final = 1200
"""Longer than the texts that the ledger and the journal store whole (1,000 characters)."""
PLACEHOLDER: Final = "[unknown]"
PLEZI: Final = "plezi"
SALESFORCE: Final = "salesforce"
SIDES: Final = (PLEZI, SALESFORCE)
COUNTRY_CODE: Final = "33"
SEGMENTS: Final = ("smb", "mid", "large")
INTERESTS: Final = ("events", "product", "hiring")


class Kind(StrEnum):
    """The type of a field, as its users see it."""

    TEXT = "text"
    EMAIL = "e-mail"
    PHONE = "phone"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi-picklist"
    LONG_TEXT = "long text"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning: its attribute in Plezi, its field of a Lead, its type, and how it is mapped."""

    plezi: str
    lead: str
    kind: Kind
    direction: str = "both"
    policy: str = "newest"
    placeholder: str = ""

    def name(self, side: str) -> str:
        """Return the name of the field on one side."""
        return self.plezi if side == PLEZI else self.lead

    @property
    def pair(self) -> dict[str, str]:
        """The field pair of the mapping with which the workload begins."""
        return {
            "plezi": self.plezi,
            "salesforce": self.lead,
            "direction": self.direction,
            "policy": self.policy,
            "placeholder": self.placeholder,
        }


EMAIL: Final = Meaning("email", "Email", Kind.EMAIL, policy="salesforce_wins")
OPT_OUT: Final = Meaning(
    "newsletter_optout", "newsletter_optout__c", Kind.CHECKBOX, policy="most_restrictive"
)
MEANINGS: Final = {
    it.plezi: it
    for it in (
        EMAIL,
        OPT_OUT,
        Meaning("first_name", "FirstName", Kind.TEXT),
        Meaning("last_name", "LastName", Kind.TEXT, placeholder=PLACEHOLDER),
        Meaning("company", "Company", Kind.TEXT, placeholder=PLACEHOLDER, policy="fill_blank"),
        Meaning("phone", "Phone", Kind.PHONE, policy="plezi_wins"),
        Meaning("mobile", "MobilePhone", Kind.PHONE, policy="salesforce_wins"),
        Meaning("function", "Title", Kind.TEXT, direction="to_salesforce"),
        Meaning("employees", "employees__c", Kind.NUMBER),
        Meaning("birthdate", "birthdate__c", Kind.DATE, policy="hold"),
        Meaning("last_visit", "last_visit__c", Kind.DATETIME),
        Meaning("segment", "segment__c", Kind.PICKLIST),
        Meaning("interests", "interests__c", Kind.MULTI_PICKLIST, policy="salesforce_wins"),
        Meaning("notes", "Description", Kind.LONG_TEXT),
    )
}
"""Every field that users edit, by its attribute in Plezi."""
BY_LEAD_FIELD: Final = {it.lead: it for it in MEANINGS.values()}
REQUIRED: Final = {PLEZI: frozenset({"email"}), SALESFORCE: frozenset({"last_name", "company"})}
"""Fields that the users of a side cannot clear; nobody clears an e-mail here."""


def typed_value(kind: Kind, number: int, side: str) -> Any:  # of any type
    """Return what a user types: a different value for each number, where the type has as many."""
    match kind:
        case Kind.PHONE:
            digits = f"61{number:07d}"
            pairs = " ".join(digits[place : place + 2] for place in range(1, len(digits), 2))
            return f"0{digits[0]} {pairs}" if number % 3 == 0 else f"+33 {digits[0]} {pairs}"
        case Kind.NUMBER:
            return 1000 + number
        case Kind.CHECKBOX:
            return number % 2 == 0
        case Kind.DATE:
            return (EPOCH + timedelta(days=number)).date().isoformat()
        case Kind.DATETIME:
            return (EPOCH + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
        case Kind.PICKLIST:
            return SEGMENTS[number % len(SEGMENTS)]
        case Kind.MULTI_PICKLIST:
            chosen = [it for place, it in enumerate(INTERESTS) if (number % 7 + 1) >> place & 1]
            return chosen if side == PLEZI else ";".join(chosen)
        case Kind.LONG_TEXT:
            return f"note {number} " + "x" * LONG_TEXT_CHARACTERS
        case _:
            return f"Élan & Co {number}"


def canonical(kind: Kind, value: object) -> str:
    """Return a value in the examination's own canonical form; '' for a blank and a placeholder.

    A text of the kind `LONG_TEXT` becomes its length and digest, as the journal has it.
    """
    if value in (None, False, 0, "", [], (), PLACEHOLDER):
        return ""
    match kind:
        case Kind.CHECKBOX:
            return "yes"
        case Kind.NUMBER:
            return f"{float(str(value)):g}"
        case Kind.PHONE:
            digits = re.sub(r"\D", "", str(value))
            return COUNTRY_CODE + digits[1:] if digits.startswith("0") else digits
        case Kind.DATETIME:
            moment = datetime.fromisoformat(str(value).strip()).astimezone(UTC)
            return moment.isoformat(timespec="seconds")
        case Kind.MULTI_PICKLIST:
            parts = value if isinstance(value, list | tuple) else str(value).split(";")
            return ";".join(sorted(str(part).strip().lower() for part in parts))
        case Kind.PICKLIST | Kind.EMAIL:
            return str(value).strip().lower()
        case Kind.LONG_TEXT:
            text = str(value).strip()
            return long_text(len(text), sha256(text.encode()).hexdigest())
        case _:
            return str(value).strip()


def long_text(length: int, digest: str) -> str:
    """Return the canonical form of a long text: its length and its SHA-256 digest."""
    return f"{length} characters, {digest}"
