"""A version of the Salesforce secret on trial: one login and one read, without any consequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests

from connector.errors import RetryError, StopReason, UnknownOutcomeError
from connector.model import Breaker, SessionToken
from connector.salesforce.auth.login import LoginUnavailableError
from connector.salesforce.connection import Connection

MINIMAL_READ: Final = "SELECT Id FROM Lead LIMIT 1"
"""The least that a run does."""


def test_credentials(connection: Connection) -> None:
    """Log in and read a Lead, each once.

    Raises `HaltError` or `RejectedError` when Salesforce refuses, `UnknownOutcomeError` when it may have
    refused the login but was not heard, another `RetryError` when it may be tried again freely.
    """
    try:
        connection.call("query/", params={"q": MINIMAL_READ})
    except LoginUnavailableError as error:
        if error.answered:
            raise
        raise UnknownOutcomeError(str(error), reason=StopReason.SALESFORCE_UNAVAILABLE) from error
    except requests.RequestException as error:
        raise RetryError(
            "Salesforce took the login, then did not answer",
            reason=StopReason.SALESFORCE_UNAVAILABLE,
        ) from error


class IsolatedSessionState:
    """A gate of its own: the shared session and the breaker belong to the current version.

    Satisfies `session.Gate`. Whoever holds a trial keeps the other logins waiting himself.
    """

    def __init__(self) -> None:
        self._token: SessionToken | None = None
        self._breaker: Breaker | None = None

    def load_session(self) -> SessionToken | None:
        """Return the session of the trial."""
        return self._token

    def save_session(self, token: SessionToken) -> None:
        """Keep the session of the trial."""
        self._token = token

    def breaker(self) -> Breaker | None:
        """Return the breaker that the trial opened: a refused version is not tried twice in it."""
        return self._breaker

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker of the trial."""
        self._breaker = breaker

    def close_breaker(self) -> None:
        """Close the breaker of the trial."""
        self._breaker = None

    def acquire_login_lock(self, now: float, seconds: float) -> bool:  # noqa: ARG002  # nobody else is here
        """Let the trial log in."""
        return True

    def release_login_lock(self) -> None:
        """Nobody waits."""

    def load_document(self, key: str) -> dict[str, Any] | None:  # noqa: ARG002  # nothing is kept
        """Return nothing."""
        return None

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep nothing."""
