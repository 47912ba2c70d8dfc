"""The connection check through the admin API: causes in order, and on success the fields."""

from __future__ import annotations

from typing import Any

from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

CHECK = "/admin/connection/check"


def grades(answer: dict[str, Any]) -> dict[str, str]:
    return {it["name"]: it["grade"] for it in answer["report"]["findings"]}


def test_a_good_connection_brings_the_fields_to_map(admin_client: AdminClient) -> None:
    answer = admin_client.request_ok("POST", CHECK)

    assert answer["report"]["ok"] is True
    assert grades(answer)["login"] == "ok"
    assert {it["name"] for it in answer["fields"]["plezi"]} >= {"email", "function"}
    assert {it["name"] for it in answer["fields"]["lead"]} >= {"Email", "plezi_url__c"}


def test_a_refused_login_brings_the_causes_in_order_and_is_made_once(
    admin_client: AdminClient, harness: Harness
) -> None:
    user = f"users/{harness.org.integration_user.username}"
    harness.control("salesforce", "POST", f"{user}/password", {"password": "Another-pass1"})
    before = len(harness.control("salesforce", "GET", "logins"))

    answers = [admin_client.request_ok("POST", CHECK) for _ in range(3)]

    for answer in answers:
        assert answer["report"]["ok"] is False
        assert answer["fields"] is None
        (login,) = [it for it in answer["report"]["findings"] if it["name"] == "login"]
        assert "password was reset" in login["causes"][0]
    assert len(harness.control("salesforce", "GET", "logins")) == before + 1
    assert admin_client.request_ok("GET", "/admin/status")["breaker"]["reason"] == "login_refused"


def test_status_tells_how_long_the_password_is_good_once_it_was_asked(
    admin_client: AdminClient, harness: Harness
) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["password_expires_in_days"] is None
    harness.ledger.save_document(
        "password", {"version": "v", "asked_at": 0.0, "changed_at": harness.context.clock()}
    )

    assert admin_client.request_ok("GET", "/admin/status")["password_expires_in_days"] == 89
