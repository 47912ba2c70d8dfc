"""Refusals that depend on the state of a real org: each can be injected, with the real format."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            "concurrent_requests",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
        ("long_transactions", "ConcurrentPerOrgLongTxn Limit exceeded."),
    ],
)
def test_limits_on_concurrent_calls(
    api: PrefixedSession, org: SalesforceOrg, fault: str, message: str
) -> None:
    org.control.faults.inject(fault)

    response = api.get("/limits")

    assert response.status_code == 403
    assert response.json() == [{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "insufficient access rights on cross-reference id: 0015e00000AbCdE",
        ),
        ("ENTITY_IS_LOCKED", "the entity is locked for editing"),
        ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
    ],
)
def test_a_record_error_in_a_single_call_and_in_a_collection(
    api: PrefixedSession,
    org: SalesforceOrg,
    new_lead: Callable[..., str],
    code: str,
    message: str,
) -> None:
    lead = new_lead()
    org.control.faults.inject(
        "record_error", count=2, parameters={"errorCode": code, "message": message, "fields": []}
    )

    single = api.patch(f"/sobjects/Lead/{lead}", json={"Title": "x"})
    record = {"attributes": {"type": "Lead"}, "id": lead, "Title": "x"}
    collection = api.patch("/composite/sobjects", json={"records": [record]})

    assert single.status_code == 400
    assert single.json() == [{"message": message, "errorCode": code, "fields": []}]
    [item] = collection.json()
    assert collection.status_code == 200
    assert item["success"] is False
    assert item["errors"] == [{"statusCode": code, "message": message, "fields": []}]


def test_too_many_logins_return_the_error_of_the_token_endpoint(
    web: PrefixedSession, org: SalesforceOrg, password_form: dict[str, str]
) -> None:
    org.control.faults.inject(
        "oauth_error",
        parameters={"error": "rate_limit_exceeded", "error_description": "too many logins"},
    )

    response = web.post("/services/oauth2/token", data=password_form)

    assert response.status_code == 400
    assert response.json() == {
        "error": "rate_limit_exceeded",
        "error_description": "too many logins",
    }
