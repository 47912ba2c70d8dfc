"""Filling the org with invented people, fast."""

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


def load(  # the wishes of one loading
    state: OrgState, author: OrgUser, *, leads: int, contacts: int, first: int, spread: float
) -> None:
    """Add leads for the people `first`..., then contacts for those who follow.

    Stamps go from `spread` seconds ago to now, so that an incremental read finds a slice.
    """
    _insert(state, "Lead", ("Company", "Status"), _leads(state, author, first, leads, spread))
    after = first + leads
    _insert(
        state, "Contact", ("sync_to_plezi__c",), _contacts(state, author, after, contacts, spread)
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
    moments = _stamps(state, count, spread)
    by = (author.id,) * len(AUTHORS)
    for number, (record_id, moment) in enumerate(zip(ids, moments, strict=True), first):
        who = person(number)
        yield (
            record_id, moment, moment, moment, *by,
            who.first_name, who.last_name, who.email, who.phone, who.mobile, who.function,
            who.company, LEAD_STATUSES[0],
        )  # fmt: skip


def _contacts(
    state: OrgState, author: OrgUser, first: int, count: int, spread: float
) -> Iterator[Sequence[object]]:
    ids = state.ids.next_ids("003", count)
    moments = _stamps(state, count, spread)
    by = (author.id,) * len(AUTHORS)
    for number, (record_id, moment) in enumerate(zip(ids, moments, strict=True), first):
        who = person(number)
        yield (
            record_id, moment, moment, moment, *by,
            who.first_name, who.last_name, who.email, who.phone, who.mobile, who.function,
            "yes",
        )  # fmt: skip


def _stamps(state: OrgState, count: int, spread: float) -> Iterator[str]:
    now = state.now()
    last_second, text = None, ""
    for place in range(count):
        ago = spread * (count - 1 - place) / max(1, count - 1)
        moment = (now - timedelta(seconds=ago)).replace(microsecond=0)
        if moment != last_second:
            last_second, text = moment, stamp(moment)
        yield text
