"""Records that get the e-mail of another person, and records that take no part.

No two people are mixed, and no opt-out is lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, DuplicatePolicy, FieldPair
from connector.mapping.model import Filter, Operator
from connector.model import LinkChange, RunKind
from connector.planning.manual_actions import pick_primary
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, advance_clocks, lead_of, merge_leads

PAUL = "paul@example.com"
OPT = FieldPair(
    "newsletter_optout",
    "newsletter_optout__c",
    Direction.BOTH,
    ConflictPolicy.MOST_RESTRICTIVE,
    contact="newsletter_optout__c",
)


def save(harness: Harness, *pairs: FieldPair, **settings: Any) -> None:
    pairs = (*DEFAULT_MAPPING.pairs, *(pairs or (OPT,)))
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=pairs, **settings)
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def run(harness: Harness, times: int = 1, **options: Any) -> None:
    for _ in range(times):
        harness.sync(**options)
        advance_clocks(harness)


def lead_rows(harness: Harness) -> list[dict[str, Any]]:
    fields = (
        "Id,Email,LastName,Phone,MobilePhone,newsletter_optout__c,HasOptedOutOfEmail,Description"
    )
    return list(
        harness.salesforce("GET", "query", q=f"SELECT {fields} FROM Lead ORDER BY Id")["records"]
    )


def change_contact(harness: Harness, contact: str, **fields: Any) -> None:
    harness.salesforce("PATCH", f"sobjects/Contact/{contact}", fields)


def ana_with_unflagged_contact(harness: Harness) -> tuple[str, str]:
    save(harness)
    ana = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    run(harness)
    contact = harness.add_contact(Email=ANA, LastName="Durand")  # no flag: it takes no part
    run(harness)
    return ana, contact


def test_a_contact_without_the_flag_that_gets_another_e_mail_moves_nobody(harness: Harness) -> None:
    _, contact = ana_with_unflagged_contact(harness)
    change_contact(harness, contact, Email=PAUL)  # sales correct the e-mail of the Contact
    run(harness)
    harness.add_person(email=PAUL, last_name="Durand", mobile="44", newsletter_optout=True)
    run(harness, 2)

    [lead] = lead_rows(harness)
    people = harness.people()
    found = (lead["Email"], lead["LastName"], lead["MobilePhone"], lead["newsletter_optout__c"])
    assert (found, people[PAUL]["phone"]) == ((ANA, "Lopez", None, False), None)


def test_a_new_lead_with_the_e_mail_that_such_a_contact_got_is_another_person(
    harness: Harness,
) -> None:
    _, contact = ana_with_unflagged_contact(harness)
    change_contact(harness, contact, Email=PAUL)
    run(harness)
    harness.add_lead(
        Email=PAUL, LastName="Durand", Company="D", Phone="9", newsletter_optout__c=True
    )
    run(harness, 2)

    found = [(it["Email"], it["LastName"], it["newsletter_optout__c"]) for it in lead_rows(harness)]
    assert found == [(ANA, "Lopez", False), (PAUL, "Durand", True)]


def test_a_person_deleted_in_plezi_is_not_moved_by_such_a_contact(harness: Harness) -> None:
    ana, contact = ana_with_unflagged_contact(harness)
    change_contact(harness, contact, Email=PAUL)
    run(harness)
    harness.control("plezi", "DELETE", f"contacts/{ana}")
    harness.edit_lead(lead_of(harness)["Id"], Phone="2")
    run(harness, 2)
    harness.add_person(email=PAUL, last_name="Durand")
    run(harness, 2)

    assert list(harness.people()) == [PAUL]


def test_a_person_who_is_only_a_contact_without_the_flag_stays_too(harness: Harness) -> None:
    save(harness)
    contact = harness.add_contact(Email=ANA, LastName="Durand")
    harness.add_person(email=ANA, last_name="Lopez", phone="1")
    run(harness, 2)
    change_contact(harness, contact, Email=PAUL)
    run(harness)
    harness.add_lead(Email=PAUL, LastName="Durand", Company="D", newsletter_optout__c=True)
    run(harness, 2)

    assert ANA in harness.people()
    assert not harness.people()[ANA]["newsletter_optout"]


@pytest.mark.parametrize("kind", ["survivor", "primary picked", "outside the filter", "flag off"])
def test_no_record_that_takes_no_part_moves_the_person(harness: Harness, kind: str) -> None:
    settings: dict[str, Any] = {}
    if kind == "survivor":
        settings = {"duplicates": DuplicatePolicy.SURVIVOR}
    if kind == "outside the filter":
        settings = {"lead_filter": Filter("Status", Operator.NOT_EQUALS, "Closed - Not Converted")}
    save(harness, **settings)
    harness.add_person(email=ANA, last_name="Lopez", phone="1")
    run(harness)
    first = lead_of(harness)["Id"]
    if kind == "flag off":
        other = harness.add_contact(Email=ANA, LastName="Lopez", sync_to_plezi__c="yes")
        run(harness)
        change_contact(harness, other, sync_to_plezi__c="no", Email=PAUL)
    else:
        status = {"Status": "Closed - Not Converted"} if kind == "outside the filter" else {}
        other = harness.add_lead(Email=ANA, LastName="Durand", Company="D", **status)
        run(harness)
        if kind == "primary picked":
            link = harness.ledger.load_links([ANA])[ANA]
            harness.ledger.save_links([LinkChange(pick_primary(link, first))])
            run(harness)
        harness.edit_lead(other, Email=PAUL)
    run(harness)
    harness.add_person(email=PAUL, last_name="Durand", mobile="44", newsletter_optout=True)
    run(harness, 2)

    [lead] = [it for it in lead_rows(harness) if it["Id"] == first]
    assert (lead["Email"], lead["LastName"], lead["newsletter_optout__c"]) == (ANA, "Lopez", False)


def test_a_person_is_found_under_the_e_mail_that_both_records_have(
    harness: Harness, admin_client: AdminClient
) -> None:
    _, contact = ana_with_unflagged_contact(harness)
    change_contact(harness, contact, Email=PAUL)
    run(harness)

    exported = admin_client.request_ok("POST", "/admin/people/export", {"email": ANA})
    assert exported["records"]


@pytest.mark.parametrize("deleted", ["ana", "bob"])
def test_a_taken_e_mail_is_free_once_the_duplicates_are_merged_in_both_systems(
    harness: Harness, deleted: str
) -> None:
    save(harness)
    ana = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    bob = harness.add_person(email=BOB, last_name="Lopez")
    run(harness)
    lead, merged = lead_of(harness)["Id"], lead_of(harness, BOB)["Id"]
    merge_leads(harness, lead, merged)
    harness.edit_lead(lead, Email=BOB)  # the e-mail that is kept
    run(harness, 2)
    harness.control("plezi", "DELETE", f"contacts/{ana if deleted == 'ana' else bob}")
    run(harness)
    if deleted == "ana":
        harness.edit_person(bob, newsletter_optout=True)
    for _ in range(2):
        run(harness, kind=RunKind.FULL)
        run(harness)
        harness.let_pass(8 * 86400)
        advance_clocks(harness, 8 * 86400)
        harness._token = harness._log_in()
    run(harness, kind=RunKind.SELECTED, emails=(ANA, BOB))
    run(harness)

    if deleted == "ana":
        [row] = lead_rows(harness)
        assert (row["Email"], row["newsletter_optout__c"]) == (BOB, True)
    else:
        assert list(harness.people()) == [BOB]


def test_an_opt_out_in_a_lead_that_no_run_writes_to_reaches_plezi(harness: Harness) -> None:
    save(harness, duplicates=DuplicatePolicy.SURVIVOR)
    harness.add_person(email=ANA, last_name="Lopez")
    run(harness)
    first = lead_of(harness)["Id"]
    second = harness.add_lead(Email=ANA, LastName="Lopez", Company="X")
    run(harness)
    harness.edit_lead(second, newsletter_optout__c=True)
    run(harness)
    merge_leads(harness, first, second)
    run(harness, 2)

    assert harness.people()[ANA]["newsletter_optout"] is True


def test_an_opt_out_in_a_lead_beside_the_primary_one_reaches_plezi(harness: Harness) -> None:
    save(harness)
    harness.add_person(email=ANA, last_name="Lopez")
    run(harness)
    first = lead_of(harness)["Id"]
    second = harness.add_lead(Email=ANA, LastName="Lopez", Company="X")
    run(harness, 2)
    link = harness.ledger.load_links([ANA])[ANA]
    harness.ledger.save_links([LinkChange(pick_primary(link, first))])
    run(harness)
    harness.edit_lead(second, newsletter_optout__c=True)
    run(harness, 2)
    run(harness, kind=RunKind.FULL)

    assert harness.people()[ANA]["newsletter_optout"] is True


def test_a_placeholder_that_sales_type_is_a_blank_in_plezi(harness: Harness) -> None:
    save(harness)
    harness.add_person(email=ANA, last_name="Lopez", company="Acme")
    run(harness)
    harness.edit_lead(lead_of(harness)["Id"], Company="[unknown]")
    run(harness, 2)
    verify = harness.sync(kind=RunKind.VERIFY)
    drift = [(it.field, it.before, it.after, it.rule) for it in harness.plan(verify.id)]

    assert (harness.people()[ANA]["company"], drift) == (None, [])


def test_what_is_typed_with_the_e_mail_of_another_person_waits_with_it(harness: Harness) -> None:
    save(harness)
    harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.add_person(email=BOB, last_name="Bobson", phone="2")
    run(harness)
    harness.edit_lead(
        lead_of(harness)["Id"], Email=BOB, FirstName="Bob", LastName="Bobson", Phone="22"
    )
    run(harness, 2)

    ana = harness.people()[ANA]
    assert (ana["first_name"], ana["last_name"], ana["phone"]) == (None, "Lopez", "1")


@pytest.mark.parametrize("is_read_between", [True, False])
def test_such_a_lead_waits_also_when_plezi_gets_a_third_e_mail(
    harness: Harness, *, is_read_between: bool
) -> None:
    """The new e-mail in Plezi says nothing about the one of the other person in the Lead."""
    lead = harness.add_lead(Email=ANA, LastName="Lopez", Phone="101")
    harness.add_lead(Email=BOB, LastName="Bobson")
    run(harness)
    ana = harness.people()[ANA]["id"]
    harness.edit_lead(lead, Email=BOB)
    if is_read_between:
        run(harness)
    harness.edit_person(ana, email=PAUL)
    run(harness, 2)
    harness.edit_person(ana, phone="555")
    harness.edit_lead(lead, MobilePhone="666")
    run(harness, 2)

    people = harness.people()
    assert (people[PAUL]["phone"], people[PAUL]["mobile"]) == ("555", None)
    [row] = [it for it in lead_rows(harness) if it["Id"] == lead]
    assert (row["Email"], row["Phone"], row["MobilePhone"]) == (BOB, "101", "666")

    harness.edit_lead(lead, Email=PAUL)  # and it is the same person again
    run(harness, 2)
    assert (harness.people()[PAUL]["mobile"], lead_rows(harness)[0]["Phone"]) == ("666", "555")


def test_a_second_lead_that_gets_the_e_mail_of_another_person_is_theirs(harness: Harness) -> None:
    save(harness)
    harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.add_person(email=BOB, last_name="Bobson", phone="2")
    run(harness)
    second = harness.add_lead(Email=ANA, LastName="Lopez", Company="X")
    run(harness, 2)
    harness.edit_lead(second, Email=BOB, LastName="Bobson", newsletter_optout__c=True)
    run(harness, 2)

    found = {name: it["newsletter_optout"] or False for name, it in harness.people().items()}
    names = {it["Email"]: it["LastName"] for it in lead_rows(harness)}
    assert (found, names) == ({ANA: False, BOB: True}, {ANA: "Lopez", BOB: "Bobson"})


def test_a_taken_e_mail_waits_since_a_time(harness: Harness, admin_client: AdminClient) -> None:
    save(harness)
    harness.add_person(email=ANA, last_name="Lopez")
    harness.add_person(email=BOB, last_name="Bobson")
    run(harness)
    harness.edit_lead(lead_of(harness)["Id"], Email=BOB)
    run(harness, 2)
    [person] = admin_client.request_ok("GET", "/admin/attention", kind="hold")["people"]
    assert person["holds"][0]["since"] > 0


def test_of_two_contacts_with_one_e_mail_the_one_that_gets_its_own_is_another_person(
    harness: Harness,
) -> None:
    save(harness)
    flag = {"sync_to_plezi__c": "yes"}
    one = harness.add_contact(Email=ANA, LastName="One", Phone="1", **flag)
    two = harness.add_contact(Email=ANA, LastName="Two", Phone="2", **flag)
    run(harness, 2)
    change_contact(harness, two, Email=PAUL)
    run(harness, 2)
    change_contact(harness, one, Phone="11")
    run(harness, 2)
    run(harness, kind=RunKind.FULL)

    phones = {mail: person["phone"] for mail, person in harness.people().items()}
    assert phones == {ANA: "11", PAUL: "2"}


LEAD_ONLY = ("Industry", "Website", "Fax", "Street", "City", "PostalCode", "Country", "Rating")


def test_a_contact_with_fewer_fields_than_its_former_lead_moves_the_person(
    harness: Harness,
) -> None:
    """It agreed in all the fields that Contacts have: the person in Plezi gets the new e-mail."""
    pairs = []
    for name in LEAD_ONLY:
        attribute = f"x_{name.lower()}"
        harness.control("plezi", "POST", "attributes", {"name": attribute, "type": "text"})
        pairs.append(FieldPair(attribute, name, Direction.BOTH))
    save(harness, *pairs)
    harness.add_person(email=ANA, last_name="Durand", phone="1")
    run(harness)
    lead = lead_of(harness)["Id"]
    converted = harness.control("salesforce", "POST", f"leads/{lead}/convert")
    change_contact(harness, converted["contactId"], sync_to_plezi__c="yes")
    run(harness, 2)

    change_contact(harness, converted["contactId"], Email=PAUL)
    run(harness, 2)

    assert list(harness.people()) == [PAUL]


def test_a_new_lead_with_the_page_address_of_another_person_is_of_its_e_mail(
    harness: Harness,
) -> None:
    """A list was imported with its columns shifted by one row."""
    harness.add_person(email=ANA, last_name="Lopez")
    bob = harness.add_person(email=BOB, last_name="Martin", phone="222")
    harness.add_lead(
        Email=ANA,
        LastName="Lopez",
        Company="Ana SA",
        plezi_url__c=f"https://app.plezi.co/contacts/{bob}",
    )

    run(harness, 3)

    lead = lead_of(harness, ANA)
    assert (lead["LastName"], lead["Phone"], lead["Company"]) == ("Lopez", None, "Ana SA")
    assert lead["plezi_url__c"] == harness.people()[ANA]["url"]
    assert harness.people()[ANA]["company"] == "Ana SA"
    assert harness.people()[BOB]["company"] is None
    assert lead_of(harness, BOB)["Phone"] == "222"
