"""How things stand after a run, and the ports that alerts need, for the tests of alerts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.errors import RetryError, StopReason
from connector.model import Alert, AlertKind, Breaker, Run, RunKind, RunState
from connector.sync.alert_rules import RunHealth
from local.world.memory import MemoryAlertPublisher
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


class Password:
    """The days until the password expires, or why they are not known."""

    def __init__(self, answer: float | Exception | None) -> None:
        self._answer = answer

    def days(self) -> float | None:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Api:
    """What has changed in the API of the tenant, or why it is not known."""

    def __init__(self, answer: tuple[str, ...] | Exception | None) -> None:
        self._answer = answer

    def changed_keys(self) -> tuple[str, ...] | None:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Topic(MemoryAlertPublisher):
    """Collects the alerts, and refuses those of some kinds with an error."""

    def __init__(self, *refused: AlertKind) -> None:
        super().__init__()
        self.refused = refused
        self.error: Exception = RetryError("closed", reason=StopReason.AWS_UNAVAILABLE)

    def publish(self, alert: Alert) -> None:
        if alert.kind in self.refused:
            raise self.error
        super().publish(alert)
