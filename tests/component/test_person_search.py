"""The search of people, and the pages of their records with their last changes."""

from __future__ import annotations

from typing import Any

import pytest

from connector.admin.person_search import long_id
from tests.component.admin_client import AdminClient
from tests.component.harness import SALESFORCE, Harness

ANA = "ana@example.com"
SEARCH = "/admin/people/search"


@pytest.fixture
def two_people(harness: Harness) -> tuple[str, str]:
    """Ana, from Plezi, and Zoe, from Salesforce; the ids of Ana's records."""
    contact = harness.add_person(email=ANA, first_name="Ana", last_name="Lopez")
    harness.add_lead(Email="zoe@example.com", FirstName="Zoe", LastName="Lopez-Roi")
    harness.sync()
    return contact, harness.leads(ANA)[0]["Id"]


def found(admin_client: AdminClient, text: str) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = admin_client.request_ok("POST", SEARCH, {"text": text})["people"]
    return people


def test_a_person_is_found_by_e_mail_and_by_the_id_of_a_record_of_either_side(
    admin_client: AdminClient, harness: Harness, two_people: tuple[str, str]
) -> None:
    contact, lead = two_people
    harness.mark()
    for text in ("ANA@example.com ", contact, lead, lead[:15]):
        (person,) = found(admin_client, text)
        assert (person["email"], person["known"]) == (ANA, True)
        assert {record["id"] for record in person["records"]} == {contact, lead}
    assert harness.calls("salesforce")["total"] == 0


@pytest.mark.usefixtures("two_people")
def test_people_are_found_by_a_part_of_their_name_with_two_calls(
    admin_client: AdminClient, harness: Harness
) -> None:
    harness.add_lead(FirstName="Leo", LastName="Lopez")  # without an e-mail
    harness.add_contact(Email="new@example.com", LastName="Lopez")  # not synchronized
    harness.mark()

    people = found(admin_client, "lopez")

    assert harness.calls("salesforce")["total"] == 2
    assert harness.calls("plezi")["total"] == 0
    assert [(it["email"], it["known"]) for it in people] == [
        (ANA, True),
        ("zoe@example.com", True),
        ("new@example.com", False),
        ("", False),
    ]
    assert found(admin_client, "Ana Lopez")[0]["email"] == ANA


@pytest.mark.usefixtures("two_people")
def test_the_signs_of_a_pattern_are_letters_of_a_name(admin_client: AdminClient) -> None:
    for text in ("%%", "L_pez", "' OR Name != '", "\\\\"):
        assert found(admin_client, text) == []


def test_many_people_of_one_name_are_cut_and_it_is_said(
    admin_client: AdminClient, harness: Harness
) -> None:
    for number in range(21):
        harness.add_lead(Email=f"p{number}@example.com", LastName="Lopez")

    result = admin_client.request_ok("POST", SEARCH, {"text": "Lopez"})

    assert (len(result["people"]), result["complete"]) == (20, False)


def test_a_short_id_gets_its_suffix() -> None:
    # Salesforce Help, "Convert 15-Character ID to 18-Character ID"
    assert long_id("0013000000Eds2I")[:15] == "0013000000Eds2I"
    assert long_id("a" * 15) == "a" * 15 + "AAA"
    assert long_id("A" * 15) == "A" * 15 + "555"
    assert long_id("98ae20") == "98ae20"


def test_the_records_of_a_conflict_have_their_pages_and_who_typed_when(
    admin_client: AdminClient, harness: Harness, two_people: tuple[str, str]
) -> None:
    contact, lead = two_people
    harness.edit_lead(lead, Phone="+33123456789")
    harness.mark()

    (person,) = admin_client.request_ok(
        "POST", "/admin/people/records", {"emails": [ANA, "nobody@example.com"]}
    )["people"]

    plezi, salesforce = person["records"]
    assert harness.calls("salesforce")["total"] == 1
    assert (plezi["id"], plezi["modified_by"]) == (contact, "")
    assert plezi["page"].endswith(contact)
    assert plezi["modified"]
    assert salesforce["page"] == f"{SALESFORCE}/{lead}"
    username = harness.org.sales_user.username
    query = f"SELECT Name FROM User WHERE Username = '{username}'"
    [user] = harness.salesforce("GET", "query", q=query)["records"]
    assert salesforce["modified_by"] == user["Name"]
    assert salesforce["modified"].startswith("20")
