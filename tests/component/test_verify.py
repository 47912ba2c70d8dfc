"""A verification finds every difference of two systems, with its cause, and writes to neither."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.errors import StopReason
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import Breaker, Phase, RunKind, RunState, Side
from connector.planning.announced_changes import ChangeLimits
from connector.sync import verify_work
from connector.sync.change_limits import FEW_CLEARED
from connector.sync.runs import SyncEngine
from connector.sync.worker import run_metrics
from tests.component.admin_client import AdminClient
from tests.component.altered_answers import alter_answers, edit_json, is_list
from tests.component.drift_fixtures import (
    DIFFERENCES,
    UNEXPLAINED,
    WHILE,
    Found,
    add_contact,
    edit_lead_silently,
    found_by,
    let_time_pass,
    map_fields,
    repair,
    verify,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB

OTHERS = 220
"""People of whom both systems agree."""
FEW = 10
PLANTED: Found = {
    (it.email, field, cause) for it in DIFFERENCES for field, cause in it.causes.items()
}


def add_people(harness: Harness, others: int) -> None:
    """Add people to both systems, let them agree, and plant the differences behind the runs."""
    map_fields(harness)
    for number in range(others):
        harness.add_person(email=f"p{number:03d}@example.com", last_name="Roi", phone="1")
    for it in DIFFERENCES:
        if it.name == "parent":
            add_contact(harness, it.email)
        else:
            harness.add_person(
                email=it.email, first_name="Ana", last_name="Roi", company="Roi", phone="1"
            )
    harness.sync(kind=RunKind.FULL)
    harness.sync()
    let_time_pass(harness)
    for it in DIFFERENCES:
        if it.before is not None:
            it.before(harness, it.email)
    harness.sync()
    let_time_pass(harness)
    for _ in range(2):  # the second reading starts after all earlier edits
        harness.sync()
    let_time_pass(harness)
    harness.sync()
    for it in DIFFERENCES:
        it.after(harness, it.email)


def list_no_contact(request: Request, response: Response) -> None:
    """Let Plezi leave all contacts out of its lists."""
    if is_list(request):
        edit_json(response, lambda document: document["data"].clear())


def state(harness: Harness) -> dict[str, Any]:
    """Return the records of both systems, without their times, by e-mail."""
    found: dict[str, Any] = {
        email: [{key: value for key, value in contact.items() if key != "updated_at"}]
        for email, contact in harness.people().items()
    }
    for lead in harness.leads():
        found.setdefault(lead["Email"], []).append(lead)
    return found


def test_every_planted_difference_is_found_and_none_is_false(harness: Harness) -> None:
    add_people(harness, OTHERS)
    before = state(harness)
    harness.mark()

    run = verify(harness)

    assert state(harness) == before
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0
    assert found_by(harness, run) == PLANTED
    counts = run.counts["salesforce"]
    assert counts["people"] == OTHERS + len(DIFFERENCES)
    assert counts["drift.unexplained"] == sum(cause == "unexplained" for *_, cause in PLANTED)
    assert (counts["gone"], counts["duplicates"], counts["left_out.deleted_in_plezi"]) == (1, 1, 1)


def test_a_verification_of_many_invocations_finds_the_same(harness: Harness) -> None:
    add_people(harness, FEW)

    run = verify(harness, out_of_time=lambda: True)

    assert run.invocations > len(Phase)
    assert found_by(harness, run) == PLANTED
    assert run.counts["salesforce"]["people"] == FEW + len(DIFFERENCES)
    assert run.progress.resolved == run.progress.listed


def test_a_verification_whose_invocations_die_counts_every_person_once(harness: Harness) -> None:
    add_people(harness, FEW)
    run_id = harness.run_requester.request_run(RunKind.VERIFY)
    deaths = iter(range(3))
    questions = 0

    def die() -> bool:
        nonlocal questions
        questions += 1
        if questions % 2 == 0 and next(deaths, None) is not None:
            raise RuntimeError("the invocation dies")
        return False

    state = RunState.REQUESTED
    while state is not RunState.DONE:
        with suppress(RuntimeError):  # the queue delivers the message again
            state = harness.engine.run_phase(run_id, Phase.READ, die)

    run = harness.ledger.load_run(run_id)
    assert run is not None
    assert next(deaths, None) is None
    assert found_by(harness, run) == PLANTED
    counts = run.counts["salesforce"]
    assert counts["people"] == FEW + len(DIFFERENCES)
    assert counts["drift.unexplained"] == sum(cause == UNEXPLAINED for *_, cause in PLANTED)


def test_people_who_are_in_no_list_are_compared_at_the_pace_of_the_tenant(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plezi lists no contact, so each is read by its id: a few people fit into a unit of work."""
    for number in range(FEW):
        harness.add_person(email=f"p{number}@example.com", last_name="Roi", phone="1")
    harness.sync(kind=RunKind.FULL)
    alter_answers(harness, Side.PLEZI, after=list_no_contact)
    harness.let_pass(60)
    seconds = harness.context.clients[Side.PLEZI].seconds_for(look_ups=1)
    monkeypatch.setattr(harness.context.deadline, "seconds_left", lambda: 3 * seconds)

    run = verify(harness)

    assert run.counts["plezi"]["unlisted"] == FEW
    assert run.counts["salesforce"]["people"] == FEW
    assert found_by(harness, run) == set()


