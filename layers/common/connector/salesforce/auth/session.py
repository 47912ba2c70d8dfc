"""Sessions with Salesforce: shared by all invocations, one login at a time.

A refused login opens the breaker in the ledger; then only another version of the secret is used
for a login, because every refused login brings the user nearer to a lockout (Salesforce Help, "Set
Password Policies").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from connector.errors import ConnectorError, HaltError, StopReason
from connector.http_session import HttpSession
from connector.log_events import Event, EventLog
from connector.model import Breaker, SessionToken
from connector.retry import RetryPolicy
from connector.salesforce.auth.hosts import checked_instance
from connector.salesforce.auth.login import (
    LoginRefusedError,
    LoginUnavailableError,
    TokenResponse,
    log_in,
)
from connector.salesforce.auth.session_seal import open_sealed, seal
from connector.secret_version import Secret, SecretProvider
from connector.secrets import Flow, SalesforceCredentials
from connector.stores import DocumentStore

LOCK_SECONDS: Final = 60.0
"""How long one login locks out the others: longer than the two requests of a JWT login."""
MAX_LOCK_ATTEMPTS: Final = 5
FIRST_LOCK_PAUSE: Final = 1.0
"""Seconds before the login of another invocation is checked again; doubled each time."""
MAX_UNANSWERED: Final = 6
"""Logins an hour, of all functions, that got neither a session nor a refusal. Each may have been a
refusal whose response was lost, and by default Salesforce locks a user after ten (Salesforce Help,
"Set Password Policies")."""
UNANSWERED_SECONDS: Final = 3600.0
SECONDS_OF_MINUTE: Final = 60
UNANSWERED_LOGINS: Final = "unanswered_logins"
"""The document with the times of those logins, of one version of the secret."""
REFUSED_LOGIN: Final = "refused_login"
"""The document with the causes of the refusal that opened the breaker."""


class SessionStore(Protocol):
    """The session that all invocations share."""

    def load_session(self) -> SessionToken | None:
        """Return the stored session, if there is one."""

    def save_session(self, token: SessionToken) -> None:
        """Store a session."""


class BreakerStore(Protocol):
    """The breaker that all invocations share."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker; None when it is closed."""

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""

    def close_breaker(self) -> None:
        """Close the breaker."""


