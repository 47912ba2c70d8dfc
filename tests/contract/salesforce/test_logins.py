"""The token endpoint and SOAP login: refusals, lockout, password resets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import HOST, NOW, PrefixedSession

TOKEN = "/services/oauth2/token"
FAILURE = {"error": "invalid_grant", "error_description": "authentication failure"}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def refusal(response: requests.Response) -> tuple[str, str]:
    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    return body["error"], body["error_description"]


def test_a_login_returns_six_keys_and_no_expiry(
    web: PrefixedSession, password_form: dict[str, str]
) -> None:
    response = web.post(TOKEN, data=password_form)
    body = response.json()
    assert list(body) == [
        "access_token",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
        "signature",
    ]
    org_id = body["id"].split("/")[-2]
    assert body["access_token"].startswith(f"{org_id[:15]}!")
    assert body["issued_at"] == str(int(NOW.timestamp() * 1000))
    assert body["instance_url"] == HOST


def test_the_signature_of_a_login_can_be_verified_with_the_consumer_secret(
    web: PrefixedSession, password_form: dict[str, str], org: SalesforceOrg
) -> None:
    body = web.post(TOKEN, data=password_form).json()

    text = (body["id"] + body["issued_at"]).encode()
    digest = hmac.new(org.consumer_secret.encode(), text, hashlib.sha256).digest()
    assert body["signature"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("change", "error", "description"),
    [
        ({"username": "nobody@x.fr"}, "invalid_grant", "authentication failure"),
        ({"password": "wrong"}, "invalid_grant", "authentication failure"),
        ({"password": "Integration-pass1"}, "invalid_grant", "authentication failure"),
        ({"client_id": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "other"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "refresh_token"}, "invalid_grant", "expired access/refresh token"),
    ],
)
def test_wrong_credentials_are_refused(
    web: PrefixedSession,
    password_form: dict[str, str],
    change: dict[str, str],
    error: str,
    description: str,
) -> None:
    response = web.post(TOKEN, data=password_form | change)
    assert refusal(response) == (error, description)


@pytest.mark.parametrize(
    ("switches", "error", "description"),
    [
        ({"block_oauth_password_flow": True}, "invalid_grant", "authentication failure"),
        ({"password_flow_retired": True}, "unsupported_grant_type", "grant type not supported"),
        ({"password_flow_in_app": False}, "unsupported_grant_type", "grant type not supported"),
        ({"external_client_app": True}, "unsupported_grant_type", "grant type not supported"),
        (
            {"app_installed": False},
            "app_not_found",
            "External client app is not installed in this org",
        ),
        ({"org_status": "locked"}, "inactive_org", "organization is inactive"),
    ],
)
def test_a_switch_of_the_org_refuses_the_password_flow(
    web: PrefixedSession,
    control: PrefixedSession,
    password_form: dict[str, str],
    switches: dict[str, Any],
    error: str,
    description: str,
) -> None:
    control.post("/switches", json=switches)
    assert refusal(web.post(TOKEN, data=password_form)) == (error, description)


@pytest.mark.parametrize(
    ("flags", "error", "description"),
    [
        ({"is_active": False}, "inactive_user", "user is inactive"),
        ({"ip_restricted": True}, "invalid_grant", "ip restricted"),
        (
            {"admin_approved": False},
            "invalid_app_access",
            "user is not admin approved to access this app",
        ),
        ({"password_expired": True}, "invalid_grant", "authentication failure"),
    ],
)
def test_a_user_can_be_blocked(
    web: PrefixedSession,
    control: PrefixedSession,
    password_form: dict[str, str],
    flags: dict[str, bool],
    error: str,
    description: str,
) -> None:
    control.post("/users/integration@acme.example", json=flags)
    assert refusal(web.post(TOKEN, data=password_form)) == (error, description)


def test_only_login_history_contains_the_real_reason(
    web: PrefixedSession,
    control: PrefixedSession,
    api: PrefixedSession,
    password_form: dict[str, str],
) -> None:
    control.post("/switches", json={"block_oauth_password_flow": True})
    assert web.post(TOKEN, data=password_form).json() == FAILURE
    rows = api.soql("SELECT Status FROM LoginHistory ORDER BY Status DESC")
    assert {row["Status"] for row in rows} == {"Success", "Username-Password Flow Disabled"}


def test_a_trusted_address_needs_no_token(
    web: PrefixedSession, control: PrefixedSession, password_form: dict[str, str]
) -> None:
    control.post("/users/integration@acme.example", json={"trusted_address": True})
    response = web.post(TOKEN, data=password_form | {"password": "Integration-pass1"})
    assert response.status_code == 200


def test_ten_failures_lock_the_user_out_for_fifteen_minutes(
    web: PrefixedSession, clock: SimulatedClock, password_form: dict[str, str]
) -> None:
    for _ in range(10):
        web.post(TOKEN, data=password_form | {"password": "wrong"})
    assert web.post(TOKEN, data=password_form).json() == FAILURE
    clock.advance(15 * 60)
    assert web.post(TOKEN, data=password_form).status_code == 200


def test_a_new_password_ends_the_security_token_and_the_sessions(
    web: PrefixedSession, control: PrefixedSession, api: PrefixedSession, org: SalesforceOrg
) -> None:
    old = org.integration_user.security_token
    new = control.post("/users/integration@acme.example/password", json={"password": "New-pass2"})
    token = new.json()["security_token"]
    assert token != old
    assert api.get("/limits").status_code == 401
    form = {
        "grant_type": "password",
        "client_id": org.consumer_key,
        "client_secret": org.consumer_secret,
        "username": "INTEGRATION@acme.example",
    }
    assert web.post(TOKEN, data=form | {"password": f"New-pass2{old}"}).json() == FAILURE
    assert web.post(TOKEN, data=form | {"password": f"New-pass2{token}"}).status_code == 200


def test_a_password_expires_after_the_days_of_the_policy(
    web: PrefixedSession,
    control: PrefixedSession,
    clock: SimulatedClock,
    password_form: dict[str, str],
) -> None:
    control.post("/switches", json={"password_expires_days": 90})
    assert web.post(TOKEN, data=password_form).status_code == 200
    clock.advance(91 * 86400)
    assert web.post(TOKEN, data=password_form).json() == FAILURE


def test_too_many_logins_in_an_hour_are_refused(
    web: PrefixedSession, control: PrefixedSession, password_form: dict[str, str]
) -> None:
    control.post("/switches", json={"logins_per_hour": 2})
    statuses = [web.post(TOKEN, data=password_form).status_code for _ in range(3)]
    assert statuses == [200, 200, 403]
    body = web.post(TOKEN, data=password_form).json()
    assert body == {"error": "LOGIN_RATE_EXCEEDED", "error_description": "Login Rate Exceeded"}


def client_credentials(org: SalesforceOrg) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": org.consumer_key,
        "client_secret": org.consumer_secret,
    }


def test_client_credentials_need_my_domain_and_a_run_as_user(
    web: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    form = client_credentials(org)
    for host in ("login", "test"):
        response = web.post(f"https://{host}.salesforce.com{TOKEN}", data=form)
        assert refusal(response) == ("invalid_client_id", "client identifier invalid")
    assert web.post(TOKEN, data=form).status_code == 200
    basic = (org.consumer_key, org.consumer_secret)
    response = web.post(TOKEN, data={"grant_type": "client_credentials"}, auth=basic)
    assert response.status_code == 200
    control.post("/switches", json={"client_credentials_user": None})
    assert refusal(web.post(TOKEN, data=form)) == (
        "invalid_grant",
        "no client credentials user enabled",
    )


def test_a_refresh_token_opens_sessions_until_it_is_revoked(
    web: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    approved = control.post(f"/users/{org.integration_user.username}/refresh_token").json()
    form = client_credentials(org) | {
        "grant_type": "refresh_token",
        "refresh_token": approved["refresh_token"],
    }
    secretless = {name: value for name, value in form.items() if name != "client_secret"}
    assert refusal(web.post(TOKEN, data=secretless))[0] == "invalid_client"
    first, second = (web.post(TOKEN, data=form).json() for _ in range(2))
    assert first["access_token"] != second["access_token"]
    assert "refresh_token" not in first
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    limits = "/services/data/v64.0/limits"
    assert web.get(limits, headers=bearer).status_code == 200
    web.post("/services/oauth2/revoke", data={"token": approved["refresh_token"]})
    assert web.get(limits, headers=bearer).status_code == 401
    assert refusal(web.post(TOKEN, data=form)) == (
        "invalid_grant",
        "expired access/refresh token",
    )


def assertion(org: SalesforceOrg, **claims: object) -> dict[str, str]:
    body = {
        "iss": org.consumer_key,
        "sub": org.integration_user.username,
        "aud": "https://login.salesforce.com",
        "exp": int((NOW + timedelta(minutes=3)).timestamp()),
        **claims,
    }
    signed = jwt.encode(body, org.jwt.private_key, algorithm="RS256")
    return {"grant_type": JWT_BEARER, "assertion": signed}


def test_a_signed_assertion_logs_in(web: PrefixedSession, org: SalesforceOrg) -> None:
    assert web.post(TOKEN, data=assertion(org)).status_code == 200
    assert web.post(TOKEN, data=assertion(org, aud=HOST)).status_code == 200


def test_an_assertion_that_expires_in_an_hour_is_accepted(
    web: PrefixedSession, org: SalesforceOrg
) -> None:
    late = int((NOW + timedelta(hours=1)).timestamp())
    assert web.post(TOKEN, data=assertion(org, exp=late)).status_code == 200


def test_an_assertion_that_expires_by_milliseconds_is_accepted(
    web: PrefixedSession, org: SalesforceOrg
) -> None:
    milliseconds = int(NOW.timestamp() * 1000) + 300  # `@salesforce/core` sends such a number
    assert web.post(TOKEN, data=assertion(org, exp=milliseconds)).status_code == 200


def test_a_login_without_a_password_names_its_scopes(
    web: PrefixedSession, org: SalesforceOrg, control: PrefixedSession
) -> None:
    assert web.post(TOKEN, data=assertion(org)).json()["scope"] == "api"
    control.post("/switches", json={"answered_scopes": None})
    assert "scope" not in web.post(TOKEN, data=assertion(org)).json()


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": int(NOW.timestamp()) - 1}, "invalid_grant", "invalid assertion"),
        ({"sub": "nobody@x.fr"}, "invalid_grant", "user hasn't approved this consumer"),
    ],
)
def test_a_wrong_claim_is_refused(
    web: PrefixedSession,
    org: SalesforceOrg,
    claims: dict[str, object],
    error: str,
    description: str,
) -> None:
    assert refusal(web.post(TOKEN, data=assertion(org, **claims))) == (error, description)


def test_a_user_who_did_not_approve_the_app_is_refused(
    web: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    form = assertion(org)
    control.post("/users/integration@acme.example", json={"approved": False})
    error, description = refusal(web.post(TOKEN, data=form))
    assert (error, description) == ("invalid_grant", "user hasn't approved this consumer")
    garbage = {"grant_type": JWT_BEARER, "assertion": "a.b.c"}
    assert refusal(web.post(TOKEN, data=garbage)) == ("invalid_grant", "invalid assertion")


def envelope(password: str, username: str = "integration@acme.example") -> str:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        '<e:Body><login xmlns="urn:partner.soap.sforce.com">'
        f"<username>{username}</username><password>{password}</password></login></e:Body>"
        "</e:Envelope>"
    )


@pytest.fixture
def soap(web: PrefixedSession, org: SalesforceOrg) -> Callable[..., requests.Response]:
    user = org.integration_user

    def login(
        password: str = user.password + user.security_token,
        version: str = "59.0",
        host: str = "https://login.salesforce.com",
    ) -> requests.Response:
        return web.post(
            f"{host}/services/Soap/u/{version}",
            data=envelope(password),
            headers={"SOAPAction": "login", "Content-Type": "text/xml"},
        )

    return login


def test_soap_login_returns_the_host_to_call(soap: Callable[..., requests.Response]) -> None:
    response = soap()
    assert response.status_code == 200
    assert f"<serverUrl>{HOST}/services/Soap/u/59.0/00D" in response.text
    assert "<sessionSecondsValid>7200</sessionSecondsValid>" in response.text
    assert '<roleId xsi:nil="true"/>' in response.text


def fault_code(response: requests.Response) -> str:
    assert response.status_code == 500
    text = response.text
    code = text.partition("<sf:exceptionCode>")[2].partition("<")[0]
    assert f"<faultcode>{code}</faultcode><faultstring>{code}: " in text
    return code


def test_soap_login_refuses_as_recorded(soap: Callable[..., requests.Response]) -> None:
    wrong = soap("wrong")
    assert fault_code(wrong) == "INVALID_LOGIN"
    assert "Invalid username, password, security token; or user locked out." in wrong.text
    assert fault_code(soap("Integration-pass1")) == "LOGIN_MUST_USE_SECURITY_TOKEN"
    absent = soap(version="65.0")
    assert fault_code(absent) == "INVALID_OPERATION"
    assert "not available in the API version specified (65.0)" in absent.text
    assert fault_code(soap(version="20.0")) == "UNSUPPORTED_API_VERSION"


@pytest.mark.parametrize(
    ("route", "change", "code"),
    [
        ("/switches", {"soap_login_disabled": True}, "INVALID_OPERATION"),
        ("/switches", {"edition": "Professional Edition"}, "API_DISABLED_FOR_ORG"),
        ("/switches", {"org_status": "locked"}, "ORG_LOCKED"),
        ("/switches", {"org_status": "maintenance"}, "SERVER_UNAVAILABLE"),
        ("/switches", {"login_host_forbidden": True}, "INVALID_LOGIN"),
        ("/users/integration@acme.example", {"use_any_api_auth": False}, "INSUFFICIENT_ACCESS"),
        ("/users/integration@acme.example", {"api_enabled": False}, "API_CURRENTLY_DISABLED"),
        (
            "/users/integration@acme.example",
            {"ip_restricted": True},
            "LOGIN_DURING_RESTRICTED_DOMAIN",
        ),
    ],
)
def test_soap_login_can_be_disabled(
    soap: Callable[..., requests.Response],
    control: PrefixedSession,
    route: str,
    change: dict[str, Any],
    code: str,
) -> None:
    control.post(route, json=change)
    assert fault_code(soap()) == code


def test_an_expired_password_returns_an_unusable_session(
    soap: Callable[..., requests.Response], control: PrefixedSession, web: PrefixedSession
) -> None:
    control.post("/users/integration@acme.example", json={"password_expired": True})
    text = soap().text
    assert "<passwordExpired>true</passwordExpired>" in text
    token = text.partition("<sessionId>")[2].partition("<")[0]
    response = web.get("/services/data/v59.0/limits", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401


def test_a_forbidden_login_host_refuses_a_login_that_my_domain_accepts(
    web: PrefixedSession, control: PrefixedSession, password_form: dict[str, str]
) -> None:
    control.post("/switches", json={"login_host_forbidden": True})
    generic = web.post(f"https://login.salesforce.com{TOKEN}", data=password_form)
    assert generic.json() == FAILURE
    assert web.post(TOKEN, data=password_form).status_code == 200


def test_a_lightning_host_returns_a_page_and_never_json(web: PrefixedSession) -> None:
    response = web.post(f"https://acme.lightning.force.com{TOKEN}", data={})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")


def test_a_login_can_return_another_instance(
    web: PrefixedSession, org: SalesforceOrg, password_form: dict[str, str]
) -> None:
    org.control.faults.inject(
        "instance_change", parameters={"instance_url": "https://acme2.my.salesforce.com"}
    )
    response = web.post(TOKEN, data=password_form).json()
    assert response["instance_url"] == "https://acme2.my.salesforce.com"


def test_any_refusal_of_a_login_can_be_injected(
    web: PrefixedSession,
    org: SalesforceOrg,
    password_form: dict[str, str],
    soap: Callable[..., requests.Response],
) -> None:
    older = {
        "error": "invalid_grant",
        "error_description": "authentication failure - Invalid Password",
    }
    org.control.faults.inject("oauth_error", parameters=older)
    assert web.post(TOKEN, data=password_form).json() == older
    assert web.post(TOKEN, data=password_form).status_code == 200
    fault = {"code": "TRIAL_EXPIRED", "message": "Trial Expired"}
    org.control.faults.inject("soap_fault", parameters=fault)
    assert fault_code(soap()) == "TRIAL_EXPIRED"


def test_identity_returns_the_logged_in_user(
    api: PrefixedSession, web: PrefixedSession, org: SalesforceOrg
) -> None:
    token = {"Authorization": str(api.headers["Authorization"])}
    info = web.get("/services/oauth2/userinfo", headers=token).json()
    assert info["user_id"] == org.integration_user.id
    bad = web.get("/services/oauth2/userinfo", headers={"Authorization": "Bearer no"})
    assert (bad.status_code, bad.text) == (403, "Bad_OAuth_Token")
    path = f"/id/{info['organization_id']}/{info['user_id']}"
    assert web.get(path, headers=token).json()["username"] == "integration@acme.example"


def test_a_revoked_token_is_invalid(api: PrefixedSession, web: PrefixedSession) -> None:
    token = str(api.headers["Authorization"]).removeprefix("Bearer ")
    assert web.post("/services/oauth2/revoke", data={"token": token}).status_code == 200
    assert api.get("/limits").status_code == 401
    second = web.post("/services/oauth2/revoke", data={"token": token})
    assert second.status_code == 400
