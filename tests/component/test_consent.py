"""Consent: an opt-out on one side is never removed by the other side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from tests.component.admin_client import AdminClient, in_path
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks
from tests.component.test_faults import COLLECTIONS, LOOK_UPS, inject_fault

ANA = "ana@example.com"
OPT_OUT = FieldPair(
    "newsletter_optout",
    "newsletter_optout__c",
    Direction.BOTH,
    policy=ConflictPolicy.MOST_RESTRICTIVE,
)


@pytest.fixture
def harness_with_opt_out(harness: Harness) -> Harness:
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, OPT_OUT))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]
    return harness


def opt_outs(harness: Harness) -> tuple[Any, Any]:
    """Return whether the contact and the lead have an opt-out."""
    query = "SELECT Id, newsletter_optout__c FROM Lead"
    [lead] = harness.salesforce("GET", "query", q=query)["records"]
    return harness.people()[ANA]["newsletter_optout"], lead["newsletter_optout__c"]


def test_an_opt_out_in_plezi_is_written_to_the_lead_and_stays(
    harness_with_opt_out: Harness,
) -> None:
    person = harness_with_opt_out.add_person(email=ANA, last_name="Lopez")
    harness_with_opt_out.sync()
    harness_with_opt_out.edit_person(person, newsletter_optout=True)
    harness_with_opt_out.sync()
    assert opt_outs(harness_with_opt_out) == (True, True)

    harness_with_opt_out.edit_lead(
        harness_with_opt_out.leads()[0]["Id"], newsletter_optout__c=False
    )
    harness_with_opt_out.sync()

    assert opt_outs(harness_with_opt_out) == (True, True)


def test_an_opt_out_in_salesforce_is_written_to_plezi_and_stays(
    harness_with_opt_out: Harness,
) -> None:
    person = harness_with_opt_out.add_person(email=ANA, last_name="Lopez")
    harness_with_opt_out.sync()
    harness_with_opt_out.edit_lead(harness_with_opt_out.leads()[0]["Id"], newsletter_optout__c=True)
    harness_with_opt_out.sync()
    assert opt_outs(harness_with_opt_out) == (True, True)

    harness_with_opt_out.edit_person(person, newsletter_optout=False)
    harness_with_opt_out.sync()

    assert opt_outs(harness_with_opt_out) == (True, True)


def test_an_opt_out_wins_at_the_first_match_although_the_other_record_is_newer(
    harness_with_opt_out: Harness,
) -> None:
    harness_with_opt_out.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    harness_with_opt_out.control("salesforce", "POST", "clock", {"advance": 3600})
    harness_with_opt_out.add_lead(Email=ANA, LastName="Lopez", newsletter_optout__c=False)

    harness_with_opt_out.sync()

    assert opt_outs(harness_with_opt_out) == (True, True)


def test_consent_is_restored_when_both_sides_remove_the_opt_out(
    harness_with_opt_out: Harness,
) -> None:
    person = harness_with_opt_out.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    harness_with_opt_out.sync()

    harness_with_opt_out.edit_person(person, newsletter_optout=False)
    harness_with_opt_out.edit_lead(
        harness_with_opt_out.leads()[0]["Id"], newsletter_optout__c=False
    )
    harness_with_opt_out.sync()

    assert opt_outs(harness_with_opt_out) == (False, False)


def test_an_opt_out_survives_the_deletion_and_re_creation_of_the_lead(
    harness_with_opt_out: Harness,
) -> None:
    harness = harness_with_opt_out
    person = harness.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    harness.sync()
    lead = harness.leads()[0]["Id"]
    harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
    harness.sync()

    harness.add_lead(Email=ANA, LastName="Lopez", newsletter_optout__c=False)
    harness.edit_person(person, phone="+33123456789")
    harness.sync()

    assert opt_outs(harness) == (True, True)


def test_a_lead_in_place_of_one_that_left_with_an_opt_out_gets_the_page_address_at_once(
    harness_with_opt_out: Harness,
) -> None:
    """The deleted Lead takes part once more, with its opt-out only: it keeps no unique value."""
    harness = harness_with_opt_out
    person = harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    lead = harness.leads()[0]["Id"]
    harness.edit_lead(lead, newsletter_optout__c=True)
    harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
    harness.add_lead(Email=ANA, LastName="Lopez")

    harness.sync()

    assert opt_outs(harness) == (True, True)
    assert harness.leads()[0]["plezi_url__c"] == harness.people()[ANA]["url"]
    assert harness.leads()[0]["plezi_url__c"].endswith(person)


def test_an_opt_out_survives_the_deletion_and_re_creation_of_the_contact(
    harness_with_opt_out: Harness,
) -> None:
    harness = harness_with_opt_out
    harness.add_lead(Email=ANA, LastName="Lopez", newsletter_optout__c=True)
    harness.sync()
    person = harness.people()[ANA]["id"]
    harness.control("plezi", "DELETE", f"contacts/{person}")
    harness.sync()

    harness.add_person(email=ANA, last_name="Lopez", newsletter_optout=False)
    harness.sync()

    assert opt_outs(harness) == (True, True)


def test_an_opt_out_ticked_in_a_new_lead_that_is_deleted_before_it_is_read_reaches_plezi(
    harness_with_opt_out: Harness,
) -> None:
    """No run has seen the Lead unticked: that it was created so is known from the creation."""
    harness = harness_with_opt_out
    harness.add_person(email=ANA, last_name="Lopez", phone="111")
    inject_fault(harness, "salesforce", "reset_after_commit", path=COLLECTIONS)
    inject_fault(harness, "salesforce", "unavailable_page", path=LOOK_UPS, after=1, count=None)
    harness.sync()
    harness.control("salesforce", "DELETE", "faults")
    advance_clocks(harness)
    [lead] = harness.leads()
    harness.edit_lead(lead["Id"], newsletter_optout__c=True)
    harness.salesforce("DELETE", f"sobjects/Lead/{lead['Id']}")

    harness.sync()
    harness.sync()

    assert harness.people()[ANA]["newsletter_optout"] is True
    assert harness.leads() == []


def test_an_opt_out_of_a_new_lead_that_plezi_has_taken_back_since_is_not_set_again(
    harness_with_opt_out: Harness,
) -> None:
    harness = harness_with_opt_out
    person = harness.add_person(email=ANA, last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()
    harness.edit_lead(lead["Id"], newsletter_optout__c=True)
    harness.salesforce("DELETE", f"sobjects/Lead/{lead['Id']}")
    advance_clocks(harness)
    harness.sync()
    assert harness.people()[ANA]["newsletter_optout"] is True
    harness.edit_person(person, newsletter_optout=False)
    advance_clocks(harness)

    harness.sync()

    assert harness.people()[ANA]["newsletter_optout"] is False


def test_an_opt_out_has_its_source_its_time_and_its_proof_on_both_sides(
    harness_with_opt_out: Harness, admin_client: AdminClient
) -> None:
    harness = harness_with_opt_out
    person = harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    path = f"/admin/contacts/{in_path(ANA)}"
    (consent,) = admin_client.request_ok("GET", path)["consents"]
    assert (consent["opted_out"], consent["source"], consent["proofs"]) == (False, None, [])

    harness.edit_person(person, newsletter_optout=True)
    run = harness.sync()

    (consent,) = admin_client.request_ok("GET", path)["consents"]
    lead = harness.leads()[0]["Id"]
    assert consent["opted_out"] is True
    assert (consent["source"], consent["run_id"]) == ("plezi", run.id)
    assert consent["at"] == pytest.approx(run.finished_at, abs=60)
    assert consent["values"] == {person: True, lead: True}
    (proof,) = consent["proofs"]
    assert (proof["record"], proof["before"], proof["after"]) == (lead, False, True)
    export = admin_client.request_ok("POST", "/admin/people/export", {"email": ANA})
    assert OPT_OUT.salesforce in str(export["items"])


def test_an_opt_out_that_is_unticked_on_one_side_has_a_proof_of_each_write(
    harness_with_opt_out: Harness, admin_client: AdminClient
) -> None:
    harness = harness_with_opt_out
    harness.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    harness.sync()
    for _ in range(2):
        harness.edit_lead(harness.leads()[0]["Id"], newsletter_optout__c=False)
        harness.sync()

    (consent,) = admin_client.request_ok("GET", f"/admin/contacts/{in_path(ANA)}")["consents"]

    assert consent["opted_out"] is True
    assert [proof["rule"] for proof in consent["proofs"]][:2] == ["most_restrictive"] * 2
    times = [proof["at"] for proof in consent["proofs"]]
    assert times == sorted(times, reverse=True)
