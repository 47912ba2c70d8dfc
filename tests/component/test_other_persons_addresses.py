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


def save(h: Harness, *pairs: FieldPair, **settings: Any) -> None:
    pairs = (*DEFAULT_MAPPING.pairs, *(pairs or (OPT,)))
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=pairs, **settings)
    h.context.mappings.save(mapping)  # type: ignore[attr-defined]


def run(h: Harness, times: int = 1, **options: Any) -> None:
    for _ in range(times):
        h.sync(**options)
        advance_clocks(h)


def lead_rows(h: Harness) -> list[dict[str, Any]]:
    fields = (
        "Id,Email,LastName,Phone,MobilePhone,newsletter_optout__c,HasOptedOutOfEmail,Description"
    )
    return list(h.salesforce("GET", "query", q=f"SELECT {fields} FROM Lead ORDER BY Id")["records"])


def change_contact(h: Harness, contact: str, **fields: Any) -> None:
    h.salesforce("PATCH", f"sobjects/Contact/{contact}", fields)


def ana_with_unflagged_contact(h: Harness) -> tuple[str, str]:
    save(h)
    ana = h.add_person(email=ANA, last_name="Lopez", phone="1")
    run(h)
    contact = h.add_contact(Email=ANA, LastName="Durand")  # no flag: it takes no part
    run(h)
    return ana, contact


def test_a_contact_without_the_flag_that_gets_another_e_mail_moves_nobody(harness: Harness) -> None:
    h = harness
    _, contact = ana_with_unflagged_contact(h)
    change_contact(h, contact, Email=PAUL)  # sales correct the e-mail of the Contact
    run(h)
    h.add_person(email=PAUL, last_name="Durand", mobile="44", newsletter_optout=True)
    run(h, 2)

    [lead] = lead_rows(h)
    people = h.people()
    found = (lead["Email"], lead["LastName"], lead["MobilePhone"], lead["newsletter_optout__c"])
    assert (found, people[PAUL]["phone"]) == ((ANA, "Lopez", None, False), None)


def test_a_new_lead_with_the_e_mail_that_such_a_contact_got_is_another_person(
    harness: Harness,
) -> None:
    h = harness
    _, contact = ana_with_unflagged_contact(h)
    change_contact(h, contact, Email=PAUL)
    run(h)
    h.add_lead(Email=PAUL, LastName="Durand", Company="D", Phone="9", newsletter_optout__c=True)
    run(h, 2)

    found = [(it["Email"], it["LastName"], it["newsletter_optout__c"]) for it in lead_rows(h)]
    assert found == [(ANA, "Lopez", False), (PAUL, "Durand", True)]


def test_a_person_deleted_in_plezi_is_not_moved_by_such_a_contact(harness: Harness) -> None:
    h = harness
    ana, contact = ana_with_unflagged_contact(h)
    change_contact(h, contact, Email=PAUL)
    run(h)
    h.control("plezi", "DELETE", f"contacts/{ana}")
    h.edit_lead(lead_of(h)["Id"], Phone="2")
    run(h, 2)
    h.add_person(email=PAUL, last_name="Durand")
    run(h, 2)

    assert list(h.people()) == [PAUL]


def test_a_person_who_is_only_a_contact_without_the_flag_stays_too(harness: Harness) -> None:
    h = harness
    save(h)
    contact = h.add_contact(Email=ANA, LastName="Durand")
    h.add_person(email=ANA, last_name="Lopez", phone="1")
    run(h, 2)
    change_contact(h, contact, Email=PAUL)
    run(h)
    h.add_lead(Email=PAUL, LastName="Durand", Company="D", newsletter_optout__c=True)
    run(h, 2)

    assert ANA in h.people()
    assert not h.people()[ANA]["newsletter_optout"]