def test_systems_that_agree_have_no_drift_and_leave_nothing_to_the_next_run(
    harness: Harness,
) -> None:
    add_people(harness, FEW)
    verify(harness)
    for _ in range(2):
        harness.sync()
    run = verify(harness)

    assert harness.ledger.dirty_emails(2) == ["long@example.com"]  # a refused write is tried again
    causes = {cause for _, _, cause in found_by(harness, run)}
    assert causes == {"one_way", "policy", "held", "quarantined", UNEXPLAINED}
    assert run.counts["salesforce"]["drift.unexplained"] == 1  # the contradiction


def test_a_link_that_is_refused_is_tried_again_after_a_verification(harness: Harness) -> None:
    harness.add_person(email=BOB, last_name="Roi", function="x" * 200)
    harness.sync(kind=RunKind.FULL)
    harness.sync()
    assert not harness.ledger.dirty_emails(1)

    run = verify(harness)

    assert found_by(harness, run) == {(BOB, "Title", "quarantined")}
    assert harness.ledger.dirty_emails(1) == [BOB]


@pytest.mark.usefixtures("ana")
def test_differences_of_a_mapping_that_is_not_applied_to_all_people_wait(
    harness: Harness,
) -> None:
    harness.sync(kind=RunKind.FULL)
    harness.edit_lead(harness.leads(ANA)[0]["Id"], City="Lyon")
    let_time_pass(harness)
    for _ in range(2):  # the second reading starts after the edit
        harness.sync()
    harness.control("plezi", "POST", "attributes", {"name": "town", "type": "text"})
    pair = FieldPair("town", "City", Direction.TO_PLEZI)
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, pair))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]

    run = verify(harness)

    assert found_by(harness, run) == {(ANA, "City", "waits")}
    assert run.counts["salesforce"].get("drift.unexplained", 0) == 0


def test_a_repair_mends_what_can_be_mended_and_only_that(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people(harness, FEW)
    run = verify(harness)
    before = state(harness)

    repaired = repair(harness, admin_client, run)

    unexplained = {email for email, _, cause in PLANTED if cause == UNEXPLAINED}
    assert set(repaired.emails) == unexplained
    after = state(harness)
    changed = {email for email in before if before[email] != after.get(email)}
    moved = {"moved@example.com", "m@example.com"}  # the Lead of the one joins the contact
    assert changed == {it.email for it in DIFFERENCES if it.is_mended} | moved
    left = {(email, field): cause for email, field, cause in found_by(harness, verify(harness))}
    assert UNEXPLAINED not in left.values()
    assert left["contradicted@example.com", "Phone"] == "held"


def test_a_repair_has_the_limits_of_every_run(harness: Harness, admin_client: AdminClient) -> None:
    people = FEW_CLEARED + 5
    for number in range(people):
        harness.add_person(email=f"p{number:03d}@example.com", last_name="Roi", phone="1")
    harness.sync(kind=RunKind.FULL)
    let_time_pass(harness)
    harness.sync()
    for number in range(people):
        edit_lead_silently(Phone=None)(harness, f"p{number:03d}@example.com")
    run = verify(harness)
    limits = ChangeLimits(FEW_CLEARED, FEW_CLEARED, 0.0)
    harness.context = replace(harness.context, change_limits=limits)
    harness.engine = SyncEngine(harness.context)

    requested = admin_client.request_ok("POST", f"/admin/runs/{run.id}/repair")
    repaired = harness.run_phase(requested["run_id"])

    assert (repaired.state, repaired.reason) == (RunState.HALTED, StopReason.MASS_CLEARING)
    assert all(contact["phone"] == "1" for contact in harness.people().values())


@pytest.mark.usefixtures("ana")
def test_an_open_breaker_stops_a_repair(harness: Harness, admin_client: AdminClient) -> None:
    harness.sync(kind=RunKind.FULL)
    let_time_pass(harness)
    harness.sync()
    edit_lead_silently(Phone="222")(harness, ANA)
    run = verify(harness)
    harness.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "many", 0.0))

    requested = admin_client.request_ok("POST", f"/admin/runs/{run.id}/repair")
    repaired = harness.run_phase(requested["run_id"])

    assert repaired.state is RunState.HALTED
    assert harness.people()[ANA]["phone"] == "111"


