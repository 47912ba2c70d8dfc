"""The oracle: do both systems agree? It compares the stored records, and never asks the ledger.

It knows the shipped mapping only (docs/mapping.md): which attribute and field have one meaning, and
in which direction a value travels. One e-mail is one person; in a rehearsal every person has one
Plezi contact and one Lead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.plezi_tenant import PleziTenant
from local.plezi_tenant.store import ContactQuery
from local.salesforce_org import SalesforceOrg

BOTH_WAYS: Final = (
    ("first_name", "FirstName"),
    ("last_name", "LastName"),
    ("company", "Company"),
    ("phone", "Phone"),
    ("mobile", "MobilePhone"),
)
TO_SALESFORCE: Final = (
    ("function", "Title"),
    ("behaviour_score", "score__c"),
    ("state", "status__c"),
)
PLACEHOLDER: Final = "[unknown]"
ALL: Final = 10**9
FIELDS: Final = (
    "Id",
    "Email",
    "plezi_url__c",
    *(field for _, field in (*BOTH_WAYS, *TO_SALESFORCE)),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many people agree, how many do not, and one e-mail of those that do not ('': none)."""

    agreeing: int
    disagreeing: int
    example: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether everybody agrees."""
        return not self.disagreeing


def compare(tenant: PleziTenant, org: SalesforceOrg) -> Agreement:
    """Compare every person of both systems."""
    contacts, _ = tenant.contacts.current_page(ContactQuery(sort="number", limit=ALL))
    by_email = {contact.email.strip().lower(): contact for contact in contacts}
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    rows = org.state.store.run(f"SELECT {columns} FROM Lead WHERE IsDeleted = 0")  # noqa: S608  # constants of this module
    agreeing = disagreeing = 0
    example = ""
    seen: set[str] = set()
    for row in rows:
        lead = dict(zip(FIELDS, row, strict=True))
        email = (lead["Email"] or "").strip().lower()
        contact = by_email.get(email)
        is_second = email in seen
        seen.add(email)
        url = None if contact is None else f"{tenant.public_url}/contacts/{contact.id}"
        if contact is not None and not is_second and _agrees(contact.values, lead, url):
            agreeing += 1
        else:
            disagreeing += 1
            example = example or email
    missing = by_email.keys() - seen
    example = example or min(missing, default="")
    return Agreement(agreeing, disagreeing + len(missing), example)


def _agrees(values: Mapping[str, Any], lead: Mapping[str, Any], url: str | None) -> bool:
    if lead["plezi_url__c"] != url:
        return False
    for attribute, field in BOTH_WAYS:
        one, other = _text(values.get(attribute)), _text(lead[field])
        if one != other and not (not one and other == PLACEHOLDER):
            return False
    return all(
        _text(values[attribute]) == _text(lead[field])
        for attribute, field in TO_SALESFORCE
        if values.get(attribute) is not None
    )


def _text(value: object) -> str:
    """Return a value as a user sees it: without outer blanks, a number without `.0`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
