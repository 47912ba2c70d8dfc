"""The stories in which faults are injected: what people typed, and the run that comes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.model import ChangeHint, Phase, RunKind
from connector.sync.run_work import FEW_PEOPLE
from tests.component.harness import Harness

People = Sequence[str]


def email(person: str) -> str:
    """Return the e-mail of a person."""
    return f"{person}@example.com"


def add_contacts(harness: Harness, people: People) -> None:
    """Create people in Plezi."""
    for person in people:
        harness.add_person(
            email=email(person), last_name=f"{person} Doe", phone=f"1 {person}", function="Buyer"
        )


def add_leads(harness: Harness, people: People) -> None:
    """Create people in Salesforce."""
    for person in people:
        harness.add_lead(Email=email(person), LastName=f"{person} Doe", Company=f"{person} SA")


def add_both(harness: Harness, people: People) -> None:
    """Create people in both systems, with different phones and a blank title in Salesforce.

    The contacts are the newer records, at any speed: Salesforce's times have no milliseconds.
    """
    for person in people:
        harness.add_lead(Email=email(person), LastName=f"{person} Doe", Phone=f"2 {person}")
    add_contacts(harness, people)


def add_synchronized(harness: Harness, people: People) -> None:
    """Create people in Plezi, and let a run create their Leads."""
    add_contacts(harness, people)
    harness.sync()


def lead_ids(harness: Harness) -> dict[str, str]:
    """Return the id of each person's first Lead."""
    return {
        lead["Email"].partition("@")[0]: lead["Id"]
        for lead in reversed(harness.leads())
        if lead["Email"]
    }


def edit_contacts(harness: Harness, people: People) -> None:
    """Type a new phone in Plezi."""
    add_synchronized(harness, people)
    known = harness.people()
    for person in people:
        harness.edit_person(known[email(person)]["id"], phone=f"3 {person}")


def edit_leads(harness: Harness, people: People) -> None:
    """Type a new phone in Salesforce, and clear the title."""
    add_synchronized(harness, people)
    ids = lead_ids(harness)
    for person in people:
        harness.edit_lead(ids[person], Phone=f"3 {person}", Title=None)


def edit_both(harness: Harness, people: People) -> None:
    """Type different phones in both systems: a conflict."""
    edit_contacts(harness, people)
    harness.control("salesforce", "POST", "clock", {"advance": 60})
    ids = lead_ids(harness)
    for person in people:
        harness.edit_lead(ids[person], Phone=f"4 {person}")


def stop_after(harness: Harness, *phases: Phase) -> None:
    """Make the first invocations of a run, each of one phase; the run stops there."""
    run_id = harness.run_requester.request_run(RunKind.CHANGES)
    for phase in phases:
        harness.engine.run_phase(run_id, phase, lambda: True)


def lose_answers(harness: Harness, people: People) -> None:
    """Type new phones in Plezi; the answers to the writes are lost, and sales type others."""
    edit_contacts(harness, people)
    fault = {"kind": "timeout_after_commit", "path": "composite/sobjects", "count": None}
    harness.control("salesforce", "POST", "faults", fault)
    stop_after(harness, Phase.READ, Phase.READ, Phase.READ, Phase.RESOLVE)
    harness.control("salesforce", "DELETE", "faults")
    harness.control("salesforce", "POST", "clock", {"advance": 60})
    ids = lead_ids(harness)
    for person in people:
        harness.edit_lead(ids[person], Phone=f"5 {person}")


def lose_creations(harness: Harness, people: People) -> None:
    """Create Leads; the answers to the creations in Plezi are lost."""
    add_leads(harness, people)
    fault = {"kind": "timeout_after", "path": "contacts$", "method": "POST", "count": None}
    harness.control("plezi", "POST", "faults", fault)
    stop_after(harness, Phase.READ, Phase.READ, Phase.READ, Phase.RESOLVE, Phase.WRITE_PLEZI)
    harness.control("plezi", "DELETE", "faults")
    harness.let_pass(120)


def move(harness: Harness, people: People) -> None:
    """Type a new e-mail in Salesforce."""
    add_synchronized(harness, people)
    ids = lead_ids(harness)
    for person in people:
        harness.edit_lead(ids[person], Email=f"{person}new@example.com")


def delete(harness: Harness, people: People) -> None:
    """Delete Leads, and type something in Plezi."""
    edit_contacts(harness, people)
    for lead in lead_ids(harness).values():
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")


def duplicate(harness: Harness, people: People) -> None:
    """Add a second Lead of each person, without a phone."""
    edit_contacts(harness, people)
    add_leads(harness, people)


def changes(harness: Harness, people: People) -> Any:
    """Make a scheduled run."""
    del people
    return harness.sync()


def full(harness: Harness, people: People) -> Any:
    """Make a full run."""
    del people
    return harness.sync(kind=RunKind.FULL)


def selected(harness: Harness, people: People) -> Any:
    """Make a run for these people."""
    return harness.sync(kind=RunKind.SELECTED, emails=[email(person) for person in people])


def dry(harness: Harness, people: People) -> Any:
    """Make a dry run."""
    del people
    return harness.sync(kind=RunKind.DRY_RUN)


def forms(harness: Harness, people: People) -> Any:
    """Submit the form of each person; return the last run."""
    for person in people:
        harness.engine.sync_contact(ChangeHint(f"trace-{person}", email=email(person)))
    return None


@dataclass(frozen=True, slots=True)
class Story:
    """What happens before the run with the faults, and that run.

    `like` are stories with several people in one run, for one whose runs have one person each.
    `few_people`: up to so many selected people are read one by one in Plezi.
    """

    name: str
    prepare: Callable[[Harness, People], None]
    run: Callable[[Harness, People], Any] = changes
    like: tuple[Story, ...] = ()
    few_people: int = FEW_PEOPLE


SELECTED: Final = Story("selected run", edit_leads, selected, few_people=0)
FEW_SELECTED: Final = Story("selected run, one by one", edit_leads, selected, few_people=1000)
EDIT: Final = Story("edit in Plezi", edit_contacts)


STORIES: Final = (
    Story("first meeting from Plezi", add_contacts),
    Story("first meeting from Salesforce", add_leads),
    Story("first meeting of two records", add_both),
    EDIT,
    Story("edit in Salesforce", edit_leads),
    Story("conflict", edit_both),
    Story("recovery of an update", lose_answers),
    Story("recovery of a creation", lose_creations),
    Story("new e-mail", move),
    Story("deletion", delete),
    Story("second Lead", duplicate),
    Story("full run", edit_contacts, full),
    SELECTED,
    FEW_SELECTED,
    Story("form", edit_contacts, forms, like=(FEW_SELECTED, EDIT)),
    Story("dry run", add_both, dry),
)
