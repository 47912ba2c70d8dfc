"""What people must be told after a run: decided by `evaluate_alerts`, told once by `notify_new`.

An alert is told when its trouble begins, not at every run that meets it, and again when it comes
back after it was over. What a run could not look at is neither begun nor over: it stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from connector.errors import ConnectorError, StopReason
from connector.model import Alert, AlertKind, Breaker, Run, RunKind, RunState
from connector.sync.ports import AlertPublisher

EXPIRY_DAYS: Final = (1, 3, 7, 14)
"""Days before the password expires at which people are warned."""
BUDGET_HIGH: Final = 0.8
BUDGET_LOW: Final = 0.7
"""From this share of the calls people are told; below the lower one it is over, so that a number
that sways around one line is told once."""
EVALUATED_RUNS: Final = frozenset({RunKind.CHANGES, RunKind.FULL, RunKind.SELECTED})
"""A dry run tells its own reader; a form that failed is left to the next run."""
SENT_ALERTS: Final = "alerts"
REASONS: Final[Mapping[StopReason, AlertKind]] = {
    StopReason.LOGIN_REFUSED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.PLEZI_REFUSED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SECRET: AlertKind.CREDENTIALS_REFUSED,
    StopReason.ACCOUNT_URL: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SESSION_REFUSED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SALESFORCE_API_DISABLED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SALESFORCE_API_LIMIT: AlertKind.API_BUDGET,
}
"""Why a run was halted -> what kind of alert that is; other reasons are `run_failed`."""
NOTHING_LOST: Final = (
    "Nothing is lost: what people change on both sides meanwhile is carried over by the first run "
    "that works again."
)


@dataclass(frozen=True, slots=True)
class RunHealth:
    """How things stand after a run; None where nobody could look.

    `quarantined` is counted up to `quarantine_limit`. `org_calls` and `our_calls` are shares: of
    the org's API calls of 24 hours, and of the part of them that is ours. `password_days` are days
    left, infinite where no password expires. `suspended` are the mapping lines that rest, with the
    reasons.
    """

    now: float
    run: Run
    breaker: Breaker | None
    quarantine_size: int
    quarantine_limit: int
    suspended: Mapping[str, str]
    org_calls: float | None = None
    our_calls: float | None = None
    password_days: float | None = None


@dataclass(frozen=True, slots=True)
class AlertEvaluation:
    """The troubles there are, and the kinds of trouble that were looked at."""

    alerts: tuple[Alert, ...]
    evaluated: frozenset[AlertKind]


class DocumentStore(Protocol):
    """Where is kept what was told."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


def is_evaluated(run: Run) -> bool:
    """Say whether a run tells anything of how things stand."""
    return run.kind in EVALUATED_RUNS and run.state is not RunState.NOT_STARTED


def evaluate_alerts(situation: RunHealth) -> AlertEvaluation:
    """Say which troubles there are after a run."""
    if not is_evaluated(situation.run):
        return AlertEvaluation((), frozenset())
    alerts = (*_run_alerts(situation), *_link_alerts(situation), *_budget_alerts(situation))
    alerts += tuple(_password_alerts(situation))
    return AlertEvaluation(alerts, frozenset(_evaluated_kinds(situation)))


def notify_new(
    due_now: AlertEvaluation, alerts: AlertPublisher, memory: DocumentStore, now: float
) -> list[Alert]:
    """Tell what was not told before, forget what is over; return what could not be told.

    That is told by the next run that meets it.
    """
    told: dict[str, Any] = dict(memory.load_document(SENT_ALERTS) or {})
    before = dict(told)
    untold = []
    for alert in due_now.alerts:
        if _name(alert) in told:
            continue
        try:
            alerts.publish(alert)
        except ConnectorError:
            untold.append(alert)
        else:
            told[_name(alert)] = now
    there = {_name(alert) for alert in due_now.alerts}
    over = {name for name in told if name not in there and _kind(name) in due_now.evaluated}
    told = {name: at for name, at in told.items() if name not in over}
    if told != before:
        memory.save_document(SENT_ALERTS, told)
    return untold


def _name(alert: Alert) -> str:
    return f"{alert.kind.value}#{alert.key}"


def _kind(name: str) -> str:
    return name.partition("#")[0]


def _evaluated_kinds(situation: RunHealth) -> Iterator[AlertKind]:
    if situation.run.state is RunState.DONE:
        yield from (AlertKind.CREDENTIALS_REFUSED, AlertKind.RUN_FAILED, AlertKind.BREAKER)
        yield AlertKind.SUSPENDED_FIELD
    if not situation.quarantine_limit > situation.quarantine_size > situation.quarantine_limit / 2:
        yield AlertKind.QUARANTINE
    shares = (situation.org_calls, situation.our_calls)
    if any(share is not None for share in shares) and all(
        share is None or not BUDGET_LOW <= share < BUDGET_HIGH for share in shares
    ):
        yield AlertKind.API_BUDGET
    if situation.password_days is not None:
        yield AlertKind.CREDENTIALS_EXPIRING


