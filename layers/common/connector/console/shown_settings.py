"""The settings of the stack that the console shows; they are changed by a deployment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
"""A schedule of EventBridge Scheduler; for a cron expression, the next time is not computed."""


@dataclass(frozen=True, slots=True)
class ShownSettings:
    """The limits and times of a stack, by the names of its settings (docs/operations.md).

    Shares and rates are fractions, times are in days.
    """

    schedule_expression: str
    api_share: float
    max_cleared: int
    max_overwritten: int
    max_changed_share: float
    max_records_per_email: int
    quarantine_alert_links: int
    drift_alert_rate: float
    journal_days: int
    log_retention_days: int
    password_expires_days: int
