"""Forms: submitted through the real GET endpoint, and pushed to the connector."""

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
Pushed = list[tuple[str, bytes, dict[str, str]]]


def submit(api: requests.Session, **fields: str | list[str]) -> requests.Response:
    return api.get("/create_contact_after_webform", params={**IDS, **fields})


def only_contact(api: requests.Session) -> dict[str, Any]:
    (row,) = api.get("/contacts").json()["data"]
    attributes: dict[str, Any] = row["attributes"]
    return attributes


def test_a_form_creates_a_scored_contact(api: requests.Session, desk: requests.Session) -> None:
    answer = submit(api, email="a+b@example.com", first_name="Ana", utm_source="linkedin")
    assert answer.status_code == 201
    assert answer.json() == {
        "email_contact_sent": True,
        "redirect_after_submit": True,
        "redirection_url": "https://www.example.com/thanks",
    }
    contact = only_contact(api)
    assert (contact["email"], contact["first_name"]) == ("a+b@example.com", "Ana")
    assert (contact["behaviour_score"], contact["state"]) == (5, "new")
    assert contact["source"] == "linkedin"
    assert desk.get("/forms").json() == {"submissions": 1}


def test_a_second_form_updates_it_and_moves_the_score_up_to_fifty(
    api: requests.Session, desk: requests.Session, clock: SimulatedClock
) -> None:
    submit(api, email="ana@example.com", company="Nord", first_name="Ana")
    clock.advance(60)
    assert submit(api, email="ANA@example.com", company="Sud", first_name="").status_code == 200
    contact = only_contact(api)
    assert (contact["company"], contact["first_name"]) == ("Sud", "Ana")
    assert (contact["behaviour_score"], contact["state"]) == (10, "engaged")
    assert contact["updated_at"] == "2026-11-23T10:01:00.000Z"
    (held,) = desk.get("/contacts").json()["contacts"]
    desk.patch(f"/contacts/{held['id']}", json={"behaviour_score": 48})
    submit(api, email="ana@example.com")
    assert only_contact(api)["behaviour_score"] == 50


def test_choices_are_replaced_unless_the_form_says_to_keep_them(api: requests.Session) -> None:
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


def test_texts_of_the_form_become_values_of_their_types(api: requests.Session) -> None:
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
def test_a_form_that_is_wrong_is_refused_and_nothing_is_kept(
    api: requests.Session, fields: dict[str, str], status: int, detail: str
) -> None:
    refused = submit(api, **fields)
    assert refused.status_code == status
    assert refused.json()["errors"][0]["detail"].startswith(detail)
    assert api.get("/contacts").json()["data"] == []


def test_a_new_contact_can_stay_unreadable_for_a_while(
    api: requests.Session, tenant: PleziTenant, clock: SimulatedClock
) -> None:
    tenant.set_switches(form_invisible_seconds=30)
    submit(api, email="ana@example.com")
    asked = {"filter[email]": "ana@example.com"}
    assert api.get("/contacts", params=asked).json() == {"data": [], "meta": {"total_results": 0}}
    clock.advance(30)
    assert len(api.get("/contacts", params=asked).json()["data"]) == 1


def test_a_form_is_pushed_to_the_connector_signed(
    api: requests.Session, desk: requests.Session, pushed: Pushed
) -> None:
    order = {"url": "https://connector.test/forms", "signing_key": KEY, "token": "t0k"}
    assert desk.post("/push", json=order).json() == {"url": "https://connector.test/forms"}
    submit(api, email="ana@example.com")
    ((url, body, headers),) = pushed
    assert url == "https://connector.test/forms"
    contact = desk.get("/contacts").json()["contacts"][0]
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
    (sent,) = desk.get("/pushes").json()["pushes"]
    assert (sent["statuses"], sent["error"], sent["done"]) == ([202], None, True)


def test_a_push_can_be_sent_twice_and_stopped(
    api: requests.Session, desk: requests.Session, pushed: Pushed
) -> None:
    desk.post("/push", json={"url": "https://connector.test/forms", "copies": 2})
    submit(api, email="ana@example.com")
    assert len(pushed) == 2
    assert pushed[0] == pushed[1]
    assert "webhook-signature" not in pushed[0][2]
    desk.delete("/push")
    submit(api, email="ana@example.com")
    assert len(pushed) == 2


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"url": "connector"},
        {"url": 3},
        {"url": "https://c.test", "signing_key": "whsec_***"},
        {"url": "https://c.test", "copies": 0},
        {"url": "https://c.test", "colour": "green"},
    ],
)
def test_a_target_that_cannot_be_is_refused(
    desk: requests.Session, order: dict[str, object]
) -> None:
    assert desk.post("/push", json=order).status_code == 400
