"""Calls about a few people hang, or fail again and again: all others arrive, and every run ends."""

from __future__ import annotations

import pytest
import requests
from werkzeug.wrappers import Request, Response

from connector.bootstrap import build_app
from connector.deadline import Deadline
from connector.errors import StopReason
from connector.model import Phase, Run, RunKind, RunState, Side
from tests.component.altered_answers import (
    alter_answers,
    json_answer,
    let_call_hang,
    let_hours_pass,
)
from tests.component.altered_salesforce import (
    is_write,
    put_before_org,
    record_error,
    records_of,
    two_hours_later,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import lead_of

HANG_SECONDS = 20
"""The read time-out of a call to Plezi."""
PEOPLE = 40
HANGING = 12
"""Twelve calls of 20 s take all the time of an invocation."""
MAX_INVOCATIONS = 12


def run_in_invocations(
    harness: Harness, kind: RunKind = RunKind.CHANGES, emails: tuple[str, ...] = ()
) -> Run:
    """Make a run as the deployed worker does: 300 s for an invocation, 240 s of them for work."""
    run_id = harness.run_requester.request_run(kind, emails=emails)
    phase = Phase.READ
    deadline = Deadline(harness.clock)
    for _ in range(MAX_INVOCATIONS):
        deadline.start(remaining=300, budget=240)
        engine = build_app(harness.settings, **harness.runtime, deadline=deadline).engine
        if engine.run_phase(run_id, phase, lambda: deadline.is_over) is not RunState.RUNNING:
            break
        phase = harness.queued_phase()
    run = harness.ledger.load_run(run_id)
    assert run is not None
    return run


def let_updates_hang(harness: Harness) -> list[str]:
    """Edit the Leads of forty people; updates of the first twelve in Plezi hang."""
    ids = [
        harness.add_person(email=f"p{at:02}@example.com", last_name="Name", phone="1")
        for at in range(PEOPLE)
    ]
    harness.sync()
    hanging = ids[:HANGING]

    def hang(request: Request) -> Response | None:
        if request.method == "PUT" and request.path.rsplit("/", 1)[-1] in hanging:
            let_call_hang(harness, HANG_SECONDS)
            raise requests.ReadTimeout
        return None

    alter_answers(harness, Side.PLEZI, hang)
    let_hours_pass(harness)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    return [f"p{at:02}@example.com" for at in range(PEOPLE)]


def written_phones(harness: Harness) -> int:
    return sum(person["phone"] == "222" for person in harness.people().values())


def test_updates_that_hang_for_some_contacts_are_left_to_the_next_run(harness: Harness) -> None:
    let_updates_hang(harness)

    run = run_in_invocations(harness)

    assert run.state is RunState.DONE, run.message
    assert written_phones(harness) == PEOPLE - HANGING


def test_a_run_of_a_named_person_ends_where_no_invocation_has_time_to_resolve_them(
    harness: Harness,
) -> None:
    emails = let_updates_hang(harness)[:1]
    run_id = harness.run_requester.request_run(RunKind.SELECTED, emails=tuple(emails))
    phase, state = Phase.READ, RunState.RUNNING
    for _ in range(MAX_INVOCATIONS):
        state = harness.engine.run_phase(run_id, phase, lambda: True)
        if state is not RunState.RUNNING:
            break
        phase = harness.queued_phase()

    run = harness.ledger.load_run(run_id)
    assert run is not None
    assert (state, run.reason) == (RunState.FAILED, StopReason.OUT_OF_TIME)
    assert "progress" in run.message


def test_a_run_of_named_people_ends_although_updates_hang_for_some(harness: Harness) -> None:
    emails = let_updates_hang(harness)

    run = run_in_invocations(harness, RunKind.SELECTED, tuple(emails))

    assert run.state is RunState.DONE, run.message
    assert written_phones(harness) == PEOPLE - HANGING


def test_a_search_that_hangs_for_three_new_people_delays_nobody_else(harness: Harness) -> None:
    for at in range(3):
        harness.add_lead(Email=f"a{at}@slow.example", LastName="Slow")
    for at in range(20):
        harness.add_lead(Email=f"p{at}@example.com", LastName="Name")

    def hang(request: Request) -> Response | None:
        if "slow.example" in request.args.get("filter[email]", ""):
            let_call_hang(harness, HANG_SECONDS)
            raise requests.ReadTimeout
        return None

    alter_answers(harness, Side.PLEZI, hang)
    for _ in range(3):
        run = run_in_invocations(harness)
        assert run.state is not RunState.RUNNING
        let_hours_pass(harness)

    assert sum(email.endswith("@example.com") for email in harness.people()) == 20
    links = harness.ledger.load_links([f"a{at}@slow.example" for at in range(3)])
    assert {link.quarantine.code for link in links.values() if link.quarantine} == {"unanswered"}


def test_a_clearing_that_is_tried_again_counts_once(harness: Harness) -> None:
    """60 people clear a phone; their Leads are locked by an approval; the limit is 100."""
    ids = [
        harness.add_person(email=f"p{at:02}@example.com", last_name="Name", phone="1")
        for at in range(60)
    ]
    other = harness.add_person(email="z@example.com", last_name="Name", phone="1")
    harness.sync()
    locked = {lead["Id"] for lead in harness.leads() if lead["Email"].startswith("p")}
    for contact in ids:
        harness.edit_person(contact, phone="")
    harness.edit_person(other, phone="2")

    def lock(request: Request) -> Response | None:
        if not is_write(request):
            return None
        answers = []
        for record in records_of(request):
            if record["id"] in locked:
                answers.append(record_error("UNABLE_TO_LOCK_ROW"))
                continue
            values = {name: it for name, it in record.items() if name not in {"id", "attributes"}}
            harness.edit_lead(record["id"], **values)
            answers.append({"success": True, "id": record["id"], "errors": []})
        return json_answer(answers)

    put_before_org(harness, lock)

    assert harness.sync().state is RunState.DONE
    two_hours_later(harness)
    harness.edit_person(other, phone="3")
    harness.sync()
    assert lead_of(harness, "z@example.com")["Phone"] == "3"


@pytest.mark.parametrize("seconds", [60, 120])
def test_the_oldest_lead_and_another_one_that_hang_in_queries_stop_nobody(
    harness: Harness, seconds: int
) -> None:
    """The oldest Lead would show that the query works; a query hangs for up to 120 s."""
    people = [
        harness.add_person(email=f"p{at:02}@example.com", last_name="Name", phone="1")
        for at in range(PEOPLE)
    ]
    harness.sync()
    ids = [lead_of(harness, f"p{at:02}@example.com")["Id"] for at in range(PEOPLE)]
    hanging = {ids[0], ids[7]}
    let_hours_pass(harness)
    for record in ids[1:]:
        harness.edit_lead(record, FirstName="Sales")

    def hang(request: Request, response: Response) -> None:
        fields = request.args.get("q", "LastName")
        if is_write(request) or "/query" not in request.path or "LastName" not in fields:
            return
        if any(record in response.get_data(as_text=True) for record in hanging):
            let_call_hang(harness, seconds)
            raise requests.ReadTimeout

    put_before_org(harness, alter=hang)
    for _ in range(3):
        run_in_invocations(harness)
        two_hours_later(harness)
    harness.edit_person(people[20], phone="2")
    harness.edit_lead(ids[21], MobilePhone="3")
    run_in_invocations(harness)

    assert lead_of(harness, "p20@example.com")["Phone"] == "2"
    assert harness.people()["p21@example.com"]["mobile"] == "3"
