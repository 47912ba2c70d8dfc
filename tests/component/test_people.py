"""What becomes of people whose records are converted, merged, deleted, renamed or several.

`docs/people.md` is the table of these; each of its rows names one of these tests.
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from connector.mapping import DEFAULT_MAPPING, Duplicates, FieldMapping
from connector.model import Change, RunKind
from connector.plan import survive
from tests.component.stage import REGION, Stage

ANA = "ana@example.com"
BOB = "bob@example.com"


@pytest.fixture
def ana(stage: Stage) -> str:
    """Ana's Plezi contact, known to both sides; her Lead is the only one."""
    person = stage.add_person(email=ANA, last_name="Lopez", phone="111")
    stage.sync()
    return person


def lose_the_ledger(stage: Stage) -> None:
    """Nothing is left of the ledger but the switch: everybody is a stranger again."""
    client = boto3.client("dynamodb", region_name=REGION)
    for item in client.scan(TableName="LedgerTable")["Items"]:
        client.delete_item(TableName="LedgerTable", Key={"pk": item["pk"]})
    stage.ledger.switch(on=True, now=0.0)


def lead_of(stage: Stage, email: str = ANA) -> dict[str, Any]:
    [lead] = stage.leads(email)
    return lead


def quiet(stage: Stage) -> bool:
    """Whether another run writes nothing on either side."""
    stage.mark()
    stage.sync()
    return not stage.calls("plezi")["writes"] and not stage.calls("salesforce")["writes"]


def later(stage: Stage, seconds: int = 60) -> None:
    for side in ("plezi", "salesforce"):
        stage.control(side, "POST", "clock", {"advance": seconds})


def save(stage: Stage, **changes: Any) -> None:
    mapping = FieldMapping(1, DEFAULT_MAPPING.lines, DEFAULT_MAPPING.contact_filter, **changes)
    stage.world.configuration.save(mapping)  # type: ignore[attr-defined]


class TestConversion:
    def test_a_converted_lead_is_never_written_and_no_other_is_created(
        self, stage: Stage, ana: str
    ) -> None:
        lead = lead_of(stage)
        stage.control("salesforce", "POST", f"leads/{lead['Id']}/convert")
        stage.edit_person(ana, phone="222")

        stage.sync()

        assert lead_of(stage)["Phone"] == "111"
        assert quiet(stage)

    @pytest.mark.usefixtures("ana")
    def test_its_contact_takes_over_once_it_is_flagged(self, stage: Stage) -> None:
        converted = stage.control("salesforce", "POST", f"leads/{lead_of(stage)['Id']}/convert")
        contact = converted["contactId"]
        stage.sync()
        later(stage)
        stage.salesforce(
            "PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes", "Phone": "333"}
        )

        stage.sync()

        assert stage.people()[ANA]["phone"] == "333"
        assert stage.contact(contact)["Phone"] == "333"
        assert quiet(stage)

    def test_what_was_agreed_with_the_lead_is_agreed_with_its_contact(
        self, stage: Stage, ana: str
    ) -> None:
        """An edit in Plezi after the conversion is no conflict, nor undone by the Contact."""
        converted = stage.control("salesforce", "POST", f"leads/{lead_of(stage)['Id']}/convert")
        contact = converted["contactId"]
        stage.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes"})
        later(stage)
        stage.edit_person(ana, phone="222")
        later(stage)

        stage.sync()

        assert stage.people()[ANA]["phone"] == "222"
        assert stage.contact(contact)["Phone"] == "111"
        stage.salesforce("PATCH", f"sobjects/Contact/{contact}", {"MobilePhone": "444"})
        stage.sync()
        assert stage.people()[ANA]["mobile"] == "444"
        assert stage.people()[ANA]["phone"] == "222"

    @pytest.mark.usefixtures("ana")
    def test_a_lead_typed_anew_after_the_conversion_takes_part(self, stage: Stage) -> None:
        stage.control("salesforce", "POST", f"leads/{lead_of(stage)['Id']}/convert")
        stage.sync()
        later(stage)
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="555")

        stage.sync()

        assert stage.people()[ANA]["phone"] == "555"
        assert quiet(stage)

    def test_a_value_cleared_in_plezi_beside_a_new_lead_is_a_conflict_and_journalled(
        self, stage: Stage, ana: str
    ) -> None:
        stage.control("salesforce", "POST", f"leads/{lead_of(stage)['Id']}/convert")
        stage.sync()
        later(stage)
        stage.edit_person(ana, phone=None)
        later(stage)
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="555")

        stage.sync()

        assert stage.people()[ANA]["phone"] == "555"
        assert [line["before"] for line in stage.journal(ANA) if line["what"] == "lost"] == ["null"]


