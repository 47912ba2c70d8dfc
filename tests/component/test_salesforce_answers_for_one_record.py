"""Answers of Salesforce about one record, or about one call: they stop no other record."""

from __future__ import annotations

import json

import pytest
from werkzeug.wrappers import Request, Response

from connector.bootstrap import build_app
from connector.deadline import Deadline
from connector.http_session import MAX_RESPONSE_BYTES
from connector.model import Phase, RunKind, RunState
from connector.salesforce.batch_size import SIZE_KEY
from tests.component.altered_answers import let_call_hang
from tests.component.altered_salesforce import (
    is_write,
    json_answer,
    put_before_org,
    record_error,
    records_of,
    rest_error,
    two_hours_later,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB
from tests.component.test_batch_faults import quarantined


def add_pair_of_people(harness: Harness) -> tuple[str, str]:
    """Add two people, let them reach Salesforce, and return their ids in Plezi."""
    ana = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    bob = harness.add_person(email=BOB, last_name="Roi", phone="1")
    harness.sync()
    return ana, bob


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("QUERY_TIMEOUT", 400),
        ("OPERATION_TOO_LARGE", 400),
        ("UNKNOWN_EXCEPTION", 500),
        ("SERVER_UNAVAILABLE", 503),
        ("NOT_FOUND", 404),
    ],
)
def test_an_id_whose_query_always_fails_stops_no_other_person(
    harness: Harness, code: str, status: int
) -> None:
    ana, bob = add_pair_of_people(harness)
    lead = harness.leads(ANA)[0]["Id"]

    def replace(request: Request) -> Response | None:
        is_guilty = "/query" in request.path and lead in request.args.get("q", "")
        is_guilty_call = "composite" in request.path and lead in request.get_data(as_text=True)
        is_read = "composite/sobjects" not in request.path
        return rest_error(code, status) if is_read and (is_guilty or is_guilty_call) else None

    put_before_org(harness, replace)
    harness.edit_person(ana, phone="7")
    harness.edit_person(bob, phone="8")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.leads(BOB)[0]["Phone"] == "8"
    put_before_org(harness)
    harness.sync()
    assert harness.leads(ANA)[0]["Phone"] == "7"


def test_the_only_id_of_a_look_up_whose_query_fails_is_left_to_a_later_run(
    harness: Harness,
) -> None:
    ana, _ = add_pair_of_people(harness)
    lead = harness.leads(ANA)[0]["Id"]

    def replace(request: Request) -> Response | None:
        is_guilty = request.path.endswith("/query/") and lead in request.args.get("q", "")
        return rest_error("SERVER_UNAVAILABLE", 503) if is_guilty else None

    put_before_org(harness, replace)
    harness.edit_person(ana, phone="7")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    put_before_org(harness)
    harness.sync()
    assert harness.leads(ANA)[0]["Phone"] == "7"


def test_an_org_that_answers_no_query_ends_the_run_as_unavailable_after_few_calls(
    harness: Harness,
) -> None:
    ana, _ = add_pair_of_people(harness)
    calls: list[str] = []

    def replace(request: Request) -> Response | None:
        if not request.path.endswith(("/query/", "/composite/")):
            return None
        calls.append(request.path)
        return rest_error("SERVER_UNAVAILABLE", 503)

    put_before_org(harness, replace)
    harness.edit_person(ana, phone="7")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.FAILED, "salesforce_unavailable")
    assert len(calls) <= 6


@pytest.mark.parametrize("seconds", [60, 110])
def test_a_lead_whose_look_up_takes_too_long_stops_no_other_person(
    harness: Harness, seconds: float
) -> None:
    """An invocation has time for two such queries, and sixty people change."""
    change_sixty_people(harness)
    lead = harness.leads("p007@example.com")[0]["Id"]

    def replace(request: Request) -> Response | None:
        text = request.args.get("q", "") + request.get_data(as_text=True)
        if lead not in text or is_write(request):
            return None
        let_call_hang(harness, seconds)
        return rest_error("QUERY_TIMEOUT")

    put_before_org(harness, replace)
    for _ in range(3):
        run_in_invocations(harness)
        two_hours_later(harness)

    assert phones(harness).count("777") == NUMBER - 1
    put_before_org(harness)
    harness.sync()
    assert phones(harness).count(GUILTY) == 1


