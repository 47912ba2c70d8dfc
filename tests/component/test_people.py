"""Records that are deleted, duplicated, or get their flag.

Rows of the table in `docs/people.md` name tests of this file.
"""

from __future__ import annotations

from typing import Any

import pytest

from connector.mapping import (
    DEFAULT_MAPPING,
    ConflictPolicy,
    DuplicatePolicy,
    MappingConfig,
)
from connector.model import AttentionKind, LinkChange, RunKind
from connector.planning.manual_actions import pick_primary
from tests.component.harness import Harness
from tests.component.people_fixtures import (
    ANA,
    BOB,
    advance_clocks,
    lead_of,
    next_run_writes_nothing,
    save_policy,
)


def save_mapping(harness: Harness, **changes: Any) -> None:
    mapping = MappingConfig(1, DEFAULT_MAPPING.pairs, DEFAULT_MAPPING.contact_filter, **changes)
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


class TestDeletion:
    def test_no_lead_replaces_a_contact_that_took_part_and_was_deleted(
        self, harness: Harness
    ) -> None:
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        harness.sync()
        harness.salesforce("DELETE", f"sobjects/Contact/{contact}")
        harness.sync()
        harness.edit_person(harness.people()[ANA]["id"], phone="222")

        run = harness.sync()

        assert harness.leads() == []
        assert run.counts["salesforce"]["skipped.deleted_in_salesforce"] == 1
        assert next_run_writes_nothing(harness)

    @pytest.mark.parametrize("policy", ["newest", "salesforce_wins"])
    def test_an_undeleted_lead_takes_what_a_contact_had_that_left_again(
        self, harness: Harness, policy: str
    ) -> None:
        """The Lead is the only record of Salesforce then: its old value is no edit."""
        save_policy(harness, "Phone", ConflictPolicy(policy))
        lead = harness.add_lead(Email=ANA, LastName="Lopez", Company="Acme", Phone="111")
        harness.sync()
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
        harness.sync()
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="222", sync_to_plezi__c="yes"
        )
        harness.sync()
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "no"})
        harness.sync()
        assert harness.people()[ANA]["phone"] == "222"
        advance_clocks(harness)
        harness.control("salesforce", "POST", f"records/Lead/{lead}/undelete")

        harness.sync()

        assert harness.people()[ANA]["phone"] == "222"
        assert [row["Phone"] for row in harness.leads(ANA)] == ["222"]
        assert next_run_writes_nothing(harness)

    def test_what_is_typed_in_a_lead_that_took_no_part_is_an_edit_when_it_is_back(
        self, harness: Harness
    ) -> None:
        lead = harness.add_lead(Email=ANA, LastName="Lopez", Company="Acme", Phone="111")
        harness.sync()
        harness.edit_lead(lead, Email=None)
        harness.sync()
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="222", sync_to_plezi__c="yes"
        )
        harness.sync()
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "no"})
        harness.sync()
        advance_clocks(harness)
        harness.edit_lead(lead, Phone="333")
        harness.sync()
        advance_clocks(harness)
        harness.edit_lead(lead, Email=ANA)

        harness.sync()

        assert harness.people()[ANA]["phone"] == "333"
        assert next_run_writes_nothing(harness)

    def test_a_deleted_lead_is_not_created_again_and_nothing_is_deleted_in_plezi(
        self, harness: Harness, ana: str
    ) -> None:
        harness.salesforce("DELETE", f"sobjects/Lead/{lead_of(harness)['Id']}")
        harness.sync()
        harness.edit_person(ana, phone="222")

        harness.sync()

        assert harness.leads() == []
        assert harness.people()[ANA]["phone"] == "222"
        assert next_run_writes_nothing(harness)

    def test_an_undeleted_lead_receives_the_edits_made_after_its_deletion(
        self, harness: Harness, ana: str
    ) -> None:
        lead = lead_of(harness)["Id"]
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
        harness.sync()
        harness.edit_person(ana, phone="222")
        harness.sync()
        advance_clocks(harness)

        harness.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        harness.sync()

        assert lead_of(harness)["Phone"] == "222"
        assert next_run_writes_nothing(harness)

    def test_an_undeleted_lead_receives_the_values_of_a_contact_added_after_its_deletion(
        self, harness: Harness, ana: str
    ) -> None:
        """Each record has its own base: the others agreed on a new value without the Lead."""
        lead = lead_of(harness)["Id"]
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
        harness.add_contact(Email=ANA, LastName="Lopez", Phone="333", sync_to_plezi__c="yes")
        harness.sync()
        assert harness.people()[ANA]["phone"] == "333"
        advance_clocks(harness)

        harness.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        harness.sync()

        assert lead_of(harness)["Phone"] == harness.people()[ANA]["phone"] == "333"
        [first, second] = [
            entry for entry in harness.journal(ANA) if entry["kind"] == "overwritten"
        ]
        assert (first["record"], second["record"]) == (ana, lead)
        assert first["before"] == second["before"] == '"111"'
        assert next_run_writes_nothing(harness)

    def test_an_undeleted_lead_receives_the_same_edit_of_both_other_records(
        self, harness: Harness, ana: str
    ) -> None:
        lead = lead_of(harness)["Id"]
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        harness.sync()
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
        harness.sync()
        advance_clocks(harness)
        harness.edit_person(ana, phone="333")
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "333"})
        harness.sync()
        advance_clocks(harness)

        harness.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        harness.sync()

        assert lead_of(harness)["Phone"] == harness.people()[ANA]["phone"] == "333"
        assert next_run_writes_nothing(harness)

    def test_a_field_cleared_before_the_lead_was_deleted_stays_an_edit(
        self, harness: Harness, ana: str
    ) -> None:
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, Phone=None)
        harness.salesforce("DELETE", f"sobjects/Lead/{lead}")
        harness.add_contact(Email=ANA, LastName="Lopez", Phone="333", sync_to_plezi__c="yes")
        harness.sync()
        assert harness.people()[ANA]["phone"] == "333"
        advance_clocks(harness)

        harness.control("salesforce", "POST", f"records/Lead/{lead}/undelete")
        harness.sync()

        assert lead_of(harness)["Phone"] is harness.people()[ANA]["phone"] is None
        assert ana == harness.people()[ANA]["id"]
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_a_lead_deleted_and_created_again_is_a_first_match(self, harness: Harness) -> None:
        harness.salesforce("DELETE", f"sobjects/Lead/{lead_of(harness)['Id']}")
        harness.sync()
        advance_clocks(harness)
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="999")

        harness.sync()

        assert harness.people()[ANA]["phone"] == lead_of(harness)["Phone"] == "999"
        assert [
            entry["before"] for entry in harness.journal(ANA) if entry["kind"] == "overwritten"
        ] == ['"111"']

    def test_a_contact_deleted_in_plezi_is_not_created_again_and_the_lead_stays(
        self, harness: Harness, ana: str
    ) -> None:
        harness.control("plezi", "DELETE", f"contacts/{ana}")
        harness.edit_lead(lead_of(harness)["Id"], Phone="222")

        harness.sync()

        assert harness.people() == {}
        assert lead_of(harness)["Phone"] == "222"
        assert next_run_writes_nothing(harness)

    def test_a_contact_deleted_in_plezi_and_created_again_is_a_first_match(
        self, harness: Harness, ana: str
    ) -> None:
        harness.control("plezi", "DELETE", f"contacts/{ana}")
        advance_clocks(harness)
        harness.add_person(email=ANA, last_name="Lopez", phone="777")

        harness.sync()
        harness.sync()

        assert lead_of(harness)["Phone"] == harness.people()[ANA]["phone"] == "777"
        assert len(harness.leads()) == 1
        assert next_run_writes_nothing(harness)