@pytest.mark.usefixtures("ana")
def test_the_run_after_a_verification_synchronizes_an_edit_that_no_run_had_read(
    harness: Harness,
) -> None:
    harness.sync(kind=RunKind.FULL)
    let_time_pass(harness)
    for _ in range(2):  # the second reading starts after the creation
        harness.sync()
    edit_lead_silently(Phone="222")(harness, ANA)
    harness.sync()
    assert harness.people()[ANA]["phone"] == "111"

    verify(harness)
    assert harness.people()[ANA]["phone"] == "111"
    harness.sync()

    assert harness.people()[ANA]["phone"] == "222"


@pytest.mark.usefixtures("ana")
def test_a_lead_that_no_run_has_read_is_unexplained_and_the_next_run_creates_its_contact(
    harness: Harness,
) -> None:
    harness.sync(kind=RunKind.FULL)
    harness.control("salesforce", "POST", "clock", {"advance": -WHILE})
    harness.add_lead(Email=BOB, LastName="Roi")
    harness.control("salesforce", "POST", "clock", {"advance": WHILE})
    harness.sync()
    assert BOB not in harness.people()

    run = verify(harness)

    assert found_by(harness, run) == {(BOB, "", UNEXPLAINED)}
    assert run.counts["salesforce"]["only_here"] == 1
    assert BOB not in harness.people()
    harness.sync()
    assert BOB in harness.people()


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_contact_on_the_last_page_of_plezi_which_is_read_twice_is_counted_once(
    harness: Harness, *, is_interrupted: bool
) -> None:
    harness.sync(kind=RunKind.FULL)
    let_time_pass(harness)
    harness.sync()
    harness.control("plezi", "POST", "clock", {"advance": -WHILE})
    harness.add_person(email=BOB, last_name="Roi")
    harness.control("plezi", "POST", "clock", {"advance": WHILE})

    run = verify(harness, out_of_time=lambda: is_interrupted)

    assert found_by(harness, run) == {(BOB, "", UNEXPLAINED)}
    counts = run.counts["salesforce"]
    assert (counts["people"], counts["drift.unexplained"]) == (2, 1)


@pytest.mark.usefixtures("ana")
def test_the_result_is_in_the_status_and_in_the_run(
    harness: Harness, admin_client: AdminClient
) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["last_verification"] is None
    harness.sync(kind=RunKind.FULL)
    let_time_pass(harness)
    harness.sync()
    edit_lead_silently(Phone="222")(harness, ANA)

    run = verify(harness)

    shown = admin_client.request_ok("GET", f"/admin/runs/{run.id}")
    result = admin_client.request_ok("GET", "/admin/status")["last_verification"]
    times = {name: result[name] for name in ("finished_at", "finished_at_utc")}
    assert result == {**shown["verification"], **times}
    compared = result["compared_fields"]
    assert (result["people"], result["unexplained_fields"]) == (1, 1)
    assert result["drift_rate"] == 1 / compared
    [entry] = shown["journal"]
    assert (entry["kind"], entry["before"], entry["after"]) == ("drift", "111", "222")
    assert run_metrics(run)["DriftRate"] == 1 / compared
    assert run_metrics(run)["RunsDone"] == 0


def test_the_values_of_explained_differences_are_stored_for_some_people_only(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_work, "MAX_EXAMPLES", 2)
    for number in range(5):
        harness.add_person(email=f"p{number}@example.com", last_name="Roi")
    harness.sync(kind=RunKind.FULL)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Title="typed")
    harness.sync()

    run = verify(harness)

    assert len(found_by(harness, run)) == 2
    assert run.counts["salesforce"]["drift.one_way.Title"] == 5


@pytest.mark.usefixtures("ana")
def test_only_a_complete_verification_with_unexplained_differences_can_be_repaired(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.sync(kind=RunKind.FULL)
    changes, agreed = harness.sync(), verify(harness)
    requested = harness.run_requester.request_run(RunKind.VERIFY)
    expected = {"no-run": 404, changes.id: 422, agreed.id: 422, requested: 409}

    found = {run: admin_client.request("POST", f"/admin/runs/{run}/repair") for run in expected}

    assert {run: response.status for run, response in found.items()} == expected
    assert "is not a verification" in found[changes.id].text
