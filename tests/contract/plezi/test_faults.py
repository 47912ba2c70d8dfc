"""Every injectable fault, from the client's side."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.plezi_tenant.fault_injection import KINDS

NEW: dict[str, Any] = {"data": {"type": "contacts", "attributes": {"email": "ana@example.com"}}}


def stored_total(control: requests.Session) -> int:
    total: int = control.get("/contacts").json()["total"]
    return total


@pytest.mark.parametrize(
    ("kind", "status", "stored"),
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
def test_a_fault_damages_one_response_and_the_next_call_succeeds(
    api: requests.Session, control: requests.Session, kind: str, status: int, stored: int
) -> None:
    assert control.post("/faults", json={"kind": kind, "method": "POST"}).status_code == 201
    response = api.post("/contacts", json=NEW)
    assert response.status_code == status
    assert stored_total(control) == stored
    if kind not in {"http_500", "http_503", "http_429"}:
        with pytest.raises(requests.JSONDecodeError):
            response.json()
    retried = api.post("/contacts", json=NEW)
    assert retried.json()["data"]["attributes"]["email"] == "ana@example.com"


@pytest.mark.parametrize(
    ("kind", "stored"), [("reset_before", 0), ("reset_after", 1), ("timeout_after", 1)]
)
def test_a_connection_is_closed_before_or_after_the_write(
    api: requests.Session, control: requests.Session, kind: str, stored: int
) -> None:
    control.post("/faults", json={"kind": kind})
    with pytest.raises(requests.ConnectionError):
        api.post("/contacts", json=NEW)
    assert stored_total(control) == stored


def test_a_slow_response_advances_the_clock(
    api: requests.Session, control: requests.Session, clock: SimulatedClock
) -> None:
    started = clock.now()
    control.post("/faults", json={"kind": "slow", "parameters": {"seconds": 25}})
    assert api.post("/contacts", json=NEW).status_code == 201
    assert (clock.now() - started).total_seconds() == 25


def test_a_429_fault_can_apply_to_several_calls(
    api: requests.Session, control: requests.Session
) -> None:
    body = {"kind": "http_429", "count": 2, "after": 1, "parameters": {"retry_after": 7}}
    control.post("/faults", json=body)
    responses = [api.get("/contacts") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 429, 429, 200]
    assert responses[1].headers["Retry-After"] == "7"
    control.post("/faults", json={"kind": "http_429", "parameters": {"retry_after": None}})
    assert "Retry-After" not in api.get("/contacts").headers


def test_a_truncated_page_keeps_the_total(
    api: requests.Session, control: requests.Session, tenant: PleziTenant
) -> None:
    tenant.load(10)
    control.post("/faults", json={"kind": "truncated_page", "parameters": {"keep": 3}})
    response = api.get("/contacts").json()
    assert (len(response["data"]), response["meta"]["total_results"]) == (3, 10)
    assert len(api.get("/contacts").json()["data"]) == 10


def test_a_stale_fault_hides_one_write_for_some_time(
    api: requests.Session, control: requests.Session, clock: SimulatedClock
) -> None:
    contact = api.post("/contacts", json=NEW).json()["data"]
    control.post("/faults", json={"kind": "stale", "parameters": {"seconds": 20}})
    body = {"data": {"type": "contacts", "attributes": {"company": "Nord"}}}
    written = api.put(f"/contacts/{contact['id']}", json=body).json()["data"]
    assert api.get(f"/contacts/{contact['id']}").json()["data"] == contact
    clock.advance(20)
    assert api.get(f"/contacts/{contact['id']}").json()["data"] == written


def test_a_fault_applies_only_to_its_path(api: requests.Session, control: requests.Session) -> None:
    control.post("/faults", json={"kind": "http_503", "path": "contact_lists", "count": None})
    assert api.get("/contacts").status_code == 200
    assert api.get("/contact_lists").status_code == 503
    assert control.delete("/faults").json() == {"faults": []}
    assert api.get("/contact_lists").status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"kind": "flood"}, {"kind": "slow", "colour": 1}, {"kind": "slow", "path": "("}]
)
def test_an_invalid_fault_is_refused(control: requests.Session, body: dict[str, object]) -> None:
    assert control.post("/faults", json=body).status_code == 400


def test_every_kind_of_fault_can_be_injected(control: requests.Session) -> None:
    for kind in KINDS:
        assert control.post("/faults", json={"kind": kind}).status_code == 201