def run_in_invocations(harness: Harness, limit: int = 20) -> None:
    """Make a run in invocations of 300 seconds, 240 of them for work, each in a new process."""
    run_id, phase = harness.run_requester.request_run(RunKind.CHANGES), Phase.READ
    deadline = Deadline(harness.clock)
    for _ in range(limit):
        deadline.start(remaining=300, budget=240)
        engine = build_app(harness.settings, **harness.runtime, deadline=deadline).engine
        if engine.run_phase(run_id, phase, lambda: deadline.is_over) is not RunState.RUNNING:
            return
        phase = harness.queued_phase()
    pytest.fail("the run has no end")


NUMBER = 60
GUILTY = "666"


def change_sixty_people(harness: Harness) -> None:
    """Let sixty linked people change; one of them gets the value `GUILTY`."""
    people = [
        harness.add_person(email=f"p{at:03}@example.com", last_name=f"P{at}", phone="1")
        for at in range(NUMBER)
    ]
    harness.sync()
    for at, person in enumerate(people):
        harness.edit_person(person, phone=GUILTY if at == 7 else "777")


def phones(harness: Harness) -> list[str]:
    return [lead["Phone"] for lead in harness.leads()]


def has_guilty(request: Request) -> bool:
    return any(record.get("Phone") == GUILTY for record in records_of(request))


def test_write_calls_that_are_lost_because_of_their_size_become_smaller(harness: Harness) -> None:
    sizes: list[int] = []

    def replace(request: Request) -> Response | None:
        if not is_write(request):
            return None
        sizes.append(len(records_of(request)))
        return Response("<html>Gateway Time-out</html>", status=504) if sizes[-1] > 50 else None

    change_sixty_people(harness)
    put_before_org(harness, replace)
    for _ in range(2):
        run = harness.sync()
        two_hours_later(harness)

    assert run.state is RunState.DONE, run.message
    assert sizes == [60, 30, 30]
    assert phones(harness).count("777") == NUMBER - 1
    assert harness.ledger.load_document(SIZE_KEY) is None  # one lost call shows no limit
    for person in harness.people().values():
        harness.edit_person(person["id"], phone="888")
    for _ in range(2):
        harness.sync()
        two_hours_later(harness)
    stored = harness.ledger.load_document(SIZE_KEY)
    assert stored is not None
    assert stored["size"] == 30
    assert phones(harness) == ["888"] * NUMBER
    assert sizes == [60, 30, 30] * 2


@pytest.mark.parametrize("status", [504, 500])
def test_one_lead_whose_write_is_never_answered_delays_the_others_for_few_runs(
    harness: Harness, status: int
) -> None:
    sizes: list[int] = []

    def replace(request: Request) -> Response | None:
        if not is_write(request):
            return None
        sizes.append(len(records_of(request)))
        return Response("", status=status) if has_guilty(request) else None

    change_sixty_people(harness)
    put_before_org(harness, replace)
    for _ in range(5):
        run = harness.sync()
        two_hours_later(harness)

    assert run.state is RunState.DONE, run.message
    assert phones(harness).count("777") == NUMBER - 1
    assert GUILTY not in phones(harness)
    assert len(sizes) <= 5 + 2 * 6  # one call for each run, and 2 log2(60)
    assert harness.ledger.load_document(SIZE_KEY) is None
    sizes.clear()
    for person in harness.people().values():
        if person["phone"] != GUILTY:
            harness.edit_person(person["id"], phone="888")
    harness.sync()
    assert sizes == [NUMBER - 1, 1]  # the guilty record is alone, the others are together
    assert phones(harness).count("888") == NUMBER - 1


def test_a_lost_creation_is_found_and_not_created_again(harness: Harness) -> None:
    for at in range(8):
        harness.add_person(email=f"p{at}@example.com", last_name=f"P{at}")

    def alter(request: Request, response: Response) -> None:
        if is_write(request):
            response.status_code = 504
            response.set_data(b"")

    put_before_org(harness, alter=alter)
    for _ in range(3):
        harness.sync()
        two_hours_later(harness)

    assert len(harness.leads()) == 8


def test_an_org_that_answers_no_write_gets_few_calls_and_then_all_writes(harness: Harness) -> None:
    sizes: list[int] = []
    is_down = [True]

    def replace(request: Request) -> Response | None:
        if not is_write(request):
            return None
        sizes.append(len(records_of(request)))
        return Response("", status=503) if is_down else None

    change_sixty_people(harness)
    put_before_org(harness, replace)
    for _ in range(6):
        harness.sync()
        two_hours_later(harness)

    lost = len(sizes)
    assert lost <= 6 * 4  # a run tries twice, two calls each
    assert "777" not in phones(harness)
    is_down.clear()
    sizes.clear()
    harness.sync()
    assert phones(harness).count("777") == NUMBER - 1
    assert len(sizes) <= 4 * lost  # each lost call is sent again in four parts at most
    assert harness.ledger.load_document(SIZE_KEY) is None


