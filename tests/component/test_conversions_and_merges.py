"""Records that are converted or merged, and what was typed in them just before they left.

Rows of the table in `docs/people.md` name tests of this file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import (
    DEFAULT_MAPPING,
    ConflictPolicy,
    Direction,
    FieldPair,
    MappingConfig,
)
from connector.model import LinkChange, RecordKind
from connector.planning.manual_actions import choose_value
from tests.component.harness import Harness
from tests.component.people_fixtures import (
    ANA,
    BOB,
    advance_clocks,
    lead_of,
    merge_leads,
    next_run_writes_nothing,
    save_policy,
)

OPT_OUT: Final = "newsletter_optout__c"


def opt_out_in_plezi(
    harness: Harness,
    person: str,
    field: str = OPT_OUT,
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
) -> None:
    """Map the opt-out of newsletters, and let a run carry that of a person to Salesforce."""
    opt_out = FieldPair("newsletter_optout", field, Direction.BOTH, policy, contact=field)
    pairs = (*DEFAULT_MAPPING.pairs, opt_out)
    harness.context.mappings.save(  # type: ignore[attr-defined]
        MappingConfig(1, pairs, DEFAULT_MAPPING.contact_filter)
    )
    harness.edit_person(person, newsletter_optout=True)
    harness.sync()


class TestConversion:
    def test_a_converted_lead_is_never_written_and_no_other_lead_is_created(
        self, harness: Harness, ana: str
    ) -> None:
        lead = lead_of(harness)
        harness.control("salesforce", "POST", f"leads/{lead['Id']}/convert")
        harness.edit_person(ana, phone="222")

        harness.sync()

        assert lead_of(harness)["Phone"] == "111"
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_the_contact_of_a_converted_lead_takes_part_when_it_is_flagged(
        self, harness: Harness
    ) -> None:
        converted = harness.control("salesforce", "POST", f"leads/{lead_of(harness)['Id']}/convert")
        contact = converted["contactId"]
        harness.sync()
        advance_clocks(harness)
        harness.salesforce(
            "PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes", "Phone": "333"}
        )

        harness.sync()

        assert harness.people()[ANA]["phone"] == "333"
        assert harness.contact(contact)["Phone"] == "333"
        assert next_run_writes_nothing(harness)

    def test_an_edit_in_a_converted_lead_does_not_keep_a_new_lead_from_being_filled(
        self, harness: Harness, ana: str
    ) -> None:
        """With `fill_blank` the edit of the Lead cannot travel; it is no second value."""
        save_policy(harness, "MobilePhone", ConflictPolicy.FILL_BLANK)
        harness.edit_person(ana, mobile="600")
        harness.sync()
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, MobilePhone="601")
        contact = harness.control("salesforce", "POST", f"leads/{lead}/convert")["contactId"]
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"MobilePhone": None})
        harness.sync()
        added = harness.add_lead(Email=ANA, LastName="Lopez", Company="Other")

        harness.sync()

        [new] = [it for it in harness.leads(ANA) if it["Id"] == added]
        assert new["MobilePhone"] == "600"
        assert harness.people()[ANA]["mobile"] == "600"

    @pytest.mark.usefixtures("ana")
    def test_the_edit_of_a_converted_lead_is_no_second_value_beside_that_of_a_new_lead(
        self, harness: Harness
    ) -> None:
        """With `fill_blank` two values would be a choice, and Plezi's blank would stay for ever."""
        save_policy(harness, "MobilePhone", ConflictPolicy.FILL_BLANK)
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, MobilePhone="601")
        harness.control("salesforce", "POST", f"leads/{lead}/convert")
        harness.add_lead(Email=ANA, LastName="Lopez", Company="Other", MobilePhone="602")

        harness.sync()

        assert harness.people()[ANA]["mobile"] == "602"
        assert next_run_writes_nothing(harness)

    @pytest.mark.parametrize("is_met", [False, True])
    def test_a_lead_that_is_converted_before_its_first_meeting_is_over_sends_its_opt_out(
        self,
        harness: Harness,
        ana: str,
        is_met: bool,  # noqa: FBT001  # a parameter of the test
    ) -> None:
        """The run that let them meet was killed after it stored what it wanted to write."""
        opt_out = FieldPair(
            "newsletter_optout", OPT_OUT, Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE
        )
        harness.context.mappings.save(  # type: ignore[attr-defined]
            MappingConfig(1, (*DEFAULT_MAPPING.pairs, opt_out), DEFAULT_MAPPING.contact_filter)
        )
        harness.sync()
        lead = lead_of(harness)["Id"]
        link = harness.ledger.load_links([ANA])[ANA]
        key = opt_out.base_key(RecordKind.LEAD)
        base = {
            record: {name: value for name, value in values.items() if name != key}
            for record, values in link.base.items()
        }
        if not is_met:
            met = replace(link, base=base, meeting=frozenset({key}))
            harness.ledger.save_links([LinkChange(met)])
        harness.salesforce("PATCH", f"sobjects/Lead/{lead}", {OPT_OUT: True})
        harness.control("salesforce", "POST", f"leads/{lead}/convert")

        harness.sync()

        assert harness.people()[ANA]["newsletter_optout"] is True
        assert next_run_writes_nothing(harness)
        harness.edit_person(ana, newsletter_optout=False)  # and it is sent once only
        advance_clocks(harness)
        harness.sync()
        assert harness.people()[ANA]["newsletter_optout"] is False

    def test_a_conflict_with_a_lead_waits_for_its_decision_after_the_conversion(
        self, harness: Harness, ana: str
    ) -> None:
        """The Contact lacks the value: what was typed in the Lead can still be chosen."""
        save_policy(harness, "Company", ConflictPolicy.HOLD)
        lead = lead_of(harness)["Id"]
        harness.edit_person(ana, company="Acme")
        harness.edit_lead(lead, Company="Acme SA")
        harness.sync()
        assert harness.ledger.load_links([ANA])[ANA].holds["Company"].reason == "conflict"

        harness.add_contact(LastName="Lopez", Email=ANA, sync_to_plezi__c="yes")
        harness.control("salesforce", "POST", f"leads/{lead}/convert")
        harness.sync()

        link = harness.ledger.load_links([ANA])[ANA]
        assert link.holds["Company"].values[lead] == "Acme SA"
        assert harness.people()[ANA]["company"] == "Acme"

        harness.ledger.save_links([LinkChange(choose_value(link, "Company", lead))])
        harness.sync()

        assert harness.ledger.load_links([ANA])[ANA].holds == {}
        assert harness.people()[ANA]["company"] == "Acme SA"
        assert next_run_writes_nothing(harness)

    def test_the_base_of_a_converted_lead_is_the_base_of_its_contact(
        self, harness: Harness, ana: str
    ) -> None:
        """An edit in Plezi after the conversion is neither a conflict nor undone by the Contact."""
        converted = harness.control("salesforce", "POST", f"leads/{lead_of(harness)['Id']}/convert")
        contact = converted["contactId"]
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes"})
        advance_clocks(harness)
        harness.edit_person(ana, phone="222")
        advance_clocks(harness)

        harness.sync()

        assert harness.people()[ANA]["phone"] == "222"
        assert harness.contact(contact)["Phone"] == "111"
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"MobilePhone": "444"})
        harness.sync()
        assert harness.people()[ANA]["mobile"] == "444"
        assert harness.people()[ANA]["phone"] == "222"

    def test_a_custom_field_that_the_conversion_left_out_is_not_cleared_in_plezi(
        self, harness: Harness, ana: str
    ) -> None:
        """Nobody opted the person in again: the org fills the field only if its admin mapped it."""
        opt_out_in_plezi(harness, ana)
        lead = lead_of(harness)["Id"]
        assert harness.salesforce("GET", f"sobjects/Lead/{lead}")[OPT_OUT] is True
        converted = harness.control("salesforce", "POST", f"leads/{lead}/convert")
        contact = converted["contactId"]
        assert harness.contact(contact)[OPT_OUT] is False
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {"sync_to_plezi__c": "yes"})
        advance_clocks(harness)

        harness.sync()

        assert harness.people()[ANA]["newsletter_optout"] is True
        assert next_run_writes_nothing(harness)

        for value in (True, False):  # from now on what is typed there travels
            harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {OPT_OUT: value})
            advance_clocks(harness)
            harness.sync()
            assert harness.people()[ANA]["newsletter_optout"] is value

    def test_what_a_contact_had_before_a_lead_was_converted_into_it_is_no_edit(
        self, harness: Harness, ana: str
    ) -> None:
        """Its checkbox is not ticked by the conversion: nobody opted the person in again."""
        field = "HasOptedOutOfEmail"
        opt_out_in_plezi(harness, ana, field)
        lead = lead_of(harness)["Id"]
        contact = harness.add_contact(LastName="Lopez", Phone="999", sync_to_plezi__c="yes")
        advance_clocks(harness, 3600)
        harness.control("salesforce", "POST", f"leads/{lead}/convert", {"contactId": contact})
        assert harness.contact(contact)[field] is False
        assert harness.contact(contact)["Email"].lower() == ANA
        advance_clocks(harness)

        harness.sync()

        assert harness.people()[ANA]["newsletter_optout"] is True
        assert next_run_writes_nothing(harness)

        for value in (True, False):  # from now on what is typed there travels
            harness.salesforce("PATCH", f"sobjects/Contact/{contact}", {field: value})
            advance_clocks(harness)
            harness.sync()
            assert harness.people()[ANA]["newsletter_optout"] is value

    @pytest.mark.parametrize("into", ["a new contact", "a contact that was there", "no flag"])
    def test_what_was_typed_in_a_lead_just_before_its_conversion_reaches_plezi(
        self, harness: Harness, ana: str, into: str
    ) -> None:
        """The Contact lacks it: the org maps no custom field, or the Contact had a value."""
        opt_out_in_plezi(harness, ana)
        harness.edit_person(ana, newsletter_optout=False)
        advance_clocks(harness)
        harness.sync()
        lead = lead_of(harness)["Id"]
        options = {}
        if into == "a contact that was there":
            options["contactId"] = harness.add_contact(LastName="Lopez", Phone="111")
            advance_clocks(harness, 3600)
        harness.salesforce("PATCH", f"sobjects/Lead/{lead}", {OPT_OUT: True, "Phone": "222"})
        advance_clocks(harness)
        contact = harness.control("salesforce", "POST", f"leads/{lead}/convert", options)
        if into != "no flag":
            flag = {"sync_to_plezi__c": "yes"}
            harness.salesforce("PATCH", f"sobjects/Contact/{contact['contactId']}", flag)
        advance_clocks(harness)

        harness.sync()

        person = harness.people()[ANA]
        assert (person["newsletter_optout"], person["phone"]) == (True, "222")
        assert next_run_writes_nothing(harness)
        harness.edit_person(ana, newsletter_optout=False)  # and it is sent once only
        advance_clocks(harness)
        harness.sync()
        assert harness.people()[ANA]["newsletter_optout"] is False

    @pytest.mark.usefixtures("ana")
    def test_a_field_that_contacts_do_not_have_is_sent_by_the_converted_lead(
        self, harness: Harness
    ) -> None:
        rating = FieldPair("function", "Rating", Direction.BOTH)
        pairs = (*(it for it in DEFAULT_MAPPING.pairs if it.plezi != "function"), rating)
        harness.context.mappings.save(  # type: ignore[attr-defined]
            MappingConfig(1, pairs, DEFAULT_MAPPING.contact_filter)
        )
        lead = lead_of(harness)["Id"]
        harness.sync()
        harness.edit_lead(lead, Rating="Hot")
        converted = harness.control("salesforce", "POST", f"leads/{lead}/convert")
        flag = {"sync_to_plezi__c": "yes"}
        harness.salesforce("PATCH", f"sobjects/Contact/{converted['contactId']}", flag)
        advance_clocks(harness)

        harness.sync()

        assert harness.people()[ANA]["function"] == "Hot"
        assert harness.ledger.load_links([ANA])[ANA].quarantine is None
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_a_contact_that_continues_its_lead_speaks_for_both(self, harness: Harness) -> None:
        """What was typed in the Lead before is no conflict with what the Contact has now."""
        save_policy(harness, "Phone", ConflictPolicy.HOLD)
        lead = lead_of(harness)["Id"]
        harness.sync()
        harness.edit_lead(lead, Phone="222")
        converted = harness.control("salesforce", "POST", f"leads/{lead}/convert")
        typed = {"sync_to_plezi__c": "yes", "Phone": "333"}
        harness.salesforce("PATCH", f"sobjects/Contact/{converted['contactId']}", typed)
        advance_clocks(harness)

        harness.sync()

        assert harness.people()[ANA]["phone"] == "333"
        assert harness.ledger.load_links([ANA])[ANA].holds == {}

    @pytest.mark.parametrize("last", ["111", "333"])
    def test_a_later_edit_in_plezi_wins_against_the_last_edit_of_a_converted_lead(
        self, harness: Harness, ana: str, last: str
    ) -> None:
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, Phone="222")
        harness.control("salesforce", "POST", f"leads/{lead}/convert")
        advance_clocks(harness)
        harness.edit_person(ana, phone="333")
        harness.edit_person(ana, phone=last)  # "111": typed back, nothing has changed
        advance_clocks(harness)

        harness.sync()

        lost = [it["before"] for it in harness.journal(ANA) if it["kind"] == "overwritten"]
        if last == "333":
            assert (harness.people()[ANA]["phone"], lost) == ("333", ['"222"'])
        else:
            assert (harness.people()[ANA]["phone"], lost) == ("222", [])
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_a_standard_field_of_the_contact_that_a_user_cleared_is_cleared_in_plezi(
        self, harness: Harness
    ) -> None:
        """Salesforce carries standard fields over: a blank was typed."""
        converted = harness.control("salesforce", "POST", f"leads/{lead_of(harness)['Id']}/convert")
        contact = converted["contactId"]
        cleared = {"sync_to_plezi__c": "yes", "Phone": None}
        harness.salesforce("PATCH", f"sobjects/Contact/{contact}", cleared)
        advance_clocks(harness)

        harness.sync()

        assert harness.people()[ANA]["phone"] is None

    @pytest.mark.usefixtures("ana")
    def test_a_new_lead_after_the_conversion_takes_part(self, harness: Harness) -> None:
        harness.control("salesforce", "POST", f"leads/{lead_of(harness)['Id']}/convert")
        harness.sync()
        advance_clocks(harness)
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="555")

        harness.sync()

        assert harness.people()[ANA]["phone"] == "555"
        assert next_run_writes_nothing(harness)

    def test_a_value_cleared_in_plezi_conflicts_with_a_new_lead_and_is_in_the_journal(
        self, harness: Harness, ana: str
    ) -> None:
        harness.control("salesforce", "POST", f"leads/{lead_of(harness)['Id']}/convert")
        harness.sync()
        advance_clocks(harness)
        harness.edit_person(ana, phone=None)
        advance_clocks(harness)
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="555")

        harness.sync()

        assert harness.people()[ANA]["phone"] == "555"
        assert [
            entry["before"] for entry in harness.journal(ANA) if entry["kind"] == "overwritten"
        ] == ["null"]


