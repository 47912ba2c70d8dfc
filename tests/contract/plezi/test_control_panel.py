"""The control routes: counts, sample data, switches, edits and reset."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.plezi_tenant import PleziTenant, Switches

NEW: dict[str, Any] = {"data": {"type": "contacts", "attributes": {"email": "ana@example.com"}}}


def test_only_api_calls_are_counted_by_kind_since_the_mark(
    api: requests.Session, control: requests.Session, browser: requests.Session
) -> None:
    contact = api.post("/contacts", json=NEW).json()["data"]["id"]
    assert control.post("/mark").json() == {"marked": True}
    api.get("/contacts")
    api.get(f"/contacts/{contact}")
    api.put(f"/contacts/{contact}", json=NEW)
    api.post("/contacts", json={})
    api.delete(f"/contacts/{contact}")
    api.get("/contact_attributes")
    api.get("/contact_lists")
    api.get("/create_contact_after_webform")
    api.get("/nowhere")
    control.get("/contacts")
    browser.get("/")
    assert control.get("/calls").json() == {
        "total": 9,
        "calls": {
            "create": 1, "delete": 1, "form": 1, "get": 1, "list": 1, "lists": 1, "other": 1,
            "schema": 1, "update": 1,
        },
        "records": {"get": 1, "list": 1, "lists": 2, "schema": 21, "update": 1},
        "reads": 4,
        "writes": 3,
    }  # fmt: skip


def test_the_readings_of_a_contact_are_kept_when_somebody_wants_them(
    api: requests.Session, control: requests.Session
) -> None:
    contact = api.post("/contacts", json=NEW).json()["data"]["id"]
    api.get("/contacts")
    assert control.get("/readings").json() == {"readings": {}}

    assert control.post("/readings", json={"keep": True}).json() == {"readings": {}}
    api.get(f"/contacts/{contact}")
    api.get("/contacts")
    api.get("/contact_attributes")
    readings = control.get("/readings").json()["readings"]
    assert (list(readings), len(readings[contact])) == ([contact], 2)

    assert control.post("/readings", json={"keep": False}).json() == {"readings": {}}


def test_sample_people_are_loaded_by_number_and_never_twice(
    control: requests.Session, api: requests.Session
) -> None:
    assert control.post("/load", json={"contacts": 3, "first": 5}).json() == {"loaded": 3}
    assert control.post("/load", json={"contacts": 4, "first": 6}).json() == {"loaded": 2}
    rows = api.get("/contacts", params={"sort_by": "email"}).json()["data"]
    assert [row["attributes"]["email"] for row in rows] == [
        f"person{number:07d}@example.com" for number in range(5, 10)
    ]
    assert control.post("/load").json() == {"loaded": 95}


@pytest.mark.parametrize(
    "body", [{"contacts": -1}, {"first": "x"}, {"contacts": True}, {"contacts": 10**9}]
)
def test_an_invalid_load_is_refused(control: requests.Session, body: dict[str, Any]) -> None:
    assert control.post("/load", json=body).status_code == 400


def test_a_load_can_be_spread_over_time(control: requests.Session, api: requests.Session) -> None:
    control.post("/load", json={"contacts": 3, "spread_seconds": 3})
    rows = api.get("/contacts", params={"sort_by": "updated_at"}).json()["data"]
    assert [row["attributes"]["updated_at"][17:] for row in rows] == [
        "58.000Z",
        "59.000Z",
        "00.000Z",
    ]


def test_a_control_edit_can_set_all_attributes_including_score_and_state(
    control: requests.Session, api: requests.Session
) -> None:
    created = control.post("/contacts", json={"email": "ana@example.com", "company": "Nord"})
    assert created.status_code == 201
    path = f"/contacts/{created.json()['id']}"
    edited = control.patch(
        path, json={"behaviour_score": 99, "state": "dormant", "company": None, "source": "fair"}
    )
    assert edited.status_code == 200
    attributes = api.get(path).json()["data"]["attributes"]
    assert attributes["behaviour_score"] == 99
    assert (attributes["state"], attributes["source"]) == ("dormant", "fair")
    assert attributes["company"] is None
    listing = control.get("/contacts", params={"email": "ANA@example.com"}).json()
    assert (listing["total"], listing["contacts"][0]["state"]) == (1, "dormant")
    assert control.get(path).json() == listing["contacts"][0]
    assert control.delete(path).status_code == 200
    assert control.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"shoe_size": 1}, 400),
        ({"url": "x"}, 400),
        ({"email": None}, 400),
        ({"email": "ana"}, 400),
        ({"behaviour_score": "high"}, 400),
        ({"email": "bea@example.com"}, 422),
    ],
)
def test_an_invalid_edit_is_refused(
    control: requests.Session, body: dict[str, Any], status: int
) -> None:
    control.post("/contacts", json={"email": "bea@example.com"})
    contact = control.post("/contacts", json={"email": "ana@example.com"}).json()["id"]
    refused = control.patch(f"/contacts/{contact}", json=body)
    assert refused.status_code == status
    assert refused.json()["error"]


def test_a_score_change_can_leave_updated_at_unchanged(
    control: requests.Session, tenant: PleziTenant
) -> None:
    contact = control.post("/contacts", json={"email": "ana@example.com"}).json()
    tenant.set_switches(score_change="keeps_updated_at")
    scored = control.patch(f"/contacts/{contact['id']}", json={"behaviour_score": 9}).json()
    assert scored["updated_at"] == contact["updated_at"]
    named = control.patch(f"/contacts/{contact['id']}", json={"first_name": "Ana"}).json()
    assert named["updated_at"] > contact["updated_at"]


def test_the_email_can_be_lower_cased_by_a_write(
    control: requests.Session, tenant: PleziTenant
) -> None:
    assert control.post("/contacts", json={"email": "Ana@X.fr"}).json()["email"] == "Ana@X.fr"
    tenant.set_switches(email_case="lowered")
    assert control.post("/contacts", json={"email": "Bea@X.fr"}).json()["email"] == "bea@x.fr"


def test_custom_attributes_can_be_added_and_removed(
    control: requests.Session, api: requests.Session
) -> None:
    attribute = {"name": "budget", "type": "list", "options": ["low", "high"]}
    assert control.post("/attributes", json=attribute).status_code == 200
    body = {"data": {"type": "contacts", "attributes": {"email": "a@x.fr", "budget": "low"}}}
    created = api.post("/contacts", json=body)
    assert created.json()["data"]["attributes"]["budget"] == "low"
    assert control.delete("/attributes/budget").status_code == 200
    assert "budget" not in api.get("/contacts").json()["data"][0]["attributes"]
    assert api.post("/contacts", json=body).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"name": "email"}, {"name": "Shoe size"}, {"name": "x", "type": "colour"}]
)
def test_an_invalid_attribute_is_refused(control: requests.Session, body: dict[str, Any]) -> None:
    assert control.post("/attributes", json=body).status_code == 400
    assert control.delete("/attributes/email").status_code == 400


def test_switches_are_listed_and_changed(control: requests.Session, tenant: PleziTenant) -> None:
    assert control.get("/switches").json() == Switches().listing()
    changed = control.post("/switches", json={"pager": "limit_offset", "read_lag_seconds": 5})
    assert changed.json()["pager"] == "limit_offset"
    assert tenant.contacts.switches.read_lag_seconds == 5


@pytest.mark.parametrize(
    "body",
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
        {"type_names": {"text": "string", "phone": "string"}},
        {"attribute_spelling": {"function": "company"}},
        {"update_method": "post_upsert", "known_email": "conflict"},
    ],
)
def test_an_invalid_switch_value_is_refused_and_changes_nothing(
    control: requests.Session, body: dict[str, Any]
) -> None:
    refused = control.post("/switches", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]
    assert control.get("/switches").json() == Switches().listing()


def test_a_reset_deletes_everything_and_restarts_the_ids(
    control: requests.Session, api: requests.Session, tenant: PleziTenant
) -> None:
    first = api.post("/contacts", json=NEW).json()["data"]["id"]
    tenant.set_switches(pager="limit_offset")
    control.post("/faults", json={"kind": "http_500"})
    control.post("/push", json={"url": "https://connector.test"})
    control.post("/attributes", json={"name": "budget"})
    control.post("/key", json={"api_key": "another"})
    assert control.post("/reset").json() == {"reset": True}
    assert control.get("/contacts").json() == {"contacts": [], "total": 0}
    assert control.get("/calls").json()["total"] == 0
    assert control.get("/faults").json() == {"faults": []}
    assert control.get("/push").json() == {"url": None}
    assert control.get("/switches").json() == Switches().listing()
    assert api.post("/contacts", json=NEW).json()["data"]["id"] == first


def test_the_clock_is_set_by_a_control_route(
    control: requests.Session, api: requests.Session
) -> None:
    control.post("/clock", json={"advance": 3600})
    created = api.post("/contacts", json=NEW).json()["data"]["attributes"]
    assert created["created_at"] == "2026-11-23T11:00:00.000Z"


@pytest.mark.parametrize("path", ["/nowhere", "/contacts/a/b", "/pushes/1", "/attributes"])
def test_an_unknown_control_route_is_not_found(control: requests.Session, path: str) -> None:
    assert control.get(path).status_code == 404


@pytest.mark.parametrize("row", [b'{"id": 7, "attributes": "a text"}', b"null", b"[" * 10_000])
def test_reads_show_an_odd_row_instead_of_a_contact_until_it_is_removed(
    control: requests.Session, api: requests.Session, row: bytes
) -> None:
    contact = api.post("/contacts", json=NEW).json()["data"]["id"]
    usual = api.get("/contacts").content

    assert control.put(f"/contacts/{contact}/row", data=row).ok

    assert api.get(f"/contacts/{contact}").content == b'{"data": ' + row + b"}"
    expected = b'{"data": [' + row + b'], "meta": {"total_results": 1}}'
    assert api.get("/contacts").content == expected
    # A write answers with the contact as it is stored.
    assert api.put(f"/contacts/{contact}", json=NEW).json()["data"]["id"] == contact
    assert control.delete(f"/contacts/{contact}/row").ok
    assert api.get("/contacts").content == usual


def test_an_odd_row_needs_a_contact(control: requests.Session) -> None:
    assert control.put(f"/contacts/{'0' * 24}/row", data=b"{}").status_code == 404
