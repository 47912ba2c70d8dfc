"""What happens to people's data when calls fail, answers get lost, and assumptions are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.engine.reconcile import STALE_SECONDS
from connector.model import Change, RunKind, RunState
from tests.component.acquaintances import later
from tests.component.stage import Stage

COLLECTIONS = "composite/sobjects"


def order(stage: Stage, side: str, kind: str, **options: Any) -> None:
    stage.control(side, "POST", "faults", {"kind": kind, **options})


def test_a_creation_whose_answer_was_lost_makes_one_lead(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    order(stage, "salesforce", "reset_after_commit", path=COLLECTIONS)

    stage.sync()
    stage.sync()

    assert len(stage.leads()) == 1
    stage.mark()
    stage.sync()
    assert stage.calls("salesforce")["writes"] == 0


def test_an_update_whose_answer_was_lost_is_known_as_our_own(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.edit_person(person, phone="222")
    order(stage, "salesforce", "timeout_after_commit", path=COLLECTIONS)
    stage.sync()

    stage.edit_person(person, phone="111")
    stage.sync()

    assert stage.leads()[0]["Phone"] == "111"
    assert stage.people()["ana@example.com"]["phone"] == "111"
    assert not [line for line in stage.journal("ana@example.com") if line["what"] == "lost"]


def test_an_update_that_may_have_been_overtyped_is_held_for_a_person(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    [lead] = stage.leads()
    stage.edit_person(person, phone="222")
    order(stage, "salesforce", "timeout_after_commit", path=COLLECTIONS)
    order(stage, "salesforce", "unavailable_page", path="composite/$", after=1, count=None)
    stage.sync()
    stage.control("salesforce", "DELETE", "faults")
    stage.control("salesforce", "POST", "clock", {"advance": 60})
    stage.edit_lead(lead["Id"], Phone="333")

    stage.sync()
    stage.sync()

    assert stage.leads()[0]["Phone"] == "333"
    assert stage.people()["ana@example.com"]["phone"] == "222"
    link = stage.ledger.links(["ana@example.com"])["ana@example.com"]
    assert link.holds["Phone"].reason == "in_doubt"

    stage.edit_person(person, phone="333")
    stage.sync()
    assert not stage.ledger.links(["ana@example.com"])["ana@example.com"].holds


@pytest.mark.parametrize("kind", ["reset_after", "timeout_after", "empty_body", "reset_before"])
def test_a_creation_in_plezi_whose_answer_was_lost_makes_one_contact(
    stage: Stage, kind: str
) -> None:
    stage.add_lead(Email="bob@example.com", LastName="Roi")
    order(stage, "plezi", kind, method="POST", path="contacts")

    stage.sync()
    stage.let_pass(STALE_SECONDS)
    stage.sync()

    assert list(stage.people()) == ["bob@example.com"]
    assert stage.leads()[0]["plezi_url__c"]
    stage.mark()
    stage.sync()
    assert stage.calls("plezi")["writes"] == stage.calls("salesforce")["writes"] == 0


def test_a_lost_answer_is_not_judged_while_plezi_may_show_what_was(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.edit_lead(stage.leads()[0]["Id"], Phone="222")
    order(stage, "plezi", "reset_after", method="PUT|PATCH")
    order(stage, "plezi", "stale", parameters={"seconds": 30})
    stage.sync()
    stage.edit_person(person, phone="111")  # what it said before, and shows anyway

    stage.sync()
    assert stage.people()["ana@example.com"]["phone"] == "111"

    stage.control("plezi", "POST", "clock", {"advance": 31})
    stage.let_pass(STALE_SECONDS)
    stage.sync()
    kept = stage.people()["ana@example.com"]["phone"], stage.leads()[0]["Phone"]
    held = stage.ledger.links(["ana@example.com"])["ana@example.com"].holds
    assert kept == ("111", "111") or held["Phone"].reason == "in_doubt"


def test_a_locked_row_is_written_by_the_next_pass_and_delays_nobody(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.add_person(email=f"{name}@example.com", last_name=name)
    order(stage, "salesforce", "lock_row", path=COLLECTIONS, parameters={"records": [0]})

    stage.sync()
    stage.sync()

    assert len(stage.leads()) == 2


def test_a_session_that_dies_is_renewed_once(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    order(stage, "salesforce", "session_expired")
    stage.mark()

    run = stage.sync()

    assert run.state is RunState.DONE
    assert len(stage.leads()) == 1
    assert stage.calls("salesforce")["logins"] == 2


def test_a_spent_quota_halts_the_run_and_the_next_one_goes_on(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    order(stage, "salesforce", "quota_exceeded", path=COLLECTIONS)

    first = stage.sync()
    stage.sync()

    assert (first.state, first.reason) == (RunState.HALTED, "REQUEST_LIMIT_EXCEEDED")
    assert len(stage.leads()) == 1


def test_a_row_that_becomes_visible_late_is_read_all_the_same(stage: Stage) -> None:
    stage.sync()
    order(
        stage,
        "salesforce",
        "late_commit",
        method="POST",
        path="sobjects/Lead",
        parameters={"seconds": 300},
    )
    stage.add_lead(Email="late@example.com")
    stage.sync()
    stage.control("salesforce", "POST", "clock", {"advance": 120})
    stage.add_lead(Email="early@example.com")
    stage.sync()
    stage.sync()
    assert list(stage.people()) == ["early@example.com"]

    stage.control("salesforce", "POST", "clock", {"advance": 301})
    stage.sync()

    assert "late@example.com" in stage.people()


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
def test_both_sides_agree_whatever_plezi_turns_out_to_be(
    stage: Stage, switches: dict[str, Any]
) -> None:
    stage.control("plezi", "POST", "switches", switches)
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.control("plezi", "POST", "load", {"contacts": 8})
    stage.add_lead(Email="bob@example.com", LastName="Roi")
    stage.sync()
    stage.edit_person(person, phone="222")
    bob = stage.leads("bob@example.com")[0]
    stage.edit_lead(bob["Id"], Phone="333")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    assert stage.leads("ana@example.com")[0]["Phone"] == "222"
    assert stage.people()["bob@example.com"]["phone"] == "333"
    assert len(stage.leads()) == len(stage.people()) == 10
    stage.mark()
    stage.sync()
    assert stage.calls("plezi")["writes"] == stage.calls("salesforce")["writes"] == 0


def test_a_converted_lead_is_never_written_and_no_new_one_is_made(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.sync()
    [lead] = stage.leads()
    stage.control("salesforce", "POST", f"leads/{lead['Id']}/convert", {})
    stage.edit_person(person, phone="222")

    run = stage.sync()
    stage.sync()

    assert run.state is RunState.DONE
    assert len(stage.leads()) == 1
    assert not stage.leads()[0]["Phone"]


def test_a_deleted_lead_is_not_made_again_and_nothing_is_deleted_in_plezi(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.sync()
    [lead] = stage.leads()
    stage.salesforce("DELETE", f"sobjects/Lead/{lead['Id']}")
    stage.edit_person(person, phone="222")

    stage.sync()
    stage.sync()

    assert stage.leads() == []
    assert list(stage.people()) == ["ana@example.com"]


def test_a_person_whose_email_changes_stays_one_person(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.sync()
    [lead] = stage.leads()

    stage.edit_lead(lead["Id"], Email="ana@new.example.com")
    stage.sync()
    stage.sync()

    assert list(stage.people()) == ["ana@new.example.com"]
    assert len(stage.leads()) == 1


def test_an_email_that_belongs_to_somebody_else_is_held(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Ana")
    stage.add_person(email="bea@example.com", last_name="Bea")
    stage.sync()
    [ana] = stage.leads("ana@example.com")

    stage.edit_lead(ana["Id"], Email="bea@example.com")
    stage.sync()
    stage.sync()

    assert {person["last_name"] for person in stage.people().values()} == {"Ana", "Bea"}
    assert len(stage.people()) == 2
    assert stage.ledger.links(["ana@example.com"])["ana@example.com"].holds


def test_two_leads_of_one_email_are_one_person(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.add_lead(Email="ana@example.com", LastName="Lopez", Phone="999")

    stage.sync()
    stage.edit_person(person, mobile="555")
    stage.sync()

    assert {lead["Phone"] for lead in stage.leads()} == {"111"}
    assert {lead["MobilePhone"] for lead in stage.leads()} == {"555"}


def test_automations_that_undo_each_other_are_held_and_everything_else_goes_on(
    stage: Stage,
) -> None:
    """A flow of the org and one of the tenant rewrite each other's value at every save."""
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    lead = stage.leads()[0]["Id"]
    stage.mark()

    for _ in range(12):  # a day of runs, after each of which both automations strike
        if stage.leads()[0]["Phone"] != "999":
            stage.edit_lead(lead, Phone="999")
        stage.sync()
        if stage.people()["ana@example.com"]["phone"] != "111":
            stage.edit_person(person, phone="111")
        stage.sync()

    link = stage.ledger.links(["ana@example.com"])["ana@example.com"]
    assert link.holds["Phone"].reason == "oscillates"
    ours = [it for it in stage.journal("ana@example.com") if it["what"] == "written"]
    assert sum(it["field"] == "Phone" for it in ours) <= 6
    stage.edit_person(person, first_name="Ana")
    stage.sync()
    assert stage.leads()[0]["FirstName"] == "Ana"