class TestDuplicates:
    @pytest.mark.usefixtures("ana")
    def test_a_second_lead_receives_the_values_of_the_first_lead(self, harness: Harness) -> None:
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="000")

        harness.sync()

        assert [lead["Phone"] for lead in harness.leads(ANA)] == ["111", "111"]
        assert harness.people()[ANA]["phone"] == "111"
        assert harness.ledger.emails_needing_attention(AttentionKind.DUPLICATE, 10) == [ANA]
        assert next_run_writes_nothing(harness)

    def test_only_the_primary_lead_is_written(self, harness: Harness) -> None:
        save_mapping(harness, duplicates=DuplicatePolicy.SURVIVOR)
        person = harness.add_person(email=ANA, last_name="Lopez", phone="111")
        harness.sync()
        first = lead_of(harness)["Id"]
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="000")
        harness.edit_person(person, phone="222")

        harness.sync()

        phones = {lead["Id"]: lead["Phone"] for lead in harness.leads(ANA)}
        assert phones.pop(first) == "222"
        assert list(phones.values()) == ["000"]
        assert harness.ledger.emails_needing_attention(AttentionKind.DUPLICATE, 10) == [ANA]

    def test_the_hold_policy_writes_no_lead_until_an_admin_picks_the_primary_lead(
        self, harness: Harness
    ) -> None:
        save_mapping(harness, duplicates=DuplicatePolicy.HOLD)
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="000")
        second = harness.add_lead(Email=ANA, LastName="Lopez", Phone="222")
        harness.sync()
        assert harness.people() == {}
        assert harness.ledger.emails_needing_attention(AttentionKind.DUPLICATE, 10) == [ANA]

        link = harness.ledger.load_links([ANA])[ANA]
        harness.ledger.save_links([LinkChange(pick_primary(link, second))])
        harness.sync()

        assert harness.people()[ANA]["phone"] == "222"

    def test_no_lead_is_created_when_a_contact_has_the_email(self, harness: Harness) -> None:
        harness.add_contact(Email=ANA, LastName="Lopez")
        harness.add_person(email=ANA, last_name="Lopez")

        run = harness.sync()

        assert harness.leads() == []
        assert run.counts["salesforce"]["skipped.is_a_contact"] == 1

    def test_a_lead_is_created_in_addition_to_a_contact_when_the_setting_allows_it(
        self, harness: Harness
    ) -> None:
        save_mapping(harness, create_lead_beside_contact=True)
        harness.add_contact(Email=ANA, LastName="Lopez")
        harness.add_person(email=ANA, last_name="Lopez")

        harness.sync()

        assert len(harness.leads(ANA)) == 1

    def test_two_leads_and_a_contact_with_one_email_are_one_person_and_the_contact_is_not_written(
        self, harness: Harness, ana: str
    ) -> None:
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="000")
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="555", sync_to_plezi__c="yes"
        )
        harness.sync()
        advance_clocks(harness)
        harness.edit_person(ana, phone="222")
        harness.sync()

        assert [lead["Phone"] for lead in harness.leads(ANA)] == ["222", "222"]
        assert harness.contact(contact)["Phone"] == "555"
        assert next_run_writes_nothing(harness)
        advance_clocks(harness)
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"Phone": "666"})
        harness.sync()
        assert harness.people()[ANA]["phone"] == "666"
        assert [lead["Phone"] for lead in harness.leads(ANA)] == ["666", "666"]


