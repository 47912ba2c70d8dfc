"""Which alerts a run gives reason for: decided by `evaluate_alerts`, sent once by `notify_new`.

An alert is sent when its problem starts, not by every run that finds it, and again when the problem
returns after it was over. A problem that a run could not check neither starts nor ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.errors import ConnectorError, StopReason
from connector.model import Alert, AlertKind, Breaker, Run, RunKind, RunState
from connector.model.alerts import SENT_ALERTS
from connector.stores import DocumentStore
from connector.sync.ports import AlertPublisher
from connector.verification import verification_of

EXPIRY_DAYS: Final = (1, 3, 7, 14)
"""Days before the password expires at which a warning is sent."""
BUDGET_HIGH: Final = 0.8
BUDGET_LOW: Final = 0.7
"""The alert starts at the higher share of the calls and is over below the lower one, so that a
number that moves around one limit causes one alert."""
EVALUATED_RUNS: Final = frozenset({RunKind.CHANGES, RunKind.FULL, RunKind.SELECTED, RunKind.VERIFY})
"""The requester of a dry run reads its result; a form that failed is left to the next run."""
REASONS: Final[Mapping[StopReason, AlertKind]] = {
    StopReason.LOGIN_REFUSED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.PLEZI_REFUSED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SECRET: AlertKind.CREDENTIALS_REFUSED,
    StopReason.ACCOUNT_URL: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SESSION_REFUSED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SALESFORCE_API_DISABLED: AlertKind.CREDENTIALS_REFUSED,
    StopReason.SALESFORCE_API_LIMIT: AlertKind.API_BUDGET,
}
"""Why a run was halted -> the kind of its alert; all other reasons are `run_failed`."""
SUMMARIES: Final[Mapping[AlertKind, str]] = {
    AlertKind.CREDENTIALS_REFUSED: "A system refuses the connector: synchronization is stopped",
    AlertKind.API_BUDGET: "The org's API calls are used up: synchronization is stopped",
}
NOTHING_LOST: Final = (
    "Nothing is lost: the next run that works synchronizes what users change in both systems until "
    "then."
)


@dataclass(frozen=True, slots=True)
class RunHealth:
    """The state of synchronization after a run; None where it could not be checked.

    `quarantine_size` is counted up to `quarantine_limit`. `org_calls` and `our_calls` are
    fractions: of the org's API calls of 24 hours, and of the part of them that is ours.
    `password_days` are days left, infinite where no password expires. `suspended` are the field
    pairs that cannot be used, with the reasons. `drift_limit` is the fraction of the fields that a
    verification compares and that may differ without a known cause. `changed_api_keys` are the keys
    of the dialect that Plezi's API no longer has.
    """

    now: float
    run: Run
    breaker: Breaker | None
    quarantine_size: int
    quarantine_limit: int
    suspended: Mapping[str, str]
    drift_limit: float
    org_calls: float | None = None
    our_calls: float | None = None
    password_days: float | None = None
    changed_api_keys: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AlertEvaluation:
    """The problems that exist, and the kinds of problem that were checked."""

    alerts: tuple[Alert, ...]
    evaluated: frozenset[AlertKind]


def is_evaluated(run: Run) -> bool:
    """Return whether a run shows anything about the state of synchronization."""
    return run.kind in EVALUATED_RUNS and run.state is not RunState.NOT_STARTED


def evaluate_alerts(health: RunHealth) -> AlertEvaluation:
    """Return the problems that exist after a run."""
    if not is_evaluated(health.run):
        return AlertEvaluation((), frozenset())
    if health.run.kind is RunKind.VERIFY:
        return _evaluate_verification(health)
    alerts = (*_run_alerts(health), *_link_alerts(health), *_budget_alerts(health))
    alerts += (*_password_alerts(health), *_api_alerts(health))
    return AlertEvaluation(alerts, frozenset(_evaluated_kinds(health)))


def _evaluate_verification(health: RunHealth) -> AlertEvaluation:
    """Return the problems that a verification shows: it is the only run that compares everybody."""
    verification = verification_of(health.run)
    if verification is None:
        return AlertEvaluation(tuple(_run_alerts(health)), frozenset())
    if verification.drift_rate <= health.drift_limit:
        return AlertEvaluation((), frozenset({AlertKind.DRIFT}))
    alert = Alert(
        kind=AlertKind.DRIFT,
        summary=f"{verification.unexplained:,} of {verification.compared:,} compared fields differ "
        f"without a known cause ({verification.drift_rate:.2%})",
        since=health.now,
        remedy=f"See which with GET /admin/runs/{verification.run_id}. The next run synchronizes "
        f"edits that no run has read; POST /admin/runs/{verification.run_id}/repair resolves all "
        "of these people now.",
        impact="These people have different values in the two systems. All others agree, or wait "
        "for a reason that is known.",
    )
    return AlertEvaluation((alert,), frozenset({AlertKind.DRIFT}))


def notify_new(
    evaluation: AlertEvaluation, publisher: AlertPublisher, store: DocumentStore, now: float
) -> tuple[list[Alert], list[Alert]]:
    """Send the alerts that were not sent before, and forget those whose problem is over.

    Returns the alerts that were sent, and those that could not be sent: the next run sends them.
    """
    sent_at: dict[str, Any] = dict(store.load_document(SENT_ALERTS) or {})
    before = dict(sent_at)
    sent, failed = [], []
    for alert in evaluation.alerts:
        if _name(alert) in sent_at:
            continue
        try:
            publisher.publish(alert)
        except ConnectorError:
            failed.append(alert)
        else:
            sent.append(alert)
            sent_at[_name(alert)] = now
    current = {_name(alert) for alert in evaluation.alerts}
    over = {name for name in sent_at if name not in current and _kind(name) in evaluation.evaluated}
    sent_at = {name: at for name, at in sent_at.items() if name not in over}
    if sent_at != before:
        store.save_document(SENT_ALERTS, sent_at)
    return sent, failed


def _name(alert: Alert) -> str:
    return f"{alert.kind.value}#{alert.key}"


def _kind(name: str) -> str:
    return name.partition("#")[0]


def _evaluated_kinds(health: RunHealth) -> Iterator[AlertKind]:
    if health.run.state is RunState.DONE:
        yield from (AlertKind.CREDENTIALS_REFUSED, AlertKind.RUN_FAILED, AlertKind.BREAKER)
        yield AlertKind.SUSPENDED_FIELD
    if not health.quarantine_limit > health.quarantine_size > health.quarantine_limit / 2:
        yield AlertKind.QUARANTINE
    shares = (health.org_calls, health.our_calls)
    if any(share is not None for share in shares) and all(
        share is None or not BUDGET_LOW <= share < BUDGET_HIGH for share in shares
    ):
        yield AlertKind.API_BUDGET
    if health.password_days is not None:
        yield AlertKind.CREDENTIALS_EXPIRING
    if health.changed_api_keys is not None:
        yield AlertKind.PLEZI_API_CHANGED


def _run_alerts(health: RunHealth) -> Iterator[Alert]:
    """Return why the run stopped: a breaker, refused credentials, or another failure."""
    run, breaker = health.run, health.breaker
    if breaker is not None:
        is_refused = breaker.reason is StopReason.LOGIN_REFUSED
        yield Alert(
            kind=AlertKind.CREDENTIALS_REFUSED if is_refused else AlertKind.BREAKER,
            summary=(
                "Salesforce refuses the login: synchronization is stopped"
                if is_refused
                else f"Synchronization stopped itself ({breaker.reason.value})"
            ),
            since=breaker.since,
            remedy=breaker.message,
            impact=NOTHING_LOST,
            key=breaker.secret_version or breaker.reason.value,
        )
        if run.reason is breaker.reason:
            return
    if run.state not in (RunState.HALTED, RunState.FAILED):
        return
    reason = run.reason or StopReason.DEFECT
    kind = REASONS.get(reason, AlertKind.RUN_FAILED)
    is_retried = run.state is RunState.FAILED
    yield Alert(
        kind=kind,
        summary=SUMMARIES.get(kind, f"A run ended {run.state.value} ({reason.value})"),
        since=run.started_at or health.now,
        remedy=f"{run.message} The next run tries again." if is_retried else run.message,
        impact=NOTHING_LOST,
        key=reason.value,
    )


def _link_alerts(health: RunHealth) -> Iterator[Alert]:
    """Return alerts about people in quarantine, and about suspended field pairs."""
    if health.quarantine_size >= health.quarantine_limit:
        yield Alert(
            kind=AlertKind.QUARANTINE,
            summary=f"{health.quarantine_size} people or more are in quarantine",
            since=health.now,
            remedy="See who and why with GET /admin/attention?kind=quarantine. Many at once "
            "usually have one cause: a validation rule, a picklist or a missing permission.",
            impact="All other people are synchronized. The records of people in quarantine stay as "
            "they are in each system.",
        )
    for pair, reason in sorted(health.suspended.items()):
        yield Alert(
            kind=AlertKind.SUSPENDED_FIELD,
            summary=f"The field {pair} is no longer synchronized",
            since=health.now,
            remedy=f"{reason.rstrip('.')}. The field is synchronized again when this is corrected.",
            impact="All other fields are synchronized. Values typed in this field are synchronized "
            "when it is available again.",
            key=pair,
        )


def _budget_alerts(health: RunHealth) -> Iterator[Alert]:
    run = health.run
    impact = "A run without calls keeps its position, and forms have a reserve."
    if run.state is RunState.PAUSED or (health.our_calls or 0) >= BUDGET_HIGH:
        share = health.our_calls or 1.0
        raise_share = "Raise the connector's share of the calls (ApiShare), or run less often."
        yield Alert(
            kind=AlertKind.API_BUDGET,
            summary=f"{share:.0%} of our Salesforce API calls of 24 hours are used",
            since=run.started_at or health.now,
            remedy=f"{run.message} {raise_share}".strip(),
            impact=impact,
            key="ours",
        )
    if (health.org_calls or 0) >= BUDGET_HIGH:
        yield Alert(
            kind=AlertKind.API_BUDGET,
            summary=f"{health.org_calls:.0%} of the org's API calls of 24 hours are used",
            since=health.now,
            remedy="See in Setup > API Usage which program uses them, or buy more calls.",
            impact=impact,
            key="org",
        )


def _api_alerts(health: RunHealth) -> Iterator[Alert]:
    """Return the alert about an API of Plezi that is not what a probe found."""
    if health.changed_api_keys:
        keys = ", ".join(health.changed_api_keys)
        yield Alert(
            kind=AlertKind.PLEZI_API_CHANGED,
            summary="The API of the Plezi tenant has changed",
            since=health.now,
            remedy=f"It differs in {keys}. See the difference and use it with a new probe "
            "(plezi-sync probe, or POST /admin/plezi/probe).",
            impact="Runs use what the last probe found, and may fail or take longer.",
            key=keys,
        )


def _password_alerts(health: RunHealth) -> Iterator[Alert]:
    """Return the warning of the nearest day; each day is an alert of its own, sent once."""
    days = health.password_days
    if days is None or days > EXPIRY_DAYS[-1]:
        return
    mark = next(each for each in EXPIRY_DAYS if days <= each)
    left = max(0, math.ceil(days))
    when = f"within {left} day{'s' if left > 1 else ''}" if left else "now, or has expired"
    yield Alert(
        kind=AlertKind.CREDENTIALS_EXPIRING,
        summary=f"The Salesforce password expires {when}",
        since=health.now,
        remedy="Set a new password in Salesforce and put it with its new security token in the "
        "secret (docs/operations.md, After a password reset). Better: use a flow without a "
        "password, because Salesforce ends the password flow on 20 February 2027.",
        impact="Synchronization works until then. Afterwards runs stop, and nothing is lost.",
        key=str(mark),
    )
