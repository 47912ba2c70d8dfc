"""A field that a system shows as an object is unknown: its pair waits, everything else travels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from connector.model import ProblemCode, Quarantine, RunKind, RunState, Side
from tests.component.admin_client import AdminClient
from tests.component.altered_answers import alter_answers, json_answer, let_hours_pass
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, lead_of
from tests.component.shown_values import AN_OBJECT, WRITES, ShownValues
from tests.component.undo_fixtures import undo

OPT_OUT = FieldPair(
    "newsletter_optout",
    "newsletter_optout__c",
    Direction.BOTH,
    ConflictPolicy.NEWEST,
    contact="newsletter_optout__c",
)
CONVERTED = 22
"""More people than may show an unexpected error before a run halts."""


def quarantine_of(harness: Harness, email: str = ANA) -> Quarantine | None:
    return harness.ledger.load_links([email])[email].quarantine


def save_opt_out_pair(harness: Harness, policy: ConflictPolicy = ConflictPolicy.NEWEST) -> None:
    pairs = (*DEFAULT_MAPPING.pairs, replace(OPT_OUT, policy=policy))
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=pairs)
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def convert(harness: Harness, email: str) -> str:
    """Convert a Lead into a Contact that takes part; return the id of the Contact."""
    lead = lead_of(harness, email)["Id"]
    contact = str(harness.control("salesforce", "POST", f"leads/{lead}/convert")["contactId"])
    harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes"})
    return contact


def is_opted_out(harness: Harness) -> bool:
    """Return whether the only Lead has an opt-out."""
    query = "SELECT newsletter_optout__c FROM Lead"
    [lead] = harness.salesforce("GET", "query", q=query)["records"]
    return bool(lead["newsletter_optout__c"])


def test_an_attribute_that_is_an_object_waits_and_the_opt_out_beside_it_arrives(
    harness: Harness, ana: str
) -> None:
    save_opt_out_pair(harness)
    harness.edit_person(ana, newsletter_optout=True, company="Boss SA")
    plezi = ShownValues(harness, Side.PLEZI, {"phone": AN_OBJECT})
    harness.sync()
    harness.sync()

    assert (is_opted_out(harness), lead_of(harness)["Company"]) == (True, "Boss SA")
    assert lead_of(harness)["Phone"] == "111"
    quarantine = quarantine_of(harness)
    assert quarantine is not None
    assert (quarantine.code, quarantine.fields) == (ProblemCode.UNUSABLE_VALUE, ("phone",))
    assert "correct phone in Plezi" in quarantine.remedy

    plezi.fields = {}
    harness.edit_person(ana, phone="222")
    harness.sync()

    assert lead_of(harness)["Phone"] == "222"
    assert quarantine_of(harness) is None


def test_a_lead_is_created_without_the_attribute_that_is_an_object(harness: Harness) -> None:
    save_opt_out_pair(harness)
    harness.add_person(email=ANA, last_name="Lopez", newsletter_optout=True, phone="1")
    ShownValues(harness, Side.PLEZI, {"phone": AN_OBJECT})

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert (is_opted_out(harness), lead_of(harness)["Phone"]) == (True, None)


def test_a_converted_lead_whose_contact_cannot_be_read_stops_nobody(harness: Harness) -> None:
    save_opt_out_pair(harness)
    emails = [f"p{at:02}@example.com" for at in range(CONVERTED)]
    for email in (*emails, BOB):
        person = harness.add_person(email=email, last_name="Lopez", phone="1")
    harness.sync()
    let_hours_pass(harness)
    for email in emails:
        harness.edit_lead(lead_of(harness, email)["Id"], newsletter_optout__c=True)
        contact = convert(harness, email)
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "2"})
    harness.edit_person(person, phone="3")
    ShownValues(harness, Side.SALESFORCE, {"newsletter_optout__c": AN_OBJECT}, kind="Contact")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead_of(harness, BOB)["Phone"] == "3"
    people = harness.people()
    for email in emails:
        assert people[email]["phone"] == "2"
        quarantine = quarantine_of(harness, email)
        assert quarantine is not None
        assert quarantine.code == ProblemCode.UNUSABLE_VALUE


def test_the_field_of_a_converted_lead_in_which_it_takes_no_part_is_not_listed(
    harness: Harness, ana: str
) -> None:
    save_opt_out_pair(harness)
    harness.sync(kind=RunKind.FULL)
    let_hours_pass(harness)
    lead = lead_of(harness)["Id"]
    harness.edit_lead(lead, newsletter_optout__c=True)
    harness.control("salesforce", "POST", f"leads/{lead}/convert")
    ShownValues(harness, Side.SALESFORCE, {"Phone": AN_OBJECT}, kind="Lead")
    harness.sync()

    assert harness.people()[ANA]["id"] == ana
    assert harness.people()[ANA]["newsletter_optout"]
    assert quarantine_of(harness) is None


@pytest.mark.parametrize("typed", ["222", None])
def test_an_edit_whose_write_was_lost_arrives_when_the_field_can_be_read_again(
    harness: Harness, ana: str, typed: str | None
) -> None:
    plezi = ShownValues(harness, Side.PLEZI, loses_write=True)
    let_hours_pass(harness)
    harness.edit_lead(lead_of(harness)["Id"], Phone=typed)
    harness.sync()
    plezi.fields = {"phone": AN_OBJECT}
    let_hours_pass(harness)
    harness.sync()
    plezi.fields = {}
    let_hours_pass(harness)
    harness.edit_person(ana, company="Touched")
    harness.sync()

    assert lead_of(harness)["Phone"] == typed
    assert harness.people()[ANA]["phone"] == typed


def test_a_field_that_only_the_answer_to_a_write_shows_as_an_object_is_listed(
    harness: Harness, ana: str
) -> None:
    let_hours_pass(harness)
    harness.edit_lead(lead_of(harness)["Id"], Company="New SA")
    plezi = ShownValues(harness, Side.PLEZI, {"phone": AN_OBJECT}, methods=WRITES)
    harness.sync()
    plezi.methods = ("GET", *WRITES)
    harness.sync()

    assert harness.people()[ANA]["id"] == ana
    quarantine = quarantine_of(harness)
    assert quarantine is not None
    assert quarantine.fields == ("phone",)


def test_a_field_that_waits_is_listed_again_after_an_undo_of_another_field(
    harness: Harness, admin_client: AdminClient
) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez", company="A")
    harness.sync()
    let_hours_pass(harness)
    harness.edit_person(person, company="B")
    run = harness.sync()
    let_hours_pass(harness)
    harness.edit_person(person, phone="1")
    ShownValues(harness, Side.PLEZI, {"phone": AN_OBJECT})
    harness.sync()
    undo(harness, admin_client, run.id)
    harness.sync()

    assert lead_of(harness)["Company"] == "A"
    quarantine = quarantine_of(harness)
    assert quarantine is not None
    assert quarantine.fields == ("phone",)


def test_a_lead_without_the_last_name_that_cannot_be_read_gets_it_later(harness: Harness) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez")
    plezi = ShownValues(harness, Side.PLEZI, {"last_name": AN_OBJECT})
    harness.sync()
    plezi.fields = {}
    let_hours_pass(harness)
    harness.edit_person(person, phone="1")
    harness.sync()

    assert lead_of(harness)["LastName"] == harness.people()[ANA]["last_name"] == "Lopez"


@pytest.mark.usefixtures("ana")
def test_a_refused_field_is_listed_beside_one_that_cannot_be_read(harness: Harness) -> None:
    let_hours_pass(harness)
    harness.edit_lead(lead_of(harness)["Id"], Company="Refused SA", FirstName="Fine")
    shown = {"title": "company is invalid", "source": {"pointer": "/data/attributes/company"}}

    def before(request: Request) -> Response | None:
        is_refused = request.method == "PUT" and b"Refused SA" in request.get_data()
        return json_answer({"errors": [shown]}, 422) if is_refused else None

    plezi = ShownValues(harness, Side.PLEZI, {"phone": AN_OBJECT})
    alter_answers(harness, Side.PLEZI, before, plezi.alter)
    for _ in range(2):
        harness.sync()
        let_hours_pass(harness)

    assert harness.people()[ANA]["first_name"] == "Fine"
    quarantine = quarantine_of(harness)
    assert quarantine is not None
    assert quarantine.fields == ("company", "phone")
    assert "company is invalid" in quarantine.remedy
    assert "correct phone in Plezi" in quarantine.remedy


@pytest.mark.parametrize("is_deleted", [True, False])
@pytest.mark.parametrize("is_opted_out_in_plezi", [True, False])
def test_an_opt_out_that_cannot_be_read_in_a_lead_that_left_is_listed(
    harness: Harness, ana: str, *, is_deleted: bool, is_opted_out_in_plezi: bool
) -> None:
    save_opt_out_pair(harness, ConflictPolicy.MOST_RESTRICTIVE)
    harness.sync(kind=RunKind.FULL)
    let_hours_pass(harness)
    lead = lead_of(harness)["Id"]
    org = ShownValues(harness, Side.SALESFORCE, {"newsletter_optout__c": AN_OBJECT}, kind="Lead")
    harness.edit_lead(lead, newsletter_optout__c=True)
    if is_deleted:
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
    else:
        harness.edit_lead(lead, Email=None)
    if is_opted_out_in_plezi:
        harness.edit_person(ana, newsletter_optout=True)
    harness.edit_person(ana, phone="9")
    harness.sync()

    quarantine = quarantine_of(harness)
    if is_opted_out_in_plezi:
        assert quarantine is None
        return
    assert quarantine is not None
    assert quarantine.fields == ("newsletter_optout__c",)
    org.fields = {}
    let_hours_pass(harness)
    harness.sync(kind=RunKind.FULL)
    assert harness.people()[ANA]["newsletter_optout"]
    assert quarantine_of(harness) is None