class TestMerge:
    def test_the_winner_goes_on_and_the_loser_s_value_is_not_written_back(
        self, stage: Stage, ana: str
    ) -> None:
        winner = lead_of(stage)["Id"]
        loser = stage.add_lead(Email=ANA, LastName="Lopez", Title="CMO")
        stage.sync()
        stage.control("salesforce", "POST", f"leads/{winner}/merge", {"loser": loser})
        stage.edit_person(ana, phone="222")

        stage.sync()

        assert lead_of(stage)["Id"] == winner
        assert lead_of(stage)["Phone"] == "222"
        assert quiet(stage)

    @pytest.mark.usefixtures("ana")
    def test_two_people_merged_into_one_lead_stay_two_contacts_in_plezi(self, stage: Stage) -> None:
        stage.add_person(email=BOB, last_name="Roi")
        stage.sync()
        winner, loser = lead_of(stage)["Id"], lead_of(stage, BOB)["Id"]
        stage.control("salesforce", "POST", f"leads/{winner}/merge", {"loser": loser})

        stage.sync()

        assert set(stage.people()) == {ANA, BOB}
        assert [lead["Id"] for lead in stage.leads()] == [winner]
        assert quiet(stage)


class TestDeletion:
    def test_a_deleted_lead_is_not_resurrected_and_nothing_is_deleted_in_plezi(
        self, stage: Stage, ana: str
    ) -> None:
        stage.salesforce("DELETE", f"sobjects/Lead/{lead_of(stage)['Id']}")
        stage.sync()
        stage.edit_person(ana, phone="222")

        stage.sync()

        assert stage.leads() == []
        assert stage.people()[ANA]["phone"] == "222"
        assert quiet(stage)

    def test_an_undeleted_lead_takes_up_what_was_typed_meanwhile(
        self, stage: Stage, ana: str
    ) -> None:
        lead = lead_of(stage)["Id"]
        stage.salesforce("DELETE", f"sobjects/Lead/{lead}")
        stage.sync()
        stage.edit_person(ana, phone="222")
        stage.sync()
        later(stage)

        stage.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        stage.sync()

        assert lead_of(stage)["Phone"] == "222"
        assert quiet(stage)

    @pytest.mark.usefixtures("ana")
    def test_a_lead_deleted_and_typed_anew_meets_plezi_for_the_first_time(
        self, stage: Stage
    ) -> None:
        stage.salesforce("DELETE", f"sobjects/Lead/{lead_of(stage)['Id']}")
        stage.sync()
        later(stage)
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="999")

        stage.sync()

        assert stage.people()[ANA]["phone"] == lead_of(stage)["Phone"] == "999"
        assert [line["before"] for line in stage.journal(ANA) if line["what"] == "lost"] == [
            '"111"'
        ]

    def test_a_contact_deleted_in_plezi_is_not_resurrected_and_the_lead_stays(
        self, stage: Stage, ana: str
    ) -> None:
        stage.control("plezi", "DELETE", f"contacts/{ana}")
        stage.edit_lead(lead_of(stage)["Id"], Phone="222")

        stage.sync()

        assert stage.people() == {}
        assert lead_of(stage)["Phone"] == "222"
        assert quiet(stage)

    def test_a_contact_deleted_in_plezi_and_typed_anew_meets_the_lead_for_the_first_time(
        self, stage: Stage, ana: str
    ) -> None:
        stage.control("plezi", "DELETE", f"contacts/{ana}")
        later(stage)
        stage.add_person(email=ANA, last_name="Lopez", phone="777")

        stage.sync()
        stage.sync()

        assert lead_of(stage)["Phone"] == stage.people()[ANA]["phone"] == "777"
        assert len(stage.leads()) == 1
        assert quiet(stage)


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
        for side in ("plezi", "salesforce"):
            stage.control(side, "POST", "clock", {"advance": 60})
        stage.edit_lead(lead_of(stage)["Id"], Title="CMO")  # her Lead is the newest, and says ANA
        stage.sync()
        assert list(stage.people()) == [ANA]

        stage.add_lead(LastName="Lopez", Company="Acme", Email=ANA, Phone="111")
        for _ in range(2):
            stage.sync()

        assert len(stage.ledger.links([ANA])[ANA].records) == 3
        assert stage.ledger.links(["zoe@example.com"]) == {}

    def test_who_waits_for_an_address_is_told_so_and_goes_on_once_it_is_free(
        self, stage: Stage, ana: str
    ) -> None:
        lose_the_ledger(stage)
        stage.edit_person(ana, email="zoe@example.com")
        stage.add_person(email=ANA, last_name="Ruiz", phone="222")
        for side in ("plezi", "salesforce"):
            stage.control(side, "POST", "clock", {"advance": 60})
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


