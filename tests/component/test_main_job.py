"""The scheduled synchronization: the edits of users, and the records on both sides after a run."""

from __future__ import annotations

import json

import pytest

from connector.log_events import Event
from connector.model import RunState, WorkList
from tests.component.harness import Harness


def test_a_new_plezi_contact_becomes_one_lead_with_its_plezi_url(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", first_name="Ana", last_name="Lopez")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    [lead] = harness.leads()
    assert (lead["Email"], lead["FirstName"], lead["LastName"]) == (
        "ana@example.com",
        "Ana",
        "Lopez",
    )
    assert lead["plezi_url__c"].endswith(f"/contacts/{person}")
    assert lead["Company"] == "[unknown]"


def test_a_new_lead_becomes_one_plezi_contact_and_gets_its_plezi_url(harness: Harness) -> None:
    harness.add_lead(Email="Bob@Example.com", FirstName="Bob", LastName="Roi", Company="Roi SA")

    harness.sync()

    assert list(harness.people()) == ["bob@example.com"]
    assert harness.people()["bob@example.com"]["company"] == "Roi SA"
    [lead] = harness.leads()
    assert lead["plezi_url__c"]


def test_a_placeholder_is_never_written_to_plezi(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", first_name="Ana")

    harness.sync()
    harness.sync()

    assert not harness.people()["ana@example.com"].get("last_name")
    assert not harness.people()["ana@example.com"].get("company")


def test_edits_of_different_fields_on_both_sides_are_both_synchronized(harness: Harness) -> None:
    person = harness.add_person(
        email="ana@example.com", last_name="Lopez", phone="+33 1 00 00 00 01"
    )
    harness.sync()
    [lead] = harness.leads()

    harness.edit_person(person, first_name="Ana")
    harness.edit_lead(lead["Id"], MobilePhone="+33 6 11 22 33 44")
    harness.sync()

    [lead] = harness.leads()
    assert lead["FirstName"] == "Ana"
    assert harness.people()["ana@example.com"]["mobile"] == "+33 6 11 22 33 44"


def test_the_policy_resolves_a_conflict_and_the_journal_has_the_overwritten_value(
    harness: Harness,
) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"advance": 60})

    harness.edit_person(person, phone="222")
    for side in ("plezi", "salesforce"):
        harness.control(side, "POST", "clock", {"advance": 60})
    harness.edit_lead(lead["Id"], Phone="333")
    harness.sync()

    [lead] = harness.leads()
    assert lead["Phone"] == "333"
    assert harness.people()["ana@example.com"]["phone"] == "333"
    [overwritten] = [
        entry for entry in harness.journal("ana@example.com") if entry["kind"] == "overwritten"
    ]
    values = json.loads(overwritten["before"]), json.loads(overwritten["after"])
    assert (*values, overwritten["rule"]) == (
        "222",
        "333",
        "newest",
    )


@pytest.mark.parametrize("side", ["plezi", "salesforce"])
def test_a_cleared_field_is_cleared_on_the_other_side(harness: Harness, side: str) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads()

    if side == "plezi":
        harness.edit_person(person, phone=None)
    else:
        harness.edit_lead(lead["Id"], Phone=None)
    harness.sync()

    assert not harness.leads()[0]["Phone"]
    assert not harness.people()["ana@example.com"].get("phone")


