"""The search of people: by e-mail, by the id of a record of either side, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.clean_text import canonical_email, clean
from connector.model import Link, RecordKind

MAX_FOUND: Final = 20
"""Records of each kind that a search by name returns."""
SHORT_ID: Final = re.compile(r"[a-zA-Z0-9]{15}")
LONG_ID: Final = re.compile(r"[a-zA-Z0-9]{18}")
SUFFIX_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
"""An id of 18 characters ends with one of these for each five of the first 15: its place is the
binary number of the capital letters (Salesforce Help, "Convert 15-Character ID to 18-Character
ID")."""


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record of a person who was found."""

    id: str
    kind: RecordKind


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person who was found; `known`: there is a link, so `GET /admin/contacts/{email}` has more.

    `name` is that of the record ('': not searched by name). `email` is '' for a record without one.
    """

    email: str
    name: str
    known: bool
    records: tuple[FoundRecord, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The people who were found, those with a link first.

    `complete` is False when there may be more: make the text longer.
    """

    people: tuple[FoundPerson, ...]
    complete: bool


def search_people(context: AdminContext, text: str) -> SearchResult:
    """Return the people whom an e-mail, a record id or a part of a name leads to.

    Names are not stored by themselves, so they are searched in Salesforce, with two calls: a person
    who is synchronized has a record there. Plezi is not searched: no such call is known (assumed).
    Raises the errors of the client of Salesforce.
    """
    wanted = clean(text)
    if "@" in wanted:
        email = canonical_email(wanted)
        return _of_links(context.review.load_links([email]).values())
    if " " not in wanted:
        owners = context.people.links.owner_emails(_possible_ids(wanted))
        found = _of_links(context.review.load_links(owners.values()).values())
        if found.people:
            return found
    return _by_name(context, wanted)


def long_id(record: str) -> str:
    """Return the id of 18 characters for one of 15; any other text as it is."""
    if not SHORT_ID.fullmatch(record):
        return record
    places = (
        sum(char.isupper() << place for place, char in enumerate(record[start : start + 5]))
        for start in (0, 5, 10)
    )
    return record + "".join(SUFFIX_LETTERS[place] for place in places)


def _possible_ids(text: str) -> list[str]:
    return list(dict.fromkeys((text, long_id(text))))


def _of_links(links: Iterable[Link]) -> SearchResult:
    people = tuple(
        FoundPerson(
            link.email,
            "",
            known=True,
            records=tuple(FoundRecord(each.id, each.kind) for each in link.observations()),
        )
        for link in links
    )
    return SearchResult(people, complete=True)


def _by_name(context: AdminContext, text: str) -> SearchResult:
    records = context.sides().records.named(text, MAX_FOUND)
    emails = {canonical_email(record.email) for record in records if record.email}
    links = context.review.load_links(emails)
    by_email: dict[str, FoundPerson] = {}
    without = []
    for record in records:
        email = canonical_email(record.email) if record.email else ""
        found = (FoundRecord(record.id, record.kind),)
        if not email:
            without.append(FoundPerson("", record.name, known=False, records=found))
            continue
        known = by_email.get(email, FoundPerson(email, record.name, email in links, ()))
        by_email[email] = FoundPerson(
            email, known.name, known.known, records=(*known.records, *found)
        )
    people = sorted(by_email.values(), key=lambda person: (not person.known, person.name))
    is_cut = any(sum(it.kind is kind for it in records) >= MAX_FOUND for kind in RecordKind)
    return SearchResult((*people, *without), complete=not is_cut)