def test_a_full_storage_refuses_no_lead_and_all_are_created_later(harness: Harness) -> None:
    for at in range(30):
        harness.add_person(email=f"p{at:02}@example.com", last_name=f"P{at}")

    def replace(request: Request) -> Response | None:
        if not is_write(request):
            return None
        return json_answer([record_error("STORAGE_LIMIT_EXCEEDED")] * len(records_of(request)))

    put_before_org(harness, replace)
    run = harness.sync()

    assert quarantined(harness) == {}
    assert run.error.startswith("STORAGE_LIMIT_EXCEEDED: the org's data storage is full")
    put_before_org(harness)
    two_hours_later(harness)
    harness.sync()
    assert len(harness.leads()) == 30


@pytest.mark.parametrize("code", ["API_CURRENTLY_DISABLED", "API_DISABLED_FOR_ORG"])
def test_a_missing_permission_for_one_lead_of_several_refuses_this_lead_only(
    harness: Harness, code: str
) -> None:
    for at in range(6):
        harness.add_person(email=f"p{at}@example.com", last_name=f"P{at}")

    def alter(request: Request, response: Response) -> None:
        if not is_write(request):
            return
        items = json.loads(response.get_data())
        for at, record in enumerate(records_of(request)):
            if record.get("LastName") == "P2":
                items[at] = record_error(code)
        response.set_data(json.dumps(items))

    put_before_org(harness, alter=alter)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert quarantined(harness) == {"p2@example.com": code}
    harness.add_person(email=ANA, last_name="Lopez")
    assert harness.sync().state is RunState.DONE
    assert ANA in {lead["Email"] for lead in harness.leads()}


def test_a_permission_that_all_leads_of_a_call_lack_stops_the_run(harness: Harness) -> None:
    for at in range(6):
        harness.add_person(email=f"p{at}@example.com", last_name=f"P{at}")

    def replace(request: Request) -> Response | None:
        if not is_write(request):
            return None
        return json_answer([record_error("API_CURRENTLY_DISABLED")] * len(records_of(request)))

    put_before_org(harness, replace)
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "salesforce_api_disabled")
    assert quarantined(harness) == {}


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_clock_of_salesforce_in_the_future_hides_no_later_change(
    harness: Harness, *, is_refused: bool
) -> None:
    def alter(request: Request, response: Response) -> None:
        response.headers["Date"] = "Fri, 01 Jan 2038 00:00:00 GMT"
        if not request.path.endswith("/updated/"):
            return
        if is_refused:
            response.status_code = 400
            response.set_data(json.dumps([{"errorCode": "INVALID_REPLICATION_DATE"}]))
        else:
            covered = {"ids": [], "latestDateCovered": "2038-01-01T00:00:00.000+0000"}
            response.set_data(json.dumps(covered))

    harness.add_lead(Email=ANA, LastName="Lopez")
    put_before_org(harness, alter=alter)
    harness.sync()
    put_before_org(harness)
    harness.add_lead(Email=BOB, LastName="Roi")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {ANA, BOB}


@pytest.mark.parametrize("large", [[3], [0, 29], list(range(25))])
def test_answers_that_are_too_large_are_read_in_parts_and_stop_no_other_record(
    harness: Harness, large: list[int]
) -> None:
    """One or two Leads are too large each; or more than twenty of them are, together."""
    for at in range(30):
        harness.add_lead(Email=f"p{at:02}@example.com", LastName=f"P{at}")
    names = {f"P{at}" for at in large}
    is_alone_too_large = len(large) < 3

    def alter(request: Request, response: Response) -> None:
        if "/queryAll" not in request.path:
            return
        rows = json.loads(response.get_data())["records"]
        count = sum(row.get("LastName") in names for row in rows)
        if count > (0 if is_alone_too_large else 20):
            response.set_data(b" " * (MAX_RESPONSE_BYTES + 1))

    put_before_org(harness, alter=alter)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    arrived = set(harness.people())
    lost = {f"p{at:02}@example.com" for at in large} if is_alone_too_large else set()
    assert arrived == {f"p{at:02}@example.com" for at in range(30)} - lost
