"""The alerts of a run that ended: its health is checked, and new problems are reported once."""

from __future__ import annotations

from typing import Protocol

from connector.errors import ConnectorError, RetryError
from connector.log_events import Event, EventLog
from connector.model import AttentionKind, Run, RunState
from connector.stores import DocumentStore
from connector.sync.alert_rules import RunHealth, evaluate_alerts, is_evaluated, notify_new
from connector.sync.ports import (
    AlertPublisher,
    ApiBudget,
    AttentionIndex,
    Clock,
    ControlState,
    PasswordAge,
)


class AlertStore(ControlState, AttentionIndex, DocumentStore, Protocol):
    """The part of the ledger that alerts need."""


class RunAlerts:
    """Sends the alerts that a finished run gives reason for."""

    def __init__(  # noqa: PLR0913  # the ports, each by its name
        self,
        store: AlertStore,
        publisher: AlertPublisher,
        budget: ApiBudget,
        password: PasswordAge,
        clock: Clock,
        log: EventLog,
        *,
        quarantine_limit: int,
        drift_limit: float,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._budget = budget
        self._password = password
        self._clock = clock
        self._log = log
        self._quarantine_limit = quarantine_limit
        self._drift_limit = drift_limit

    def notify(self, run: Run) -> None:
        """Send new alerts after a run. Nothing here changes how the run ended."""
        if not is_evaluated(run):
            return
        evaluation = evaluate_alerts(self._health(run))
        sent, failed = notify_new(evaluation, self._publisher, self._store, self._clock())
        for alert in sent:
            self._log(Event.alert_sent, alert=alert.kind.value, key=alert.key)
        for alert in failed:
            self._log(Event.alert_failed, alert=alert.kind.value, key=alert.key)

    def _health(self, run: Run) -> RunHealth:
        limit = self._quarantine_limit
        quarantined = self._store.emails_needing_attention(AttentionKind.QUARANTINE, limit)
        return RunHealth(
            now=self._clock(),
            run=run,
            breaker=self._store.breaker(),
            quarantine_size=len(quarantined),
            quarantine_limit=limit,
            suspended=self._store.suspended_pairs(),
            drift_limit=self._drift_limit,
            org_calls=self._budget.org_share(),
            our_calls=self._budget.our_share(),
            password_days=self._password_days(run),
        )

    def _password_days(self, run: Run) -> float | None:
        """Return the days until the password expires, after a successful run only.

        No login is tried for the sake of this warning.
        """
        if run.state is not RunState.DONE:
            return None
        try:
            return self._password.days()
        except (ConnectorError, RetryError) as error:
            self._log(Event.password_age_unknown, reason=error.reason.value)
            return None