class TestSeveral:
    @pytest.mark.usefixtures("ana")
    def test_a_second_lead_takes_the_first_one_s_values(self, stage: Stage) -> None:
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="000")

        stage.sync()

        assert [lead["Phone"] for lead in stage.leads(ANA)] == ["111", "111"]
        assert stage.people()[ANA]["phone"] == "111"
        assert stage.ledger.waiting("duplicate", 10) == [ANA]
        assert quiet(stage)

    def test_survivor_writes_to_one_lead_only(self, stage: Stage) -> None:
        save(stage, duplicates=Duplicates.SURVIVOR)
        person = stage.add_person(email=ANA, last_name="Lopez", phone="111")
        stage.sync()
        first = lead_of(stage)["Id"]
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="000")
        stage.edit_person(person, phone="222")

        stage.sync()

        phones = {lead["Id"]: lead["Phone"] for lead in stage.leads(ANA)}
        assert phones.pop(first) == "222"
        assert list(phones.values()) == ["000"]
        assert stage.ledger.waiting("duplicate", 10) == [ANA]

    def test_hold_writes_to_none_and_a_person_picks_the_survivor(self, stage: Stage) -> None:
        save(stage, duplicates=Duplicates.HOLD)
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="000")
        second = stage.add_lead(Email=ANA, LastName="Lopez", Phone="222")
        stage.sync()
        assert stage.people() == {}
        assert stage.ledger.waiting("duplicate", 10) == [ANA]

        link = stage.ledger.links([ANA])[ANA]
        stage.ledger.put([Change(survive(link, second))])
        stage.sync()

        assert stage.people()[ANA]["phone"] == "222"

    def test_no_lead_is_created_for_somebody_who_is_a_contact_already(self, stage: Stage) -> None:
        stage.add_contact(Email=ANA, LastName="Lopez")
        stage.add_person(email=ANA, last_name="Lopez")

        run = stage.sync()

        assert stage.leads() == []
        assert run.counts["salesforce"]["skipped.is_a_contact"] == 1

    def test_a_lead_is_created_beside_a_contact_where_the_setting_says_so(
        self, stage: Stage
    ) -> None:
        save(stage, create_lead_beside_contact=True)
        stage.add_contact(Email=ANA, LastName="Lopez")
        stage.add_person(email=ANA, last_name="Lopez")

        stage.sync()

        assert len(stage.leads(ANA)) == 1

    def test_two_leads_and_a_contact_of_one_address_are_one_person_and_the_contact_is_left_alone(
        self, stage: Stage, ana: str
    ) -> None:
        stage.add_lead(Email=ANA, LastName="Lopez", Phone="000")
        contact = stage.add_contact(
            Email=ANA, LastName="Lopez", Phone="555", sync_to_plezi__c="yes"
        )
        stage.sync()
        later(stage)
        stage.edit_person(ana, phone="222")
        stage.sync()

        assert [lead["Phone"] for lead in stage.leads(ANA)] == ["222", "222"]
        assert stage.contact(contact)["Phone"] == "555"
        assert quiet(stage)
        later(stage)
        stage.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "666"})
        stage.sync()
        assert stage.people()[ANA]["phone"] == "666"
        assert [lead["Phone"] for lead in stage.leads(ANA)] == ["666", "666"]


class TestFlag:
    def test_switching_the_flag_off_stops_updates_and_deletes_nothing(self, stage: Stage) -> None:
        contact = stage.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        stage.sync()
        stage.salesforce(
            "PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "no", "Phone": "222"}
        )

        stage.sync()

        assert stage.people()[ANA]["phone"] == "111"
        assert quiet(stage)

    def test_switching_it_on_again_brings_what_was_typed_meanwhile(self, stage: Stage) -> None:
        contact = stage.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        stage.sync()
        stage.salesforce(
            "PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "no", "Phone": "222"}
        )
        stage.sync()
        stage.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes"})

        stage.sync()

        assert stage.people()[ANA]["phone"] == "222"


def test_a_full_run_changes_none_of_all_this(stage: Stage, ana: str) -> None:
    stage.salesforce("DELETE", f"sobjects/Lead/{lead_of(stage)['Id']}")
    stage.add_contact(Email=BOB, LastName="Roi")
    stage.sync()
    stage.mark()

    stage.sync(kind=RunKind.FULL)

    assert stage.leads() == []
    assert stage.calls("salesforce")["writes"] == stage.calls("plezi")["writes"] == 0
    assert set(stage.people()) == {ANA}
    assert ana in {row["id"] for row in stage.people().values()}
