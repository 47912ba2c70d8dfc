"""Each flow logs in, each refusal has its own causes, and a refused login is never repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import HaltError, RetryError
from connector.http_session import ErrorAction
from connector.salesforce.auth.login import LoginRefusedError, LoginUnavailableError
from connector.salesforce.diagnosis import ROWS
from connector.salesforce.error_table import ERRORS, UNKNOWN_LOGIN_ERROR, ErrorClass
from tests.component.credential_fixtures import CredentialFixtures

LEADS = {"q": "SELECT Id FROM Lead LIMIT 1"}
Provoke = Callable[[CredentialFixtures], None]
Key = tuple[str, str]
"""Code and detail of a row of the error table."""
LOGIN: set[Key] = {(row.code, row.detail) for row in ERRORS if row.error_class is ErrorClass.LOGIN}
OF_RECORDS: set[Key] = {(row.code, row.detail) for row in ERRORS if row.of_batch or row.is_start}
"""Refusals of records: `test_batch_faults` and `test_org_restrictions` provoke them."""
CALL: set[Key] = {(row.code, row.detail) for row in ERRORS if row.causes} - LOGIN - OF_RECORDS


def query_leads(credentials: CredentialFixtures) -> Any:
    return credentials.connection().call("query/", params=LEADS)


def put(flow: str = "material", **changes: Any) -> Provoke:
    return lambda credentials: void(credentials.put(getattr(credentials, flow)(**changes)))


def void(_: object) -> None:
    return None


def switch(**switches: Any) -> Provoke:
    return lambda credentials: credentials.switch(**switches)


def user(**flags: bool) -> Provoke:
    return lambda credentials: credentials.user(**flags)


def oauth_error(error: str, description: str = "", status: int = 400) -> Provoke:
    parameters = {"error": error, "error_description": description, "status": status}
    return lambda credentials: credentials.harness.control(
        "salesforce", "POST", "faults", {"kind": "oauth_error", "parameters": parameters}
    )


def both(*provokes: Provoke) -> Provoke:
    def provoke(credentials: CredentialFixtures) -> None:
        for step in provokes:
            step(credentials)

    return provoke


@pytest.mark.parametrize("flow", ["material", "jwt", "client_credentials"])
def test_each_flow_logs_in_and_its_session_is_valid_for_the_api(
    credentials: CredentialFixtures, flow: str
) -> None:
    credentials.put(getattr(credentials, flow)())

    assert "records" in query_leads(credentials)

    assert credentials.logins() == ["Success"]


def test_all_invocations_share_one_login(credentials: CredentialFixtures) -> None:
    for _ in range(5):
        query_leads(credentials)

    assert credentials.logins() == ["Success"]


def test_a_session_that_another_invocation_renewed_is_used(
    credentials: CredentialFixtures,
) -> None:
    early = credentials.connection()
    early.call("query/", params=LEADS)
    credentials.harness.control("salesforce", "POST", "sessions/kill", {})
    query_leads(credentials)

    early.call("query/", params=LEADS)

    assert credentials.logins() == ["Success", "Success"]


def test_a_process_that_remembers_the_secret_from_before_a_rotation_does_not_log_in_with_it(
    credentials: CredentialFixtures,
) -> None:
    early = credentials.connection()
    credentials.reset_password()
    with pytest.raises(LoginRefusedError):
        early.call("query/", params=LEADS)
    credentials.put(credentials.material(password="Next-pass2"))
    query_leads(credentials)
    before = credentials.logins()

    early.call("query/", params=LEADS)

    assert credentials.logins() == before
    assert credentials.harness.ledger.breaker() is None


def test_a_session_that_is_expired_everywhere_is_renewed_by_one_login(
    credentials: CredentialFixtures,
) -> None:
    early, late = credentials.connection(), credentials.connection()
    early.call("query/", params=LEADS)
    credentials.harness.control("salesforce", "POST", "sessions/kill", {})
    late.call("query/", params=LEADS)
    credentials.harness.control("salesforce", "POST", "sessions/kill", {})

    early.call("query/", params=LEADS)

    assert credentials.logins() == ["Success"] * 3


@pytest.mark.parametrize(("seconds", "logins"), [(-3600, 1), (-240, 1), (400, 2), (3600, 2)])
def test_a_clock_that_is_behind_costs_one_more_assertion(
    credentials: CredentialFixtures, seconds: int, logins: int
) -> None:
    """An assertion that expires later than in five minutes is accepted, as by real orgs."""
    credentials.put(credentials.jwt())
    credentials.harness.control("salesforce", "POST", "clock", {"advance": seconds})
    credentials.harness.mark()

    assert "records" in query_leads(credentials)

    assert credentials.harness.calls("salesforce")["logins"] == logins


def test_an_assertion_refused_for_another_reason_is_not_sent_again(
    credentials: CredentialFixtures,
) -> None:
    credentials.put(credentials.jwt())
    credentials.harness.org.state.jwt_certificates.clear()
    credentials.harness.mark()

    with pytest.raises(LoginRefusedError):
        query_leads(credentials)

    assert credentials.harness.calls("salesforce")["logins"] == 1


COMMON_HOST = "https://eu11.lightning.force.com"
REFUSED_LOGINS = {
    "wrong password": (put(password="wrong"), ("invalid_grant", "authentication failure")),
    "old token": (put(security_token="old"), ("invalid_grant", "authentication failure")),
    "unknown user": (put(username="x@y.fr"), ("invalid_grant", "authentication failure")),
    "expired password": (user(password_expired=True), ("invalid_grant", "authentication failure")),
    "blocked flow": (
        switch(block_oauth_password_flow=True),
        ("invalid_grant", "authentication failure"),
    ),
    "only My Domain": (
        both(put(account_url=COMMON_HOST), switch(login_host_forbidden=True)),
        ("invalid_grant", "authentication failure"),
    ),
    "older host": (
        oauth_error("invalid_grant", "authentication failure - Invalid Password"),
        ("invalid_grant", "authentication failure - invalid password"),
    ),
    "revoked access": (
        oauth_error("invalid_grant", "expired access/refresh token"),
        ("invalid_grant", "expired access/refresh token"),
    ),
    "login range": (user(ip_restricted=True), ("invalid_grant", "ip restricted")),
    "not approved": (
        both(put("jwt"), user(approved=False)),
        ("invalid_grant", "user hasn't approved this consumer"),
    ),
    "no user to run as": (
        both(put("client_credentials"), switch(client_credentials_user=None)),
        ("invalid_grant", "no client credentials user enabled"),
    ),
    "audience": (
        both(put("jwt"), oauth_error("invalid_grant", "audience is invalid")),
        ("invalid_grant", "audience is invalid"),
    ),
    "wrong certificate": (
        both(
            put("jwt"), lambda credentials: credentials.harness.org.state.jwt_certificates.clear()
        ),
        ("invalid_grant", "invalid assertion"),
    ),
    "unknown description": (oauth_error("invalid_grant", "something new"), ("invalid_grant", "")),
    "consumer key": (put(consumer_key="other"), ("invalid_client_id", "")),
    "client credentials at a common host": (
        put("client_credentials", account_url=COMMON_HOST),
        ("invalid_client_id", "client credentials at a common login host"),
    ),
    "consumer secret": (put(consumer_secret="other"), ("invalid_client", "")),
    "password flow off": (
        switch(password_flow_in_app=False),
        ("unsupported_grant_type", "password"),
    ),
    "password flow over": (
        switch(password_flow_retired=True),
        ("unsupported_grant_type", "password"),
    ),
    "external client app": (
        switch(external_client_app=True),
        ("unsupported_grant_type", "password"),
    ),
    "JWT off": (
        both(put("jwt"), switch(jwt_flow_in_app=False)),
        ("unsupported_grant_type", "jwt_bearer"),
    ),
    "client credentials off": (
        both(put("client_credentials"), switch(client_credentials_in_app=False)),
        ("unsupported_grant_type", "client_credentials"),
    ),
    "app policy": (user(admin_approved=False), ("invalid_app_access", "")),
    "another org's app": (switch(app_installed=False), ("app_not_found", "")),
    "inactive user": (user(is_active=False), ("inactive_user", "")),
    "locked org": (switch(org_status="locked"), ("inactive_org", "")),
    "flow of the app": (oauth_error("unauthorized_client"), ("unauthorized_client", "")),
    "denied user": (oauth_error("access_denied"), ("access_denied", "")),
    "key and secret": (
        oauth_error("invalid_client_credentials"),
        ("invalid_client_credentials", ""),
    ),
}


@pytest.mark.parametrize("name", REFUSED_LOGINS)
def test_each_refusal_has_its_own_causes_and_opens_the_breaker(
    credentials: CredentialFixtures, name: str
) -> None:
    provoke, key = REFUSED_LOGINS[name]
    provoke(credentials)
    credentials.harness.mark()

    with pytest.raises(LoginRefusedError) as refused:
        query_leads(credentials)

    assert refused.value.causes == ROWS[key].causes
    assert "1. " + ROWS[key].causes[0] in str(refused.value)
    breaker = credentials.harness.ledger.breaker()
    assert breaker is not None
    assert breaker.secret_version == credentials.current()
    assert credentials.harness.calls("salesforce")["logins"] <= 1
    credentials.harness.control("salesforce", "DELETE", "faults")
    with pytest.raises(LoginRefusedError) as again:
        query_leads(credentials)
    assert again.value.causes == refused.value.causes
    assert credentials.harness.calls("salesforce")["logins"] <= 1


def test_every_refused_login_of_the_table_is_provoked_and_no_two_have_the_same_causes() -> None:
    temporary = {key for key in LOGIN if ROWS[key].action is ErrorAction.RETRY}
    assert {key for _, key in REFUSED_LOGINS.values()} == LOGIN - temporary
    of_logins = LOGIN | {("420", ""), ("503", "")}
    assert len({ROWS[key].causes for key in of_logins}) == len(of_logins)
    assert len({ROWS[key].causes for key in CALL}) >= len(CALL) - 1  # two are maintenance


def test_an_unknown_error_refuses_no_credentials_and_points_to_the_login_history(
    credentials: CredentialFixtures,
) -> None:
    oauth_error("brand_new_error")(credentials)

    with pytest.raises(LoginUnavailableError) as unavailable:
        query_leads(credentials)

    assert UNKNOWN_LOGIN_ERROR.causes[0] in str(unavailable.value)
    assert credentials.harness.ledger.breaker() is None


@pytest.mark.parametrize(
    ("provoke", "message"),
    [
        (
            oauth_error("rate_limit_exceeded", "too many logins"),
            "too many logins in the last minutes",
        ),
        (switch(logins_per_hour=0), "3,600 times within an hour"),
        (switch(org_status="maintenance"), "in maintenance"),
        (
            lambda credentials: credentials.harness.control(
                "salesforce", "POST", "faults", {"kind": "edge_page"}
            ),
            "setting the org up",
        ),
        (
            lambda credentials: credentials.harness.control(
                "salesforce", "POST", "faults", {"kind": "connection_reset"}
            ),
            "does not respond",
        ),
    ],
)
def test_a_temporary_refusal_opens_no_breaker_and_is_not_repeated_at_once(
    credentials: CredentialFixtures, provoke: Provoke, message: str
) -> None:
    provoke(credentials)
    connection = credentials.connection()
    credentials.harness.mark()

    with pytest.raises(LoginUnavailableError, match=message):
        connection.read("query/", params=LEADS)

    assert connection.calls == 1
    assert credentials.harness.ledger.breaker() is None
    credentials.switch(logins_per_hour=3600, org_status="active")
    credentials.harness.control("salesforce", "DELETE", "faults")
    assert "records" in query_leads(credentials)


def rest_error(status: int, code: str, message: str) -> Provoke:
    parameters = {"status": status, "errorCode": code, "message": message}
    fault_order = {
        "kind": "rest_error",
        "path": "/services/data",
        "count": None,
        "parameters": parameters,
    }
    return lambda credentials: credentials.harness.control(
        "salesforce", "POST", "faults", fault_order
    )


def fault(kind: str) -> Provoke:
    fault_order = {"kind": kind, "path": "/services/data", "count": None}
    return lambda credentials: credentials.harness.control(
        "salesforce", "POST", "faults", fault_order
    )


REFUSED_CALLS = {
    "session expires": (fault("session_expired"), ("INVALID_SESSION_ID", ""), HaltError),
    "scope": (
        switch(session_opens_rest=False),
        ("INVALID_SESSION_ID", "this session is not valid for use with the rest api"),
        HaltError,
    ),
    "header": (
        rest_error(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"),
        ("INVALID_AUTH_HEADER", ""),
        HaltError,
    ),
    "edition": (switch(edition="Professional Edition"), ("API_DISABLED_FOR_ORG", ""), HaltError),
    "permission": (user(api_enabled=False), ("API_CURRENTLY_DISABLED", ""), HaltError),
    "quota": (
        fault("quota_exceeded"),
        ("REQUEST_LIMIT_EXCEEDED", "totalrequests limit exceeded."),
        HaltError,
    ),
    "concurrent calls": (
        fault("concurrent_requests"),
        (
            "REQUEST_LIMIT_EXCEEDED",
            "concurrentrequests (concurrent api requests) limit exceeded.",
        ),
        RetryError,
    ),
    "long transactions": (
        fault("long_transactions"),
        ("REQUEST_LIMIT_EXCEEDED", "concurrentperorglongtxn limit exceeded."),
        RetryError,
    ),
    "another limit": (
        rest_error(403, "REQUEST_LIMIT_EXCEEDED", "NewKind Limit exceeded."),
        ("REQUEST_LIMIT_EXCEEDED", ""),
        HaltError,
    ),
    "access": (
        rest_error(403, "INSUFFICIENT_ACCESS", "no"),
        ("INSUFFICIENT_ACCESS", ""),
        HaltError,
    ),
    "edge": (fault("edge_page"), ("420", ""), RetryError),
    "page": (fault("unavailable_page"), ("503", ""), RetryError),
    "unavailable": (fault("server_unavailable"), ("SERVER_UNAVAILABLE", ""), RetryError),
}


@pytest.mark.parametrize("name", REFUSED_CALLS)
def test_each_refused_call_has_its_own_causes(credentials: CredentialFixtures, name: str) -> None:
    provoke, key, kind = REFUSED_CALLS[name]
    provoke(credentials)

    with pytest.raises(kind) as refused:
        query_leads(credentials)

    assert ROWS[key].numbered_causes() in str(refused.value)
    assert credentials.harness.ledger.breaker() is None  # the credentials were accepted


def test_every_refused_call_of_the_table_is_provoked() -> None:
    assert {key for _, key, _ in REFUSED_CALLS.values()} == CALL


def test_only_one_invocation_logs_in_at_a_time(credentials: CredentialFixtures) -> None:
    ledger = credentials.harness.ledger
    connection = credentials.connection()
    pauses: list[float] = []
    sessions = connection._sessions
    sessions._lock_retry = replace(sessions._lock_retry, sleep=pauses.append)
    assert ledger.acquire_login_lock(credentials.harness.context.clock(), 60)

    with pytest.raises(LoginUnavailableError, match="another invocation"):
        connection.read("query/", params=LEADS)
    assert credentials.logins() == []
    assert pauses == [1, 2, 4, 8]

    ledger.release_login_lock()
    assert "records" in connection.read("query/", params=LEADS)
    # The lock was released.
    assert ledger.acquire_login_lock(credentials.harness.context.clock(), 60)


def test_a_waiting_invocation_gets_the_refusal_without_a_login(
    credentials: CredentialFixtures,
) -> None:
    credentials.put(credentials.material(password="wrong"))
    ledger = credentials.harness.ledger
    ledger.acquire_login_lock(credentials.harness.context.clock(), 60)
    waiting = credentials.connection()

    def refuse_other_login(_: float) -> None:
        ledger.release_login_lock()
        with pytest.raises(LoginRefusedError):
            query_leads(credentials)

    sessions = waiting._sessions
    sessions._lock_retry = replace(sessions._lock_retry, sleep=refuse_other_login)
    with pytest.raises(LoginRefusedError):
        waiting.call("query/", params=LEADS)

    assert credentials.logins() == ["Invalid Password"]


def test_the_lock_of_a_crashed_invocation_expires(credentials: CredentialFixtures) -> None:
    ledger = credentials.harness.ledger
    now = credentials.harness.context.clock()
    assert ledger.acquire_login_lock(now - 61, 60)
    assert ledger.acquire_login_lock(now, 60)
    assert not ledger.acquire_login_lock(now, 60)


@pytest.mark.parametrize(
    ("flow", "missing"),
    [
        ("password", "password"),
        ("jwt_bearer", "private_key"),
        ("client_credentials", "consumer_secret"),
    ],
)
def test_a_missing_key_of_a_flow_is_reported_by_name(
    credentials: CredentialFixtures, flow: str, missing: str
) -> None:
    credentials.put(credentials.material(flow=flow) | {missing: ""})

    with pytest.raises(HaltError, match=f"{missing} .for the flow {flow}"):
        query_leads(credentials)

    assert credentials.logins() == []


def test_an_invalid_private_key_is_reported_without_a_login(
    credentials: CredentialFixtures,
) -> None:
    credentials.put(credentials.jwt() | {"private_key": "not a key"})

    with pytest.raises(HaltError, match="private_key is not an RSA key") as refused:
        query_leads(credentials)

    assert "not a key" not in str(refused.value)
    assert credentials.logins() == []


def test_only_salesforce_hosts_receive_a_password(credentials: CredentialFixtures) -> None:
    credentials.put(credentials.material(account_url="https://acme.my.salesforce.com.evil.example"))
    credentials.harness.mark()

    with pytest.raises(HaltError, match="not a Salesforce address"):
        query_leads(credentials)

    assert credentials.harness.calls("salesforce")["logins"] == 0
