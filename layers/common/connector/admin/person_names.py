"""The names of one person: all e-mails and record ids under which something is stored."""

from __future__ import annotations

from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError
from connector.clean_text import canonical_email
from connector.model import JournalEntry, Link, PersonNames

MAX_ROUNDS: Final = 10
"""How often an e-mail leads to a former one: more than anybody has within the journal's time."""
PAGE: Final = 200
"""Journal entries of one read."""
EMAIL_PAIR: Final = "Email"
"""The key of the pair whose values are e-mails."""


def require_email(email: str) -> str:
    """Return the canonical e-mail. Raises `InvalidRequestError`."""
    canonical = canonical_email(email)
    if "@" not in canonical:
        raise InvalidRequestError("email: this is not an e-mail address")
    return canonical


def find_names(context: AdminContext, email: str) -> PersonNames:
    """Return all names of the person with a canonical e-mail.

    Former e-mails are those that the journal has as values of the e-mail, and those of the records
    of the link. A name that belongs to the link of somebody else is none of this person.
    """
    names = PersonNames(frozenset({email}))
    for _ in range(MAX_ROUNDS):
        found = _more_names(context, names)
        if found == names:
            break
        names = found
    return names


def _more_names(context: AdminContext, names: PersonNames) -> PersonNames:
    emails, records = set(names.emails), set(names.records)
    for link in context.people.links.load_links(names.emails).values():
        emails |= {each.email for each in link.observations() if each.email}
        records |= _records_of(link)
    for email in names.emails:
        for entry in _journal_of(context, email):
            records.add(entry.record_id)
            if entry.field == EMAIL_PAIR:
                values = (entry.before, entry.after)
                emails |= {canonical_email(it) for it in values if isinstance(it, str)}
    emails.discard("")
    records.discard("")
    return _own(context, names, PersonNames(frozenset(emails), frozenset(records)))


def _records_of(link: Link) -> set[str]:
    """Return the ids of the records of a link, also those that only its past has."""
    records = {*link.record_ids, *link.base}
    records |= {record for hold in link.holds.values() for record in hold.values}
    records |= {write.record_id for write in (link.intent.writes if link.intent else ())}
    records |= {each.record_id for recent in link.recent_writes.values() for each in recent}
    return records


def _own(context: AdminContext, known: PersonNames, found: PersonNames) -> PersonNames:
    """Return the names without those that belong to the link of another person."""
    new_emails = found.emails - known.emails
    strangers = {
        email
        for email, link in context.people.links.load_links(new_emails).items()
        if link.record_ids and not link.record_ids & found.records
    }
    emails = found.emails - strangers
    owners = context.people.links.owner_emails(found.records)
    elsewhere = {email for email in owners.values() if email not in emails}
    links = context.people.links.load_links(elsewhere)
    taken = {
        record
        for record, email in owners.items()
        if email in links and record in links[email].record_ids
    }
    return PersonNames(emails, found.records - taken)


def _journal_of(context: AdminContext, email: str) -> list[JournalEntry]:
    entries: list[JournalEntry] = []
    after = ""
    while True:
        page = context.journal.person_entries(email, PAGE, after)
        entries += page.entries
        after = page.next
        if not after:
            return entries
