"""The connection check through the admin API: causes in order, and on success the fields."""

from __future__ import annotations

from typing import Any

from tests.component.clerk import Clerk
from tests.component.stage import Stage

CHECK = "/admin/connection/check"


def grades(answer: dict[str, Any]) -> dict[str, str]:
    return {it["name"]: it["grade"] for it in answer["checked"]["findings"]}


def test_a_good_connection_brings_the_fields_to_map(clerk: Clerk) -> None:
    answer = clerk.good("POST", CHECK)

    assert answer["checked"]["ok"] is True
    assert grades(answer)["login"] == "ok"
    assert {it["name"] for it in answer["fields"]["plezi"]} >= {"email", "function"}
    assert {it["name"] for it in answer["fields"]["lead"]} >= {"Email", "plezi_url__c"}


def test_a_refused_login_brings_the_causes_in_order_and_is_made_once(
    clerk: Clerk, stage: Stage
) -> None:
    user = f"users/{stage.org.integration_user.username}"
    stage.control("salesforce", "POST", f"{user}/password", {"password": "Another-pass1"})
    before = len(stage.control("salesforce", "GET", "logins"))

    answers = [clerk.good("POST", CHECK) for _ in range(3)]

    for answer in answers:
        assert answer["checked"]["ok"] is False
        assert answer["fields"] is None
        (login,) = [it for it in answer["checked"]["findings"] if it["name"] == "login"]
        assert "password was reset" in login["causes"][0]
    assert len(stage.control("salesforce", "GET", "logins")) == before + 1
    assert clerk.good("GET", "/admin/status")["breaker"]["reason"] == "login_refused"


def test_status_tells_how_long_the_password_is_good_once_it_was_asked(
    clerk: Clerk, stage: Stage
) -> None:
    assert clerk.good("GET", "/admin/status")["password_expires_in_days"] is None
    stage.ledger.keep_document(
        "password", {"version": "v", "asked_at": 0.0, "changed_at": stage.world.clock()}
    )

    assert clerk.good("GET", "/admin/status")["password_expires_in_days"] == 89
