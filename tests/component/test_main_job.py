"""The scheduled synchronisation, seen from both sides: what people typed, and where it is now."""

from __future__ import annotations

import json

import pytest

from connector.model import RunState
from tests.component.stage import Stage


def test_a_new_plezi_contact_becomes_one_lead_with_its_address(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", first_name="Ana", last_name="Lopez")

    run = stage.sync()

    assert run.state is RunState.DONE, run.message
    [lead] = stage.leads()
    assert (lead["Email"], lead["FirstName"], lead["LastName"]) == (
        "ana@example.com",
        "Ana",
        "Lopez",
    )
    assert lead["plezi_url__c"].endswith(f"/contacts/{person}")
    assert lead["Company"] == "[unknown]"


def test_a_new_lead_becomes_one_plezi_contact_and_gets_its_address(stage: Stage) -> None:
    stage.add_lead(Email="Bob@Example.com", FirstName="Bob", LastName="Roi", Company="Roi SA")

    stage.sync()

    assert list(stage.people()) == ["bob@example.com"]
    assert stage.people()["bob@example.com"]["company"] == "Roi SA"
    [lead] = stage.leads()
    assert lead["plezi_url__c"]


def test_the_placeholder_never_travels_back(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", first_name="Ana")

    stage.sync()
    stage.sync()

    assert not stage.people()["ana@example.com"].get("last_name")
    assert not stage.people()["ana@example.com"].get("company")


def test_edits_of_different_fields_on_both_sides_both_arrive(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="+33 1 00 00 00 01")
    stage.sync()
    [lead] = stage.leads()

    stage.edit_person(person, first_name="Ana")
    stage.edit_lead(lead["Id"], MobilePhone="+33 6 11 22 33 44")
    stage.sync()

    [lead] = stage.leads()
    assert lead["FirstName"] == "Ana"
    assert stage.people()["ana@example.com"]["mobile"] == "+33 6 11 22 33 44"


def test_a_conflict_is_settled_by_the_policy_and_journalled_with_the_losing_value(
    stage: Stage,
) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    [lead] = stage.leads()
    for side in ("plezi", "salesforce"):
        stage.control(side, "POST", "clock", {"advance": 60})

    stage.edit_person(person, phone="222")
    for side in ("plezi", "salesforce"):
        stage.control(side, "POST", "clock", {"advance": 60})
    stage.edit_lead(lead["Id"], Phone="333")
    stage.sync()

    [lead] = stage.leads()
    assert lead["Phone"] == "333"
    assert stage.people()["ana@example.com"]["phone"] == "333"
    [lost] = [line for line in stage.journal("ana@example.com") if line["what"] == "lost"]
    assert (json.loads(lost["before"]), json.loads(lost["after"]), lost["rule"]) == (
        "222",
        "333",
        "newest",
    )


@pytest.mark.parametrize("side", ["plezi", "salesforce"])
def test_clearing_a_value_travels(stage: Stage, side: str) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    stage.sync()
    [lead] = stage.leads()

    if side == "plezi":
        stage.edit_person(person, phone=None)
    else:
        stage.edit_lead(lead["Id"], Phone=None)
    stage.sync()

    assert not stage.leads()[0]["Phone"]
    assert not stage.people()["ana@example.com"].get("phone")


def test_a_one_way_field_edited_on_the_wrong_side_is_left_alone(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez", function="CMO")
    stage.sync()
    [lead] = stage.leads()

    stage.edit_lead(lead["Id"], Title="Chief Magic Officer")
    stage.sync()
    stage.sync()

    assert stage.leads()[0]["Title"] == "Chief Magic Officer"
    assert stage.people()["ana@example.com"]["function"] == "CMO"


def test_score_and_state_travel_to_salesforce_as_text(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.control(
        "plezi", "PATCH", f"contacts/{person}", {"behaviour_score": 25, "state": "engaged"}
    )

    stage.sync()

    [lead] = stage.leads()
    assert (lead["score__c"], lead["status__c"]) == ("25", "engaged")


@pytest.mark.parametrize(("score", "state"), [(80, "dormant"), (-3, "Engagé")])
def test_a_score_out_of_bounds_and_a_state_that_nobody_knows_are_passed_on_as_said(
    stage: Stage, score: int, state: str
) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez")
    said = {"behaviour_score": score, "state": state}
    stage.control("plezi", "PATCH", f"contacts/{person}", said)

    stage.sync()

    [lead] = stage.leads()
    assert (lead["score__c"], lead["status__c"]) == (str(score), state)


def test_a_flagged_contact_reaches_plezi_and_is_never_written_back(stage: Stage) -> None:
    flagged = stage.add_contact(
        Email="cleo@example.com", FirstName="Cleo", sync_to_plezi__c="yes", Phone="111"
    )
    stage.add_contact(Email="dan@example.com", sync_to_plezi__c="no")
    stage.add_contact(Email="eve@example.com")
    stage.sync()
    assert list(stage.people()) == ["cleo@example.com"]

    person = stage.people()["cleo@example.com"]["url"].rsplit("/", 1)[1]
    stage.edit_person(person, phone="222")
    before = stage.contact(flagged)["SystemModstamp"]
    stage.sync()

    assert stage.contact(flagged)["Phone"] == "111"
    assert stage.contact(flagged)["SystemModstamp"] == before
    assert stage.leads() == []


def test_a_record_without_email_is_skipped_and_counted(stage: Stage) -> None:
    stage.add_lead(LastName="Nobody")

    run = stage.sync()

    assert run.counts["salesforce"]["skipped.no_email"] == 1
    assert stage.people() == {}


def test_capitals_do_not_make_two_people(stage: Stage) -> None:
    stage.add_person(email="A@B.FR", last_name="Plezi")
    stage.add_lead(Email="a@b.fr", LastName="Plezi", Company="B")

    stage.sync()

    assert list(stage.people()) == ["a@b.fr"]
    assert len(stage.leads()) == 1
    assert stage.people()["a@b.fr"]["company"] == "B"


def test_a_second_run_writes_nothing_and_asks_salesforce_five_times_at_most(stage: Stage) -> None:
    for number in range(5):
        stage.add_person(email=f"p{number}@example.com", last_name=f"P{number}")
        stage.add_lead(Email=f"l{number}@example.com", LastName=f"L{number}")
    stage.add_contact(Email="cleo@example.com", sync_to_plezi__c="yes")
    stage.sync()
    stage.mark()

    run = stage.sync()

    assert run.state is RunState.DONE
    assert stage.calls("plezi")["writes"] == 0
    assert stage.calls("salesforce")["writes"] == 0
    assert stage.calls("salesforce")["total"] <= 5
    assert run.counts["plezi"]["changed"] == run.counts["salesforce"]["changed"] == 0


def test_changes_of_one_batch_cost_one_write_call_and_one_read_more(stage: Stage) -> None:
    people = [
        stage.add_person(email=f"p{number}@example.com", last_name="P") for number in range(30)
    ]
    stage.sync()
    stage.mark()
    stage.sync()
    idle = stage.calls("salesforce")["reads"]
    for person in people:
        stage.edit_person(person, company="Renamed")
    stage.mark()

    run = stage.sync()

    assert run.counts["salesforce"]["updated"] == 30
    assert stage.calls("salesforce")["writes"] == 1
    assert stage.calls("salesforce")["reads"] == idle + 1


def test_a_run_stopped_again_and_again_ends_as_an_undisturbed_one(stage: Stage) -> None:
    stage.control("plezi", "POST", "load", {"contacts": 30})
    stage.control("salesforce", "POST", "load", {"leads": 20, "first": 20})

    run = stage.sync(lambda: True)

    assert run.state is RunState.DONE
    assert run.invocations > 3
    assert len({lead["Email"] for lead in stage.leads()}) == len(stage.leads()) == 40
    assert len(stage.people()) == 40
    stage.mark()
    stage.sync()
    assert stage.calls("plezi")["writes"] == stage.calls("salesforce")["writes"] == 0


def test_contacts_that_share_one_stamp_over_several_pages_are_all_read(stage: Stage) -> None:
    stage.control("plezi", "POST", "switches", {"page_size_cap": 7})
    stage.control("plezi", "POST", "load", {"contacts": 20})

    run = stage.sync()

    assert run.counts["salesforce"]["created"] == 20


def test_a_refused_record_is_quarantined_with_its_remedy_and_all_others_go_on(stage: Stage) -> None:
    bad = stage.add_person(email="bad@example.com", last_name="Bad", function="x" * 200)
    stage.add_person(email="good@example.com", last_name="Good")

    run = stage.sync()

    assert run.counts["salesforce"]["quarantined"] == 1
    assert [lead["Email"] for lead in stage.leads()] == ["good@example.com"]
    link = stage.ledger.links(["bad@example.com"])["bad@example.com"]
    assert link.quarantine is not None
    assert link.quarantine.code == "STRING_TOO_LONG"
    assert "shorten" in link.quarantine.remedy

    stage.edit_person(bad, function="CMO")
    stage.sync()
    assert len(stage.leads()) == 2


def test_nothing_happens_before_start_is_pressed(stage: Stage) -> None:
    stage.ledger.switch(on=False, now=0.0)
    stage.add_person(email="ana@example.com")
    stage.mark()

    run = stage.sync()

    assert run.state is RunState.NOT_STARTED
    assert stage.calls("plezi")["total"] == stage.calls("salesforce")["total"] == 0


def test_a_refused_login_is_tried_once_and_not_again(stage: Stage) -> None:
    user = stage.org.integration_user.username
    stage.control("salesforce", "POST", f"users/{user}/password", {"password": "New-Secret-1"})
    stage.mark()

    first = stage.sync()
    second = stage.sync()

    assert (first.state, first.reason) == (RunState.HALTED, "login_refused")
    assert (second.state, second.reason) == (RunState.HALTED, "login_refused")
    assert stage.calls("salesforce")["logins"] == 1
    assert "Most likely causes" in first.message
