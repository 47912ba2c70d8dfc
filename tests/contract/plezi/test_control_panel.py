"""The control routes: what is counted, loaded, turned, edited and reset."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.plezi_tenant import PleziTenant, Switches

NEW: dict[str, Any] = {"data": {"type": "contacts", "attributes": {"email": "ana@example.com"}}}


def test_api_calls_are_counted_by_kind_since_the_mark_and_others_are_not(
    api: requests.Session, desk: requests.Session, browser: requests.Session
) -> None:
    contact = api.post("/contacts", json=NEW).json()["data"]["id"]
    assert desk.post("/mark").json() == {"marked": True}
    api.get("/contacts")
    api.get(f"/contacts/{contact}")
    api.put(f"/contacts/{contact}", json=NEW)
    api.post("/contacts", json={})
    api.delete(f"/contacts/{contact}")
    api.get("/contact_attributes")
    api.get("/contact_lists")
    api.get("/create_contact_after_webform")
    api.get("/nowhere")
    desk.get("/contacts")
    browser.get("/")
    assert desk.get("/calls").json() == {
        "total": 9,
        "calls": {
            "create": 1, "delete": 1, "form": 1, "get": 1, "list": 1, "lists": 1, "other": 1,
            "schema": 1, "update": 1,
        },
        "records": {"get": 1, "list": 1, "lists": 2, "schema": 21, "update": 1},
        "reads": 4,
        "writes": 3,
    }  # fmt: skip


def test_sample_people_are_loaded_by_number_and_never_twice(
    desk: requests.Session, api: requests.Session
) -> None:
    assert desk.post("/load", json={"contacts": 3, "first": 5}).json() == {"loaded": 3}
    assert desk.post("/load", json={"contacts": 4, "first": 6}).json() == {"loaded": 2}
    rows = api.get("/contacts", params={"sort_by": "email"}).json()["data"]
    assert [row["attributes"]["email"] for row in rows] == [
        f"person{number:07d}@example.com" for number in range(5, 10)
    ]
    assert desk.post("/load").json() == {"loaded": 95}


@pytest.mark.parametrize(
    "order", [{"contacts": -1}, {"first": "x"}, {"contacts": True}, {"contacts": 10**9}]
)
def test_a_load_that_cannot_be_is_refused(desk: requests.Session, order: dict[str, Any]) -> None:
    assert desk.post("/load", json=order).status_code == 400


def test_a_load_can_be_spread_over_time(desk: requests.Session, api: requests.Session) -> None:
    desk.post("/load", json={"contacts": 3, "spread_seconds": 3})
    rows = api.get("/contacts", params={"sort_by": "updated_at"}).json()["data"]
    assert [row["attributes"]["updated_at"][17:] for row in rows] == [
        "58.000Z",
        "59.000Z",
        "00.000Z",
    ]


def test_plezi_itself_moves_score_and_state_and_a_person_edits_the_rest(
    desk: requests.Session, api: requests.Session
) -> None:
    made = desk.post("/contacts", json={"email": "ana@example.com", "company": "Nord"})
    assert made.status_code == 201
    path = f"/contacts/{made.json()['id']}"
    edited = desk.patch(
        path, json={"behaviour_score": 99, "state": "dormant", "company": None, "source": "fair"}
    )
    assert edited.status_code == 200
    attributes = api.get(path).json()["data"]["attributes"]
    assert attributes["behaviour_score"] == 99
    assert (attributes["state"], attributes["source"]) == ("dormant", "fair")
    assert attributes["company"] is None
    found = desk.get("/contacts", params={"email": "ANA@example.com"}).json()
    assert (found["total"], found["contacts"][0]["state"]) == (1, "dormant")
    assert desk.get(path).json() == found["contacts"][0]
    assert desk.delete(path).status_code == 200
    assert desk.get(path).status_code == 404


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"shoe_size": 1}, 400),
        ({"url": "x"}, 400),
        ({"email": None}, 400),
        ({"email": "ana"}, 400),
        ({"behaviour_score": "high"}, 400),
        ({"email": "bea@example.com"}, 422),
    ],
)
def test_an_edit_that_cannot_be_is_refused(
    desk: requests.Session, order: dict[str, Any], status: int
) -> None:
    desk.post("/contacts", json={"email": "bea@example.com"})
    contact = desk.post("/contacts", json={"email": "ana@example.com"}).json()["id"]
    refused = desk.patch(f"/contacts/{contact}", json=order)
    assert refused.status_code == status
    assert refused.json()["error"]


def test_a_score_that_moves_can_leave_updated_at_alone(
    desk: requests.Session, tenant: PleziTenant
) -> None:
    contact = desk.post("/contacts", json={"email": "ana@example.com"}).json()
    tenant.set_switches(score_change="keeps_updated_at")
    scored = desk.patch(f"/contacts/{contact['id']}", json={"behaviour_score": 9}).json()
    assert scored["updated_at"] == contact["updated_at"]
    named = desk.patch(f"/contacts/{contact['id']}", json={"first_name": "Ana"}).json()
    assert named["updated_at"] > contact["updated_at"]


def test_the_email_can_be_lowered_on_writing(desk: requests.Session, tenant: PleziTenant) -> None:
    assert desk.post("/contacts", json={"email": "Ana@X.fr"}).json()["email"] == "Ana@X.fr"
    tenant.set_switches(email_case="lowered")
    assert desk.post("/contacts", json={"email": "Bea@X.fr"}).json()["email"] == "bea@x.fr"


def test_custom_attributes_come_and_go(desk: requests.Session, api: requests.Session) -> None:
    order = {"name": "budget", "type": "list", "options": ["low", "high"]}
    assert desk.post("/attributes", json=order).status_code == 200
    body = {"data": {"type": "contacts", "attributes": {"email": "a@x.fr", "budget": "low"}}}
    created = api.post("/contacts", json=body)
    assert created.json()["data"]["attributes"]["budget"] == "low"
    assert desk.delete("/attributes/budget").status_code == 200
    assert "budget" not in api.get("/contacts").json()["data"][0]["attributes"]
    assert api.post("/contacts", json=body).status_code == 400


@pytest.mark.parametrize(
    "order", [{}, {"name": "email"}, {"name": "Shoe size"}, {"name": "x", "type": "colour"}]
)
def test_an_attribute_that_cannot_be_is_refused(
    desk: requests.Session, order: dict[str, Any]
) -> None:
    assert desk.post("/attributes", json=order).status_code == 400
    assert desk.delete("/attributes/email").status_code == 400


def test_switches_are_listed_and_turned(desk: requests.Session, tenant: PleziTenant) -> None:
    assert desk.get("/switches").json() == Switches().listing()
    turned = desk.post("/switches", json={"pager": "limit_offset", "read_lag_seconds": 5})
    assert turned.json()["pager"] == "limit_offset"
    assert tenant.contacts.switches.read_lag_seconds == 5


@pytest.mark.parametrize(
    "order",
    [
        {"colour": "green"},
        {"pager": "cursor"},
        {"rate_limit_per_minute": 1.5},
        {"rate_limit_per_minute": -1},
        {"read_lag_seconds": "5"},
        {"page_size_cap": 0},
        {"page_size_cap": 101},
        {"attribute_spelling": ["x"]},
        {"attribute_spelling": {"shoe": "size"}},
        {"attribute_spelling": {"function": "company"}},
        {"update_method": "post_upsert", "known_email": "conflict"},
    ],
)
def test_a_switch_that_cannot_be_turned_so_is_refused_and_nothing_changes(
    desk: requests.Session, order: dict[str, Any]
) -> None:
    refused = desk.post("/switches", json=order)
    assert refused.status_code == 400
    assert refused.json()["error"]
    assert desk.get("/switches").json() == Switches().listing()


def test_a_reset_forgets_everything_and_gives_the_same_ids_again(
    desk: requests.Session, api: requests.Session, tenant: PleziTenant
) -> None:
    first = api.post("/contacts", json=NEW).json()["data"]["id"]
    tenant.set_switches(pager="limit_offset")
    desk.post("/faults", json={"kind": "http_500"})
    desk.post("/push", json={"url": "https://connector.test"})
    desk.post("/attributes", json={"name": "budget"})
    desk.post("/key", json={"api_key": "another"})
    assert desk.post("/reset").json() == {"reset": True}
    assert desk.get("/contacts").json() == {"contacts": [], "total": 0}
    assert desk.get("/calls").json()["total"] == 0
    assert desk.get("/faults").json() == {"faults": []}
    assert desk.get("/push").json() == {"url": None}
    assert desk.get("/switches").json() == Switches().listing()
    assert api.post("/contacts", json=NEW).json()["data"]["id"] == first


def test_the_clock_is_set_from_the_desk(desk: requests.Session, api: requests.Session) -> None:
    desk.post("/clock", json={"advance": 3600})
    created = api.post("/contacts", json=NEW).json()["data"]["attributes"]
    assert created["created_at"] == "2026-11-23T11:00:00.000Z"


@pytest.mark.parametrize("path", ["/nowhere", "/contacts/a/b", "/pushes/1", "/attributes"])
def test_an_unknown_control_route_is_not_found(desk: requests.Session, path: str) -> None:
    assert desk.get(path).status_code == 404