def test_an_edit_of_a_one_way_field_on_its_target_side_is_kept(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez", function="CMO")
    harness.sync()
    [lead] = harness.leads()

    harness.edit_lead(lead["Id"], Title="Chief Magic Officer")
    harness.sync()
    harness.sync()

    assert harness.leads()[0]["Title"] == "Chief Magic Officer"
    assert harness.people()["ana@example.com"]["function"] == "CMO"


def test_score_and_state_are_written_to_salesforce_as_text(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.control(
        "plezi", "PATCH", f"contacts/{person}", {"behaviour_score": 25, "state": "engaged"}
    )

    harness.sync()

    [lead] = harness.leads()
    assert (lead["score__c"], lead["status__c"]) == ("25", "engaged")


@pytest.mark.parametrize(("score", "state"), [(80, "dormant"), (-3, "Engagé")])
def test_a_score_out_of_range_and_an_unknown_state_are_written_unchanged(
    harness: Harness, score: int, state: str
) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez")
    attributes = {"behaviour_score": score, "state": state}
    harness.control("plezi", "PATCH", f"contacts/{person}", attributes)

    harness.sync()

    [lead] = harness.leads()
    assert (lead["score__c"], lead["status__c"]) == (str(score), state)


def test_a_flagged_contact_is_created_in_plezi_and_never_written_in_salesforce(
    harness: Harness,
) -> None:
    flagged = harness.add_contact(
        Email="cleo@example.com", FirstName="Cleo", sync_to_plezi__c="yes", Phone="111"
    )
    harness.add_contact(Email="dan@example.com", sync_to_plezi__c="no")
    harness.add_contact(Email="eve@example.com")
    harness.sync()
    assert list(harness.people()) == ["cleo@example.com"]

    person = harness.people()["cleo@example.com"]["url"].rsplit("/", 1)[1]
    harness.edit_person(person, phone="222")
    before = harness.contact(flagged)["SystemModstamp"]
    harness.sync()

    assert harness.contact(flagged)["Phone"] == "111"
    assert harness.contact(flagged)["SystemModstamp"] == before
    assert harness.leads() == []


def test_a_record_without_email_is_skipped_and_counted(harness: Harness) -> None:
    harness.add_lead(LastName="Nobody")

    run = harness.sync()

    assert run.counts["salesforce"]["skipped.no_email"] == 1
    assert harness.people() == {}


def test_emails_that_differ_only_in_case_are_one_contact(harness: Harness) -> None:
    harness.add_person(email="A@B.FR", last_name="Plezi")
    harness.add_lead(Email="a@b.fr", LastName="Plezi", Company="B")

    harness.sync()

    assert list(harness.people()) == ["a@b.fr"]
    assert len(harness.leads()) == 1
    assert harness.people()["a@b.fr"]["company"] == "B"


def test_a_second_run_writes_nothing_and_makes_at_most_five_salesforce_calls(
    harness: Harness,
) -> None:
    for number in range(5):
        harness.add_person(email=f"p{number}@example.com", last_name=f"P{number}")
        harness.add_lead(Email=f"l{number}@example.com", LastName=f"L{number}")
    harness.add_contact(Email="cleo@example.com", sync_to_plezi__c="yes")
    harness.sync()
    harness.mark()

    run = harness.sync()

    assert run.state is RunState.DONE
    assert harness.calls("plezi")["writes"] == 0
    assert harness.calls("salesforce")["writes"] == 0
    assert harness.calls("salesforce")["total"] <= 5
    assert run.counts["plezi"]["changed"] == run.counts["salesforce"]["changed"] == 0


def test_the_changes_of_one_batch_need_one_write_call_and_one_more_read(harness: Harness) -> None:
    people = [
        harness.add_person(email=f"p{number}@example.com", last_name="P") for number in range(30)
    ]
    harness.sync()
    harness.mark()
    harness.sync()
    idle = harness.calls("salesforce")["reads"]
    for person in people:
        harness.edit_person(person, company="Renamed")
    harness.mark()

    run = harness.sync()

    assert run.counts["salesforce"]["updated"] == 30
    assert harness.calls("salesforce")["writes"] == 1
    assert harness.calls("salesforce")["reads"] == idle + 1


def test_people_on_two_lists_and_a_small_rest_need_no_write_call_of_their_own(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.sync.resolve_phase.UNIT_LINKS", 8)
    monkeypatch.setattr("connector.sync.resolve_phase.SMALL_REST", 2)
    emails = [f"p{number}@example.com" for number in range(10)]
    people = [harness.add_person(email=email, last_name="Roi", phone="1") for email in emails]
    harness.sync()
    for person in people:
        harness.edit_person(person, phone="2")
    harness.ledger.save_work(WorkList("stopped", 0), emails[3:7])
    harness.mark()

    run = harness.sync()

    assert run.counts["salesforce"]["updated"] == len(emails)
    assert harness.calls("salesforce")["writes"] == 1


def test_a_unit_is_not_larger_than_its_size_but_for_a_small_rest_at_the_end(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger unit needs another query to search its people, and a query may take 25 s."""
    monkeypatch.setattr("connector.sync.resolve_phase.UNIT_LINKS", 4)
    monkeypatch.setattr("connector.sync.resolve_phase.SMALL_REST", 1)
    monkeypatch.setattr("connector.sync.work_queue.MAX_LISTED", 2)
    people = [harness.add_person(email=f"p{n}@example.com", last_name="Roi") for n in range(9)]
    harness.sync()
    for person in people:
        harness.edit_person(person, phone="2")
    units: list[int] = []

    def log(event: Event, **fields: object) -> None:
        if event is Event.batch_resolved:
            units.append(int(str(fields["writes"])))

    monkeypatch.setitem(vars(harness.context), "log", log)

    run = harness.sync()

    assert run.counts["salesforce"]["updated"] == len(people)
    assert sum(units) == len(people)
    assert max(units) <= 4  # lists of 1, 2, 2, 2 and 2 people, the newest first


def test_a_run_that_is_often_interrupted_has_the_same_result_as_an_uninterrupted_run(
    harness: Harness,
) -> None:
    harness.control("plezi", "POST", "load", {"contacts": 30})
    harness.control("salesforce", "POST", "load", {"leads": 20, "first": 20})

    run = harness.sync(lambda: True)

    assert run.state is RunState.DONE
    assert run.invocations > 3
    assert len({lead["Email"] for lead in harness.leads()}) == len(harness.leads()) == 40
    assert len(harness.people()) == 40
    harness.mark()
    harness.sync()
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0


def test_contacts_with_the_same_timestamp_on_several_pages_are_all_read(harness: Harness) -> None:
    harness.control("plezi", "POST", "switches", {"page_size_cap": 7})
    harness.control("plezi", "POST", "load", {"contacts": 20})

    run = harness.sync()

    assert run.counts["salesforce"]["created"] == 20


def test_a_refused_record_is_quarantined_with_its_remedy_and_all_others_are_synchronized(
    harness: Harness,
) -> None:
    refused = harness.add_person(email="bad@example.com", last_name="Bad", function="x" * 200)
    harness.add_person(email="good@example.com", last_name="Good")

    run = harness.sync()

    assert run.counts["salesforce"]["quarantined"] == 1
    titles = {lead["Email"]: lead["Title"] for lead in harness.leads()}
    assert titles == {"good@example.com": None, "bad@example.com": None}
    link = harness.ledger.load_links(["bad@example.com"])["bad@example.com"]
    assert link.quarantine is not None
    assert link.quarantine.code == "STRING_TOO_LONG"
    assert "shorten" in link.quarantine.remedy

    harness.edit_person(refused, function="CMO")
    harness.sync()
    assert len(harness.leads()) == 2


def test_nothing_happens_before_synchronization_is_enabled(harness: Harness) -> None:
    harness.ledger.set_enabled(on=False, now=0.0)
    harness.add_person(email="ana@example.com")
    harness.mark()

    run = harness.sync()

    assert run.state is RunState.NOT_STARTED
    assert harness.calls("plezi")["total"] == harness.calls("salesforce")["total"] == 0


def test_a_refused_login_is_not_repeated(harness: Harness) -> None:
    user = harness.org.integration_user.username
    harness.control("salesforce", "POST", f"users/{user}/password", {"password": "New-Secret-1"})
    harness.mark()

    first = harness.sync()
    second = harness.sync()

    assert (first.state, first.reason) == (RunState.HALTED, "login_refused")
    assert (second.state, second.reason) == (RunState.HALTED, "login_refused")
    assert harness.calls("salesforce")["logins"] == 1
    assert "Most likely causes" in first.message


def test_edits_of_both_sides_during_a_pause_arrive_after_it(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="1")
    harness.sync()
    [lead] = harness.leads("ana@example.com")
    harness.ledger.set_enabled(on=False, now=harness.clock())
    harness.edit_person(person, phone="2")
    harness.edit_lead(lead["Id"], MobilePhone="3")
    harness.add_lead(Email="leo@example.com", LastName="Roi")
    harness.mark()

    assert harness.sync().state is RunState.NOT_STARTED
    assert harness.calls("plezi")["total"] == harness.calls("salesforce")["total"] == 0

    harness.ledger.set_enabled(on=True, now=harness.clock())
    assert harness.sync().state is RunState.DONE
    [lead] = harness.leads("ana@example.com")
    assert (lead["Phone"], lead["MobilePhone"]) == ("2", "3")
    assert harness.people()["ana@example.com"]["mobile"] == "3"
    assert "leo@example.com" in harness.people()