@pytest.mark.parametrize("kind", ["survivor", "primary picked", "outside the filter", "flag off"])
def test_no_record_that_takes_no_part_moves_the_person(harness: Harness, kind: str) -> None:
    h = harness
    settings: dict[str, Any] = {}
    if kind == "survivor":
        settings = {"duplicates": DuplicatePolicy.SURVIVOR}
    if kind == "outside the filter":
        settings = {"lead_filter": Filter("Status", Operator.NOT_EQUALS, "Closed - Not Converted")}
    save(h, **settings)
    h.add_person(email=ANA, last_name="Lopez", phone="1")
    run(h)
    first = lead_of(h)["Id"]
    if kind == "flag off":
        other = h.add_contact(Email=ANA, LastName="Lopez", sync_to_plezi__c="yes")
        run(h)
        change_contact(h, other, sync_to_plezi__c="no", Email=PAUL)
    else:
        status = {"Status": "Closed - Not Converted"} if kind == "outside the filter" else {}
        other = h.add_lead(Email=ANA, LastName="Durand", Company="D", **status)
        run(h)
        if kind == "primary picked":
            link = h.ledger.load_links([ANA])[ANA]
            h.ledger.save_links([LinkChange(pick_primary(link, first))])
            run(h)
        h.edit_lead(other, Email=PAUL)
    run(h)
    h.add_person(email=PAUL, last_name="Durand", mobile="44", newsletter_optout=True)
    run(h, 2)

    [lead] = [it for it in lead_rows(h) if it["Id"] == first]
    assert (lead["Email"], lead["LastName"], lead["newsletter_optout__c"]) == (ANA, "Lopez", False)


def test_a_person_is_found_under_the_e_mail_that_both_records_have(
    harness: Harness, admin_client: AdminClient
) -> None:
    h = harness
    _, contact = ana_with_unflagged_contact(h)
    change_contact(h, contact, Email=PAUL)
    run(h)

    exported = admin_client.request_ok("POST", "/admin/people/export", {"email": ANA})
    assert exported["records"]


@pytest.mark.parametrize("deleted", ["ana", "bob"])
def test_a_taken_e_mail_is_free_once_the_duplicates_are_merged_in_both_systems(
    harness: Harness, deleted: str
) -> None:
    h = harness
    save(h)
    ana = h.add_person(email=ANA, last_name="Lopez", phone="1")
    bob = h.add_person(email=BOB, last_name="Lopez")
    run(h)
    lead, merged = lead_of(h)["Id"], lead_of(h, BOB)["Id"]
    merge_leads(h, lead, merged)
    h.edit_lead(lead, Email=BOB)  # the e-mail that is kept
    run(h, 2)
    h.control("plezi", "DELETE", f"contacts/{ana if deleted == 'ana' else bob}")
    run(h)
    if deleted == "ana":
        h.edit_person(bob, newsletter_optout=True)
    for _ in range(2):
        run(h, kind=RunKind.FULL)
        run(h)
        h.let_pass(8 * 86400)
        advance_clocks(h, 8 * 86400)
        h._token = h._log_in()
    run(h, kind=RunKind.SELECTED, emails=(ANA, BOB))
    run(h)

    if deleted == "ana":
        [row] = lead_rows(h)
        assert (row["Email"], row["newsletter_optout__c"]) == (BOB, True)
    else:
        assert list(h.people()) == [BOB]


def test_an_opt_out_in_a_lead_that_no_run_writes_to_reaches_plezi(harness: Harness) -> None:
    h = harness
    save(h, duplicates=DuplicatePolicy.SURVIVOR)
    h.add_person(email=ANA, last_name="Lopez")
    run(h)
    first = lead_of(h)["Id"]
    second = h.add_lead(Email=ANA, LastName="Lopez", Company="X")
    run(h)
    h.edit_lead(second, newsletter_optout__c=True)
    run(h)
    merge_leads(h, first, second)
    run(h, 2)

    assert h.people()[ANA]["newsletter_optout"] is True


