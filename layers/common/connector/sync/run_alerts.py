"""The alerts of a run that ended: its health is checked, and new problems are reported once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from connector.errors import ConnectorError, RetryError
from connector.log_events import Event, EventLog
from connector.model import AttentionKind, Link, Run, RunState
from connector.stores import DocumentStore
from connector.sync.alert_rules import RunHealth, evaluate_alerts, is_evaluated, notify_new
from connector.sync.ports import (
    AlertPublisher,
    ApiBudget,
    AttentionIndex,
    Clock,
    ControlState,
    PasswordAge,
    PleziApiCheck,
)

SECONDS_OF_DAY: Final = 86_400.0


class LinkReader(Protocol):
    """The links of people, for how long they are in quarantine."""

    def load_links(self, emails: Iterable[str]) -> Mapping[str, Link]:
        """Return the links that exist under these canonical e-mails."""


class AlertStore(ControlState, AttentionIndex, DocumentStore, LinkReader, Protocol):
    """The part of the ledger that alerts need."""


class RunAlerts:
    """Sends the alerts that a finished run gives reason for."""

    def __init__(  # noqa: PLR0913  # the ports, each by its name
        self,
        store: AlertStore,
        publisher: AlertPublisher,
        budget: ApiBudget,
        password: PasswordAge,
        plezi_api: PleziApiCheck,
        clock: Clock,
        log: EventLog,
        *,
        quarantine_limit: int,
        credential_age: Callable[[], float | None],
        drift_limit: float,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._budget = budget
        self._password = password
        self._plezi_api = plezi_api
        self._clock = clock
        self._log = log
        self._quarantine_limit = quarantine_limit
        self._credential_age = credential_age
        self._drift_limit = drift_limit

    def notify(self, run: Run) -> None:
        """Send new alerts after a run. Nothing here changes how the run ended."""
        if not is_evaluated(run):
            return
        quarantined = self._store.emails_needing_attention(
            AttentionKind.QUARANTINE, self._quarantine_limit
        )
        health = self._health(run, len(quarantined))
        self._log_health(health, quarantined)
        evaluation = evaluate_alerts(health)
        sent, failed = notify_new(evaluation, self._publisher, self._store, self._clock())
        for alert in sent:
            self._log(Event.alert_sent, alert=alert.kind.value, key=alert.key)
        for alert in failed:
            self._log(Event.alert_failed, alert=alert.kind.value, key=alert.key)

    def _log_health(self, health: RunHealth, quarantined: Sequence[str]) -> None:
        """Log what the metrics of the alarms are made of; None is not measured."""
        share, days, age = health.our_calls, health.password_days, self._credential_age()
        self._log(
            Event.health_measured,
            quarantine_links=health.quarantine_size,
            quarantine_days=self._quarantine_days(quarantined),
            api_share_percent=None if share is None else round(100 * share, 1),
            password_days=None if days is None or days == math.inf else round(days, 1),
            credential_days=None if age is None else round(age / SECONDS_OF_DAY, 1),
        )

    def _quarantine_days(self, emails: Sequence[str]) -> float:
        """Return for how many days the oldest of these people is in quarantine, 0 without any."""
        links = self._store.load_links(emails).values()
        since = [link.quarantine.since for link in links if link.quarantine is not None]
        return round((self._clock() - min(since)) / SECONDS_OF_DAY, 1) if since else 0.0

    def _health(self, run: Run, quarantine_size: int) -> RunHealth:
        return RunHealth(
            now=self._clock(),
            run=run,
            breaker=self._store.breaker(),
            quarantine_size=quarantine_size,
            quarantine_limit=self._quarantine_limit,
            suspended=self._store.suspended_pairs(),
            drift_limit=self._drift_limit,
            org_calls=self._budget.org_share(),
            our_calls=self._budget.our_share(),
            password_days=self._password_days(run),
            changed_api_keys=self._changed_api_keys(run),
        )

    def _changed_api_keys(self, run: Run) -> tuple[str, ...] | None:
        """Return what has changed in Plezi's API, after a successful run only.

        What fails here is only logged: the next run tries again.
        """
        if run.state is not RunState.DONE:
            return None
        try:
            return self._plezi_api.changed_keys()
        except ConnectorError as error:
            self._log(Event.plezi_api_not_checked, reason=error.reason.value)
            return None

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
