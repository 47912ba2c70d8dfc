"""Consent: an opt-out on either side is never undone by the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from tests.component.harness import Harness

ANA = "ana@example.com"
OPT_OUT = FieldPair(
    "newsletter_optout",
    "newsletter_optout__c",
    Direction.BOTH,
    policy=ConflictPolicy.MOST_RESTRICTIVE,
)


@pytest.fixture
def consenting(harness: Harness) -> Harness:
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, OPT_OUT))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]
    return harness


def opted_out(harness: Harness) -> tuple[Any, Any]:
    query = "SELECT Id, newsletter_optout__c FROM Lead"
    [lead] = harness.salesforce("GET", "query", q=query)["records"]
    return harness.people()[ANA]["newsletter_optout"], lead["newsletter_optout__c"]


def test_an_opt_out_in_plezi_is_written_to_the_lead_and_stays(consenting: Harness) -> None:
    person = consenting.add_person(email=ANA, last_name="Lopez")
    consenting.sync()
    consenting.edit_person(person, newsletter_optout=True)
    consenting.sync()
    assert opted_out(consenting) == (True, True)

    consenting.edit_lead(consenting.leads()[0]["Id"], newsletter_optout__c=False)
    consenting.sync()

    assert opted_out(consenting) == (True, True)


def test_an_opt_out_in_salesforce_is_written_to_plezi_and_stays(consenting: Harness) -> None:
    person = consenting.add_person(email=ANA, last_name="Lopez")
    consenting.sync()
    consenting.edit_lead(consenting.leads()[0]["Id"], newsletter_optout__c=True)
    consenting.sync()
    assert opted_out(consenting) == (True, True)

    consenting.edit_person(person, newsletter_optout=False)
    consenting.sync()

    assert opted_out(consenting) == (True, True)


def test_an_opt_out_wins_at_the_first_match_although_the_other_record_is_newer(
    consenting: Harness,
) -> None:
    consenting.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    consenting.control("salesforce", "POST", "clock", {"advance": 3600})
    consenting.add_lead(Email=ANA, LastName="Lopez", newsletter_optout__c=False)

    consenting.sync()

    assert opted_out(consenting) == (True, True)


def test_consent_is_restored_when_both_sides_remove_the_opt_out(consenting: Harness) -> None:
    person = consenting.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    consenting.sync()

    consenting.edit_person(person, newsletter_optout=False)
    consenting.edit_lead(consenting.leads()[0]["Id"], newsletter_optout__c=False)
    consenting.sync()

    assert opted_out(consenting) == (False, False)
