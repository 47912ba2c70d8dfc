"""Sessions with Salesforce: shared by all, one login at a time, a refused one never repeated.

A refused login opens the breaker in the ledger, and only another version of the secret is tried
again: every refusal brings the user nearer to being locked out (reference: salesforce 1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from connector.credentials import SalesforceCredentials, Secret, Secrets
from connector.model import Breaker, Token
from connector.salesforce.login import REFUSED, Grant, LoginLaterError, LoginRefusedError, log_in
from connector.transport import Wire

CLAIM_SECONDS: Final = 60.0
"""How long one login keeps the others waiting: longer than two requests may last (JWT)."""
CLAIM_TRIES: Final = 5
CLAIM_PAUSE: Final = 1.0
"""Seconds before another invocation's login is looked for again; doubled each time."""
REFUSED_LOGIN: Final = "refused_login"
"""The document with the causes of the refusal that opened the breaker."""


class Gate(Protocol):
    """Where the session and the breaker are kept for all invocations."""

    def token(self) -> Token | None:
        """Return the session kept, if any."""

    def keep_token(self, token: Token) -> None:
        """Keep a session."""

    def breaker(self) -> Breaker | None:
        """Return the open breaker."""

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""

    def close_breaker(self) -> None:
        """Close the breaker."""

    def claim_login(self, now: float, seconds: float) -> bool:
        """Keep others from logging in for some seconds; False while somebody else does."""

    def release_login(self) -> None:
        """Let others log in."""

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def keep_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class Sessions:
    """Where sessions come from: the ledger, else a login with the current secret."""

    def __init__(
        self,
        wire: Wire,
        secrets: Secrets[SalesforceCredentials],
        gate: Gate,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        trusted_host: str = "",
    ) -> None:
        self._wire = wire
        self._secrets = secrets
        self._gate = gate
        self._clock = clock
        self._sleep = sleep
        self._trusted_host = trusted_host

    def sign_in(self) -> Grant:
        """Log in anew and share the session, unless this version of the secret was refused.

        Raises `LoginRefusedError`, without asking when the breaker is open for this version, and
        `LoginLaterError`.
        """
        secret, breaker = self._admitted(fresh=True)
        return self._log_in(secret, breaker)

    def take(self, dead: set[str]) -> tuple[Token, bool]:
        """Return a session: the one that is shared, or a new one by a single login."""
        for attempt in range(CLAIM_TRIES):
            secret, breaker = self._admitted(fresh=bool(dead))
            shared = self._gate.token()
            if (
                shared is not None
                and shared.access_token not in dead
                and shared.secret_version == secret.version
            ):
                return shared, False
            if self._gate.claim_login(self._clock(), CLAIM_SECONDS):
                return self._claimed_login(secret, breaker).token, True
            self._sleep(CLAIM_PAUSE * 2**attempt)
        message = "another invocation has been logging in to Salesforce for too long"
        raise LoginLaterError(message, heard=True)

    def _admitted(self, *, fresh: bool) -> tuple[Secret[SalesforceCredentials], Breaker | None]:
        """Return the secret and the open breaker, if the secret may be tried.

        The breaker, once open, stays open until the secret has another version.
        """
        secret = self._secrets.current(fresh=fresh)
        breaker = self._gate.breaker()
        if breaker is None or breaker.reason != REFUSED:
            return secret, None
        secret = self._secrets.current(fresh=True)
        if breaker.secret_version == secret.version:
            kept = self._gate.document(REFUSED_LOGIN) or {}
            causes = tuple(kept.get("causes", ()))
            raise LoginRefusedError(str(kept.get("error", "")), causes, breaker.message)
        return secret, breaker

    def _log_in(self, secret: Secret[SalesforceCredentials], breaker: Breaker | None) -> Grant:
        if not self._gate.claim_login(self._clock(), CLAIM_SECONDS):
            message = "another invocation is logging in to Salesforce right now"
            raise LoginLaterError(message, heard=True)
        return self._claimed_login(secret, breaker)

    def _claimed_login(
        self, secret: Secret[SalesforceCredentials], breaker: Breaker | None
    ) -> Grant:
        try:
            grant = log_in(
                self._wire, secret.material, secret.version, self._clock, self._trusted_host
            )
            self._gate.keep_token(grant.token)
            if breaker is not None:
                self._gate.close_breaker()
        except LoginRefusedError as error:
            self._gate.keep_document(
                REFUSED_LOGIN, {"error": error.error, "causes": list(error.causes)}
            )
            self._gate.open_breaker(
                Breaker(error.reason, str(error), self._clock(), secret.version)
            )
            raise
        finally:
            self._gate.release_login()
        return grant
