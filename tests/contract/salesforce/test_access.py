"""Access to the API: sessions, rights, quota, versions and sizes."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import HOST, PrefixedSession


def error(response: requests.Response) -> tuple[int, str, str]:
    [body] = response.json()
    return response.status_code, body["errorCode"], body["message"]


def test_every_response_has_the_quota_and_the_date(api: PrefixedSession) -> None:
    response = api.get("/limits")
    assert response.headers["Sforce-Limit-Info"] == "api-usage=1/110000"
    assert response.headers["Date"] == "Mon, 23 Nov 2026 10:00:00 GMT"
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert response.json()["DailyApiRequests"] == {"Max": 110_000, "Remaining": 109_999}


def test_a_session_ends_after_two_idle_hours_and_is_extended_by_use(
    api: PrefixedSession, clock: SimulatedClock
) -> None:
    for _ in range(3):
        clock.advance(7000)
        assert api.get("/limits").status_code == 200
    clock.advance(7201)
    expected = (401, "INVALID_SESSION_ID", "Session expired or invalid")
    assert error(api.get("/limits")) == expected


def test_one_users_sessions_can_be_killed(api: PrefixedSession, control: PrefixedSession) -> None:
    body = {"username": "sales@acme.example"}
    assert control.post("/sessions/kill", json=body).json() == {"killed": 0}
    assert api.get("/limits").status_code == 200
    assert control.post("/sessions/kill").json() == {"killed": 1}
    assert api.get("/limits").status_code == 401


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer"])
def test_a_missing_or_malformed_header_is_refused(api: PrefixedSession, header: str) -> None:
    response = api.get("/limits", headers={"Authorization": header})
    assert error(response) == (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")


@pytest.mark.parametrize(
    ("route", "change", "status", "code", "message"),
    [
        (
            "/switches",
            {"edition": "Professional Edition"},
            403,
            "API_DISABLED_FOR_ORG",
            "The REST API is not enabled for this Organization.",
        ),
        (
            "/switches",
            {"session_opens_rest": False},
            401,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
        ),
        (
            "/users/integration@acme.example",
            {"api_enabled": False},
            403,
            "API_CURRENTLY_DISABLED",
            "API is disabled for this User",
        ),
        (
            "/quota",
            {"used": 110_000},
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        ),
    ],
)
def test_missing_rights_and_an_exceeded_quota_are_refused_as_recorded(
    api: PrefixedSession,
    control: PrefixedSession,
    route: str,
    change: dict[str, Any],
    status: int,
    code: str,
    message: str,
) -> None:
    assert control.post(route, json=change).status_code == 200
    assert error(api.get("/limits")) == (status, code, message)


def test_professional_edition_can_have_the_api_add_on(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post("/switches", json={"edition": "Professional Edition", "api_add_on": True})
    [row] = api.soql("SELECT OrganizationType FROM Organization")
    assert row["OrganizationType"] == "Professional Edition"


def test_the_quota_is_a_rolling_count_of_24_hours(
    api: PrefixedSession, control: PrefixedSession, clock: SimulatedClock
) -> None:
    control.post("/quota", json={"max": 2})
    api.get("/limits")
    clock.advance(3600)
    api.get("/limits")
    assert api.get("/limits").status_code == 403
    clock.advance(23 * 3600)
    control.post("/switches", json={"session_timeout_seconds": 10**6})
    assert api.get("/limits").headers["Sforce-Limit-Info"] == "api-usage=2/2"
    assert api.get("/limits").status_code == 403


def test_limits_require_view_setup(api: PrefixedSession, control: PrefixedSession) -> None:
    control.post("/users/integration@acme.example", json={"view_setup": False})
    assert error(api.get("/limits"))[:2] == (403, "INSUFFICIENT_ACCESS")


def test_versions_are_listed_without_a_login(web: PrefixedSession) -> None:
    versions = web.get("/services/data").json()
    assert versions[0] == {
        "label": "Summer '14",
        "url": "/services/data/v31.0",
        "version": "31.0",
    }
    assert (versions[-1]["version"], versions[-1]["label"]) == ("68.0", "Winter '27")


def test_other_versions_are_retired_or_unknown(api: PrefixedSession) -> None:
    base = f"{HOST}/services/data"
    assert error(api.get(f"{base}/v30.0/limits"))[:2] == (410, "UNSUPPORTED_API_VERSION")
    assert error(api.get(f"{base}/v99.0/limits"))[:2] == (404, "NOT_FOUND")
    assert api.get(f"{base}/v31.0/limits").status_code == 200


def test_paths_ignore_case_and_a_trailing_slash(api: PrefixedSession) -> None:
    assert api.get("/sobjects/lEAD/describe/").json()["name"] == "Lead"
    assert api.get("/SObjects/Contact/Describe").json()["name"] == "Contact"
    assert error(api.get("/nowhere")) == (
        404,
        "NOT_FOUND",
        "The requested resource does not exist",
    )
    assert error(api.put("/limits"))[:2] == (405, "METHOD_NOT_ALLOWED")
    assert api.get("/").json()["limits"] == "/services/data/v64.0/limits"


def test_a_uri_that_is_too_long_is_refused(api: PrefixedSession) -> None:
    values = ",".join(f"'person{n:07d}@example.com'" for n in range(600))
    soql = f"SELECT Id FROM Lead WHERE Email IN ({values})"
    assert api.get("/query", params={"q": soql}).status_code == 414
    assert api.get("/limits", headers={"X-Long": "x" * 16_384}).status_code == 431


def test_calls_are_counted_by_kind_and_logins_separately(
    api: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    lead = {"LastName": "A", "Company": "C"}
    api.post("/sobjects/Lead", json=lead)
    record = {"attributes": {"type": "Lead"}, **lead}
    api.post("/composite/sobjects", json={"records": [record, record]})
    api.soql("SELECT Id FROM Lead")
    write = {"method": "POST", "url": "/services/data/v64.0/sobjects/Lead", "referenceId": "a"}
    api.post("/composite", json={"compositeRequest": [write | {"body": lead}]})
    read = {"method": "GET", "url": "/services/data/v64.0/limits", "referenceId": "a"}
    api.post("/composite", json={"compositeRequest": [read]})
    assert control.get("/calls").json() == {
        "total": 5,
        "calls": {"collections_create": 1, "composite": 2, "create": 1, "query": 1},
        "records": {"collections_create": 2, "composite": 1, "create": 1, "query": 3},
        "reads": 2,
        "writes": 3,
        "logins": 0,
    }
    control.post("/mark")
    assert control.get("/calls").json()["total"] == 0
    assert org.calls.since_mark()["writes"] == 0


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("session_expired", 401, "INVALID_SESSION_ID"),
        ("quota_exceeded", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("concurrent_requests", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("long_transactions", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("server_unavailable", 503, "SERVER_UNAVAILABLE"),
        ("server_error", 500, "UNKNOWN_EXCEPTION"),
        ("query_timeout", 400, "QUERY_TIMEOUT"),
    ],
)
def test_a_fault_applies_once(
    api: PrefixedSession, control: PrefixedSession, kind: str, status: int, code: str
) -> None:
    control.post("/faults", json={"kind": kind})
    soql = {"q": "SELECT Id FROM Lead"}
    assert error(api.get("/query", params=soql))[:2] == (status, code)
    assert api.get("/query", params=soql).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("edge_page", 420), ("unavailable_page", 503)])
def test_some_refusals_are_html_pages(
    api: PrefixedSession, control: PrefixedSession, kind: str, status: int
) -> None:
    control.post("/faults", json={"kind": kind, "path": "/limits"})
    response = api.get("/limits")
    assert response.status_code == status
    assert response.text.startswith("<!DOCTYPE html>")


def test_any_refusal_can_be_injected(api: PrefixedSession, control: PrefixedSession) -> None:
    parameters = {"status": 400, "errorCode": "TXN_SECURITY_METERING_ERROR", "message": "no"}
    control.post("/faults", json={"kind": "rest_error", "parameters": parameters})
    assert error(api.get("/limits")) == (400, "TXN_SECURITY_METERING_ERROR", "no")


def test_the_date_of_a_response_can_be_wrong(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post("/faults", json={"kind": "clock_skew", "parameters": {"seconds": 3600}})
    assert api.get("/limits").headers["Date"] == "Mon, 23 Nov 2026 11:00:00 GMT"


def test_connections_are_also_closed_in_process(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    for kind in ("connection_reset", "timeout_after_commit"):
        control.post("/faults", json={"kind": kind})
        with pytest.raises(requests.ConnectionError):
            api.get("/limits")


def test_a_slow_response_takes_the_time_of_the_org(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    control.post("/faults", json={"kind": "slow", "parameters": {"advance": 30}})
    assert api.get("/limits").headers["Date"] == "Mon, 23 Nov 2026 10:00:30 GMT"


def test_maintenance_is_an_html_page(api: PrefixedSession, control: PrefixedSession) -> None:
    control.post("/switches", json={"org_status": "maintenance"})
    assert api.get("/limits").status_code == 503


def test_an_invalid_control_call_is_refused_with_an_error(control: PrefixedSession) -> None:
    for route, body in (
        ("/switches", {"nonsense": 1}),
        ("/switches", {"gzip": "yes"}),
        ("/faults", {"kind": "nonsense"}),
        ("/users/nobody", {}),
        ("/users/sales@acme.example", {"wings": True}),
        ("/quota", {"max": "many"}),
        ("/load", {"leads": -1}),
        ("/duplicate_rules", {"object": "Lead", "action": "maybe"}),
        ("/validation_rules", {"object": "Lead"}),
        ("/flows", {"object": "Lead", "values": {"nope": 1}}),
        ("/records/Nothing", {}),
        ("/records/Lead", {"values": "none"}),
        ("/records/Lead", {"touch": []}),
        ("/records/Lead", {"late_commit_seconds": "soon"}),
        ("/clock", {"now": "soon"}),
        ("/clock", {"now": "2026-11-23T10:00:00"}),
    ):
        response = control.post(route, json=body)
        assert response.status_code == 400, route
        assert response.json()["error"]
    assert control.get("/nowhere").status_code == 404


def test_all_settings_can_be_read_back(control: PrefixedSession) -> None:
    switches = control.get("/switches").json()
    assert switches["edition"] == "Enterprise Edition"
    users = {user["username"]: user for user in control.get("/users").json()}
    assert users["integration@acme.example"]["security_token"] == "INTEGRATIONTOKENAAAAAAAA"
    rules = control.get("/rules").json()
    assert {rule["action"] for rule in rules["duplicate_rules"]} == {"off"}
    control.post("/users/sales@acme.example/unlock")
    control.post("/load", json={"leads": 3, "contacts": 2})
    assert control.get("/counts").json()["Lead"] == 3
    assert control.post("/reset").json() == {"reset": True}
    assert control.get("/counts").json()["Lead"] == 0
