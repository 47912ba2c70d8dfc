"""Forms: submitted to the GET endpoint, and sent to the connector as webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant

IDS = {"form_id": "5f" * 12, "content_web_form_id": "6f" * 12}
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
Deliveries = list[tuple[str, bytes, dict[str, str]]]


def submit(api: requests.Session, **fields: str | list[str]) -> requests.Response:
    return api.get("/create_contact_after_webform", params={**IDS, **fields})


def only_contact(api: requests.Session) -> dict[str, Any]:
    (row,) = api.get("/contacts").json()["data"]
    attributes: dict[str, Any] = row["attributes"]
    return attributes


def test_a_form_creates_a_scored_contact(api: requests.Session, control: requests.Session) -> None:
    response = submit(api, email="a+b@example.com", first_name="Ana", utm_source="linkedin")
    assert response.status_code == 201
    assert response.json() == {
        "email_contact_sent": True,
        "redirect_after_submit": True,
        "redirection_url": "https://www.example.com/thanks",
    }
    contact = only_contact(api)
    assert (contact["email"], contact["first_name"]) == ("a+b@example.com", "Ana")
    assert (contact["behaviour_score"], contact["state"]) == (5, "new")
    assert contact["source"] == "linkedin"
    assert control.get("/forms").json() == {"submissions": 1}


def test_a_second_form_updates_it_and_moves_the_score_up_to_fifty(
    api: requests.Session, control: requests.Session, clock: SimulatedClock
) -> None:
    submit(api, email="ana@example.com", company="Nord", first_name="Ana")
    clock.advance(60)
    assert submit(api, email="ANA@example.com", company="Sud", first_name="").status_code == 200
    contact = only_contact(api)
    assert (contact["company"], contact["first_name"]) == ("Sud", "Ana")
    assert (contact["behaviour_score"], contact["state"]) == (10, "engaged")
    assert contact["updated_at"] == "2026-11-23T10:01:00.000Z"
    (stored,) = control.get("/contacts").json()["contacts"]
    control.patch(f"/contacts/{stored['id']}", json={"behaviour_score": 48})
    submit(api, email="ana@example.com")
    assert only_contact(api)["behaviour_score"] == 50


def test_choices_are_replaced_unless_the_form_keeps_them(api: requests.Session) -> None:
    submit(api, email="ana@example.com", interests="events,product")
    submit(api, email="ana@example.com", interests="hiring")
    assert only_contact(api)["interests"] == ["hiring"]
    submit(api, email="ana@example.com", interests="events", keep_multiple_select_values="true")
    assert only_contact(api)["interests"] == ["hiring", "events"]


def test_consents_and_newsletters_add_up(api: requests.Session) -> None:
    first: dict[str, str | list[str]] = {"email": "ana@example.com", "consents[]": ["1"]}
    submit(api, **first)
    newsletter = "6300000000000000000000aa"
    submit(api, **{**first, "consents[]": ["2"], "subscriptions": newsletter})
    contact = only_contact(api)
    assert contact["consents"] == [1, 2]
    assert contact["subscriptions"] == [newsletter]


def test_texts_of_a_form_are_converted_to_the_types_of_the_attributes(
    api: requests.Session,
) -> None:
    submit(api, email="a@example.com", employees="12", newsletter_optout="true", segment="smb")
    contact = only_contact(api)
    assert (contact["employees"], contact["newsletter_optout"]) == (12, True)


@pytest.mark.parametrize(
    ("fields", "status", "detail"),
    [
        ({}, 422, "email is mandatory"),
        ({"email": "ana"}, 422, "email is invalid"),
        ({"email": "a@example.com", "form_id": "foss-1"}, 422, "form_id must be an id"),
        ({"email": "a@example.com", "interests": "Events"}, 422, "interests has an element"),
        ({"email": "a@example.com", "subscriptions": "newsletter"}, 422, "subscriptions has an"),
        ({"email": "a@example.com", "employees": "many"}, 422, "employees must be a number"),
        ({"email": "a@example.com", "state": "new"}, 422, "state is read-only"),
        ({"email": "a@example.com", "interests[]": "events"}, 400, "interests[] is not a field"),
    ],
)
def test_an_invalid_form_is_refused_and_stores_nothing(
    api: requests.Session, fields: dict[str, str], status: int, detail: str
) -> None:
    refused = submit(api, **fields)
    assert refused.status_code == status
    assert refused.json()["errors"][0]["detail"].startswith(detail)
    assert api.get("/contacts").json()["data"] == []


def test_a_new_contact_can_be_invisible_for_some_time(
    api: requests.Session, tenant: PleziTenant, clock: SimulatedClock
) -> None:
    tenant.set_switches(form_invisible_seconds=30)
    submit(api, email="ana@example.com")
    params = {"filter[email]": "ana@example.com"}
    assert api.get("/contacts", params=params).json() == {"data": [], "meta": {"total_results": 0}}
    clock.advance(30)
    assert len(api.get("/contacts", params=params).json()["data"]) == 1


def test_a_form_sends_a_signed_webhook_to_the_connector(
    api: requests.Session, control: requests.Session, deliveries: Deliveries
) -> None:
    target = {"url": "https://connector.test/forms", "signing_key": KEY, "token": "t0k"}
    assert control.post("/push", json=target).json() == {"url": "https://connector.test/forms"}
    submit(api, email="ana@example.com")
    ((url, body, headers),) = deliveries
    assert url == "https://connector.test/forms"
    contact = control.get("/contacts").json()["contacts"][0]
    assert json.loads(body) == {
        "event": "form.submitted",
        "contact": {"id": contact["id"], "email": "ana@example.com"},
        "content_web_form_id": IDS["content_web_form_id"],
        "occurred_at": "2026-11-23T10:00:00.000Z",
    }
    assert headers["webhook-id"].startswith("msg_")
    assert headers["webhook-timestamp"] == "1795428000"
    assert headers["Authorization"] == "Bearer t0k"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b"k" * 32, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    (sent,) = control.get("/pushes").json()["pushes"]
    assert (sent["statuses"], sent["error"], sent["done"]) == ([202], None, True)


def test_a_webhook_can_be_sent_twice_and_turned_off(
    api: requests.Session, control: requests.Session, deliveries: Deliveries
) -> None:
    control.post("/push", json={"url": "https://connector.test/forms", "copies": 2})
    submit(api, email="ana@example.com")
    assert len(deliveries) == 2
    assert deliveries[0] == deliveries[1]
    assert "webhook-signature" not in deliveries[0][2]
    control.delete("/push")
    submit(api, email="ana@example.com")
    assert len(deliveries) == 2


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"url": "connector"},
        {"url": 3},
        {"url": "https://c.test", "signing_key": "whsec_***"},
        {"url": "https://c.test", "copies": 0},
        {"url": "https://c.test", "colour": "green"},
    ],
)
def test_an_invalid_webhook_target_is_refused(
    control: requests.Session, target: dict[str, object]
) -> None:
    assert control.post("/push", json=target).status_code == 400
