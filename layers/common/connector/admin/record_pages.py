"""The records of people: their pages in both systems, and who changed them last and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.clean_text import canonical_email
from connector.mapping.values import to_text
from connector.model import LastChange, Link, Observation, RecordKind

UNKNOWN_CHANGE = LastChange("", "")
PAGE_ATTRIBUTE = "url"
"""Plezi's attribute with the address of the page of a contact, which is always mapped."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One record: the address of its page ('': not known), and its last change.

    `modified` is ISO 8601 in UTC: for Plezi the stamp of the contact as it was last read, for
    Salesforce that of the record at present. `modified_by` is the user, or the integration user for
    a write of the connector ('': Plezi does not say who, or the record was not found).
    """

    id: str
    kind: RecordKind
    page: str
    modified: str
    modified_by: str


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """The records of one person."""

    email: str
    records: tuple[RecordPage, ...]


@dataclass(frozen=True, slots=True)
class RecordPages:
    """The records of the requested people; somebody without a link is left out."""

    people: tuple[PersonRecords, ...]


def show_record_pages(context: AdminContext, emails: Sequence[str]) -> RecordPages:
    """Return the records of people, with two calls to Salesforce for up to 100 people.

    Raises the errors of the client of Salesforce.
    """
    links = context.review.load_links(map(canonical_email, emails))
    queries = context.sides().records
    ids = {
        kind: [
            record.id
            for link in links.values()
            for record in link.salesforce
            if record.kind is kind and not record.deleted
        ]
        for kind in (RecordKind.LEAD, RecordKind.CONTACT)
    }
    changes = queries.last_changes(ids)

    def page(record: Observation) -> RecordPage:
        if record.kind is RecordKind.PLEZI_CONTACT:
            address = to_text(record.values.get(PAGE_ATTRIBUTE))
            return RecordPage(record.id, record.kind, address, record.modified, "")
        change = changes.get(record.id, UNKNOWN_CHANGE)
        address = queries.page_of(record.id)
        return RecordPage(record.id, record.kind, address, change.at, change.by)

    def records(link: Link) -> PersonRecords:
        return PersonRecords(link.email, tuple(map(page, link.observations())))

    return RecordPages(tuple(records(link) for _, link in sorted(links.items())))
