"""Consent: an opt-out on either side is never undone by the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, Direction, Line, Policy
from tests.component.stage import Stage

ANA = "ana@example.com"
OPT_OUT = Line(
    "newsletter_optout", "newsletter_optout__c", Direction.BOTH, policy=Policy.MOST_RESTRICTIVE
)


@pytest.fixture
def consenting(stage: Stage) -> Stage:
    mapping = replace(DEFAULT_MAPPING, version=1, lines=(*DEFAULT_MAPPING.lines, OPT_OUT))
    stage.world.configuration.save(mapping)  # type: ignore[attr-defined]
    return stage


def opted_out(stage: Stage) -> tuple[Any, Any]:
    query = "SELECT Id, newsletter_optout__c FROM Lead"
    [lead] = stage.salesforce("GET", "query", q=query)["records"]
    return stage.people()[ANA]["newsletter_optout"], lead["newsletter_optout__c"]


def test_an_opt_out_in_plezi_reaches_the_lead_and_stays(consenting: Stage) -> None:
    person = consenting.add_person(email=ANA, last_name="Lopez")
    consenting.sync()
    consenting.edit_person(person, newsletter_optout=True)
    consenting.sync()
    assert opted_out(consenting) == (True, True)

    consenting.edit_lead(consenting.leads()[0]["Id"], newsletter_optout__c=False)
    consenting.sync()

    assert opted_out(consenting) == (True, True)


def test_an_opt_out_in_salesforce_reaches_plezi_and_stays(consenting: Stage) -> None:
    person = consenting.add_person(email=ANA, last_name="Lopez")
    consenting.sync()
    consenting.edit_lead(consenting.leads()[0]["Id"], newsletter_optout__c=True)
    consenting.sync()
    assert opted_out(consenting) == (True, True)

    consenting.edit_person(person, newsletter_optout=False)
    consenting.sync()

    assert opted_out(consenting) == (True, True)


def test_an_opt_out_wins_at_the_first_meeting_whoever_is_newer(consenting: Stage) -> None:
    consenting.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    consenting.control("salesforce", "POST", "clock", {"advance": 3600})
    consenting.add_lead(Email=ANA, LastName="Lopez", newsletter_optout__c=False)

    consenting.sync()

    assert opted_out(consenting) == (True, True)


def test_consent_comes_back_when_both_sides_say_so(consenting: Stage) -> None:
    person = consenting.add_person(email=ANA, last_name="Lopez", newsletter_optout=True)
    consenting.sync()

    consenting.edit_person(person, newsletter_optout=False)
    consenting.edit_lead(consenting.leads()[0]["Id"], newsletter_optout__c=False)
    consenting.sync()

    assert opted_out(consenting) == (False, False)