class TestFlag:
    def test_switching_the_flag_off_stops_updates_and_deletes_nothing(
        self, harness: Harness
    ) -> None:
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        harness.sync()
        harness.salesforce(
            "PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "no", "Phone": "222"}
        )

        harness.sync()

        assert harness.people()[ANA]["phone"] == "111"
        assert next_run_writes_nothing(harness)

    def test_switching_the_flag_on_again_synchronizes_the_edits_made_before(
        self, harness: Harness
    ) -> None:
        contact = harness.add_contact(
            Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes"
        )
        harness.sync()
        harness.salesforce(
            "PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "no", "Phone": "222"}
        )
        harness.sync()
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes"})

        harness.sync()

        assert harness.people()[ANA]["phone"] == "222"


def test_a_full_run_neither_writes_nor_creates_these_records(harness: Harness, ana: str) -> None:
    harness.salesforce("DELETE", f"sobjects/Lead/{lead_of(harness)['Id']}")
    harness.add_contact(Email=BOB, LastName="Roi")
    harness.sync()
    harness.mark()

    harness.sync(kind=RunKind.FULL)

    assert harness.leads() == []
    assert harness.calls("salesforce")["writes"] == harness.calls("plezi")["writes"] == 0
    assert set(harness.people()) == {ANA}
    assert ana in {row["id"] for row in harness.people().values()}