class TestOptOutBeforeTheEnd:
    @pytest.mark.parametrize(
        "end",
        [
            "deletion",
            "merge",
            "cleared e-mail",
            "deleted contact",
            "cleared contact",
            "contact without the flag",
        ],
    )
    def test_an_opt_out_ticked_just_before_a_record_leaves_reaches_plezi(
        self, harness: Harness, ana: str, end: str
    ) -> None:
        """Who asks for it must not get another e-mail; a phone typed there ends with the record."""
        opt_out_in_plezi(harness, ana, policy=ConflictPolicy.MOST_RESTRICTIVE)
        lead = lead_of(harness)["Id"]
        harness.edit_person(ana, newsletter_optout=False)
        harness.salesforce("PATCH", f"sobjects/Lead/{lead}", {OPT_OUT: False})
        contact = harness.add_contact(
            LastName="Lopez", Phone="111", Email=ANA, sync_to_plezi__c="yes"
        )
        advance_clocks(harness)
        harness.sync()
        assert harness.people()[ANA]["newsletter_optout"] is False
        record = f"Contact/{contact}" if "contact" in end else f"Lead/{lead}"
        typed = {OPT_OUT: True, "Phone": "222"}
        if "cleared" in end:
            typed["Email"] = None
        if "flag" in end:
            typed["sync_to_plezi__c"] = "no"
        harness.salesforce("PATCH", f"sobjects/{record}", typed)
        if end == "merge":
            merge_leads(harness, harness.add_lead(Email=ANA, LastName="Lopez", Phone="111"), lead)
        elif "delet" in end:
            harness.salesforce("DELETE", f"sobjects/{record}")
        advance_clocks(harness)

        harness.sync()

        person = harness.people()[ANA]
        assert (person["newsletter_optout"], person["phone"]) == (True, "111")
        assert next_run_writes_nothing(harness)


