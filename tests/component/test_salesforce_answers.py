"""Answers of Salesforce that are slow, strange or late: nobody stops everybody (S5, T6)."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from connector.bootstrap import build_app
from connector.deadline import Deadline
from connector.http_session import HttpSession
from connector.model import Phase, RunKind, RunState, Side
from local.serving import InProcessAdapter
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, lead_of
from tests.component.slow_salesforce import TimedAdapter
from tests.component.test_faults import inject_fault


class RewritingAdapter(InProcessAdapter):
    """Passes requests to the org, and changes the JSON of some responses."""

    def __init__(self, application: Any, path: str, change: Any) -> None:
        super().__init__(application)
        self._path = path
        self._change = change

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().send(request, *args, **kwargs)
        if self._path not in str(request.url) or response.status_code != 200:
            return response
        body = self._change(json.loads(response.raw.read(decode_content=True)))
        response.headers.pop("Content-Encoding", None)
        response.headers.pop("Content-Length", None)
        rewritten = requests.Response()
        rewritten.status_code, rewritten.headers = 200, response.headers
        rewritten.request, rewritten.url = request, str(request.url)
        rewritten.raw = _raw(json.dumps(body).encode())
        return rewritten


def _raw(content: bytes) -> HTTPResponse:
    return HTTPResponse(io.BytesIO(content), status=200, preload_content=False)


def use_adapter(harness: Harness, adapter: InProcessAdapter) -> None:
    """Let a new worker reach Salesforce by this transport."""
    ordinary = harness.http

    def http(side: Side, *, authority: str = "") -> HttpSession:
        session = ordinary(side, authority=authority)
        if side is Side.SALESFORCE:
            session.mount("https://", adapter)
        return session

    harness.http = http  # type: ignore[method-assign]
    worker = harness.build(harness.settings)
    harness.context, harness.engine = worker.context, worker.engine


def test_a_query_that_answers_after_25_seconds_is_waited_for(harness: Harness) -> None:
    """Field case T6."""
    harness.add_lead(Email=ANA, LastName="Lopez", Phone="111")
    use_adapter(harness, TimedAdapter(harness.org))
    inject_fault(
        harness, "salesforce", "slow", path="query", count=None, parameters={"advance": 25}
    )
    harness.mark()

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.people()[ANA]["phone"] == "111"
    assert harness.calls("salesforce")["calls"]["queryAll"] == 2  # Leads and Contacts, once each


def test_a_query_that_answers_after_two_minutes_is_given_up(harness: Harness) -> None:
    use_adapter(harness, TimedAdapter(harness.org))
    inject_fault(
        harness, "salesforce", "slow", path="queryAll", count=None, parameters={"advance": 121}
    )

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.FAILED, "salesforce_unavailable")


@pytest.mark.parametrize(
    "damage",
    [
        {"Email": ["bob@example.com"]},
        {"SystemModstamp": None},
        {"LastModifiedDate": "0001-01-01T00:00:00.000+0100"},
        {"IsDeleted": "no"},
        {"Id": {"nested": [[[]]]}},
    ],
    ids=str,
)
def test_one_unreadable_lead_stops_nobody_else(harness: Harness, damage: dict[str, Any]) -> None:
    """Field case S5."""

    def change(body: Any) -> Any:
        for row in body["records"]:
            if row["Email"] == BOB:
                row.update(damage)
        return body

    harness.add_lead(Email=ANA, LastName="Lopez")
    harness.add_lead(Email=BOB, LastName="Roi")
    use_adapter(harness, RewritingAdapter(harness.org, "queryAll", change))

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {ANA}


@pytest.mark.parametrize("phone", ["\ud800", float("nan"), {"number": "5"}], ids=str)
def test_one_unreadable_field_of_a_page_holds_up_no_lead(harness: Harness, phone: object) -> None:
    def change(body: Any) -> Any:
        for row in body["records"]:
            if row["Email"] == BOB:
                row["Phone"] = phone
        return body

    harness.add_lead(Email=ANA, LastName="Lopez")
    harness.add_lead(Email=BOB, LastName="Roi", Phone="1")
    use_adapter(harness, RewritingAdapter(harness.org, "queryAll", change))

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {ANA, BOB}
    assert harness.people()[BOB]["last_name"] == "Roi"
    assert harness.people()[BOB]["phone"] == "1"  # the look-up before the write shows it


@pytest.mark.parametrize("body", [None, 5, "text", [], {}, {"records": {}, "done": True}])
def test_a_page_that_cannot_be_used_fails_the_run_as_unavailable(
    harness: Harness, body: Any
) -> None:
    harness.add_lead(Email=ANA, LastName="Lopez")
    use_adapter(harness, RewritingAdapter(harness.org, "queryAll", lambda _body: body))

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.FAILED, "salesforce_unavailable")
    use_adapter(harness, InProcessAdapter(harness.org))
    assert harness.sync().state is RunState.DONE
    assert set(harness.people()) == {ANA}


def test_an_unreadable_answer_to_a_write_is_recovered_by_the_next_run(harness: Harness) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    answers: list[Any] = [{"success": True}]

    def change(body: Any) -> Any:
        return answers.pop() if answers else body

    use_adapter(harness, RewritingAdapter(harness.org, "composite/sobjects", change))
    harness.sync()
    harness.sync()

    assert len(harness.leads(ANA)) == 1
    harness.mark()
    harness.sync()
    assert harness.calls("salesforce")["writes"] == 0


def test_writes_without_time_are_left_to_the_next_invocation(harness: Harness) -> None:
    for at in range(3):
        harness.add_person(email=f"p{at}@example.com", last_name=f"P{at}")
    run_id = harness.run_requester.request_run(RunKind.CHANGES)
    assert harness.engine.run_phase(run_id, Phase.READ, lambda: True) is RunState.RUNNING
    deadline = Deadline(time.time)

    def let_time_pass(body: Any) -> Any:
        deadline.start(remaining=15)  # a first call may take 10 s, and 10 s are for saving
        return body

    use_adapter(harness, RewritingAdapter(harness.org, "/composite/", let_time_pass))
    worker = build_app(harness.settings, **harness.runtime, deadline=deadline)
    worker.engine.run_phase(run_id, Phase.RESOLVE, lambda: True)
    assert harness.leads() == []
    use_adapter(harness, InProcessAdapter(harness.org))

    harness.sync()

    assert len(harness.leads()) == 3
    assert lead_of(harness, "p0@example.com")["LastName"] == "P0"
