"""Sample data: fast creation of Leads and Contacts from the invented people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from local.people import person
from local.salesforce_org.security import OrgUser
from local.salesforce_org.standard_objects import LEAD_STATUSES
from local.salesforce_org.state import OrgState
from local.salesforce_org.values import stamp

STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
AUTHORS = ("CreatedById", "LastModifiedById", "OwnerId")
PEOPLE = ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title")


def load(
    state: OrgState, author: OrgUser, *, leads: int, contacts: int, first: int, spread: float
) -> None:
    """Add leads for the people from number `first` on, then contacts for the next people.

    The stamps range from `spread` seconds ago to now, so that an incremental read finds a part.
    """
    _insert(state, "Lead", ("Company", "Status"), _leads(state, author, first, leads, spread))
    first_contact = first + leads
    _insert(
        state,
        "Contact",
        ("sync_to_plezi__c",),
        _contacts(state, author, first_contact, contacts, spread),
    )


def _insert(
    state: OrgState, name: str, own: Sequence[str], rows: Iterator[Sequence[object]]
) -> None:
    kind = state.schema.get(name)
    booleans = [f.name for f in kind.columns() if f.type == "boolean"]
    names = ["Id", *STAMPS, *AUTHORS, *PEOPLE, *own, *booleans]
    zeros = (0,) * len(booleans)
    state.store.insert_many(kind, names, ((*row, *zeros) for row in rows))


def _leads(
    state: OrgState, author: OrgUser, first: int, count: int, spread: float
) -> Iterator[Sequence[object]]:
    ids = state.ids.next_ids("00Q", count)
    stamps = _stamps(state, count, spread)
    author_ids = (author.id,) * len(AUTHORS)
    for number, (record_id, modified) in enumerate(zip(ids, stamps, strict=True), first):
        source = person(number)
        yield (
            record_id, modified, modified, modified, *author_ids,
            source.first_name, source.last_name, source.email, source.phone, source.mobile,
            source.function,
            source.company, LEAD_STATUSES[0],
        )  # fmt: skip


def _contacts(
    state: OrgState, author: OrgUser, first: int, count: int, spread: float
) -> Iterator[Sequence[object]]:
    ids = state.ids.next_ids("003", count)
    stamps = _stamps(state, count, spread)
    author_ids = (author.id,) * len(AUTHORS)
    for number, (record_id, modified) in enumerate(zip(ids, stamps, strict=True), first):
        source = person(number)
        yield (
            record_id, modified, modified, modified, *author_ids,
            source.first_name, source.last_name, source.email, source.phone, source.mobile,
            source.function,
            "yes",
        )  # fmt: skip


def _stamps(state: OrgState, count: int, spread: float) -> Iterator[str]:
    now = state.now()
    last_second, text = None, ""
    for index in range(count):
        age = spread * (count - 1 - index) / max(1, count - 1)
        second = (now - timedelta(seconds=age)).replace(microsecond=0)
        if second != last_second:
            last_second, text = second, stamp(second)
        yield text
