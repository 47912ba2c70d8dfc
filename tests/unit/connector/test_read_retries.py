"""Reads are repeated a few times, with growing pauses; a write and a login are sent once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import pytest
import requests

from connector.deadline import no_deadline
from connector.errors import HaltError, RetryError
from connector.http_session import HttpSession
from connector.log_events import Event, EventLog, no_log
from connector.model import SessionToken
from connector.plezi.api import PleziApi
from connector.plezi.rate_limiter import RateLimiter
from connector.retry import RetryPolicy
from connector.salesforce.auth.credential_test import IsolatedSessionState
from connector.salesforce.auth.login import LoginUnavailableError
from connector.salesforce.auth.session import SessionManager
from connector.salesforce.auth.session_seal import seal
from connector.salesforce.connection import Connection
from connector.secret_version import FixedSecret, Secret
from connector.secrets import Flow, PleziCredentials, SalesforceCredentials, SecretText
from local.world.memory import MemoryLedger

BUSY = [{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]


class ScriptedSession(HttpSession):
    """Answers every request in the same way and counts the requests."""

    def __init__(self, status: int | None, body: object = None, **headers: str) -> None:
        super().__init__(monotonic=lambda: 0.0)
        self._status = status
        self._body = body
        self._response_headers = {name.replace("_", "-"): text for name, text in headers.items()}

    def request(self, *_args: object, **_kwargs: object) -> requests.Response:
        self.calls += 1
        if self._status is None:
            raise requests.ConnectionError
        response = requests.Response()
        response.status_code = self._status
        response.headers.update(self._response_headers)
        response._content = json.dumps(self._body).encode()
        return response


class Pauses:
    """Waits in virtual time and keeps the pauses."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def clock(self) -> float:
        return sum(self.seconds)

    def policy(self) -> RetryPolicy:
        return RetryPolicy(self.sleep, lambda: 1.0, self.clock)


def plezi(http: HttpSession, pauses: Pauses) -> PleziApi:
    credentials = PleziCredentials(api_key=SecretText("key"), tenant="acme")
    limiter = RateLimiter(0, MemoryLedger(), pauses.clock, pauses.sleep, no_deadline())
    secret = FixedSecret(Secret("1", credentials))
    return PleziApi(http, secret, "https://plezi.example/api/v1", limiter, pauses.policy())


def salesforce(
    http: HttpSession, pauses: Pauses, *, logged_in: bool, log: EventLog = no_log
) -> Connection:
    credentials = SalesforceCredentials(
        flow=Flow.CLIENT_CREDENTIALS,
        account_url="acme.my.salesforce.com",
        consumer_key="key",
        consumer_secret=SecretText("secret"),
    )
    state = IsolatedSessionState()
    if logged_in:
        token = SessionToken("token", "https://acme.my.salesforce.com", "1")
        state.save_session(seal(token, credentials))
    secrets = FixedSecret(Secret("1", credentials))
    retry = pauses.policy()
    sessions = SessionManager(http, secrets, state, pauses.clock, retry, log, trusted_host="")
    return Connection(http, sessions, retry, api_version="64.0")


@pytest.mark.parametrize("status", [500, 503, None])
def test_a_plezi_read_is_sent_four_times(status: int | None) -> None:
    http, pauses = ScriptedSession(status), Pauses()

    with pytest.raises(RetryError):
        plezi(http, pauses).read("contacts")

    assert (http.calls, pauses.seconds) == (4, [1, 2, 4])


def test_a_plezi_read_waits_as_long_as_the_server_advises() -> None:
    http, pauses = ScriptedSession(429, Retry_After="7"), Pauses()

    with pytest.raises(RetryError):
        plezi(http, pauses).read("contacts")

    assert (http.calls, pauses.seconds) == (4, [7, 7, 7])


@pytest.mark.parametrize("method", ["read", "write"])
def test_a_run_does_not_wait_longer_than_half_a_minute_for_plezi(method: str) -> None:
    http, pauses = ScriptedSession(429, Retry_After="31"), Pauses()
    api = plezi(http, pauses)
    send: Callable[[], object] = (
        (lambda: api.read("contacts"))
        if method == "read"
        else (lambda: api.write("POST", "contacts", {}))
    )

    with pytest.raises(RetryError):
        send()

    assert (http.calls, pauses.seconds) == (1, [])


@pytest.mark.parametrize(("status", "calls"), [(500, 1), (503, 1), (429, 4)])
def test_a_plezi_write_is_repeated_only_when_nothing_was_done(status: int, calls: int) -> None:
    http, pauses = ScriptedSession(status), Pauses()

    with pytest.raises(RetryError):
        plezi(http, pauses).write("POST", "contacts", {})

    assert http.calls == calls


def test_a_plezi_write_whose_response_is_lost_is_not_repeated() -> None:
    http, pauses = ScriptedSession(None), Pauses()

    with pytest.raises(requests.ConnectionError):
        plezi(http, pauses).write("POST", "contacts", {})

    assert http.calls == 1


@pytest.mark.parametrize("status", [503, None])
def test_a_salesforce_read_is_sent_three_times(status: int | None) -> None:
    http, pauses = ScriptedSession(status, BUSY), Pauses()

    with pytest.raises(RetryError):
        salesforce(http, pauses, logged_in=True).read("query/", params={"q": "SELECT Id FROM Lead"})

    assert (http.calls, pauses.seconds) == (3, [1, 2])


@pytest.mark.parametrize(("status", "error"), [(503, RetryError), (None, requests.ConnectionError)])
def test_a_salesforce_call_that_may_write_is_sent_once(
    status: int | None, error: type[Exception]
) -> None:
    http, pauses = ScriptedSession(status, BUSY), Pauses()

    with pytest.raises(error):
        salesforce(http, pauses, logged_in=True).call("composite/sobjects", method="POST", json={})

    assert (http.calls, pauses.seconds) == (1, [])


@pytest.mark.parametrize("status", [503, None])
def test_a_login_is_sent_once(status: int | None) -> None:
    http, pauses = ScriptedSession(status, BUSY), Pauses()

    with pytest.raises(LoginUnavailableError):
        salesforce(http, pauses, logged_in=False).read("query/", params={"q": "SELECT 1"})

    assert (http.calls, pauses.seconds) == (1, [])


@pytest.mark.parametrize(
    ("status", "body", "event", "outcome"),
    [
        (
            200,
            {"access_token": "t", "instance_url": "https://acme.my.salesforce.com"},
            Event.login,
            {},
        ),
        (
            400,
            {"error": "invalid_grant", "error_description": "authentication failure"},
            Event.login_failed,
            {"reason": "login_refused", "code": "invalid_grant"},
        ),
        (None, None, Event.login_failed, {"reason": "login_unavailable", "code": ""}),
    ],
)
def test_each_login_is_written_to_the_log_without_a_secret(
    status: int | None, body: object, event: Event, outcome: dict[str, str]
) -> None:
    written: list[tuple[Event, dict[str, object]]] = []

    def log(name: Event, /, **fields: object) -> None:
        written.append((name, fields))

    org = salesforce(ScriptedSession(status, body), Pauses(), logged_in=False, log=log)
    with contextlib.suppress(HaltError, RetryError):
        org.call("query/", params={"q": "SELECT Id FROM Lead"})

    login = {"flow": "client_credentials", "secret_version": "1"}
    assert written[0] == (event, login | outcome)
