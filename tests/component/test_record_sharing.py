"""Sharing hides a Lead and shows it again: it is not deleted, not doubled, not overwritten."""

from __future__ import annotations

from typing import Any

from connector.model import AttentionKind, RunKind, RunState, Side
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, advance_clocks, lead_of

INTEGRATION = "integration@acme.example"


def share(harness: Harness, lead: str, access: str | None) -> None:
    """Set the access of the integration user to a Lead."""
    harness.control("salesforce", "POST", f"users/{INTEGRATION}", {"view_all_data": False})
    harness.control("salesforce", "POST", f"records/Lead/{lead}/sharing", {"access": access})


def listed(harness: Harness) -> dict[str, str]:
    """Return the code of each person in quarantine."""
    emails = harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 100)
    links = harness.ledger.load_links(emails)
    return {email: it.quarantine.code for email, it in links.items() if it.quarantine}


def test_a_hidden_lead_is_listed_and_neither_overwritten_nor_doubled(
    harness: Harness, ana: str
) -> None:
    lead = lead_of(harness)
    share(harness, lead["Id"], "none")
    harness.edit_person(ana, phone="222")
    bob = harness.add_person(email=BOB, last_name="Bob")

    run = harness.sync()
    harness.edit_person(bob, phone="999")
    harness.sync()

    assert run.state is RunState.DONE, run.message
    assert listed(harness) == {ANA: "not_visible"}
    assert lead_of(harness) == lead
    assert lead_of(harness, BOB)["Phone"] == "999"


def test_the_review_queue_names_a_lead_that_may_be_hidden_and_its_remedy(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    share(harness, lead_of(harness)["Id"], "none")
    harness.edit_person(ana, phone="222")
    harness.sync()

    answer: Any = admin_client.request_ok("GET", "/admin/attention", kind="quarantine")

    [person] = answer["people"]
    assert person["email"] == ANA
    text = str(person["quarantine"])
    assert "neither among its records nor in the recycle bin" in text
    assert "share the record with the integration user" in text


def test_a_lead_that_is_visible_again_takes_the_edits_of_both_sides(
    harness: Harness, ana: str
) -> None:
    lead = lead_of(harness)
    share(harness, lead["Id"], "none")
    harness.edit_person(ana, phone="222")
    harness.sync()
    harness.edit_lead(lead["Id"], MobilePhone="777")
    harness.sync()

    share(harness, lead["Id"], None)
    advance_clocks(harness)
    harness.sync()

    assert listed(harness) == {}
    again = lead_of(harness)
    assert (again["Id"], again["Phone"], again["MobilePhone"]) == (lead["Id"], "222", "777")
    person = harness.people()[ANA]
    assert (person["phone"], person["mobile"]) == ("222", "777")
    assert [each for each in harness.journal(ANA) if each["kind"] == "overwritten"] == []


def test_a_lead_that_becomes_visible_without_any_change_is_found_by_the_next_run(
    harness: Harness, ana: str
) -> None:
    """A share changes no stamp, so that no read of changes has the Lead."""
    lead = lead_of(harness)
    share(harness, lead["Id"], "none")
    harness.edit_person(ana, phone="222")
    harness.sync()
    advance_clocks(harness, 1800)
    harness.sync()
    assert lead_of(harness)["Phone"] == "111"

    share(harness, lead["Id"], None)
    harness.sync()

    assert lead_of(harness)["Phone"] == "222"
    assert listed(harness) == {}


def test_a_deleted_lead_is_not_taken_for_a_hidden_one(harness: Harness, ana: str) -> None:
    lead = lead_of(harness)
    harness.control("salesforce", "DELETE", f"records/Lead/{lead['Id']}")
    harness.edit_person(ana, phone="222")

    run = harness.sync()

    assert run.counts[Side.SALESFORCE]["skipped.deleted_in_salesforce"] == 1
    assert listed(harness) == {}
    assert harness.leads() == []


def test_a_hidden_lead_with_the_same_page_address_stops_a_second_one(harness: Harness) -> None:
    """The contact is new to the connector: nothing but the unique field shows the Lead."""
    ana = harness.add_person(email=ANA, last_name="Lopez")
    url = harness.people()[ANA]["url"]
    lead = harness.add_lead(Email="old@example.com", plezi_url__c=url)
    share(harness, lead, "none")
    harness.add_person(email=BOB, last_name="Bob")

    harness.sync()

    assert listed(harness) == {ANA: "DUPLICATE_VALUE"}
    assert {each["Email"] for each in harness.leads()} == {"old@example.com", BOB}

    share(harness, lead, None)
    harness.edit_person(ana, phone="222")
    harness.sync()

    assert len(harness.leads()) == 2
    assert listed(harness) == {}


def test_a_new_lead_that_an_assignment_rule_gives_away_in_a_private_org_is_listed(
    harness: Harness,
) -> None:
    harness.control("salesforce", "POST", f"users/{INTEGRATION}", {"view_all_data": False})
    harness.control("salesforce", "POST", "sharing", {"object": "Lead", "default": "private"})
    harness.control(
        "salesforce", "POST", "switches", {"assignment_rule_owner": "sales@acme.example"}
    )
    ana = harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    assert len(harness.leads()) == 1

    harness.edit_person(ana, phone="222")
    harness.sync()

    assert listed(harness) == {ANA: "not_visible"}
    assert len(harness.leads()) == 1


def test_a_lead_that_is_shared_read_only_is_listed_and_still_read(
    harness: Harness, ana: str
) -> None:
    lead = lead_of(harness)
    share(harness, lead["Id"], "read")
    harness.edit_person(ana, phone="222")
    advance_clocks(harness)
    harness.edit_lead(lead["Id"], MobilePhone="777")

    harness.sync()

    assert listed(harness) == {ANA: "INSUFFICIENT_ACCESS_OR_READONLY"}
    assert lead_of(harness)["Phone"] == "111"
    assert harness.people()[ANA]["mobile"] == "777"


def test_an_edit_of_a_hidden_lead_is_found_by_the_weekly_reading_of_all_records(
    harness: Harness, ana: str
) -> None:
    """Nobody edits the contact: no run looks for the Lead, and its stamp is older than the cursor.

    Sharing changes no stamp, so that no reading of changes can find the edit.
    """
    lead = lead_of(harness)
    share(harness, lead["Id"], "none")
    advance_clocks(harness)
    harness.edit_lead(lead["Id"], MobilePhone="777")
    advance_clocks(harness, 1800)
    harness.let_pass(1860)
    for _ in range(2):  # the second reading starts after the edit
        harness.sync()
    share(harness, lead["Id"], None)
    harness.sync()
    assert harness.people()[ANA]["id"] == ana
    assert harness.people()[ANA]["mobile"] is None

    harness.sync(kind=RunKind.VERIFY)
    harness.sync()

    assert harness.people()[ANA]["mobile"] == "777"
