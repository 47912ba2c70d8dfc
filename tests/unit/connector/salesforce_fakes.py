"""A Salesforce connection whose server answers what a test says, over the real HTTP session."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import requests

from connector.deadline import Deadline, no_deadline
from connector.http_session import HttpSession
from connector.log_events import no_log
from connector.mapping import ReadScope
from connector.model import RecordKind, SessionToken
from connector.pace import PacedCalls
from connector.retry import RetryPolicy
from connector.salesforce.auth.credential_test import IsolatedSessionState
from connector.salesforce.auth.session import SessionManager
from connector.salesforce.auth.session_seal import seal
from connector.salesforce.connection import Connection
from connector.salesforce.failed_lookups import FailedLookups
from connector.salesforce.reader import Reader
from connector.secret_version import FixedSecret, Secret
from connector.secrets import Flow, SalesforceCredentials, SecretText

Answer = Callable[[str, str, Any], tuple[int, bytes]]
"""Method, address and JSON body of a request -> status and body of the response."""
SCOPE = ReadScope(
    {RecordKind.LEAD: ("Phone", "plezi_url__c"), RecordKind.CONTACT: ("Phone", "Account.Name")},
    {},
)


class AnsweringSession(HttpSession):
    """Answers requests with a function, and keeps their method, address and body."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(monotonic=lambda: 0.0)
        self._answer = answer
        self.requests: list[tuple[str, str, Any]] = []
        self.headers_of_answers: dict[str, str] = {}

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        method, url = args
        kwargs.pop("reduce", None)
        sent = requests.Request(method, url, params=kwargs.get("params")).prepare()
        self.calls += 1
        self.requests.append((method, str(sent.url), kwargs.get("json")))
        response = requests.Response()
        response.url = str(sent.url)
        response.status_code, response._content = self._answer(*self.requests[-1])
        response.headers["Content-Type"] = "application/json;charset=UTF-8"
        response.headers.update(self.headers_of_answers)
        return response


def always(body: object, status: int = 200) -> Answer:
    """Return an answer that is the same for every request; bytes are sent as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _method, _url, _body: (status, content)


def connect(http: HttpSession, clock: Callable[[], float] = lambda: 0.0) -> Connection:
    """Return a connection with a session, that repeats reads without pauses."""
    state = IsolatedSessionState()
    credentials = SalesforceCredentials(
        flow=Flow.CLIENT_CREDENTIALS,
        account_url="acme.my.salesforce.com",
        consumer_key="key",
        consumer_secret=SecretText("secret"),
    )
    token = SessionToken("token", "https://acme.my.salesforce.com", "1")
    state.save_session(seal(token, credentials))
    retry = RetryPolicy(lambda _seconds: None, lambda: 0.0, clock)
    secrets = FixedSecret(Secret("1", credentials))
    sessions = SessionManager(http, secrets, state, lambda: 0.0, retry, no_log, trusted_host="")
    return Connection(http, sessions, retry, api_version="64.0")


class Documents:
    """Documents in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document of a key."""
        return self.stored.get(key)

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document."""
        self.stored[key] = dict(document)


def reader(
    answer: Answer,
    scope: ReadScope = SCOPE,
    deadline: Deadline | None = None,
    documents: Documents | None = None,
    clock: Callable[[], float] = lambda: 1_796_000_000.0,
) -> tuple[Reader, AnsweringSession]:
    """Return a reader of such a server, and the session that keeps its requests."""
    http = AnsweringSession(answer)
    calls = PacedCalls(deadline or no_deadline(), clock)
    failed = FailedLookups(documents or Documents(), clock)
    return Reader(connect(http, clock), clock, scope, calls, failed), http
