"""Consent: an opt-out on one side is never removed by the other side."""

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