def test_a_person_who_changes_her_mind_is_not_taken_for_an_automation(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()

    for phone in ("222", "111", "333", "111", "222"):
        stage.edit_person(person, phone=phone)
        stage.sync()
        assert stage.leads()[0]["Phone"] == phone


def test_a_tenant_that_reads_nobody_by_id_looks_neither_broken_nor_deserted(stage: Stage) -> None:
    stage.control("plezi", "POST", "switches", {"get_by_id": "absent"})
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.edit_person(person, email="ana@new.example.com")

    run = stage.sync(kind=RunKind.SELECTED, emails=["ana@example.com"])

    assert run.state is RunState.DONE, run.message
    [link] = stage.ledger.links(["ana@example.com"]).values()
    assert link.plezi is not None
    assert not link.plezi.deleted


def test_a_contact_deleted_in_a_tenant_that_reads_nobody_by_id_is_not_written_for_ever(
    stage: Stage,
) -> None:
    stage.control("plezi", "POST", "switches", {"get_by_id": "absent"})
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    [lead] = stage.leads()
    stage.control("plezi", "DELETE", f"contacts/{person}")
    stage.edit_lead(lead["Id"], Phone="222")

    stage.sync()
    stage.sync()

    [link] = stage.ledger.links(["ana@example.com"]).values()
    assert link.plezi is not None
    assert (link.plezi.deleted, link.dirty) == (True, False)


def test_a_lead_created_by_a_run_that_died_is_known_though_the_address_changed_since(
    stage: Stage,
) -> None:
    """The creation would be an upsert: it would overwrite what sales typed on that Lead since."""
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    order(stage, "salesforce", "reset_after_commit", path=COLLECTIONS)
    order(stage, "salesforce", "unavailable_page", path="composite/$", after=1, count=None)
    stage.sync()
    stage.control("salesforce", "DELETE", "faults")
    for side in ("plezi", "salesforce"):
        stage.control(side, "POST", "clock", {"advance": 60})
    stage.edit_lead(stage.leads()[0]["Id"], Phone="333", Title="CMO")
    stage.edit_person(person, email="ana.lopez@example.com")

    stage.sync()
    stage.sync()

    [lead] = stage.leads()
    assert (lead["Email"], lead["Phone"]) == ("ana.lopez@example.com", "333")
    assert stage.people()["ana.lopez@example.com"]["phone"] == "333"


def test_a_contact_that_a_page_left_out_is_met_and_not_overwritten(stage: Stage) -> None:
    stage.add_lead(Email="ana@example.com", LastName="Lopez", Company="Acme", Phone="111")
    stage.control("plezi", "POST", "clock", {"advance": 60})
    stage.add_person(email="ana@example.com", last_name="Lopez", phone="222")  # the newest
    order(stage, "plezi", "truncated_page")

    stage.sync()

    assert stage.people()["ana@example.com"]["phone"] == "222"
    assert [lead["Phone"] for lead in stage.leads()] == ["222"]
    assert '"111"' in [line["before"] for line in stage.journal("ana@example.com")]


def test_nobody_is_created_under_an_address_that_a_known_contact_still_says(stage: Stage) -> None:
    """Her link followed the Lead to a new address; Plezi takes a known e-mail for an update."""
    ana = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    [lead] = stage.leads()
    stage.edit_lead(lead["Id"], Email="ana.lopez@example.com")
    stage.add_contact(Email="ana@example.com", sync_to_plezi__c="yes", Phone="999")
    stage.control("salesforce", "POST", f"leads/{lead['Id']}/convert")
    stage.edit_person(ana, phone="112")

    for _ in range(3):
        stage.sync()

    phones = {row["id"]: row["phone"] for row in stage.people().values()}
    assert phones[ana] == "112"


def test_a_second_lead_under_an_address_that_is_being_left_becomes_a_second_person(
    stage: Stage,
) -> None:
    ana = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    [lead] = stage.leads()
    stage.edit_person(ana, phone="112")
    stage.edit_lead(lead["Id"], Email="zoe@example.com")
    stage.add_lead(Email="ana@example.com", LastName="Ruiz", Company="Acme", Phone="999")

    for _ in range(3):
        stage.sync()

    people = {email: row["phone"] for email, row in stage.people().items()}
    assert people == {"zoe@example.com": "112", "ana@example.com": "999"}
    assert stage.people()["zoe@example.com"]["id"] == ana
    assert {row["Email"]: row["Phone"] for row in stage.leads()} == people


@pytest.mark.parametrize("side", ["salesforce", "plezi"])
def test_an_edit_read_by_a_clock_that_was_set_back_is_carried_over(stage: Stage, side: str) -> None:
    """It seems older than the answer to our last write, and the side's cursor goes past it."""
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    lead = stage.leads()[0]["Id"]
    stage.let_pass(7200)
    stage.edit_person(person, mobile="333")
    stage.edit_lead(lead, Phone="222")
    stage.sync(kind=RunKind.SELECTED, emails=("ana@example.com",))
    assert stage.leads()[0]["MobilePhone"] == "333"
    later(stage)
    stage.let_pass(-3600)

    if side == "plezi":
        stage.edit_person(person, phone="444")
    else:
        stage.edit_lead(lead, Phone="444")
    stage.sync()

    assert stage.leads()[0]["Phone"] == stage.people()["ana@example.com"]["phone"] == "444"


def test_a_deletion_read_by_a_clock_that_was_set_back_is_heard_of(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.let_pass(7200)
    stage.edit_person(person, phone="222")
    stage.sync(kind=RunKind.SELECTED, emails=("ana@example.com",))
    later(stage)
    stage.let_pass(-3600)

    stage.salesforce("DELETE", f"sobjects/Lead/{stage.leads()[0]['Id']}")
    stage.sync()

    [lead] = stage.ledger.links(["ana@example.com"])["ana@example.com"].salesforce
    assert lead.deleted


def test_a_run_after_a_clock_was_set_back_reads_what_a_run_before_it_could_not(
    stage: Stage,
) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.let_pass(-3600)

    stage.edit_person(person, phone="444")
    stage.sync()

    assert stage.leads()[0]["Phone"] == "444"


def test_what_a_dead_run_left_does_not_wait_until_a_clock_that_was_set_back_is_there_again(
    stage: Stage,
) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    stage.edit_person(person, phone="222")
    order(stage, "salesforce", "timeout_after_commit", path=COLLECTIONS)
    stage.sync()
    link = stage.ledger.links(["ana@example.com"])["ana@example.com"]
    assert link.intent is not None
    stage.ledger.put([Change(replace(link, intent=replace(link.intent, in_doubt=False)))])
    stage.let_pass(-3600)

    stage.sync()

    assert stage.ledger.links(["ana@example.com"])["ana@example.com"].intent is None
    assert stage.leads()[0]["Phone"] == stage.people()["ana@example.com"]["phone"] == "222"
