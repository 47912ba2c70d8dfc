"""A stamp in the future, shown once: what is typed later still arrives, or is in the journal."""

from __future__ import annotations

from connector.model import RunKind, Side
from tests.component.altered_answers import let_hours_pass
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, lead_of
from tests.component.shown_values import ShownValues

IN_SALESFORCE = {"SystemModstamp": "2099-01-01T00:00:00.000+0000"}
IN_PLEZI = {"updated_at": "2099-01-01T00:00:00.000Z"}


def stamp_contact_in_the_future(harness: Harness, ana: str) -> None:
    """Let one run read an edit of Ana's contact with a stamp in the future."""
    let_hours_pass(harness)
    harness.edit_person(ana, company="E")
    plezi = ShownValues(harness, Side.PLEZI, IN_PLEZI)
    harness.sync()
    plezi.fields = {}


def test_an_edit_after_a_lead_was_stamped_in_the_future_arrives(harness: Harness, ana: str) -> None:
    let_hours_pass(harness)
    lead = lead_of(harness)["Id"]
    harness.edit_lead(lead, FirstName="E")
    org = ShownValues(harness, Side.SALESFORCE, IN_SALESFORCE, record=lead)
    harness.sync()
    org.fields = {}
    let_hours_pass(harness)
    harness.edit_lead(lead, FirstName="Typed")
    harness.sync()

    assert harness.people()[ANA]["first_name"] == "Typed"
    assert harness.people()[ANA]["id"] == ana


def test_an_edit_after_a_contact_was_stamped_in_the_future_arrives(
    harness: Harness, ana: str
) -> None:
    stamp_contact_in_the_future(harness, ana)
    let_hours_pass(harness)
    harness.edit_person(ana, company="Typed")
    harness.sync()

    assert lead_of(harness)["Company"] == "Typed"


def test_a_write_to_a_contact_stamped_in_the_future_is_not_undone(
    harness: Harness, ana: str
) -> None:
    stamp_contact_in_the_future(harness, ana)
    harness.edit_lead(lead_of(harness)["Id"], Company="Sales")
    harness.sync()
    let_hours_pass(harness)
    harness.sync(kind=RunKind.FULL)

    assert harness.people()[ANA]["company"] == lead_of(harness)["Company"] == "Sales"
