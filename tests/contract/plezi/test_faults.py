"""Each fault that can be ordered, as a client meets it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.plezi_tenant.fault_injection import KINDS

NEW: dict[str, Any] = {"data": {"type": "contacts", "attributes": {"email": "ana@example.com"}}}


def held(desk: requests.Session) -> int:
    total: int = desk.get("/contacts").json()["total"]
    return total


@pytest.mark.parametrize(
    ("kind", "status", "kept"),
    [
        ("http_500", 500, 0),
        ("http_502_html", 502, 0),
        ("http_503", 503, 0),
        ("http_429", 429, 0),
        ("html_200", 200, 0),
        ("empty_body", 201, 1),
        ("truncated_body", 201, 1),
    ],
)
def test_an_answer_is_spoilt_once_and_then_all_is_well(
    api: requests.Session, desk: requests.Session, kind: str, status: int, kept: int
) -> None:
    assert desk.post("/faults", json={"kind": kind, "method": "POST"}).status_code == 201
    answer = api.post("/contacts", json=NEW)
    assert answer.status_code == status
    assert held(desk) == kept
    if kind not in {"http_500", "http_503", "http_429"}:
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    again = api.post("/contacts", json=NEW)
    assert again.json()["data"]["attributes"]["email"] == "ana@example.com"


@pytest.mark.parametrize(
    ("kind", "kept"), [("reset_before", 0), ("reset_after", 1), ("timeout_after", 1)]
)
def test_a_connection_is_cut_before_or_after_the_write(
    api: requests.Session, desk: requests.Session, kind: str, kept: int
) -> None:
    desk.post("/faults", json={"kind": kind})
    with pytest.raises(requests.ConnectionError):
        api.post("/contacts", json=NEW)
    assert held(desk) == kept


def test_a_slow_answer_takes_its_seconds_on_the_clock(
    api: requests.Session, desk: requests.Session, clock: SimulatedClock
) -> None:
    started = clock.now()
    desk.post("/faults", json={"kind": "slow", "parameters": {"seconds": 25}})
    assert api.post("/contacts", json=NEW).status_code == 201
    assert (clock.now() - started).total_seconds() == 25


def test_too_many_calls_can_be_said_any_number_of_times(
    api: requests.Session, desk: requests.Session
) -> None:
    order = {"kind": "http_429", "count": 2, "after": 1, "parameters": {"retry_after": 7}}
    desk.post("/faults", json=order)
    answers = [api.get("/contacts") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"
    desk.post("/faults", json={"kind": "http_429", "parameters": {"retry_after": None}})
    assert "Retry-After" not in api.get("/contacts").headers


def test_a_page_is_cut_short_while_the_total_is_not(
    api: requests.Session, desk: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(10)
    desk.post("/faults", json={"kind": "truncated_page", "parameters": {"keep": 3}})
    answer = api.get("/contacts").json()
    assert (len(answer["data"]), answer["meta"]["total_results"]) == (3, 10)
    assert len(api.get("/contacts").json()["data"]) == 10


def test_one_write_stays_unseen_for_a_while(
    api: requests.Session, desk: requests.Session, clock: SimulatedClock
) -> None:
    contact = api.post("/contacts", json=NEW).json()["data"]
    desk.post("/faults", json={"kind": "stale", "parameters": {"seconds": 20}})
    body = {"data": {"type": "contacts", "attributes": {"company": "Nord"}}}
    written = api.put(f"/contacts/{contact['id']}", json=body).json()["data"]
    assert api.get(f"/contacts/{contact['id']}").json()["data"] == contact
    clock.advance(20)
    assert api.get(f"/contacts/{contact['id']}").json()["data"] == written


def test_a_fault_strikes_only_the_path_it_was_ordered_for(
    api: requests.Session, desk: requests.Session
) -> None:
    desk.post("/faults", json={"kind": "http_503", "path": "contact_lists", "count": None})
    assert api.get("/contacts").status_code == 200
    assert api.get("/contact_lists").status_code == 503
    assert desk.delete("/faults").json() == {"faults": []}
    assert api.get("/contact_lists").status_code == 200


@pytest.mark.parametrize(
    "order", [{}, {"kind": "flood"}, {"kind": "slow", "colour": 1}, {"kind": "slow", "path": "("}]
)
def test_a_fault_that_cannot_be_is_refused(
    desk: requests.Session, order: dict[str, object]
) -> None:
    assert desk.post("/faults", json=order).status_code == 400


def test_every_kind_can_be_ordered(desk: requests.Session) -> None:
    for kind in KINDS:
        assert desk.post("/faults", json={"kind": kind}).status_code == 201
