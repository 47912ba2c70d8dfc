"""What becomes of people whose address changes, is taken, left, swapped or handed on."""

from __future__ import annotations

import boto3
import pytest

from connector.model import RunKind
from tests.component.acquaintances import ANA, BOB, later, lead_of, quiet
from tests.component.stage import REGION, Stage


def lose_the_ledger(stage: Stage) -> None:
    """Nothing is left of the ledger but the switch: everybody is a stranger again."""
    client = boto3.client("dynamodb", region_name=REGION)
    for item in client.scan(TableName="LedgerTable")["Items"]:
        client.delete_item(TableName="LedgerTable", Key={"pk": item["pk"]})
    stage.ledger.switch(on=True, now=0.0)


class TestAddress:
    @pytest.mark.parametrize("side", ["plezi", "salesforce"])
    def test_an_address_changed_on_either_side_is_followed(
        self, stage: Stage, ana: str, side: str
    ) -> None:
        if side == "plezi":
            stage.edit_person(ana, email="ana.lopez@example.com")
        else:
            stage.edit_lead(lead_of(stage)["Id"], Email="ana.lopez@example.com")

        stage.sync()

        assert list(stage.people()) == ["ana.lopez@example.com"]
        assert [lead["Email"] for lead in stage.leads()] == ["ana.lopez@example.com"]
        assert quiet(stage)

    def test_an_address_left_by_one_and_taken_by_another_is_two_people(
        self, stage: Stage, ana: str
    ) -> None:
        lead = lead_of(stage)["Id"]
        stage.edit_person(ana, email="ana.lopez@example.com")
        other = stage.add_person(email=ANA, last_name="Ruiz", phone="222")

        for _ in range(2):  # the first Lead has to leave the address before a second one gets it
            stage.sync()

        now = {row["Id"]: (row["Email"], row["Phone"]) for row in stage.leads()}
        assert now.pop(lead) == ("ana.lopez@example.com", "111")
        assert list(now.values()) == [(ANA, "222")]
        assert lead_of(stage)["plezi_url__c"].endswith(other)
        assert quiet(stage)

    def test_it_is_two_people_too_when_the_newcomer_is_read_first(
        self, stage: Stage, ana: str
    ) -> None:
        lead = lead_of(stage)["Id"]
        stage.edit_person(ana, email="ana.lopez@example.com")
        stage.add_person(email=ANA, last_name="Ruiz", phone="222")
        stage.control("plezi", "POST", "clock", {"advance": 60})
        stage.edit_person(ana, phone="112")

        for _ in range(2):
            stage.sync()

        now = {row["Id"]: (row["Email"], row["Phone"]) for row in stage.leads()}
        assert now.pop(lead) == ("ana.lopez@example.com", "112")
        assert list(now.values()) == [(ANA, "222")]
        assert quiet(stage)

    def test_addresses_handed_on_from_one_to_the_next_stay_with_their_people(
        self, stage: Stage, ana: str
    ) -> None:
        bob = stage.add_person(email=BOB, last_name="Roi", phone="999")
        stage.sync()
        leads = {ANA: lead_of(stage)["Id"], BOB: lead_of(stage, BOB)["Id"]}
        stage.edit_person(ana, email="carl@example.com")
        stage.edit_person(bob, email=ANA)

        for _ in range(2):
            stage.sync()

        assert {row["Id"]: (row["Email"], row["Phone"]) for row in stage.leads()} == {
            leads[ANA]: ("carl@example.com", "111"),
            leads[BOB]: (ANA, "999"),
        }
        assert quiet(stage)

    def test_who_was_held_for_a_taken_address_moves_there_once_it_is_left(
        self, stage: Stage, ana: str
    ) -> None:
        bob = stage.add_person(email=BOB, last_name="Roi", phone="999")
        stage.sync()
        leads = {ANA: lead_of(stage)["Id"], BOB: lead_of(stage, BOB)["Id"]}
        stage.edit_lead(leads[BOB], Email=ANA)
        stage.sync()
        assert stage.ledger.links([BOB])[BOB].holds["Email"].reason == "email_taken"

        stage.edit_person(ana, email="carl@example.com")
        stage.sync()
        stage.edit_lead(leads[BOB], Phone="998")
        for _ in range(2):
            stage.sync()

        assert stage.ledger.links([ANA])[ANA].holds == {}
        assert stage.people()[ANA]["id"] == bob
        assert stage.people()[ANA]["phone"] == "998"
        assert quiet(stage)

    @pytest.mark.usefixtures("ana")
    def test_two_leads_of_one_person_that_get_two_addresses_leave_nobody_behind(
        self, stage: Stage
    ) -> None:
        twin = stage.add_lead(LastName="Lopez", Company="Acme", Email=ANA, Phone="111")
        stage.sync()
        first = next(row["Id"] for row in stage.leads() if row["Id"] != twin)
        stage.edit_lead(first, Email="ana.one@example.com")
        stage.edit_lead(twin, Email="ana.two@example.com")

        for _ in range(3):
            stage.sync()

        assert ANA not in stage.ledger.links([ANA])
        assert quiet(stage)

    def test_a_link_comes_home_to_the_address_that_its_records_agree_on(
        self, stage: Stage, ana: str
    ) -> None:
        lose_the_ledger(stage)
        stage.edit_person(ana, email="zoe@example.com")
        later(stage)
        stage.edit_lead(lead_of(stage)["Id"], Title="CMO")  # her Lead is the newest, and says ANA
        stage.sync()
        assert list(stage.people()) == [ANA]

        stage.add_lead(LastName="Lopez", Company="Acme", Email=ANA, Phone="111")
        for _ in range(2):
            stage.sync()

        assert len(stage.ledger.links([ANA])[ANA].records) == 3
        assert stage.ledger.links(["zoe@example.com"]) == {}

    @pytest.mark.usefixtures("ana")
    def test_our_own_write_of_an_address_does_not_move_a_person_who_went_back(
        self, stage: Stage
    ) -> None:
        """The echo of what the Lead was told once is no news, although Plezi says another one."""
        person = stage.people()[ANA]["id"]
        stage.edit_person(person, email="ana.lopez@example.com")
        stage.sync()
        later(stage)
        stage.edit_person(person, email=ANA)
        later(stage)
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="999")

        for _ in range(2):
            stage.sync()

        assert sorted(stage.people()) == [ANA]
        assert [(row["Email"], row["Phone"]) for row in stage.leads()] == [(ANA, "111")] * 2
        assert quiet(stage)

    def test_who_waits_for_a_taken_address_is_asked_about_once(
        self, stage: Stage, ana: str
    ) -> None:
        stage.add_person(email=BOB, last_name="Ruiz", phone="222")
        stage.sync()
        stage.edit_lead(lead_of(stage)["Id"], Email=BOB)
        stage.sync()
        held = stage.ledger.links([ANA])[ANA]
        assert held.holds["Email"].reason == "email_taken"

        for _ in range(3):
            stage.sync(kind=RunKind.FULL)

        assert stage.ledger.links([ANA])[ANA].revision == held.revision
        assert ana in held.records

    def test_who_waits_for_an_address_is_told_so_and_goes_on_once_it_is_free(
        self, stage: Stage, ana: str
    ) -> None:
        lose_the_ledger(stage)
        stage.edit_person(ana, email="zoe@example.com")
        stage.add_person(email=ANA, last_name="Ruiz", phone="222")
        later(stage)
        stage.edit_lead(lead_of(stage)["Id"], Title="CMO")  # the newest: Plezi refuses its address
        for _ in range(2):
            stage.sync()
        assert stage.ledger.links([ANA])[ANA].holds["Email"].reason == "email_in_use"
        assert stage.ledger.waiting("hold", 10) == [ANA]

        stage.edit_lead(lead_of(stage)["Id"], Email="zoe@example.com")
        for _ in range(2):
            stage.sync()

        assert stage.ledger.links([ANA])[ANA].holds == {}
        assert {row["Email"]: row["Phone"] for row in stage.leads()} == {
            "zoe@example.com": "111",
            ANA: "222",
        }
        assert quiet(stage)

    @pytest.mark.usefixtures("ana")
    def test_an_address_that_belongs_to_somebody_else_is_held_and_nobody_is_mixed_up(
        self, stage: Stage
    ) -> None:
        stage.add_person(email=BOB, last_name="Roi", phone="999")
        stage.sync()
        stage.edit_lead(lead_of(stage)["Id"], Email=BOB)

        stage.sync()

        assert {name: row["phone"] for name, row in stage.people().items()} == {
            ANA: "111",
            BOB: "999",
        }
        link = stage.ledger.links([ANA])[ANA]
        assert link.holds["Email"].reason == "email_taken"

    @pytest.mark.parametrize("side", ["plezi", "salesforce"])
    def test_swapped_addresses_never_mix_two_people_up(
        self, stage: Stage, ana: str, side: str
    ) -> None:
        bob = stage.add_person(email=BOB, last_name="Roi", phone="999")
        stage.sync()
        leads = {ANA: lead_of(stage)["Id"], BOB: lead_of(stage, BOB)["Id"]}
        if side == "plezi":
            stage.edit_person(ana, email="tmp@example.com")
            stage.edit_person(bob, email=ANA)
            stage.edit_person(ana, email=BOB)
        else:
            stage.edit_lead(leads[ANA], Email=BOB)
            stage.edit_lead(leads[BOB], Email=ANA)

        for _ in range(3):
            stage.sync()

        names = {lead["Id"]: (lead["LastName"], lead["Phone"]) for lead in stage.leads()}
        assert names == {leads[ANA]: ("Lopez", "111"), leads[BOB]: ("Roi", "999")}
        people = {row["id"]: (row["last_name"], row["phone"]) for row in stage.people().values()}
        assert people == {ana: ("Lopez", "111"), bob: ("Roi", "999")}

    def test_addresses_swapped_the_same_way_on_both_sides_are_agreed(
        self, stage: Stage, ana: str
    ) -> None:
        bob = stage.add_person(email=BOB, last_name="Roi", phone="999")
        stage.sync()
        leads = {ANA: lead_of(stage)["Id"], BOB: lead_of(stage, BOB)["Id"]}
        stage.edit_person(ana, email="tmp@example.com")
        stage.edit_person(bob, email=ANA)
        stage.edit_person(ana, email=BOB)
        stage.edit_lead(leads[ANA], Email=BOB)
        stage.edit_lead(leads[BOB], Email=ANA)
        stage.sync()
        stage.edit_person(ana, phone="112")

        stage.sync()

        assert {lead["Id"]: (lead["Email"], lead["Phone"]) for lead in stage.leads()} == {
            leads[ANA]: (BOB, "112"),
            leads[BOB]: (ANA, "999"),
        }
