"""The test of one version of the Salesforce secret: one login and one read, no side effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests

from connector.errors import RetryError, StopReason, UnknownOutcomeError
from connector.model import Breaker, SessionToken
from connector.salesforce.auth.login import LoginUnavailableError
from connector.salesforce.connection import Connection

MINIMAL_READ: Final = "SELECT Id FROM Lead LIMIT 1"
"""The smallest call that a run needs."""


def test_credentials(connection: Connection) -> None:
    """Log in and read a Lead, each once.

    Raises `HaltError` or `RejectedError` when Salesforce refuses; `UnknownOutcomeError` when the
    response to the login was lost, because it may have been a refusal; another `RetryError` when
    the test may be repeated without risk.
    """
    try:
        connection.call("query/", params={"q": MINIMAL_READ})
    except LoginUnavailableError as error:
        if error.answered:
            raise
        raise UnknownOutcomeError(str(error), reason=StopReason.SALESFORCE_UNAVAILABLE) from error
    except requests.RequestException as error:
        raise RetryError(
            "Salesforce accepted the login, then did not respond",
            reason=StopReason.SALESFORCE_UNAVAILABLE,
        ) from error


class IsolatedSessionState:
    """The session state of one test, in memory: the shared state belongs to the current version.

    Satisfies `session.SessionState`. The caller of a test holds the shared login lock itself.
    """

    def __init__(self) -> None:
        self._token: SessionToken | None = None
        self._breaker: Breaker | None = None

    def load_session(self) -> SessionToken | None:
        """Return the session of the test."""
        return self._token

    def save_session(self, token: SessionToken) -> None:
        """Keep the session of the test."""
        self._token = token

    def breaker(self) -> Breaker | None:
        """Return the breaker that this test opened: a test logs in at most once after a refusal."""
        return self._breaker

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker of the test."""
        self._breaker = breaker

    def close_breaker(self) -> None:
        """Close the breaker of the test."""
        self._breaker = None

    def acquire_login_lock(self, now: float, seconds: float) -> bool:  # noqa: ARG002  # a test has no competitor
        """Grant the lock."""
        return True

    def release_login_lock(self) -> None:
        """Do nothing: no other login waits for this test."""

    def load_document(self, key: str) -> dict[str, Any] | None:  # noqa: ARG002  # nothing is stored
        """Return None: a test stores no documents."""
        return None

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Do nothing: a test stores no documents."""
