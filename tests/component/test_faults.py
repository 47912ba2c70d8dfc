"""Failed calls, lost responses and wrong assumptions: no edit is lost and no record duplicated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.model import LinkChange, RunKind, RunState
from connector.planning.observation import WRITE_LAG_SECONDS
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks

COLLECTIONS = "composite/sobjects"
LOOK_UPS = "(composite|query)/$"
"""A look-up of one query is a query, one of several is a composite call."""


def inject_fault(harness: Harness, side: str, kind: str, **options: Any) -> None:
    harness.control(side, "POST", "faults", {"kind": kind, **options})


def test_a_create_whose_response_was_lost_creates_one_lead(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    inject_fault(harness, "salesforce", "reset_after_commit", path=COLLECTIONS)

    harness.sync()
    harness.sync()

    assert len(harness.leads()) == 1
    harness.mark()
    harness.sync()
    assert harness.calls("salesforce")["writes"] == 0


def test_an_update_whose_response_was_lost_is_recognized_as_our_own(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.edit_person(person, phone="222")
    inject_fault(harness, "salesforce", "timeout_after_commit", path=COLLECTIONS)
    harness.sync()

    harness.edit_person(person, phone="111")
    harness.sync()

    assert harness.leads()[0]["Phone"] == "111"
    assert harness.people()["ana@example.com"]["phone"] == "111"
    assert not [
        entry for entry in harness.journal("ana@example.com") if entry["kind"] == "overwritten"
    ]


def test_an_update_that_a_user_may_have_overwritten_is_held_for_review(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()
    harness.edit_person(person, phone="222")
    inject_fault(harness, "salesforce", "timeout_after_commit", path=COLLECTIONS)
    inject_fault(harness, "salesforce", "unavailable_page", path=LOOK_UPS, after=1, count=None)
    harness.sync()
    harness.control("salesforce", "DELETE", "faults")
    harness.control("salesforce", "POST", "clock", {"advance": 60})
    harness.edit_lead(lead["Id"], Phone="333")

    harness.sync()
    harness.sync()

    assert harness.leads()[0]["Phone"] == "333"
    assert harness.people()["ana@example.com"]["phone"] == "222"
    link = harness.ledger.load_links(["ana@example.com"])["ana@example.com"]
    assert link.holds["Phone"].reason == "in_doubt"

    harness.edit_person(person, phone="333")
    harness.sync()
    assert not harness.ledger.load_links(["ana@example.com"])["ana@example.com"].holds


@pytest.mark.parametrize("kind", ["reset_after", "timeout_after", "empty_body", "reset_before"])
def test_a_create_in_plezi_whose_response_was_lost_creates_one_contact(
    harness: Harness, kind: str
) -> None:
    harness.add_lead(Email="bob@example.com", LastName="Roi")
    inject_fault(harness, "plezi", kind, method="POST", path="contacts")

    harness.sync()
    harness.let_pass(WRITE_LAG_SECONDS)
    harness.sync()

    assert list(harness.people()) == ["bob@example.com"]
    assert harness.leads()[0]["plezi_url__c"]
    harness.mark()
    harness.sync()
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0


def test_a_lost_response_is_not_recovered_while_plezi_may_return_stale_values(
    harness: Harness,
) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.edit_lead(harness.leads()[0]["Id"], Phone="222")
    inject_fault(harness, "plezi", "reset_after", method="PUT|PATCH")
    inject_fault(harness, "plezi", "stale", parameters={"seconds": 30})
    harness.sync()
    # The value before the write, which stale reads return too.
    harness.edit_person(person, phone="111")

    harness.sync()
    assert harness.people()["ana@example.com"]["phone"] == "111"

    harness.control("plezi", "POST", "clock", {"advance": 31})
    harness.let_pass(WRITE_LAG_SECONDS)
    harness.sync()
    phones = harness.people()["ana@example.com"]["phone"], harness.leads()[0]["Phone"]
    held = harness.ledger.load_links(["ana@example.com"])["ana@example.com"].holds
    # Nothing shows whether the user typed the old value again, or the write never arrived: it is
    # written again, and the journal has the value that it replaced.
    assert phones == ("222", "222")
    assert not held
    [lost] = [it for it in harness.journal("ana@example.com") if it["kind"] == "overwritten"]
    assert (lost["before"], lost["after"], lost["rule"]) == ('"111"', '"222"', "repeated")


def test_a_locked_row_is_written_by_the_next_run_and_delays_no_other_record(
    harness: Harness,
) -> None:
    for name in ("a", "b"):
        harness.add_person(email=f"{name}@example.com", last_name=name)
    inject_fault(harness, "salesforce", "lock_row", path=COLLECTIONS, parameters={"records": [0]})

    harness.sync()
    harness.sync()

    assert len(harness.leads()) == 2


def test_an_expired_session_is_renewed_once(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    inject_fault(harness, "salesforce", "session_expired")
    harness.mark()

    run = harness.sync()

    assert run.state is RunState.DONE
    assert len(harness.leads()) == 1
    assert harness.calls("salesforce")["logins"] == 2


def test_an_exhausted_quota_stops_the_run_and_the_next_run_continues(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    inject_fault(harness, "salesforce", "quota_exceeded", path=COLLECTIONS)

    first = harness.sync()
    harness.sync()

    assert (first.state, first.reason) == (RunState.HALTED, "salesforce_api_limit")
    assert len(harness.leads()) == 1


def test_a_row_that_becomes_visible_late_is_read(harness: Harness) -> None:
    harness.sync()
    inject_fault(
        harness,
        "salesforce",
        "late_commit",
        method="POST",
        path="sobjects/Lead",
        parameters={"seconds": 300},
    )
    harness.add_lead(Email="late@example.com")
    harness.sync()
    harness.control("salesforce", "POST", "clock", {"advance": 120})
    harness.add_lead(Email="early@example.com")
    harness.sync()
    harness.sync()
    assert list(harness.people()) == ["early@example.com"]

    harness.control("salesforce", "POST", "clock", {"advance": 301})
    harness.sync()

    assert "late@example.com" in harness.people()


@pytest.mark.parametrize(
    "switches",
    [
        {"changed_since": "ignored"},
        {"changed_since": "absent"},
        {"changed_since": "absent", "sort": "ignored"},
        {"changed_since": "ignored", "sort": "ignored", "meta": "missing"},
        {"total_results": "low", "page_size_cap": 3},
        {"known_email": "conflict"},
        {"email_filter": "ignored"},
        {"email_filter": "absent", "known_email": "conflict_409"},
        {"get_by_id": "absent"},
        {"schema_call": "absent"},
        {"score_type": "text", "state_spelling": "capitals"},
        {"empty_values": "null"},
        {"empty_values": "omitted"},
        {"updated_at": "missing"},
        {"unchanged_write": "moves_updated_at"},
    ],
    ids=str,
)
def test_both_sides_agree_for_every_assumption_about_plezi(
    harness: Harness, switches: dict[str, Any]
) -> None:
    harness.control("plezi", "POST", "switches", switches)
    if switches.get("empty_values") == "omitted":  # the setting that docs/mapping.md names
        harness.use_settings(plezi_dialect='{"omits_blanks": true}')
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.control("plezi", "POST", "load", {"contacts": 8})
    harness.add_lead(Email="bob@example.com", LastName="Roi")
    harness.sync()
    harness.edit_person(person, phone="222")
    bob = harness.leads("bob@example.com")[0]
    harness.edit_lead(bob["Id"], Phone="333")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.leads("ana@example.com")[0]["Phone"] == "222"
    assert harness.people()["bob@example.com"]["phone"] == "333"
    assert len(harness.leads()) == len(harness.people()) == 10
    harness.mark()
    harness.sync()
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0


def test_a_converted_lead_is_never_written_and_no_new_lead_is_created(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.sync()
    [lead] = harness.leads()
    harness.control("salesforce", "POST", f"leads/{lead['Id']}/convert", {})
    harness.edit_person(person, phone="222")

    run = harness.sync()
    harness.sync()

    assert run.state is RunState.DONE
    assert len(harness.leads()) == 1
    assert not harness.leads()[0]["Phone"]


def test_a_deleted_lead_is_not_created_again_and_nothing_is_deleted_in_plezi(
    harness: Harness,
) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.sync()
    [lead] = harness.leads()
    harness.salesforce("DELETE", f"sobjects/Lead/{lead['Id']}")
    harness.edit_person(person, phone="222")

    harness.sync()
    harness.sync()

    assert harness.leads() == []
    assert list(harness.people()) == ["ana@example.com"]


def test_a_contact_whose_email_changes_stays_one_contact(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.sync()
    [lead] = harness.leads()

    harness.edit_lead(lead["Id"], Email="ana@new.example.com")
    harness.sync()
    harness.sync()

    assert list(harness.people()) == ["ana@new.example.com"]
    assert len(harness.leads()) == 1


def test_an_email_that_belongs_to_another_contact_is_held(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Ana")
    harness.add_person(email="bea@example.com", last_name="Bea")
    harness.sync()
    [ana] = harness.leads("ana@example.com")

    harness.edit_lead(ana["Id"], Email="bea@example.com")
    harness.sync()
    harness.sync()

    assert {person["last_name"] for person in harness.people().values()} == {"Ana", "Bea"}
    assert len(harness.people()) == 2
    assert harness.ledger.load_links(["ana@example.com"])["ana@example.com"].holds


def test_two_leads_with_one_email_are_one_person(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.add_lead(Email="ana@example.com", LastName="Lopez", Phone="999")

    harness.sync()
    harness.edit_person(person, mobile="555")
    harness.sync()

    assert {lead["Phone"] for lead in harness.leads()} == {"111"}
    assert {lead["MobilePhone"] for lead in harness.leads()} == {"555"}


def test_automations_that_revert_each_other_are_held_and_other_fields_are_synchronized(
    harness: Harness,
) -> None:
    """A flow of the org and an automation of the tenant each overwrite the value at every save."""
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    lead = harness.leads()[0]["Id"]
    harness.mark()

    for _ in range(12):  # a day of runs; both automations write after each run
        if harness.leads()[0]["Phone"] != "999":
            harness.edit_lead(lead, Phone="999")
        harness.sync()
        if harness.people()["ana@example.com"]["phone"] != "111":
            harness.edit_person(person, phone="111")
        harness.sync()

    link = harness.ledger.load_links(["ana@example.com"])["ana@example.com"]
    assert link.holds["Phone"].reason == "write_loop"
    written = [entry for entry in harness.journal("ana@example.com") if entry["kind"] == "written"]
    assert sum(entry["field"] == "Phone" for entry in written) <= 6
    harness.edit_person(person, first_name="Ana")
    harness.sync()
    assert harness.leads()[0]["FirstName"] == "Ana"


def test_a_user_who_edits_a_field_often_is_not_treated_as_an_automation(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()

    for phone in ("222", "111", "333", "111", "222"):
        harness.edit_person(person, phone=phone)
        harness.sync()
        assert harness.leads()[0]["Phone"] == phone


def test_a_tenant_without_reads_by_id_causes_neither_a_failure_nor_a_deletion(
    harness: Harness,
) -> None:
    harness.control("plezi", "POST", "switches", {"get_by_id": "absent"})
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.edit_person(person, email="ana@new.example.com")

    run = harness.sync(kind=RunKind.SELECTED, emails=["ana@example.com"])

    assert run.state is RunState.DONE, run.message
    [link] = harness.ledger.load_links(["ana@example.com"]).values()
    assert link.plezi is not None
    assert not link.plezi.deleted


def test_a_contact_deleted_in_a_tenant_without_reads_by_id_is_not_written_forever(
    harness: Harness,
) -> None:
    harness.control("plezi", "POST", "switches", {"get_by_id": "absent"})
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()
    harness.control("plezi", "DELETE", f"contacts/{person}")
    harness.edit_lead(lead["Id"], Phone="222")

    harness.sync()
    harness.sync()

    [link] = harness.ledger.load_links(["ana@example.com"]).values()
    assert link.plezi is not None
    assert (link.plezi.deleted, link.dirty) == (True, False)


def test_a_lead_created_by_a_crashed_run_is_recognized_after_its_email_changed(
    harness: Harness,
) -> None:
    """An upsert would overwrite the edits of sales users on that Lead since its creation."""
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    inject_fault(harness, "salesforce", "reset_after_commit", path=COLLECTIONS)
    inject_fault(harness, "salesforce", "unavailable_page", path=LOOK_UPS, after=1, count=None)
    harness.sync()
    harness.control("salesforce", "DELETE", "faults")
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"advance": 60})
    harness.edit_lead(harness.leads()[0]["Id"], Phone="333", Title="CMO")
    harness.edit_person(person, email="ana.lopez@example.com")

    harness.sync()
    harness.sync()

    [lead] = harness.leads()
    assert (lead["Email"], lead["Phone"]) == ("ana.lopez@example.com", "333")
    assert harness.people()["ana.lopez@example.com"]["phone"] == "333"


def test_a_contact_missing_from_a_page_is_found_and_not_overwritten(harness: Harness) -> None:
    harness.add_lead(Email="ana@example.com", LastName="Lopez", Company="Acme", Phone="111")
    harness.control("plezi", "POST", "clock", {"advance": 60})
    # The contact is the newest record.
    harness.add_person(email="ana@example.com", last_name="Lopez", phone="222")
    inject_fault(harness, "plezi", "truncated_page")

    harness.sync()

    assert harness.people()["ana@example.com"]["phone"] == "222"
    assert [lead["Phone"] for lead in harness.leads()] == ["222"]
    assert '"111"' in [entry["before"] for entry in harness.journal("ana@example.com")]


def test_no_contact_is_created_with_an_email_that_a_known_contact_still_has(
    harness: Harness,
) -> None:
    """The link moved to the new e-mail of the Lead; Plezi updates a contact with a known e-mail."""
    ana = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()
    harness.edit_lead(lead["Id"], Email="ana.lopez@example.com")
    harness.add_contact(Email="ana@example.com", sync_to_plezi__c="yes", Phone="999")
    harness.control("salesforce", "POST", f"leads/{lead['Id']}/convert")
    harness.edit_person(ana, phone="112")

    for _ in range(3):
        harness.sync()

    phones = {row["id"]: row["phone"] for row in harness.people().values()}
    assert phones[ana] == "112"


def test_a_second_lead_with_an_email_that_is_given_up_becomes_a_second_person(
    harness: Harness,
) -> None:
    ana = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()
    harness.edit_person(ana, phone="112")
    harness.edit_lead(lead["Id"], Email="zoe@example.com")
    harness.add_lead(Email="ana@example.com", LastName="Ruiz", Company="Acme", Phone="999")

    for _ in range(3):
        harness.sync()

    people = {email: row["phone"] for email, row in harness.people().items()}
    assert people == {"zoe@example.com": "112", "ana@example.com": "999"}
    assert harness.people()["zoe@example.com"]["id"] == ana
    assert {row["Email"]: row["Phone"] for row in harness.leads()} == people


@pytest.mark.parametrize("side", ["salesforce", "plezi"])
def test_an_edit_read_after_the_clock_was_set_back_is_synchronized(
    harness: Harness, side: str
) -> None:
    """The edit seems older than the response to our last write, and the cursor moves past it."""
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    lead = harness.leads()[0]["Id"]
    harness.let_pass(7200)
    harness.edit_person(person, mobile="333")
    harness.edit_lead(lead, Phone="222")
    harness.sync(kind=RunKind.SELECTED, emails=("ana@example.com",))
    assert harness.leads()[0]["MobilePhone"] == "333"
    advance_clocks(harness)
    harness.let_pass(-3600)

    if side == "plezi":
        harness.edit_person(person, phone="444")
    else:
        harness.edit_lead(lead, Phone="444")
    harness.sync()

    assert harness.leads()[0]["Phone"] == harness.people()["ana@example.com"]["phone"] == "444"


def test_a_deletion_read_after_the_clock_was_set_back_is_recorded(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.let_pass(7200)
    harness.edit_person(person, phone="222")
    harness.sync(kind=RunKind.SELECTED, emails=("ana@example.com",))
    advance_clocks(harness)
    harness.let_pass(-3600)

    harness.salesforce("DELETE", f"sobjects/Lead/{harness.leads()[0]['Id']}")
    harness.sync()

    [lead] = harness.ledger.load_links(["ana@example.com"])["ana@example.com"].salesforce
    assert lead.deleted


def test_a_run_after_the_clock_was_set_back_reads_the_next_edit(
    harness: Harness,
) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.let_pass(-3600)

    harness.edit_person(person, phone="444")
    harness.sync()

    assert harness.leads()[0]["Phone"] == "444"


def test_the_intent_of_a_crashed_run_is_recovered_at_once_after_the_clock_was_set_back(
    harness: Harness,
) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    harness.edit_person(person, phone="222")
    inject_fault(harness, "salesforce", "timeout_after_commit", path=COLLECTIONS)
    inject_fault(harness, "salesforce", "unavailable_page", path=LOOK_UPS, after=1, count=None)
    harness.sync()
    harness.control("salesforce", "DELETE", "faults")
    link = harness.ledger.load_links(["ana@example.com"])["ana@example.com"]
    assert link.intent is not None
    harness.ledger.save_links(
        [LinkChange(replace(link, intent=replace(link.intent, in_doubt=False)))]
    )
    harness.let_pass(-3600)

    harness.sync()

    assert harness.ledger.load_links(["ana@example.com"])["ana@example.com"].intent is None
    assert harness.leads()[0]["Phone"] == harness.people()["ana@example.com"]["phone"] == "222"
