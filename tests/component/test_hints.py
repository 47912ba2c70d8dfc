"""A hint that a form was submitted: one contact is read and resolved under one trace id."""

from __future__ import annotations

from connector.model import ChangeHint, HintResult, RunKind, RunState
from tests.component.harness import Harness

TRACE = "20261124T100000000000-abcd0123"


def test_a_hint_with_an_email_creates_a_lead_under_its_trace_id(harness: Harness) -> None:
    harness.add_person(email="Ana@Example.com", last_name="Lopez")

    result = harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))

    assert result is HintResult.RESOLVED
    assert [lead["LastName"] for lead in harness.leads()] == ["Lopez"]
    assert {entry["run_id"] for entry in harness.journal("ana@example.com")} == {TRACE}
    run = harness.ledger.load_run(TRACE)
    assert run is not None
    assert (run.kind, run.state, run.counts["salesforce"]["created"]) == (
        RunKind.FORM,
        RunState.DONE,
        1,
    )


def test_a_hint_with_only_a_contact_id_is_enough(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez")

    assert harness.engine.sync_contact(ChangeHint(TRACE, contact_id=person)) is HintResult.RESOLVED

    assert [lead["Email"] for lead in harness.leads()] == ["ana@example.com"]


def test_a_hint_makes_few_calls_and_does_not_change_other_contacts(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.add_person(email="bob@example.com", last_name="Roi")
    harness.engine.sync_contact(ChangeHint("first", email="ana@example.com"))
    harness.add_person(email="cleo@example.com", last_name="Noel")
    harness.mark()

    harness.engine.sync_contact(ChangeHint(TRACE, email="cleo@example.com"))

    assert harness.calls("plezi")["total"] == 1
    assert harness.calls("salesforce")["total"] == 2  # one lookup, one write
    assert {lead["Email"] for lead in harness.leads()} == {"ana@example.com", "cleo@example.com"}


def test_the_same_hint_twice_has_one_effect(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))
    harness.mark()

    assert (
        harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))
        is HintResult.RESOLVED
    )

    assert harness.calls("salesforce")["writes"] == 0
    assert len(harness.leads()) == 1


def test_a_contact_that_plezi_does_not_return_yet_is_not_readable_and_gets_no_link(
    harness: Harness,
) -> None:
    assert (
        harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))
        is HintResult.NOT_READABLE
    )
    assert (
        harness.engine.sync_contact(ChangeHint(TRACE, contact_id="f" * 24))
        is HintResult.NOT_READABLE
    )

    assert not harness.ledger.load_links(["ana@example.com"])


def test_no_hint_is_handled_before_synchronization_is_enabled(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.ledger.set_enabled(on=False, now=0.0)

    assert (
        harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))
        is HintResult.NOT_STARTED
    )
    assert not harness.leads()


def test_a_hint_can_be_repeated_after_a_side_did_not_respond(harness: Harness) -> None:
    harness.add_person(email="ana@example.com", last_name="Lopez")
    fault = {"kind": "unavailable_page", "path": "composite", "count": None}
    harness.control("salesforce", "POST", "faults", fault)

    assert (
        harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com")) is HintResult.BUSY
    )

    harness.control("salesforce", "DELETE", "faults")
    assert (
        harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))
        is HintResult.RESOLVED
    )
    assert len(harness.leads()) == 1


def test_a_lead_created_since_the_last_run_is_found_and_not_duplicated(harness: Harness) -> None:
    harness.add_lead(Email="ana@example.com", LastName="Lopez", Phone="111")
    harness.add_person(email="ana@example.com", first_name="Ana")

    harness.engine.sync_contact(ChangeHint(TRACE, email="ana@example.com"))

    [lead] = harness.leads()
    assert (lead["FirstName"], lead["Phone"]) == ("Ana", "111")
    assert harness.people()["ana@example.com"]["phone"] == "111"


def test_a_form_that_changes_the_email_changes_the_email_of_the_lead(harness: Harness) -> None:
    person = harness.add_person(email="ana@example.com", last_name="Lopez")
    harness.sync()
    harness.edit_person(person, email="ana.lopez@example.com")

    assert harness.engine.sync_contact(ChangeHint(TRACE, contact_id=person)) is HintResult.RESOLVED

    assert [lead["Email"] for lead in harness.leads()] == ["ana.lopez@example.com"]
