"""Only an OAuth error refuses a login; every other answer is tried again within a bound (S7)."""

from __future__ import annotations

import json

import pytest

from connector.connection_report import Grade
from connector.errors import RetryError, StopReason, UnknownOutcomeError
from connector.model import RunState
from connector.salesforce.auth.session import MAX_UNANSWERED
from connector.salesforce.connection import to_error
from tests.component.credential_fixtures import CredentialFixtures, finding
from tests.component.login_host import LoginHost, put_in_front

HTML = b"<html><body>Sign in to the guest network</body></html>"
ANSWERS = {
    "200 HTML": (200, HTML),
    "302": (302, b""),
    "403 HTML": (403, HTML),
    "401 HTML": (401, HTML),
    "520": (520, b"error code: 520"),
    "truncated JSON": (400, b'{"error":"invalid_grant","error_descri'),
    "truncated session": (200, b'{"access_token":"00D1!abc","instance_u'),
    "empty body": (200, b""),
    "400 empty body": (400, b""),
    "JSON list": (400, b'[{"errorCode":"invalid_grant","message":"authentication failure"}]'),
    "error of a gateway": (400, b'{"error":"Bad Request","status":400}'),
    "error that is no text": (400, b'{"error":{"code":"invalid_grant"}}'),
    "session without instance": (200, b'{"access_token":"00D1!abc"}'),
    "session that is no header": (
        200,
        b'{"access_token":"a\\r\\nb","instance_url":"https://acme.my.salesforce.com"}',
    ),
    "deeply nested": (400, b"[" * 100_000),
    "not UTF-8": (400, b'{"error":"\xff\xfe"}'),
    "unknown error with another status": (403, b'{"error":"brand_new_error"}'),
}


@pytest.fixture
def login_host(credentials: CredentialFixtures) -> LoginHost:
    return put_in_front(credentials.harness)


@pytest.mark.parametrize("name", ANSWERS)
def test_s7_an_answer_that_is_no_oauth_error_opens_no_breaker_and_a_later_run_works(
    credentials: CredentialFixtures, login_host: LoginHost, name: str
) -> None:
    login_host.answer = ANSWERS[name]

    run = credentials.run()

    assert (run.state, run.reason) == (RunState.FAILED, StopReason.LOGIN_UNAVAILABLE)
    assert login_host.logins == 1
    assert "password" not in run.message
    assert credentials.harness.ledger.breaker() is None
    [(subject, text)] = credentials.received_alerts()
    assert subject == "A run ended failed (login_unavailable)"
    assert "password" not in text
    login_host.answer = None
    assert credentials.run().state is RunState.DONE


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("error", "description"),
    [
        ("unknown_error", "retry your request"),
        ("server_error", ""),
        ("temporarily_unavailable", "try again later"),
        ("invalid_grant", "login rate exceeded"),
        ("invalid_grant", "Login Rate Exceeded"),
        ("invalid_client", "the service is temporarily unavailable"),
        ("rate_limit_exceeded", "too many logins"),
        ("brand_new_error", "a text of next year"),
    ],
)
def test_an_oauth_error_that_refuses_no_credentials_opens_no_breaker_and_a_later_run_works(
    credentials: CredentialFixtures,
    login_host: LoginHost,
    error: str,
    description: str,
    status: int,
) -> None:
    body = {"error": error, "error_description": description}
    login_host.answer = (status, json.dumps(body).encode())

    run = credentials.run()

    assert (run.state, run.reason) == (RunState.FAILED, StopReason.LOGIN_UNAVAILABLE)
    assert login_host.logins == 1
    assert f"({error}: {description})" in run.message or not description
    assert "password" not in run.message
    assert "tries again" in run.message
    assert credentials.harness.ledger.breaker() is None
    login_host.answer = None
    assert credentials.run().state is RunState.DONE


def test_oauth_errors_that_the_connector_does_not_know_are_bounded_in_each_hour(
    credentials: CredentialFixtures, login_host: LoginHost
) -> None:
    login_host.answer = (400, b'{"error":"brand_new_error"}')

    for _ in range(MAX_UNANSWERED + 5):
        assert credentials.run().reason is StopReason.LOGIN_UNAVAILABLE

    assert login_host.logins == MAX_UNANSWERED


def test_a_credential_test_does_not_refuse_a_version_for_an_unknown_oauth_error(
    credentials: CredentialFixtures, login_host: LoginHost
) -> None:
    login_host.answer = (400, b'{"error":"brand_new_error"}')
    version = credentials.put(credentials.material(), "AWSPENDING")
    with pytest.raises(UnknownOutcomeError):
        credentials.rotation().test_and_promote(version)

    login_host.answer = None

    assert credentials.rotation().test_and_promote(version).outcome == "promoted"


def test_logins_without_an_answer_are_bounded_in_each_hour(
    credentials: CredentialFixtures, login_host: LoginHost
) -> None:
    login_host.answer = ANSWERS["403 HTML"]
    for _ in range(MAX_UNANSWERED + 5):
        run = credentials.run()
        assert run.reason is StopReason.LOGIN_UNAVAILABLE

    assert login_host.logins == MAX_UNANSWERED
    assert "6 times within an hour: the next one is made in 60 minutes" in run.message
    credentials.harness.let_pass(3601)
    login_host.answer = None
    assert credentials.run().state is RunState.DONE


