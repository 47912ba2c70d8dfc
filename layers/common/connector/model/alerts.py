"""Alerts to the admins, and the breaker that stops all runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.described_enum import DescribedEnum
from connector.errors import StopReason

SENT_ALERTS: Final = "alerts"
"""The document with the alerts whose problem is not over: when each was sent, by `kind#key`."""


class AlertKind(DescribedEnum):
    """The alerts of the connector; the alarms of the template add those of CloudWatch."""

    CREDENTIALS_REFUSED = "credentials_refused", "A system refuses the stored credentials."
    CREDENTIALS_EXPIRING = "credentials_expiring", "The stored credentials expire soon."
    RUN_FAILED = "run_failed", "A run failed or was halted."
    BREAKER = "breaker", "The breaker is open: no run starts until an admin acts."
    QUARANTINE = "quarantine", "Many links are in quarantine because a system refuses their writes."
    API_BUDGET = "api_budget", "The share of the daily API calls of Salesforce is used up."
    MAPPING_CHANGED = "mapping_changed", "An administrator saved another version of the mapping."
    DRIFT = "drift", "A verification found values that differ without a known cause."
    SUSPENDED_FIELD = "suspended_field", "A field pair is suspended; all other pairs still work."
    PLEZI_API_CHANGED = (
        "plezi_api_changed",
        "The API of the Plezi tenant is not as the last probe found it.",
    )


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to the admins: the problem, since when, the remedy, and the impact.

    `since` is our clock, in seconds. It holds no personal value. `key` distinguishes alerts of one
    kind (a field, a version of the secret), so that each is sent once.
    """

    kind: AlertKind
    summary: str
    since: float
    remedy: str
    impact: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Breaker:
    """An open breaker: no run starts.

    After a refused login it stays open until the secret has another version than `secret_version`;
    after a reason of `NEEDS_DECISION`, until an admin decides.
    """

    reason: StopReason
    message: str
    since: float
    secret_version: str = ""
