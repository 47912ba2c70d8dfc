"""Differences of several kinds, planted among people of whom both systems agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from connector.model import DriftCause, Link, LinkChange
from local.plezi_tenant.store import ContactQuery
from local.rehearsal.agreement import ALL
from local.rehearsal.world import World
from local.salesforce_org.dml import SaveOptions, Writer

EARLIER_SECONDS: Final = 2 * 3600.0
"""An edit with a time so long before the last reading of changes is in no list of changes."""
LONG_TITLE: Final = "x" * 200
"""More than the 128 characters of `Title` (Object Reference, Lead)."""
NEW: Final = "planted-{number}@example.com"
PERSON: Final = ""
"""Stands for a field in a difference: a whole record is missing."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person: the e-mail, and the ids of both records ('': there is none)."""

    email: str
    contact: str = ""
    lead: str = ""


Act = Callable[[World, Somebody], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the field and the cause that a verification must find.

    `act` is done behind the back of every run; `before` (if any) before the last run of changes. A
    repair makes both sides equal (`is_corrected`), or leaves them. `is_new`: the person is.
    """

    field: str
    cause: DriftCause
    act: Act
    before: Act | None = None
    is_corrected: bool = False
    is_new: bool = False


def nothing(_world: World, _person: Somebody) -> None:
    """Do nothing."""


def edit_lead(touch: str = "none", **fields: Any) -> Act:  # noqa: ANN401  # any field
    """Return an edit of a Lead; `touch` says which of its stamps are renewed (as the control)."""

    def act(world: World, person: Somebody) -> None:
        options = SaveOptions(allow_duplicates=True, touch=touch, as_system=touch == "none")
        state = world.org.state
        with state.store.savepoint():
            writer = Writer(state, world.org.sales_user, options)
            writer.update(state.schema.get("Lead"), person.lead, fields)

    return act


def edit_contact(**attributes: Any) -> Act:  # noqa: ANN401  # any attribute
    """Return an edit of a contact, with a new modification time."""

    def act(world: World, person: Somebody) -> None:
        world.tenant.contacts.update(person.contact, attributes)

    return act


def earlier(act: Act) -> Act:
    """Return what a user does with a modification time before the last reading of changes."""

    def act_earlier(world: World, person: Somebody) -> None:
        with _clocks_back(world):
            act(world, person)

    return act_earlier


def add_lead(world: World, person: Somebody) -> None:
    """Add a Lead."""
    state = world.org.state
    with state.store.savepoint():
        writer = Writer(state, world.org.sales_user, SaveOptions(allow_duplicates=True))
        body = {"Email": person.email, "LastName": "Planted", "Company": "Planted SA"}
        writer.create(state.schema.get("Lead"), body)


def add_contact(world: World, person: Somebody) -> None:
    """Add a contact."""
    world.tenant.contacts.create_as_user({"email": person.email, "last_name": "Planted"})


def contradict(field: str, value: str) -> Act:
    """Return an act that gives each record an agreement of its own, as a wrong recording would."""

    def change(link: Link) -> Link:
        [lead] = link.salesforce
        [key] = [it for it in link.base[lead.id] if it.rpartition(">")[2] == field]
        base = {**link.base, lead.id: {**link.base[lead.id], key: value}}
        return replace(link, base=base)

    return _in_ledger(field, value, change)


def lose_mark(field: str, value: str) -> Act:
    """Return an act after which the ledger knows an edit, and nothing marks the link any more."""
    return _in_ledger(field, value, lambda link: link)


def _in_ledger(field: str, value: str, change: Callable[[Link], Link]) -> Act:
    def act(world: World, person: Somebody) -> None:
        edit_lead(**{field: value})(world, person)
        with world.aside() as adapters:
            ledger = adapters.ledger("LedgerTable")
            link = change(ledger.load_links([person.email])[person.email])
            [lead] = link.salesforce
            seen = link.with_observation(replace(lead, values={**lead.values, field: value}))
            ledger.save_links([LinkChange(seen)])

    return act


@contextmanager
def _clocks_back(world: World) -> Iterator[None]:
    """Set the clocks of both systems back for what a user does."""
    world.org.clock.advance(-EARLIER_SECONDS)
    try:
        yield
    finally:
        world.org.clock.advance(EARLIER_SECONDS)


_UNEXPLAINED: Final = DriftCause.UNEXPLAINED
DIFFERENCES: Final = (
    Difference("Phone", _UNEXPLAINED, edit_lead(Phone="9"), is_corrected=True),
    Difference("LastName", _UNEXPLAINED, edit_lead(LastName="Silent"), is_corrected=True),
    Difference("Company", _UNEXPLAINED, edit_lead(Company="Silent"), is_corrected=True),
    Difference("MobilePhone", _UNEXPLAINED, edit_lead(MobilePhone=None), is_corrected=True),
    Difference("score__c", DriftCause.ONE_WAY, edit_lead(score__c="99")),
    Difference("Phone", _UNEXPLAINED, earlier(edit_contact(phone="8")), is_corrected=True),
    Difference(
        "FirstName", _UNEXPLAINED, earlier(edit_contact(first_name="Old")), is_corrected=True
    ),
    Difference("Company", _UNEXPLAINED, earlier(edit_contact(company="Old")), is_corrected=True),
    Difference("MobilePhone", _UNEXPLAINED, earlier(edit_contact(mobile=None)), is_corrected=True),
    Difference("Title", _UNEXPLAINED, earlier(edit_contact(function="Old")), is_corrected=True),
    Difference("Phone", _UNEXPLAINED, lose_mark("Phone", "7"), is_corrected=True),
    Difference("LastName", _UNEXPLAINED, lose_mark("LastName", "Unmarked"), is_corrected=True),
    Difference("Phone", _UNEXPLAINED, contradict("Phone", "6")),
    Difference("Company", _UNEXPLAINED, contradict("Company", "Contradicted")),
    Difference(PERSON, _UNEXPLAINED, earlier(add_lead), is_corrected=True, is_new=True),
    Difference(PERSON, _UNEXPLAINED, earlier(add_contact), is_corrected=True, is_new=True),
    Difference("Title", DriftCause.ONE_WAY, edit_lead(Title="Typed in Salesforce")),
    Difference("Title", DriftCause.QUARANTINED, nothing, edit_contact(function=LONG_TITLE)),
    Difference("Phone", DriftCause.UNDONE, nothing, edit_contact(phone="5")),
    Difference("Phone", DriftCause.WAITS, edit_contact(phone="4")),
)
"""Twenty differences of several kinds; the `undone` one is undone by the rehearsal."""


def people(world: World) -> list[Somebody]:
    """Return everybody with a record on both sides, in the order of the e-mails."""
    contacts, _ = world.tenant.contacts.current_page(ContactQuery(sort="number", limit=ALL))
    by_email = {contact.email.strip().lower(): contact.id for contact in contacts}
    rows = world.org.state.store.run("SELECT Id, Email FROM Lead WHERE IsDeleted = 0").fetchall()
    found = (Somebody(email.lower(), by_email.get(email.lower(), ""), it) for it, email in rows)
    return sorted((it for it in found if it.contact), key=lambda it: it.email)


def records(world: World) -> dict[str, list[Mapping[str, Any]]]:
    """Return the values of all records of both systems by e-mail, without their times."""
    contacts, _ = world.tenant.contacts.current_page(ContactQuery(sort="number", limit=ALL))
    found: dict[str, list[Mapping[str, Any]]] = {
        contact.email.strip().lower(): [dict(contact.values)] for contact in contacts
    }
    names = (
        "Email", "FirstName", "LastName", "Company", "Phone", "MobilePhone", "Title", "score__c",
        "status__c", "plezi_url__c",
    )  # fmt: skip
    columns = ", ".join(f'"{name}"' for name in names)
    rows = world.org.state.store.run(f"SELECT {columns} FROM Lead WHERE IsDeleted = 0")  # noqa: S608  # names of this function
    for row in rows:
        found.setdefault(row[0].lower(), []).append(dict(zip(names, row, strict=True)))
    return found