def test_an_opt_out_in_a_lead_beside_the_primary_one_reaches_plezi(harness: Harness) -> None:
    h = harness
    save(h)
    h.add_person(email=ANA, last_name="Lopez")
    run(h)
    first = lead_of(h)["Id"]
    second = h.add_lead(Email=ANA, LastName="Lopez", Company="X")
    run(h, 2)
    link = h.ledger.load_links([ANA])[ANA]
    h.ledger.save_links([LinkChange(pick_primary(link, first))])
    run(h)
    h.edit_lead(second, newsletter_optout__c=True)
    run(h, 2)
    run(h, kind=RunKind.FULL)

    assert h.people()[ANA]["newsletter_optout"] is True


def test_a_placeholder_that_sales_type_is_a_blank_in_plezi(harness: Harness) -> None:
    h = harness
    save(h)
    h.add_person(email=ANA, last_name="Lopez", company="Acme")
    run(h)
    h.edit_lead(lead_of(h)["Id"], Company="[unknown]")
    run(h, 2)
    verify = h.sync(kind=RunKind.VERIFY)
    drift = [(it.field, it.before, it.after, it.rule) for it in h.plan(verify.id)]

    assert (h.people()[ANA]["company"], drift) == (None, [])


def test_what_is_typed_with_the_e_mail_of_another_person_waits_with_it(harness: Harness) -> None:
    h = harness
    save(h)
    h.add_person(email=ANA, last_name="Lopez", phone="1")
    h.add_person(email=BOB, last_name="Bobson", phone="2")
    run(h)
    h.edit_lead(lead_of(h)["Id"], Email=BOB, FirstName="Bob", LastName="Bobson", Phone="22")
    run(h, 2)

    ana = h.people()[ANA]
    assert (ana["first_name"], ana["last_name"], ana["phone"]) == (None, "Lopez", "1")


def test_a_second_lead_that_gets_the_e_mail_of_another_person_is_theirs(harness: Harness) -> None:
    h = harness
    save(h)
    h.add_person(email=ANA, last_name="Lopez", phone="1")
    h.add_person(email=BOB, last_name="Bobson", phone="2")
    run(h)
    second = h.add_lead(Email=ANA, LastName="Lopez", Company="X")
    run(h, 2)
    h.edit_lead(second, Email=BOB, LastName="Bobson", newsletter_optout__c=True)
    run(h, 2)

    found = {name: it["newsletter_optout"] or False for name, it in h.people().items()}
    names = {it["Email"]: it["LastName"] for it in lead_rows(h)}
    assert (found, names) == ({ANA: False, BOB: True}, {ANA: "Lopez", BOB: "Bobson"})


def test_a_taken_e_mail_waits_since_a_time(harness: Harness, admin_client: AdminClient) -> None:
    h = harness
    save(h)
    h.add_person(email=ANA, last_name="Lopez")
    h.add_person(email=BOB, last_name="Bobson")
    run(h)
    h.edit_lead(lead_of(h)["Id"], Email=BOB)
    run(h, 2)
    [person] = admin_client.request_ok("GET", "/admin/attention", kind="hold")["people"]
    assert person["holds"][0]["since"] > 0


def test_of_two_contacts_with_one_e_mail_the_one_that_gets_its_own_is_another_person(
    harness: Harness,
) -> None:
    h = harness
    save(h)
    flag = {"sync_to_plezi__c": "yes"}
    one = h.add_contact(Email=ANA, LastName="One", Phone="1", **flag)
    two = h.add_contact(Email=ANA, LastName="Two", Phone="2", **flag)
    run(h, 2)
    change_contact(h, two, Email=PAUL)
    run(h, 2)
    change_contact(h, one, Phone="11")
    run(h, 2)
    run(h, kind=RunKind.FULL)

    phones = {mail: person["phone"] for mail, person in h.people().items()}
    assert phones == {ANA: "11", PAUL: "2"}
