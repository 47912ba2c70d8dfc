"""A run, and how things stand after it, for the tests of alerts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.errors import StopReason
from connector.model import Breaker, Run, RunKind, RunState
from connector.sync.alert_rules import RunHealth
from tests.unit.connector.sync_fixtures_stores import NOW

STARTED: Final = NOW - 100
RUN: Final = Run("r1", RunKind.CHANGES, RunState.DONE, requested_at=NOW, started_at=STARTED)
REFUSED: Final = Breaker(StopReason.LOGIN_REFUSED, "1. the password was reset", NOW - 60, "v1")
CALM: Final = RunHealth(
    now=NOW,
    run=RUN,
    breaker=None,
    quarantine_size=0,
    quarantine_limit=10,
    suspended={},
    drift_limit=0.01,
    org_calls=0.1,
    our_calls=0.1,
    password_days=60.0,
)


def stopped(state: RunState, reason: StopReason | None, message: str = "Look there.") -> Run:
    """Return the run as it stopped."""
    return replace(RUN, state=state, reason=reason, message=message)