class TestMerge:
    def test_the_winning_lead_continues_and_no_value_of_the_losing_lead_is_written_back(
        self, harness: Harness, ana: str
    ) -> None:
        winner = lead_of(harness)["Id"]
        merged = harness.add_lead(Email=ANA, LastName="Lopez", Title="CMO")
        harness.sync()
        merge_leads(harness, winner, merged)
        harness.edit_person(ana, phone="222")

        harness.sync()

        assert lead_of(harness)["Id"] == winner
        assert lead_of(harness)["Phone"] == "222"
        assert next_run_writes_nothing(harness)

    def test_what_the_winner_of_a_merge_lacks_is_not_cleared_in_plezi(
        self, harness: Harness, ana: str
    ) -> None:
        """A merge by the API keeps the blanks of the winner: nobody opted the person in again."""
        opt_out_in_plezi(harness, ana)
        former = lead_of(harness)["Id"]
        advance_clocks(harness)
        winner = harness.add_lead(Email=ANA, LastName="Lopez")
        merge_leads(harness, winner, former)

        harness.sync()

        assert harness.people()[ANA]["newsletter_optout"] is True
        assert harness.people()[ANA]["phone"] == "111"
        lead = harness.salesforce("GET", f"sobjects/Lead/{winner}")
        assert (lead[OPT_OUT], lead["Phone"]) == (True, "111")
        assert next_run_writes_nothing(harness)

    @pytest.mark.usefixtures("ana")
    def test_two_people_merged_into_one_lead_stay_two_contacts_in_plezi(
        self, harness: Harness
    ) -> None:
        harness.add_person(email=BOB, last_name="Roi")
        harness.sync()
        winner, merged = lead_of(harness)["Id"], lead_of(harness, BOB)["Id"]
        merge_leads(harness, winner, merged)

        harness.sync()

        assert set(harness.people()) == {ANA, BOB}
        assert [lead["Id"] for lead in harness.leads()] == [winner]
        assert next_run_writes_nothing(harness)
