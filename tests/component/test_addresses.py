"""E-mails that change, are taken, given up, swapped or passed on."""

from __future__ import annotations

import boto3
import pytest

from connector.model import AttentionKind, Phase, RunKind
from tests.component.altered_answers import let_hours_pass
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import (
    ANA,
    BOB,
    advance_clocks,
    lead_of,
    next_run_writes_nothing,
)


def empty_the_ledger(harness: Harness) -> None:
    """Delete all items of the ledger and enable synchronization: all records are unknown again."""
    client = boto3.client("dynamodb", region_name=REGION)
    for item in client.scan(TableName="LedgerTable")["Items"]:
        client.delete_item(TableName="LedgerTable", Key={"pk": item["pk"]})
    harness.ledger.set_enabled(on=True, now=0.0)


def read_no_edited_lead_again(harness: Harness) -> None:
    """Let hours pass, and read later Leads: a run reads from what the run before has seen."""
    for email in ("zoe@example.com", "zita@example.com"):
        let_hours_pass(harness)
        harness.add_lead(Email=email, LastName="Zola")
        harness.sync()
    let_hours_pass(harness)


class TestEmail:
    @pytest.mark.parametrize("side", ["plezi", "salesforce"])
    def test_an_email_changed_on_one_side_is_changed_on_the_other_side(
        self, harness: Harness, ana: str, side: str
    ) -> None:
        if side == "plezi":
            harness.edit_person(ana, email="ana.lopez@example.com")
        else:
            harness.edit_lead(lead_of(harness)["Id"], Email="ana.lopez@example.com")

        harness.sync()

        assert list(harness.people()) == ["ana.lopez@example.com"]
        assert [lead["Email"] for lead in harness.leads()] == ["ana.lopez@example.com"]
        assert next_run_writes_nothing(harness)

    def test_an_email_given_up_by_one_contact_and_taken_by_another_is_two_people(
        self, harness: Harness, ana: str
    ) -> None:
        lead = lead_of(harness)["Id"]
        harness.edit_person(ana, email="ana.lopez@example.com")
        other = harness.add_person(email=ANA, last_name="Ruiz", phone="222")

        for _ in range(2):  # the first Lead must give up the e-mail before a second Lead can get it
            harness.sync()

        by_id = {row["Id"]: (row["Email"], row["Phone"]) for row in harness.leads()}
        assert by_id.pop(lead) == ("ana.lopez@example.com", "111")
        assert list(by_id.values()) == [(ANA, "222")]
        assert lead_of(harness)["plezi_url__c"].endswith(other)
        assert next_run_writes_nothing(harness)

    def test_it_is_two_people_when_the_new_contact_is_read_first(
        self, harness: Harness, ana: str
    ) -> None:
        lead = lead_of(harness)["Id"]
        harness.edit_person(ana, email="ana.lopez@example.com")
        harness.add_person(email=ANA, last_name="Ruiz", phone="222")
        harness.control("plezi", "POST", "clock", {"advance": 60})
        harness.edit_person(ana, phone="112")

        for _ in range(2):
            harness.sync()

        by_id = {row["Id"]: (row["Email"], row["Phone"]) for row in harness.leads()}
        assert by_id.pop(lead) == ("ana.lopez@example.com", "112")
        assert list(by_id.values()) == [(ANA, "222")]
        assert next_run_writes_nothing(harness)

    def test_emails_passed_from_one_contact_to_another_do_not_mix_their_values(
        self, harness: Harness, ana: str
    ) -> None:
        bob = harness.add_person(email=BOB, last_name="Roi", phone="999")
        harness.sync()
        leads = {ANA: lead_of(harness)["Id"], BOB: lead_of(harness, BOB)["Id"]}
        harness.edit_person(ana, email="carl@example.com")
        harness.edit_person(bob, email=ANA)

        for _ in range(2):
            harness.sync()

        assert {row["Id"]: (row["Email"], row["Phone"]) for row in harness.leads()} == {
            leads[ANA]: ("carl@example.com", "111"),
            leads[BOB]: (ANA, "999"),
        }
        assert next_run_writes_nothing(harness)

    def test_a_contact_with_a_taken_email_gets_no_lead_without_an_email(
        self, harness: Harness
    ) -> None:
        """It was read, and its e-mail changed before its Lead was created."""
        harness.add_lead(Email=ANA, LastName="Lopez", Company="Acme", Phone="111")
        bob = harness.add_person(email=BOB, last_name="Roi", phone="999")
        run = harness.run_requester.request_run(RunKind.CHANGES)
        harness.engine.run_phase(run, Phase.READ, lambda: True)
        while harness.queued_phase() is Phase.READ:
            harness.engine.run_phase(run, Phase.READ, lambda: True)
        advance_clocks(harness)
        harness.edit_person(bob, email=ANA)

        for _ in range(2):
            harness.sync()

        assert [row["Email"] for row in harness.leads()] == [ANA]
        assert harness.ledger.load_links([BOB])[BOB].holds["Email"].reason == "email_taken"

        harness.edit_person(bob, email="bob.roi@example.com")
        harness.sync()
        assert {row["Email"]: row["Phone"] for row in harness.leads()} == {
            ANA: "111",
            "bob.roi@example.com": "999",
        }
        assert next_run_writes_nothing(harness)

    def test_a_link_held_for_a_taken_email_moves_when_the_email_is_free(
        self, harness: Harness, ana: str
    ) -> None:
        bob = harness.add_person(email=BOB, last_name="Roi", phone="999")
        harness.sync()
        leads = {ANA: lead_of(harness)["Id"], BOB: lead_of(harness, BOB)["Id"]}
        harness.edit_lead(leads[BOB], Email=ANA)
        harness.sync()
        assert harness.ledger.load_links([BOB])[BOB].holds["Email"].reason == "email_taken"

        read_no_edited_lead_again(harness)
        harness.edit_person(ana, email="carl@example.com")
        harness.sync()

        assert harness.ledger.load_links([ANA])[ANA].holds == {}
        assert (harness.people()[ANA]["id"], harness.people()[ANA]["phone"]) == (bob, "999")
        assert harness.ledger.owner_emails([ANA]) == {}
        assert next_run_writes_nothing(harness)

    def test_a_link_held_for_a_taken_email_moves_when_the_other_person_is_deleted(
        self, harness: Harness, ana: str
    ) -> None:
        bob = harness.add_person(email=BOB, last_name="Roi", phone="999")
        harness.sync()
        harness.edit_lead(lead_of(harness, BOB)["Id"], Email=ANA)
        harness.sync()
        assert harness.ledger.load_links([BOB])[BOB].holds["Email"].reason == "email_taken"

        harness.control("plezi", "DELETE", f"contacts/{ana}")
        harness.sync(kind=RunKind.SELECTED, emails=[ANA])
        [lead] = [row for row in harness.leads(ANA) if row["LastName"] == "Lopez"]
        harness.control("salesforce", "DELETE", f"records/Lead/{lead['Id']}")
        harness.sync()

        assert harness.people()[ANA]["id"] == bob
        assert harness.ledger.load_links([BOB]) == {}
        assert next_run_writes_nothing(harness)

    def test_one_of_two_people_who_wait_for_an_email_gets_it_when_it_is_free(
        self, harness: Harness, ana: str
    ) -> None:
        names = {"bob@example.com": "Roi", "cleo@example.com": "Sand"}
        for email, name in names.items():
            harness.add_person(email=email, last_name=name)
        harness.sync()
        for email in names:
            harness.edit_lead(lead_of(harness, email)["Id"], Email=ANA)
        harness.sync()

        read_no_edited_lead_again(harness)
        harness.edit_person(ana, email="carl@example.com")
        harness.sync()

        [waiting] = [it for it in harness.ledger.load_links(names).values() if it.record_ids]
        assert waiting.awaited_emails == {ANA}
        assert harness.people()[ANA]["last_name"] != names[waiting.email]
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_two_leads_of_one_contact_that_get_two_emails_leave_no_link_behind(
        self, harness: Harness
    ) -> None:
        second = harness.add_lead(LastName="Lopez", Company="Acme", Email=ANA, Phone="111")
        harness.sync()
        first = next(row["Id"] for row in harness.leads() if row["Id"] != second)
        harness.edit_lead(first, Email="ana.one@example.com")
        harness.edit_lead(second, Email="ana.two@example.com")

        for _ in range(3):
            harness.sync()

        assert ANA not in harness.ledger.load_links([ANA])
        assert next_run_writes_nothing(harness)

    def test_a_link_returns_to_the_email_that_its_records_agree_on(
        self, harness: Harness, ana: str
    ) -> None:
        empty_the_ledger(harness)
        harness.edit_person(ana, email="zoe@example.com")
        advance_clocks(harness)
        # The Lead is now the newest record, and has the e-mail ANA.
        harness.edit_lead(lead_of(harness)["Id"], Title="CMO")
        harness.sync()
        assert list(harness.people()) == [ANA]

        harness.add_lead(LastName="Lopez", Company="Acme", Email=ANA, Phone="111")
        for _ in range(2):
            harness.sync()

        assert len(harness.ledger.load_links([ANA])[ANA].record_ids) == 3
        assert harness.ledger.load_links(["zoe@example.com"]) == {}

    @pytest.mark.usefixtures("ana")
    def test_an_echo_does_not_move_a_contact_that_returned_to_its_old_email(
        self, harness: Harness
    ) -> None:
        """The Lead still has the e-mail that we wrote, and Plezi has another: that is no edit."""
        person = harness.people()[ANA]["id"]
        harness.edit_person(person, email="ana.lopez@example.com")
        harness.sync()
        advance_clocks(harness)
        harness.edit_person(person, email=ANA)
        advance_clocks(harness)
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="999")

        for _ in range(2):
            harness.sync()

        assert sorted(harness.people()) == [ANA]
        assert [(row["Email"], row["Phone"]) for row in harness.leads()] == [(ANA, "111")] * 2
        assert next_run_writes_nothing(harness)

    def test_a_full_run_does_not_hold_a_taken_email_again(self, harness: Harness, ana: str) -> None:
        harness.add_person(email=BOB, last_name="Ruiz", phone="222")
        harness.sync()
        harness.edit_lead(lead_of(harness)["Id"], Email=BOB)
        harness.sync()
        held = harness.ledger.load_links([ANA])[ANA]
        assert held.holds["Email"].reason == "email_taken"

        for _ in range(3):
            harness.sync(kind=RunKind.FULL)

        assert harness.ledger.load_links([ANA])[ANA].revision == held.revision
        assert ana in held.record_ids

    def test_an_email_in_use_is_listed_for_review_and_written_when_it_is_free(
        self, harness: Harness, ana: str
    ) -> None:
        empty_the_ledger(harness)
        harness.edit_person(ana, email="zoe@example.com")
        harness.add_person(email=ANA, last_name="Ruiz", phone="222")
        advance_clocks(harness)
        # The Lead is now the newest record. Plezi refuses its e-mail.
        harness.edit_lead(lead_of(harness)["Id"], Title="CMO")
        for _ in range(2):
            harness.sync()
        assert harness.ledger.load_links([ANA])[ANA].holds["Email"].reason == "email_in_use"
        assert harness.ledger.emails_needing_attention(AttentionKind.HOLD, 10) == [ANA]

        harness.edit_lead(lead_of(harness)["Id"], Email="zoe@example.com")
        for _ in range(2):
            harness.sync()

        assert harness.ledger.load_links([ANA])[ANA].holds == {}
        assert {row["Email"]: row["Phone"] for row in harness.leads()} == {
            "zoe@example.com": "111",
            ANA: "222",
        }
        assert next_run_writes_nothing(harness)

    def test_a_contact_is_created_when_its_email_is_not_in_use_any_more(
        self, harness: Harness, ana: str
    ) -> None:
        """The Plezi contact that has the e-mail follows a converted Lead under another one."""
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, Email="zoe@example.com")
        harness.add_contact(LastName="Ruiz", Email=ANA, Phone="222", sync_to_plezi__c="yes")
        harness.control("salesforce", "POST", f"leads/{lead}/convert")
        for _ in range(2):
            harness.sync()
        held = harness.ledger.load_links([ANA])[ANA]
        assert held.holds["Email"].reason == "email_in_use"
        harness.sync()
        assert harness.ledger.load_links([ANA])[ANA].revision == held.revision

        harness.edit_person(ana, email="zoe@example.com")
        for _ in range(2):
            harness.sync()

        assert {email: row["phone"] for email, row in harness.people().items()} == {
            "zoe@example.com": "111",
            ANA: "222",
        }
        assert harness.ledger.load_links([ANA])[ANA].holds == {}

    def test_a_person_who_is_only_a_contact_leaves_an_email_to_a_later_lead(
        self, harness: Harness
    ) -> None:
        contact = harness.add_contact(LastName="Ruiz", Email=BOB, sync_to_plezi__c="yes")
        harness.sync()
        harness.edit_person(harness.people()[BOB]["id"], email="zoe@example.com")
        harness.sync()

        harness.add_lead(LastName="Lopez", Company="Acme", Email=BOB, Phone="222")
        for _ in range(2):
            harness.sync()

        assert harness.contact(contact)["Email"] == BOB
        assert harness.people().keys() >= {"zoe@example.com", BOB}
        assert harness.people()[BOB]["phone"] == "222"
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_an_email_of_another_contact_is_held_and_no_values_are_mixed(
        self, harness: Harness
    ) -> None:
        harness.add_person(email=BOB, last_name="Roi", phone="999")
        harness.sync()
        harness.edit_lead(lead_of(harness)["Id"], Email=BOB)

        harness.sync()

        assert {name: row["phone"] for name, row in harness.people().items()} == {
            ANA: "111",
            BOB: "999",
        }
        link = harness.ledger.load_links([ANA])[ANA]
        assert link.holds["Email"].reason == "email_taken"

    @pytest.mark.parametrize("side", ["plezi", "salesforce"])
    def test_swapped_emails_do_not_mix_the_values_of_two_contacts(
        self, harness: Harness, ana: str, side: str
    ) -> None:
        bob = harness.add_person(email=BOB, last_name="Roi", phone="999")
        harness.sync()
        leads = {ANA: lead_of(harness)["Id"], BOB: lead_of(harness, BOB)["Id"]}
        if side == "plezi":
            harness.edit_person(ana, email="tmp@example.com")
            harness.edit_person(bob, email=ANA)
            harness.edit_person(ana, email=BOB)
        else:
            harness.edit_lead(leads[ANA], Email=BOB)
            harness.edit_lead(leads[BOB], Email=ANA)

        for _ in range(3):
            harness.sync()

        names = {lead["Id"]: (lead["LastName"], lead["Phone"]) for lead in harness.leads()}
        assert names == {leads[ANA]: ("Lopez", "111"), leads[BOB]: ("Roi", "999")}
        people = {row["id"]: (row["last_name"], row["phone"]) for row in harness.people().values()}
        assert people == {ana: ("Lopez", "111"), bob: ("Roi", "999")}

    def test_emails_swapped_in_the_same_way_on_both_sides_are_agreed(
        self, harness: Harness, ana: str
    ) -> None:
        bob = harness.add_person(email=BOB, last_name="Roi", phone="999")
        harness.sync()
        leads = {ANA: lead_of(harness)["Id"], BOB: lead_of(harness, BOB)["Id"]}
        harness.edit_person(ana, email="tmp@example.com")
        harness.edit_person(bob, email=ANA)
        harness.edit_person(ana, email=BOB)
        harness.edit_lead(leads[ANA], Email=BOB)
        harness.edit_lead(leads[BOB], Email=ANA)
        harness.sync()
        harness.edit_person(ana, phone="112")

        harness.sync()

        assert {lead["Id"]: (lead["Email"], lead["Phone"]) for lead in harness.leads()} == {
            leads[ANA]: (BOB, "112"),
            leads[BOB]: (ANA, "999"),
        }