def _run_alerts(situation: RunHealth) -> Iterator[Alert]:
    """Tell why the run stopped: a breaker, refused credentials, or another failure."""
    run, breaker = situation.run, situation.breaker
    if breaker is not None:
        refused = breaker.reason is StopReason.LOGIN_REFUSED
        yield Alert(
            kind=AlertKind.CREDENTIALS_REFUSED if refused else AlertKind.BREAKER,
            summary=(
                "Salesforce refuses the login, so nothing is synchronised"
                if refused
                else f"Synchronisation stopped itself ({breaker.reason})"
            ),
            since=breaker.since,
            remedy=breaker.message,
            impact=NOTHING_LOST,
            key=breaker.secret_version or breaker.reason,
        )
        if run.reason == breaker.reason:
            return
    if run.state not in (RunState.HALTED, RunState.FAILED):
        return
    reason = run.reason or StopReason.DEFECT
    kind = REASONS.get(reason, AlertKind.RUN_FAILED)
    whats = {
        AlertKind.CREDENTIALS_REFUSED: "A side refuses the connector, so nothing is synchronised",
        AlertKind.API_BUDGET: "The org's API calls are used up, so nothing is synchronised",
    }
    comes_back = "" if run.state is RunState.HALTED else " The next run tries again by itself."
    yield Alert(
        kind=kind,
        summary=whats.get(kind, f"A run ended {run.state.value} ({reason})"),
        since=run.started_at or situation.now,
        remedy=f"{run.message}{comes_back}",
        impact=NOTHING_LOST,
        key=reason.value,
    )


def _link_alerts(situation: RunHealth) -> Iterator[Alert]:
    """Tell of people in quarantine, and of mapping lines that rest."""
    if situation.quarantine_size >= situation.quarantine_limit:
        yield Alert(
            kind=AlertKind.QUARANTINE,
            summary=f"{situation.quarantine_size} people or more are refused by a side and wait",
            since=situation.now,
            remedy="See which and why with GET /admin/attention?kind=quarantine; many at once are "
            "mostly one validation rule, one picklist or one missing permission.",
            impact="Everybody else is synchronised, and those who wait keep what each side has.",
        )
    for line, reason in sorted(situation.suspended.items()):
        yield Alert(
            kind=AlertKind.SUSPENDED_FIELD,
            summary=f"The field {line} is not synchronised any more",
            since=situation.now,
            remedy=f"{reason.rstrip('.')}. Once it is back, it is synchronised again by itself.",
            impact="All other fields go on, and what was typed in this one is carried over then.",
            key=line,
        )


def _budget_alerts(situation: RunHealth) -> Iterator[Alert]:
    run = situation.run
    if run.state is RunState.PAUSED or (situation.our_calls or 0) >= BUDGET_HIGH:
        share = situation.our_calls or 1.0
        yield Alert(
            kind=AlertKind.API_BUDGET,
            summary=f"{share:.0%} of our Salesforce API calls of 24 hours are used",
            since=run.started_at or situation.now,
            remedy=f"{run.message} Raise the connector's share of the calls, or run less often.",
            impact="A run that runs out of calls keeps its place, and forms have a reserve.",
            key="ours",
        )
    if (situation.org_calls or 0) >= BUDGET_HIGH:
        yield Alert(
            kind=AlertKind.API_BUDGET,
            summary=f"{situation.org_calls:.0%} of the org's API calls of 24 hours are used",
            since=situation.now,
            remedy="See in Setup > API Usage which program uses them, or buy more calls.",
            impact="A run that runs out of calls keeps its place, and forms have a reserve.",
            key="org",
        )


def _password_alerts(situation: RunHealth) -> Iterator[Alert]:
    """Warn at the nearest of the days: each is an alert of its own, and is told once."""
    days = situation.password_days
    if days is None or days > EXPIRY_DAYS[-1]:
        return
    mark = next(each for each in EXPIRY_DAYS if days <= each)
    left = max(0, math.ceil(days))
    when = f"within {left} day{'s' if left > 1 else ''}" if left else "now, or has expired"
    yield Alert(
        kind=AlertKind.CREDENTIALS_EXPIRING,
        summary=f"The Salesforce password expires {when}",
        since=situation.now,
        remedy="Set a new password in Salesforce and put it with its new security token "
        "(docs/operations.md, After a password reset). Better: leave the password flow, which "
        "Salesforce ends on 20 February 2027.",
        impact="Until then everything works; afterwards runs stop and nothing is lost.",
        key=str(mark),
    )