def test_a_new_version_of_the_secret_is_not_held_up_by_the_logins_of_the_old_one(
    credentials: CredentialFixtures, login_host: LoginHost
) -> None:
    login_host.answer = ANSWERS["302"]
    for _ in range(MAX_UNANSWERED):
        credentials.run()
    login_host.answer = None

    credentials.put(credentials.material())
    credentials.harness.let_pass(400)  # the cached secret expires

    assert credentials.run().state is RunState.DONE


def test_a_session_ends_the_count(credentials: CredentialFixtures, login_host: LoginHost) -> None:
    for _ in range(3):
        login_host.answer = ANSWERS["520"]
        for _ in range(MAX_UNANSWERED - 1):
            assert credentials.run().state is RunState.FAILED
        login_host.answer = None
        assert credentials.run().state is RunState.DONE
        credentials.harness.control("salesforce", "POST", "sessions/kill", {})


def test_a_wrong_account_url_is_not_counted_as_a_login(credentials: CredentialFixtures) -> None:
    credentials.put(credentials.material(account_url="https://acme.example"))

    for _ in range(MAX_UNANSWERED + 1):
        assert credentials.run().reason is StopReason.ACCOUNT_URL


@pytest.mark.parametrize("name", ["403 HTML", "truncated JSON", "302"])
def test_a_connection_check_reports_such_an_answer_as_unknown(
    credentials: CredentialFixtures, login_host: LoginHost, name: str
) -> None:
    login_host.answer = ANSWERS[name]

    login = finding(credentials.check(), "login")

    assert login.grade is Grade.UNKNOWN
    assert "password" not in login.message
    assert credentials.harness.ledger.breaker() is None


@pytest.mark.parametrize("name", ["403 HTML", "truncated JSON", "302"])
def test_a_credential_test_does_not_refuse_a_version_for_such_an_answer(
    credentials: CredentialFixtures, login_host: LoginHost, name: str
) -> None:
    login_host.answer = ANSWERS[name]
    version = credentials.put(credentials.material(), "AWSPENDING")
    with pytest.raises(UnknownOutcomeError):
        credentials.rotation().test_and_promote(version)

    login_host.answer = None

    assert credentials.rotation().test_and_promote(version).outcome == "promoted"


def test_the_description_of_salesforce_is_kept_without_the_submitted_values(
    credentials: CredentialFixtures, login_host: LoginHost
) -> None:
    material = credentials.material()
    text = f"no\x00 login\n for {material['username']} with {material['password']} " + "x" * 400
    body = {"error": "invalid_grant", "error_description": text}
    login_host.answer = (400, json.dumps(body).encode())

    run = credentials.run()

    assert run.reason is StopReason.LOGIN_REFUSED
    assert "(invalid_grant: no login for [...] with [...] xxx" in run.message
    assert str(material["username"]) not in run.message
    assert str(material["password"]) not in run.message
    assert "x" * 200 not in run.message


@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
@pytest.mark.parametrize("description", ["authentication failure", "something new"])
def test_a_flow_without_password_gets_no_advice_about_one(
    credentials: CredentialFixtures, login_host: LoginHost, flow: str, description: str
) -> None:
    credentials.put(getattr(credentials, flow)())
    body = {"error": "invalid_grant", "error_description": description}
    login_host.answer = (400, json.dumps(body).encode())

    run = credentials.run()

    assert run.reason is StopReason.LOGIN_REFUSED
    assert "password" not in run.message
    assert "security token" not in run.message
    assert "1. " in run.message


@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
def test_a_refused_session_of_a_flow_without_password_gets_no_advice_about_one(
    credentials: CredentialFixtures, flow: str
) -> None:
    credentials.put(getattr(credentials, flow)())
    fault = {"kind": "session_expired", "path": "/services/data", "count": None}
    credentials.harness.control("salesforce", "POST", "faults", fault)

    run = credentials.run()

    assert run.reason is StopReason.SESSION_REFUSED
    assert "password" not in run.message


def test_a_web_page_in_place_of_plezi_does_not_refuse_the_key(
    credentials: CredentialFixtures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials.harness, "tenant", _page_with_403)
    credentials.harness.app = credentials.harness.build(credentials.harness.settings)
    credentials.harness.engine = credentials.harness.app.engine

    run = credentials.run()

    assert (run.state, run.reason) == (RunState.FAILED, StopReason.PLEZI_UNAVAILABLE)
    assert "key" not in run.message


def _page_with_403(_environ: object, start: object) -> list[bytes]:
    start("403 Forbidden", [("Content-Type", "text/html")])  # type: ignore[operator]
    return [HTML]


def test_a_web_page_in_place_of_salesforce_does_not_refuse_a_call() -> None:
    for status in (401, 403):
        error = to_error(status, HTML.decode())
        assert isinstance(error, RetryError)
        assert error.reason is StopReason.SALESFORCE_UNAVAILABLE
