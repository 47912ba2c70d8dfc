"""What becomes of people whose records are converted, merged, deleted or several.

`docs/people.md` is the table of these; each of its rows names one of these tests, or one of
`test_addresses.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from connector.mapping import DEFAULT_MAPPING, Duplicates, FieldMapping
from connector.model import Change, RunKind
from connector.plan import survive
from tests.component.acquaintances import ANA, BOB, later, lead_of, quiet
from tests.component.stage import Stage


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

    def test_an_undeleted_lead_takes_up_what_a_contact_changed_meanwhile(
        self, stage: Stage, ana: str
    ) -> None:
        """Each says what it last agreed to; the Lead was not there when the others agreed anew."""
        lead = lead_of(stage)["Id"]
        stage.salesforce("DELETE", f"sobjects/Lead/{lead}")
        stage.add_contact(Email=ANA, LastName="Lopez", Phone="333", sync_to_plezi__c="yes")
        stage.sync()
        assert stage.people()[ANA]["phone"] == "333"
        later(stage)

        stage.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        stage.sync()

        assert lead_of(stage)["Phone"] == stage.people()[ANA]["phone"] == "333"
        [met, joined] = [line for line in stage.journal(ANA) if line["what"] == "lost"]
        assert (met["record"], joined["record"]) == (ana, lead)
        assert met["before"] == joined["before"] == '"111"'
        assert quiet(stage)

    def test_an_undeleted_lead_takes_up_what_both_others_typed_alike(
        self, stage: Stage, ana: str
    ) -> None:
        lead = lead_of(stage)["Id"]
        contact = stage.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        stage.sync()
        stage.salesforce("DELETE", f"sobjects/Lead/{lead}")
        stage.sync()
        later(stage)
        stage.edit_person(ana, phone="333")
        stage.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "333"})
        stage.sync()
        later(stage)

        stage.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        stage.sync()

        assert lead_of(stage)["Phone"] == stage.people()[ANA]["phone"] == "333"
        assert quiet(stage)

    def test_what_was_cleared_before_the_lead_was_deleted_stays_an_edit(
        self, stage: Stage, ana: str
    ) -> None:
        lead = lead_of(stage)["Id"]
        stage.edit_lead(lead, Phone=None)
        stage.salesforce("DELETE", f"sobjects/Lead/{lead}")
        stage.add_contact(Email=ANA, LastName="Lopez", Phone="333", sync_to_plezi__c="yes")
        stage.sync()
        assert stage.people()[ANA]["phone"] == "333"
        later(stage)

        stage.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        stage.sync()

        assert lead_of(stage)["Phone"] is stage.people()[ANA]["phone"] is None
        assert ana == stage.people()[ANA]["id"]
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
