"""Pages of Salesforce that fail because of one record: the records beside it are read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests
from werkzeug.wrappers import Request, Response

from connector.model import RunState
from connector.salesforce import reader
from tests.component.altered_answers import let_call_hang
from tests.component.altered_salesforce import json_answer, put_before_org, two_hours_later
from tests.component.harness import Harness
from tests.component.people_fixtures import BOB
from tests.component.test_batch_faults import quarantined
from tests.component.test_calls_that_hang import run_in_invocations

HANG_SECONDS = 120
"""Salesforce ends a query after this time."""
CONCURRENT_LIMIT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."


def add_leads(harness: Harness, number: int) -> None:
    for at in range(number):
        harness.add_lead(Email=f"p{at:03}@example.com", LastName=f"P{at}")


def is_page(request: Request) -> bool:
    """Whether a request reads a page of changed records."""
    return "/queryAll" in request.path and "LastName" in request.args.get("q", "LastName")


def fail(response: Response, code: str, status: int) -> None:
    response.status_code = status
    response.set_data(json.dumps([{"errorCode": code, "message": ""}]))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UNKNOWN_EXCEPTION", 500),
        ("QUERY_TIMEOUT", 400),
        ("OPERATION_TOO_LARGE", 400),
        ("", 504),
    ],
)
def test_a_page_that_fails_because_of_one_lead_stops_no_other_one(
    harness: Harness, code: str, status: int
) -> None:
    add_leads(harness, 30)
    calls: list[str] = []

    def alter(request: Request, response: Response) -> None:
        if "/queryAll" in request.path:
            calls.append(request.args["q"])
            if '"P17"' in response.get_data(as_text=True):
                fail(response, code, status)

    put_before_org(harness, alter=alter)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 29
    assert set(quarantined(harness)) == {"p017@example.com"}
    assert "P17" not in run.error
    assert len(calls) <= 45
    put_before_org(harness)
    lead = harness.leads("p017@example.com")[0]["Id"]
    two_hours_later(harness)
    harness.edit_lead(lead, Phone="2")
    harness.sync()
    assert len(harness.people()) == 30


class FaultOfQueries:
    """Query answers with one of some Leads, by their last names, have a certain fault."""

    def __init__(self, harness: Harness, fault: str, names: list[str]) -> None:
        self.names = names
        self.calls = 0
        self._harness = harness
        self._fault = fault

    def __call__(self, request: Request, response: Response) -> None:
        if "/query" not in request.path:
            return
        self.calls += 1
        text = response.get_data(as_text=True)
        found = [name for name in self.names if f'"{name}"' in text]
        if not found:
            return
        match self._fault:
            case "time-out":
                let_call_hang(self._harness, HANG_SECONDS)
                raise requests.ReadTimeout
            case "truncated":
                response.set_data(text[:-20])
            case "web page":
                response.status_code = 403
                response.set_data("<html>blocked</html>")
            case "404":
                fail(response, "NOT_FOUND", 404)
            case "400":
                fail(response, "SOMETHING_NEW", 400)
            case "500":
                fail(response, "UNKNOWN_EXCEPTION", 500)
            case raw:
                for name in found:
                    text = text.replace(f'"{name}"', raw)
                response.set_data(text)


@pytest.mark.parametrize(
    "fault",
    [
        "time-out",
        "truncated",
        "web page",
        "400",
        "404",
        pytest.param('"a\x07b"', id="control character"),
        pytest.param("9" * 5_000, id="5,000 digits"),
        pytest.param("[" * 3_000 + "]" * 3_000, id="3,000 lists"),
    ],
)
def test_one_lead_that_breaks_its_page_in_any_way_stops_nobody(
    harness: Harness, fault: str
) -> None:
    add_leads(harness, 30)
    harness.add_person(email=BOB, last_name="Roi")
    failing = FaultOfQueries(harness, fault, ["P17"])
    put_before_org(harness, alter=failing)

    run = run_in_invocations(harness)

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 30
    assert harness.leads(BOB)
    assert set(quarantined(harness)) == {"p017@example.com"}

    failing.names = []
    two_hours_later(harness)
    harness.edit_lead(harness.leads("p017@example.com")[0]["Id"], Phone="2")
    harness.sync()

    assert len(harness.people()) == 31


@pytest.mark.parametrize("first", [0, 10, 20])
def test_thirty_leads_side_by_side_that_cannot_be_read_stop_nobody(
    harness: Harness, first: int
) -> None:
    add_leads(harness, 50)
    names = [f"P{at}" for at in range(first, first + 30)]
    failing = FaultOfQueries(harness, "500", names)
    put_before_org(harness, alter=failing)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 20
    assert len(quarantined(harness)) == 30
    assert failing.calls <= 30 * 22  # 2 log2(2,000) for each Lead


def test_a_run_that_may_leave_nobody_else_out_ends_and_the_next_one_goes_on_behind_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_LEFT_OUT", 5)
    add_leads(harness, 20)
    two_hours_later(harness)
    failing = FaultOfQueries(harness, "500", [f"P{at}" for at in range(3, 15)])
    put_before_org(harness, alter=failing)

    states = []
    for _ in range(3):
        states.append(harness.sync().state)
        two_hours_later(harness)

    assert states == [RunState.FAILED, RunState.FAILED, RunState.DONE]
    assert len(harness.people()) == 8


def test_a_lead_whose_email_fails_too_is_left_out_by_its_id(harness: Harness) -> None:
    add_leads(harness, 6)

    def alter(request: Request, response: Response) -> None:
        if "/queryAll" in request.path and "p003@" in response.get_data(as_text=True):
            fail(response, "UNKNOWN_EXCEPTION", 500)

    put_before_org(harness, alter=alter)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 5


def leave_one_of_thirty_out(harness: Harness, alter: Callable[[Request, Response], None]) -> None:
    """Let a run read 30 Leads, of which the 18th cannot be read, with altered answers."""
    add_leads(harness, 30)
    put_before_org(harness, alter=alter)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 29
    assert set(quarantined(harness)) == {"p017@example.com"}


def test_a_wrong_stamp_of_a_lead_that_is_left_out_hides_no_other_one(harness: Harness) -> None:
    shown: list[str] = []

    def alter(request: Request, response: Response) -> None:
        if "/queryAll" not in request.path:
            return
        if '"P17"' in response.get_data(as_text=True):
            fail(response, "UNKNOWN_EXCEPTION", 500)
        elif "Email" in request.args["q"] and not is_page(request) and not shown:
            document = json.loads(response.get_data())
            document["records"][0]["SystemModstamp"] = "2099-01-01T00:00:00.000+0000"
            shown.append(document["records"][0]["Email"])
            response.set_data(json.dumps(document))

    leave_one_of_thirty_out(harness, alter)

    assert shown == ["p017@example.com"]


def test_a_stamp_of_long_ago_shown_once_beside_a_lead_that_is_left_out_hides_nobody(
    harness: Harness,
) -> None:
    calls: list[str] = []
    shown: list[str] = []

    def alter(request: Request, response: Response) -> None:
        if "/queryAll" not in request.path:
            return
        calls.append(request.args["q"])
        document = json.loads(response.get_data())
        names = [row.get("LastName") for row in document.get("records", [])]
        if "P17" in names:
            fail(response, "UNKNOWN_EXCEPTION", 500)
        elif names == ["P5"] and not shown:
            document["records"][0]["SystemModstamp"] = "2001-01-01T00:00:00.000+0000"
            shown.append("P5")
            response.set_data(json.dumps(document))

    leave_one_of_thirty_out(harness, alter)

    assert shown == ["P5"]
    assert len(calls) <= 45


def test_an_org_that_answers_no_query_is_unavailable_after_few_calls(harness: Harness) -> None:
    add_leads(harness, 6)
    calls: list[str] = []

    def replace(request: Request) -> Response | None:
        if "/queryAll" not in request.path:
            return None
        calls.append(request.path)
        return Response("", status=500)

    put_before_org(harness, replace)
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.FAILED, "salesforce_unavailable")
    assert len(calls) <= 2 * 6  # a page and the smallest query, three times each; two tries


def test_an_org_that_answers_no_page_is_unavailable_after_a_bounded_number_of_calls(
    harness: Harness,
) -> None:
    add_leads(harness, 30)
    calls: list[str] = []

    def replace(request: Request) -> Response | None:
        if "/queryAll" in request.path:
            calls.append(request.path)
        return Response("", status=504) if is_page(request) else None

    put_before_org(harness, replace)
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.FAILED, "salesforce_unavailable")
    assert not quarantined(harness)
    assert len(calls) <= 150


def test_a_limit_of_the_org_is_no_fault_of_a_page(harness: Harness) -> None:
    add_leads(harness, 6)
    limits: list[str] = []

    def replace(request: Request) -> Response | None:
        if not is_page(request):
            return None
        limits.append(request.args["q"])
        error = {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": CONCURRENT_LIMIT}
        return json_answer([error], 403)

    put_before_org(harness, replace)
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.FAILED, "salesforce_unavailable")
    assert not any("LIMIT" in soql for soql in limits)


def test_a_fault_that_passes_does_not_make_the_rest_of_a_reading_slow(harness: Harness) -> None:
    add_leads(harness, 60)
    harness.add_lead(Email=BOB, LastName="Roi")
    limits: list[str] = []

    def replace(request: Request) -> Response | None:
        if not is_page(request) or "FROM Lead" not in request.args.get("q", ""):
            return None
        limits.append(request.args["q"].partition("LIMIT ")[2])
        # A page without a limit, one of 200 and one of 20 fail three times each.
        return Response("", status=500) if len(limits) <= 9 else None

    put_before_org(harness, replace)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 61
    assert limits[9:] == ["1"] * 20 + ["20"] * 3  # the last 41 rows


def test_a_limited_query_that_arrives_in_two_pages_is_no_end_of_the_reading(
    harness: Harness,
) -> None:
    """Salesforce divides an answer with long rows, also that of a query with a limit."""
    add_leads(harness, 30)
    rest: list[object] = []

    def replace(request: Request) -> Response | None:
        if request.path.endswith("/queryAll/rest"):
            return json_answer({"records": rest, "done": True})
        return None

    def alter(request: Request, response: Response) -> None:
        soql = request.args.get("q", "")
        text = response.get_data(as_text=True)
        if is_page(request) and "LIMIT 20" in soql and '"P17"' not in text and "FROM Lead" in soql:
            body = json.loads(text)
            rest[:] = body["records"][15:]
            if rest:
                body.update(records=body["records"][:15], done=False)
                body["nextRecordsUrl"] = "/services/data/v64.0/queryAll/rest"
            response.set_data(json.dumps(body))
        elif is_page(request) and '"P17"' in text:
            fail(response, "QUERY_TIMEOUT", 400)

    put_before_org(harness, replace, alter)
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.people()) == 29
