"""Sessions with Salesforce: shared by all, one login at a time, a refused one never repeated.

A refused login opens the breaker in the ledger, and only another version of the secret is tried
again: every refusal brings the user nearer to being locked out (reference: salesforce 1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from connector.errors import StopReason
from connector.http_session import HttpSession
from connector.model import Breaker, SessionToken
from connector.salesforce.auth.login import (
    LoginRefusedError,
    LoginUnavailableError,
    TokenResponse,
    log_in,
)
from connector.secrets import SalesforceCredentials, Secret, SecretProvider

LOCK_SECONDS: Final = 60.0
"""How long one login keeps the others waiting: longer than two requests may last (JWT)."""
MAX_LOCK_ATTEMPTS: Final = 5
FIRST_LOCK_PAUSE: Final = 1.0
"""Seconds before another invocation's login is looked for again; doubled each time."""
REFUSED_LOGIN: Final = "refused_login"
"""The document with the causes of the refusal that opened the breaker."""


class SessionState(Protocol):
    """Where the session and the breaker are kept for all invocations."""

    def load_session(self) -> SessionToken | None:
        """Return the session kept, if any."""

    def save_session(self, token: SessionToken) -> None:
        """Keep a session."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker."""

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""

    def close_breaker(self) -> None:
        """Close the breaker."""

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Keep others from logging in for some seconds; False while somebody else does."""

    def release_login_lock(self) -> None:
        """Let others log in."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class SessionManager:
    """Where sessions come from: the ledger, else a login with the current secret."""

    def __init__(
        self,
        wire: HttpSession,
        secrets: SecretProvider[SalesforceCredentials],
        state: SessionState,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        trusted_host: str = "",
    ) -> None:
        self._wire = wire
        self._secrets = secrets
        self._state = state
        self._clock = clock
        self._sleep = sleep
        self._trusted_host = trusted_host

    def log_in(self) -> TokenResponse:
        """Log in anew and share the session, unless this version of the secret was refused.

        Raises `LoginRefusedError`, without asking when the breaker is open for this version, and
        `LoginUnavailableError`.
        """
        secret, breaker = self._usable_secret(fresh=True)
        return self._log_in(secret, breaker)

    def get_session(self, dead: set[str]) -> tuple[SessionToken, bool]:
        """Return a session: the one that is shared, or a new one by a single login."""
        for attempt in range(MAX_LOCK_ATTEMPTS):
            secret, breaker = self._usable_secret(fresh=bool(dead))
            shared = self._state.load_session()
            if (
                shared is not None
                and shared.access_token not in dead
                and shared.secret_version == secret.version
            ):
                return shared, False
            if self._state.acquire_login_lock(self._clock(), LOCK_SECONDS):
                return self._log_in_locked(secret, breaker).session, True
            self._sleep(FIRST_LOCK_PAUSE * 2**attempt)
        message = "another invocation has been logging in to Salesforce for too long"
        raise LoginUnavailableError(message, answered=True)

    def _usable_secret(
        self, *, fresh: bool
    ) -> tuple[Secret[SalesforceCredentials], Breaker | None]:
        """Return the secret and the open breaker, if the secret may be tried.

        The breaker, once open, stays open until the secret has another version.
        """
        secret = self._secrets.current(fresh=fresh)
        breaker = self._state.breaker()
        if breaker is None or breaker.reason != StopReason.LOGIN_REFUSED:
            return secret, None
        secret = self._secrets.current(fresh=True)
        if breaker.secret_version == secret.version:
            kept = self._state.load_document(REFUSED_LOGIN) or {}
            causes = tuple(kept.get("causes", ()))
            raise LoginRefusedError(str(kept.get("error", "")), causes, breaker.message)
        return secret, breaker

    def _log_in(
        self, secret: Secret[SalesforceCredentials], breaker: Breaker | None
    ) -> TokenResponse:
        if not self._state.acquire_login_lock(self._clock(), LOCK_SECONDS):
            message = "another invocation is logging in to Salesforce right now"
            raise LoginUnavailableError(message, answered=True)
        return self._log_in_locked(secret, breaker)

    def _log_in_locked(
        self, secret: Secret[SalesforceCredentials], breaker: Breaker | None
    ) -> TokenResponse:
        try:
            grant = log_in(
                self._wire, secret.value, secret.version, self._clock, self._trusted_host
            )
            self._state.save_session(grant.session)
            if breaker is not None:
                self._state.close_breaker()
        except LoginRefusedError as error:
            self._state.save_document(
                REFUSED_LOGIN, {"error": error.error, "causes": list(error.causes)}
            )
            self._state.open_breaker(
                Breaker(error.reason, str(error), self._clock(), secret.version)
            )
            raise
        finally:
            self._state.release_login_lock()
        return grant
