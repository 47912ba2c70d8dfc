"""A hint that a form was submitted: one person is read again and settled, under one trace id."""

from __future__ import annotations

from connector.model import Heard, Hint, RunKind, RunState
from tests.component.stage import Stage

TRACE = "20261124T100000000000-abcd0123"


def test_a_hint_by_e_mail_becomes_a_lead_under_its_trace_id(stage: Stage) -> None:
    stage.add_person(email="Ana@Example.com", last_name="Lopez")

    heard = stage.engine.hear(Hint(TRACE, email="ana@example.com"))

    assert heard is Heard.SETTLED
    assert [lead["LastName"] for lead in stage.leads()] == ["Lopez"]
    assert {line["run_id"] for line in stage.journal("ana@example.com")} == {TRACE}
    run = stage.ledger.run(TRACE)
    assert run is not None
    assert (run.kind, run.state, run.counts["salesforce"]["created"]) == (
        RunKind.FORM,
        RunState.DONE,
        1,
    )


def test_a_hint_by_contact_id_is_enough(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez")

    assert stage.engine.hear(Hint(TRACE, contact=person)) is Heard.SETTLED

    assert [lead["Email"] for lead in stage.leads()] == ["ana@example.com"]


def test_a_hint_costs_few_calls_and_leaves_everybody_else_alone(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.add_person(email="bob@example.com", last_name="Roi")
    stage.engine.hear(Hint("first", email="ana@example.com"))
    stage.add_person(email="cleo@example.com", last_name="Noel")
    stage.mark()

    stage.engine.hear(Hint(TRACE, email="cleo@example.com"))

    assert stage.calls("plezi")["total"] == 1
    assert stage.calls("salesforce")["total"] == 2  # one look-up, one write
    assert {lead["Email"] for lead in stage.leads()} == {"ana@example.com", "cleo@example.com"}


def test_the_same_hint_twice_has_the_effect_of_one(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.engine.hear(Hint(TRACE, email="ana@example.com"))
    stage.mark()

    assert stage.engine.hear(Hint(TRACE, email="ana@example.com")) is Heard.SETTLED

    assert stage.calls("salesforce")["writes"] == 0
    assert len(stage.leads()) == 1


def test_a_contact_that_plezi_does_not_show_yet_is_not_readable_and_leaves_no_link(
    stage: Stage,
) -> None:
    assert stage.engine.hear(Hint(TRACE, email="ana@example.com")) is Heard.NOT_READABLE
    assert stage.engine.hear(Hint(TRACE, contact="f" * 24)) is Heard.NOT_READABLE

    assert not stage.ledger.links(["ana@example.com"])


def test_nothing_is_heard_before_start(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.ledger.switch(on=False, now=0.0)

    assert stage.engine.hear(Hint(TRACE, email="ana@example.com")) is Heard.NOT_STARTED
    assert not stage.leads()


def test_a_side_that_does_not_answer_leaves_the_hint_to_be_heard_again(stage: Stage) -> None:
    stage.add_person(email="ana@example.com", last_name="Lopez")
    order = {"kind": "unavailable_page", "path": "composite", "count": None}
    stage.control("salesforce", "POST", "faults", order)

    assert stage.engine.hear(Hint(TRACE, email="ana@example.com")) is Heard.BUSY

    stage.control("salesforce", "DELETE", "faults")
    assert stage.engine.hear(Hint(TRACE, email="ana@example.com")) is Heard.SETTLED
    assert len(stage.leads()) == 1


def test_a_lead_typed_since_the_last_run_is_found_and_not_doubled(stage: Stage) -> None:
    stage.add_lead(Email="ana@example.com", LastName="Lopez", Phone="111")
    stage.add_person(email="ana@example.com", first_name="Ana")

    stage.engine.hear(Hint(TRACE, email="ana@example.com"))

    [lead] = stage.leads()
    assert (lead["FirstName"], lead["Phone"]) == ("Ana", "111")
    assert stage.people()["ana@example.com"]["phone"] == "111"


def test_a_form_that_changes_the_address_is_followed(stage: Stage) -> None:
    person = stage.add_person(email="ana@example.com", last_name="Lopez")
    stage.sync()
    stage.edit_person(person, email="ana.lopez@example.com")

    assert stage.engine.hear(Hint(TRACE, contact=person)) is Heard.SETTLED

    assert [lead["Email"] for lead in stage.leads()] == ["ana.lopez@example.com"]
