"""The forecast of the expiry of the integration user's password.

The API returns when a password was last changed (User.LastPasswordChangeDate), not when it expires:
the days between are the password policy of the profile and come from the settings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from connector.mapping.literals import parse_time, to_utc
from connector.salesforce.connection import Connection
from connector.salesforce.library import format_soql
from connector.secret_version import SecretProvider
from connector.secrets import Flow, SalesforceCredentials
from connector.stores import DocumentStore

SECONDS_OF_DAY: Final = 86_400.0
REFRESH_SECONDS: Final = SECONDS_OF_DAY
"""The warnings are days apart, so one API call a day is enough."""
DOCUMENT: Final = "password"
NEVER: Final = math.inf


def password_changed_at(connection: Connection, username: str) -> float | None:
    """Return when a user's password was last changed, in seconds since 1970; None: not known.

    Costs one call. Raises as `Connection.read`; an answer without a usable time is not known.
    """
    soql = format_soql("SELECT LastPasswordChangeDate FROM User WHERE Username = {}", username)
    match connection.read("query/", params={"q": soql}):
        case {"records": [{"LastPasswordChangeDate": str(stamp)}, *_]}:
            moment = parse_time(stamp)
            moment = None if moment is None else to_utc(moment)
            return None if moment is None else moment.timestamp()
    return None


def days_left(changed_at: float, policy_days: int, now: float) -> float:
    """Return the days until a password expires, below 0 after that; `NEVER` without a policy."""
    if not policy_days:
        return NEVER
    return policy_days - (now - changed_at) / SECONDS_OF_DAY


class PasswordForecast:
    """Forecasts the days until the password expires; reads Salesforce at most once a day."""

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
        """Return the days left; `NEVER` where no password expires; None where it is not known.

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
        document = self._store.load_document(DOCUMENT) or {}
        now = self._clock()
        if (
            document.get("version") != version
            or now - document.get("asked_at", 0.0) > REFRESH_SECONDS
        ):
            changed_at = password_changed_at(self._connection, username)
            document = {"version": version, "asked_at": now, "changed_at": changed_at}
            self._store.save_document(DOCUMENT, document)
        stored: float | None = document["changed_at"]
        return stored
