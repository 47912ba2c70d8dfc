"""When the integration user's password expires, before it does.

The API tells when a password was last changed, not when it expires: the days between are the
profile's policy and come from the settings (reference: salesforce 1.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from simple_salesforce.format import format_soql

from connector.salesforce.connection import Connection
from connector.secrets import Flow, SalesforceCredentials, SecretProvider

SECONDS_OF_DAY: Final = 86_400.0
ASKED_EVERY: Final = SECONDS_OF_DAY
"""The warnings are days apart, so the date is asked once a day: one API call."""
DOCUMENT: Final = "password"
NEVER: Final = math.inf


class DocumentStore(Protocol):
    """Where the answer is kept for all invocations."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


def password_changed_at(connection: Connection, username: str) -> float | None:
    """Return when a user's password was last changed, in seconds since 1970; None: not told.

    Costs one call. Raises as `Connection.read`.
    """
    soql = format_soql("SELECT LastPasswordChangeDate FROM User WHERE Username = {}", username)
    rows = connection.read("query/", params={"q": soql})["records"]
    said = rows[0]["LastPasswordChangeDate"] if rows else None
    return None if said is None else datetime.fromisoformat(said).timestamp()


def days_left(changed_at: float, policy_days: int, now: float) -> float:
    """Return the days until a password expires, below 0 once it has; `NO_BASE` without a policy."""
    if not policy_days:
        return NEVER
    return policy_days - (now - changed_at) / SECONDS_OF_DAY


class PasswordForecast:
    """Knows how many days the password is good for, asking Salesforce once a day."""

    def __init__(
        self,
        connection: Connection,
        secrets: SecretProvider[SalesforceCredentials],
        store: DocumentStore,
        clock: Callable[[], float],
        policy_days: int,
    ) -> None:
        self._connection = connection
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._policy_days = policy_days

    def days(self) -> float | None:
        """Return the days left; `NO_BASE` where no password can expire; None where nobody tells.

        Raises as `Connection.read`.
        """
        secret = self._secrets.current()
        if secret.value.flow is not Flow.PASSWORD or not self._policy_days:
            return NEVER
        changed_at = self._changed_at(secret.version, secret.value.username)
        if changed_at is None:
            return None
        return days_left(changed_at, self._policy_days, self._clock())

    def _changed_at(self, version: str, username: str) -> float | None:
        kept = self._store.load_document(DOCUMENT) or {}
        now = self._clock()
        if kept.get("version") != version or now - kept.get("asked_at", 0.0) > ASKED_EVERY:
            changed_at = password_changed_at(self._connection, username)
            kept = {"version": version, "asked_at": now, "changed_at": changed_at}
            self._store.save_document(DOCUMENT, kept)
        told: float | None = kept["changed_at"]
        return told
