"""The connection check of the admin API: causes in order, and on success the fields."""

from __future__ import annotations

from typing import Any

from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

CHECK = "/admin/connection/check"


def grades(result: dict[str, Any]) -> dict[str, str]:
    return {finding["name"]: finding["grade"] for finding in result["report"]["findings"]}


def test_a_working_connection_returns_the_fields_to_map(admin_client: AdminClient) -> None:
    result = admin_client.request_ok("POST", CHECK)

    assert result["report"]["ok"] is True
    assert grades(result)["login"] == "ok"
    fields = result["fields"]
    assert {field["name"] for field in fields["plezi"]} >= {"email", "function"}
    assert {field["name"] for field in fields["lead"]} >= {"Email", "plezi_url__c"}


def test_a_refused_login_returns_the_causes_in_order_and_is_not_repeated(
    admin_client: AdminClient, harness: Harness
) -> None:
    user = f"users/{harness.org.integration_user.username}"
    harness.control("salesforce", "POST", f"{user}/password", {"password": "Another-pass1"})
    before = len(harness.control("salesforce", "GET", "logins"))

    results = [admin_client.request_ok("POST", CHECK) for _ in range(3)]

    for result in results:
        assert result["report"]["ok"] is False
        assert result["fields"] is None
        findings = result["report"]["findings"]
        (login,) = [finding for finding in findings if finding["name"] == "login"]
        assert "password was reset" in login["causes"][0]
    assert len(harness.control("salesforce", "GET", "logins")) == before + 1
    assert admin_client.request_ok("GET", "/admin/status")["breaker"]["reason"] == "login_refused"


def test_the_status_has_the_days_until_the_password_expires_once_they_were_read(
    admin_client: AdminClient, harness: Harness
) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["password_expires_in_days"] is None
    harness.ledger.save_document(
        "password", {"version": "v", "asked_at": 0.0, "changed_at": harness.context.clock()}
    )

    assert admin_client.request_ok("GET", "/admin/status")["password_expires_in_days"] == 89