class LoginLock(Protocol):
    """The lock that allows one login at a time."""

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Take the lock for some seconds; return False while another login has it."""

    def release_login_lock(self) -> None:
        """Release the lock."""


class SessionState(SessionStore, BreakerStore, LoginLock, DocumentStore, Protocol):
    """The shared state of sessions and logins; the ledger implements all four parts."""


class _LoginLockedError(LoginUnavailableError):
    """Another invocation has the login lock."""


class _TooManyLoginsError(LoginUnavailableError):
    """Too many logins within an hour got neither a session nor a refusal; none was sent."""


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, _LoginLockedError)


class SessionManager:
    """Provides sessions: the shared one, else the session of a login with the current secret.

    `trusted_host` (host:port) is an additional login host, '' for none. Each login is written to
    `log`.
    """

    def __init__(
        self,
        http: HttpSession,
        secrets: SecretProvider[SalesforceCredentials],
        state: SessionState,
        clock: Callable[[], float],
        retry: RetryPolicy,
        log: EventLog,
        *,
        trusted_host: str,
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._state = state
        self._clock = clock
        self._log = log
        self._trusted_host = trusted_host
        longest_pause = FIRST_LOCK_PAUSE * 2 ** (MAX_LOCK_ATTEMPTS - 1)
        self._lock_retry = replace(
            retry,
            random=_without_jitter,
            first_pause=FIRST_LOCK_PAUSE,
            max_pause=longest_pause,
            max_seconds=LOCK_SECONDS,
            max_attempts=MAX_LOCK_ATTEMPTS,
        )

    def log_in(self) -> TokenResponse:
        """Log in and share the session, unless this version of the secret was refused.

        Raises `LoginRefusedError`, without a request when the breaker is open for this version, and
        `LoginUnavailableError`.
        """
        secret, breaker = self._usable_secret(fresh=True)
        if not self._state.acquire_login_lock(self._clock(), LOCK_SECONDS):
            raise _LoginLockedError(
                "another invocation is logging in to Salesforce right now", answered=True
            )
        return self._log_in_locked(secret, breaker)

    def flow(self) -> Flow:
        """Return the flow of the current secret."""
        return self._secrets.current().value.flow

    def save_org(self, token: SessionToken, org_id: str) -> None:
        """Store the org of a session whose login did not say it.

        Nothing is stored when the secret has another version by now: the session is not used again.
        """
        secret = self._secrets.current()
        if secret.version == token.secret_version:
            self._state.save_session(seal(replace(token, org_id=org_id), secret.value))

    def get_session(self, expired: set[str]) -> tuple[SessionToken, bool]:
        """Return a session and whether it is new: the shared one, or that of a single login.

        `expired` are the access tokens that Salesforce has refused. Raises as `log_in`.
        """
        return self._lock_retry.call(
            lambda: self._shared_or_new(expired),
            retry_on=_is_locked,
            operation="salesforce_login_lock",
        )

    def _shared_or_new(self, expired: set[str]) -> tuple[SessionToken, bool]:
        secret, breaker = self._usable_secret(fresh=bool(expired))
        stored = self._stored_session()
        if (shared := _opened(stored, secret, expired)) is not None:
            return shared, False
        if not expired:
            # A login with a version from the cache could be refused: it may have been rotated, and
            # the shared session may already be that of the new version.
            secret, breaker = self._usable_secret(fresh=True)
            if (shared := _opened(stored, secret, expired)) is not None:
                return shared, False
        if not self._state.acquire_login_lock(self._clock(), LOCK_SECONDS):
            raise _LoginLockedError(
                "another invocation has been logging in to Salesforce for too long", answered=True
            )
        return self._log_in_locked(secret, breaker).session, True

    def _stored_session(self) -> SessionToken | None:
        """Return the shared session, sealed; None where its host may not receive a session."""
        shared = self._state.load_session()
        if shared is None:
            return None
        try:
            return replace(
                shared, instance_url=checked_instance(shared.instance_url, self._trusted_host)
            )
        except HaltError:
            return None

    def _usable_secret(
        self, *, fresh: bool
    ) -> tuple[Secret[SalesforceCredentials], Breaker | None]:
        """Return the secret and the open breaker, if the secret may be used for a login.

        The breaker, once open, stays open until the secret has another version.
        """
        secret = self._secrets.current(fresh=fresh)
        breaker = self._state.breaker()
        if breaker is None or breaker.reason != StopReason.LOGIN_REFUSED:
            return secret, None
        secret = self._secrets.current(fresh=True)
        if breaker.secret_version == secret.version:
            refusal = self._state.load_document(REFUSED_LOGIN) or {}
            causes = tuple(refusal.get("causes", ()))
            raise LoginRefusedError(str(refusal.get("error", "")), causes, breaker.message)
        return secret, breaker

    def _log_in_locked(
        self, secret: Secret[SalesforceCredentials], breaker: Breaker | None
    ) -> TokenResponse:
        """Log in with the lock, which is released here.

        The login counts as one without an answer before it is sent, until the answer is known: its
        process may be stopped in between.
        """
        login = {"flow": secret.value.flow.value, "secret_version": secret.version}
        try:
            unanswered = self._unanswered_logins(secret.version)
            self._save_unanswered(secret.version, [*unanswered, self._clock()])
            response = log_in(
                self._http, secret.value, secret.version, self._clock, self._trusted_host
            )
            self._log(Event.login, **login)
            self._state.save_session(seal(response.session, secret.value))
            self._save_unanswered(secret.version, [])
            if breaker is not None:
                self._state.close_breaker()
        except _TooManyLoginsError:
            raise
        except LoginUnavailableError as error:
            self._log(Event.login_failed, **login, reason=error.reason.value, code="")
            raise
        except LoginRefusedError as error:
            self._log(Event.login_failed, **login, reason=error.reason.value, code=error.error)
            self._save_unanswered(secret.version, [])
            self._record_refusal(error, secret.version)
            raise
        except ConnectorError:  # nothing was sent, or the session was not used
            self._save_unanswered(secret.version, unanswered)
            raise
        finally:
            self._state.release_login_lock()
        return response

    def _record_refusal(self, error: LoginRefusedError, secret_version: str) -> None:
        """Store the causes of a refusal and open the breaker for this version of the secret."""
        self._state.save_document(
            REFUSED_LOGIN, {"error": error.error, "causes": list(error.causes)}
        )
        self._state.open_breaker(Breaker(error.reason, str(error), self._clock(), secret_version))

    def _unanswered_logins(self, secret_version: str) -> list[float]:
        """Return when logins with this version had no answer, within the last hour.

        Raises `LoginUnavailableError` when no more are allowed in this hour.
        """
        document = self._state.load_document(UNANSWERED_LOGINS) or {}
        if document.get("secret_version") != secret_version:
            return []
        now = self._clock()
        times = [at for at in document["times"] if now - UNANSWERED_SECONDS < at <= now]
        if len(times) < MAX_UNANSWERED:
            return times
        minutes = math.ceil((times[0] + UNANSWERED_SECONDS - now) / SECONDS_OF_MINUTE)
        raise _TooManyLoginsError(
            f"no login to Salesforce was possible {len(times)} times within an hour: the next one "
            f"is made in {minutes} minutes at the earliest, or with a new version of the secret",
            answered=True,
        )

    def _save_unanswered(self, secret_version: str, times: list[float]) -> None:
        """Store when logins had no answer; only the holder of the login lock does."""
        document = {"secret_version": secret_version, "times": times}
        self._state.save_document(UNANSWERED_LOGINS, document)


def _opened(
    stored: SessionToken | None, secret: Secret[SalesforceCredentials], expired: set[str]
) -> SessionToken | None:
    """Return the stored session if it is of this version of the secret and was not refused."""
    if stored is None or stored.secret_version != secret.version:
        return None
    session = open_sealed(stored, secret.value)
    return None if session is None or session.access_token in expired else session


def _without_jitter() -> float:
    """Use the whole pause: the invocations wait for one login and do not compete for a server."""
    return 1.0
