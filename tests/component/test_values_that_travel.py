"""Values, keys and stamps in their real forms, through both systems (L6, L9, L13 and L15)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import RunKind, RunState
from tests.component.altered_salesforce import put_before_org
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, lead_of, next_run_writes_nothing
from tests.component.test_salesforce_pages_that_fail import is_page

CONSENTS = FieldPair("consents", "consents__c", Direction.BOTH)
GRADE = FieldPair("grade", "grade__c", Direction.BOTH)
HALF_A_CENT = 0.005_000_1
BUDGET = FieldPair("budget", "budget__c", Direction.BOTH)


def use_mapping(harness: Harness, *pairs: FieldPair, **settings: Any) -> None:
    mapping = replace(
        DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, *pairs), **settings
    )
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def add_field(harness: Harness, name: str, **metadata: Any) -> None:
    body = {"name": name, "Metadata": {"label": name, **metadata}}
    harness.control("salesforce", "POST", "fields/Lead", body)


def lead_value(harness: Harness, name: str) -> Any:
    [row] = harness.salesforce("GET", "query", q=f"SELECT {name} FROM Lead")["records"]
    return row[name]


# L6: phone numbers, e-mails and numbers


def test_l6_two_spellings_of_a_phone_number_are_agreed_and_nothing_is_written(
    harness: Harness,
) -> None:
    use_mapping(harness)
    harness.add_person(email=ANA, last_name="Lopez", company="Acme", phone="+33 (0)1 23 45 67 89")
    harness.add_lead(Email=ANA, LastName="Lopez", Company="Acme", Phone="01.23.45.67.89")

    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE

    assert lead_of(harness)["Phone"] == "01.23.45.67.89"
    assert harness.people()[ANA]["phone"] == "+33 (0)1 23 45 67 89"
    assert [entry for entry in harness.journal(ANA) if entry["field"] == "Phone"] == []
    assert next_run_writes_nothing(harness)


def test_l6_a_number_without_a_country_code_is_one_of_the_country_of_the_mapping(
    harness: Harness,
) -> None:
    use_mapping(harness, phone_region="BE")
    harness.add_person(email=ANA, last_name="Lopez", company="Acme", phone="081 12 34 56")
    harness.add_lead(Email=ANA, LastName="Lopez", Company="Acme", Phone="+32 81 12 34 56")

    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE

    assert lead_of(harness)["Phone"] == "+32 81 12 34 56"
    assert harness.people()[ANA]["phone"] == "081 12 34 56"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1-800-FLOWERS", "1-800-CONTACTS"),
        ("01 23 45 67 89", "01 23 45 67 89 p. 12"),
        ("01 23 45 67 89 x12", "01 23 45 67 89"),
        ("01 23 45 67 89", "01 23 45 67 89 (home)"),
    ],
)
def test_l6_letters_and_an_extension_travel(harness: Harness, before: str, after: str) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez", phone=before)
    harness.sync()
    harness.edit_person(person, phone=after)

    harness.sync()

    assert lead_of(harness)["Phone"] == after
    assert next_run_writes_nothing(harness)


@pytest.mark.parametrize("number", [12.345, -12.345, 2.5, 0.125, 1.005, 99999.999])
def test_l6_a_number_with_more_decimals_is_written_once(harness: Harness, number: float) -> None:
    harness.control("plezi", "POST", "attributes", {"name": "budget", "type": "number"})
    add_field(harness, "budget__c", type="Number", precision=9, scale=2)
    use_mapping(harness, BUDGET)
    person = harness.add_person(email=ANA, last_name="Lopez", budget=number)
    harness.sync()

    stored = lead_value(harness, "budget__c")
    assert abs(stored - number) <= HALF_A_CENT
    assert stored == round(stored, 2)
    assert next_run_writes_nothing(harness)
    harness.edit_lead(lead_of(harness)["Id"], Title="CEO")
    assert next_run_writes_nothing(harness)
    assert harness.people()[ANA]["budget"] == number
    harness.edit_person(person, budget=number + 1)
    harness.sync()
    assert abs(lead_value(harness, "budget__c") - number - 1) <= HALF_A_CENT


# L9: keys of lists


def test_l9_keys_that_are_numbers_come_back_as_numbers(harness: Harness) -> None:
    add_field(
        harness,
        "consents__c",
        type="MultiselectPicklist",
        valueSet={"valueSetDefinition": {"value": [{"fullName": "1"}, {"fullName": "2"}]}},
    )
    use_mapping(harness, CONSENTS)
    harness.add_person(email=ANA, last_name="Lopez", consents=[1])
    harness.sync()
    assert lead_value(harness, "consents__c") == "1"

    harness.edit_lead(lead_of(harness)["Id"], consents__c="1;2", Phone="0123456789")
    run = harness.sync()

    assert run.state is RunState.DONE
    assert harness.people()[ANA]["consents"] == [1, 2]
    assert harness.people()[ANA]["phone"] == "0123456789"
    assert next_run_writes_nothing(harness)


@pytest.mark.parametrize(
    ("keys", "first", "second"),
    [([1, 2], 1, 2), ([True, False], True, False), ([10, "x"], 10, "x"), (["1", "2"], "1", "2")],
    ids=["numbers", "true and false", "mixed", "texts"],
)
def test_l9_a_key_of_a_single_choice_keeps_its_type(
    harness: Harness, keys: list[Any], first: Any, second: Any
) -> None:
    attribute = {"name": "grade", "type": "list", "options": keys}
    harness.control("plezi", "POST", "attributes", attribute)
    texts = {key: json.dumps(key).strip('"') for key in keys}
    values = [{"fullName": text} for text in texts.values()]
    add_field(
        harness, "grade__c", type="Picklist", valueSet={"valueSetDefinition": {"value": values}}
    )
    use_mapping(harness, GRADE)
    harness.add_person(email=ANA, last_name="Lopez", grade=first)
    harness.sync()
    assert lead_value(harness, "grade__c") == texts[first]
    assert next_run_writes_nothing(harness)

    harness.edit_lead(lead_of(harness)["Id"], grade__c=texts[second])
    harness.sync()

    stored = harness.people()[ANA]["grade"]
    assert (stored, type(stored)) == (second, type(second))
    assert next_run_writes_nothing(harness)


# L13: stamps with local offsets


def set_clocks(harness: Harness, text: str) -> None:
    """Set the clocks of both systems and of the connector; they stand still in the systems.

    The session of the Salesforce user may have expired.
    """
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"now": text, "frozen": True})
    harness.let_pass(datetime.fromisoformat(text).timestamp() - harness.clock())
    harness._token = harness._log_in()


@pytest.mark.parametrize("changed_since", ["honoured", "ignored"])
def test_l13_an_edit_in_the_hour_of_a_clock_change_travels(
    harness: Harness, changed_since: str
) -> None:
    switches = {"stamps": "local", "changed_since": changed_since}
    harness.control("plezi", "POST", "switches", switches)
    set_clocks(harness, "2027-10-31T00:00:00Z")
    person = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.sync()
    set_clocks(harness, "2027-10-31T00:30:00Z")  # 02:30, summer time
    harness.edit_person(person, phone="2")
    harness.sync()
    assert lead_of(harness)["Phone"] == "2"

    set_clocks(harness, "2027-10-31T01:10:00Z")  # 02:10, winter time
    harness.edit_person(person, phone="3")
    harness.sync()

    assert lead_of(harness)["Phone"] == "3"
    assert next_run_writes_nothing(harness)


def test_l13_the_newest_of_two_edits_wins_by_the_instant(harness: Harness) -> None:
    harness.control("plezi", "POST", "switches", {"stamps": "local"})
    set_clocks(harness, "2027-10-31T00:00:00Z")
    person = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.sync()
    set_clocks(harness, "2027-10-31T00:50:00Z")
    harness.edit_person(person, phone="older")  # 02:50+02:00
    set_clocks(harness, "2027-10-31T01:05:00Z")
    harness.edit_lead(lead_of(harness)["Id"], Phone="newer")  # 02:05+01:00

    harness.sync()

    assert lead_of(harness)["Phone"] == harness.people()[ANA]["phone"] == "newer"


# L15: equal stamps on the edge of a page


def test_l15_leads_with_one_stamp_on_the_edges_of_pages_all_arrive(harness: Harness) -> None:
    """Pages of one row, because the org answers no larger one; each is read by a new invocation."""
    set_clocks(harness, "2027-06-01T10:00:00Z")
    emails = {f"p{number}@example.com" for number in range(4)}
    for email in sorted(emails):
        harness.add_lead(Email=email)
    stamps = harness.salesforce("GET", "query", q="SELECT SystemModstamp FROM Lead")["records"]
    assert len({row["SystemModstamp"] for row in stamps}) == 1

    def fail_larger_pages(request: Request, response: Response) -> None:
        if is_page(request) and response.get_data(as_text=True).count("@example.com") > 1:
            response.status_code = 500
            response.set_data(json.dumps([{"errorCode": "UNKNOWN_EXCEPTION", "message": ""}]))

    put_before_org(harness, alter=fail_larger_pages)
    run = harness.sync(out_of_time=lambda: True)

    assert run.state is RunState.DONE, run.message
    assert harness.people().keys() == emails


@pytest.mark.parametrize("changed_since", ["honoured", "ignored"])
@pytest.mark.parametrize("pager", ["page", "limit_offset"])
def test_l15_contacts_with_one_stamp_on_the_edges_of_pages_all_arrive(
    harness: Harness, pager: str, changed_since: str
) -> None:
    switches = {"pager": pager, "changed_since": changed_since}
    harness.control("plezi", "POST", "switches", switches)
    numbers = [0, 1, 1, 1, 1, 2, 2]  # the minute of each contact; a page has two of them
    emails = {f"p{at}@example.com" for at in range(len(numbers))}
    for at, minute in enumerate(numbers):
        set_clocks(harness, f"2027-06-01T10:0{minute}:00Z")
        harness.add_person(email=f"p{at}@example.com", last_name="Name")
    dialect = json.dumps({"page_size": 2, "pager": pager})
    worker = harness.build(replace(harness.settings, plezi_dialect=dialect))
    harness.context, harness.engine = worker.context, worker.engine

    run = harness.sync(out_of_time=lambda: True)

    assert run.state is RunState.DONE, run.message
    assert {lead["Email"] for lead in harness.leads()} == emails
