"""Alerts after a run: each problem is sent once until it is over, and again when it is back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connector.aws.sns import MAX_SUBJECT_CHARACTERS, subject, text
from connector.errors import RetryError, StopReason
from connector.model import Alert, AlertKind, Breaker, Run, RunKind, RunState
from connector.sync.alert_rules import RunHealth, evaluate_alerts, notify_new

NOW = 1_800_000_000.0
RUN = Run("r1", RunKind.CHANGES, RunState.DONE, requested_at=NOW, started_at=NOW)
CALM = RunHealth(
    now=NOW,
    run=RUN,
    breaker=None,
    quarantine_size=0,
    quarantine_limit=10,
    suspended={},
    drift_limit=0.001,
    org_calls=0.1,
    our_calls=0.1,
    password_days=60.0,
)
REFUSED = Breaker(StopReason.LOGIN_REFUSED, "1. the password was reset", NOW - 60, "v1")


def verification(unexplained: int, **changes: Any) -> RunHealth:
    """Return the health after a verification of 10,000 fields."""
    counts = {"salesforce": {"people": 900, "compared": 10_000, "drift.unexplained": unexplained}}
    run = replace(RUN, kind=RunKind.VERIFY, counts=counts, **changes)
    return replace(CALM, run=run)


class Mailbox:
    """Keeps the alerts sent; refuses them while it is closed."""

    def __init__(self) -> None:
        self.sent: list[Alert] = []
        self.closed = False

    def publish(self, alert: Alert) -> None:
        if self.closed:
            raise RetryError("closed", reason=StopReason.AWS_UNAVAILABLE)
        self.sent.append(alert)


class Notebook:
    """Keeps documents."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def load_document(self, key: str) -> dict[str, Any] | None:
        return self.documents.get(key)

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        self.documents[key] = dict(document)


def run_of(
    state: RunState, reason: StopReason | None = None, kind: RunKind = RunKind.CHANGES
) -> Run:
    return replace(RUN, state=state, reason=reason, message="because", kind=kind)


def kinds(situation: RunHealth) -> list[tuple[AlertKind, str]]:
    return [(alert.kind, alert.key) for alert in evaluate_alerts(situation).alerts]


def test_a_calm_run_tells_nobody_anything() -> None:
    assert kinds(CALM) == []


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (
            {"run": run_of(RunState.HALTED, StopReason.LOGIN_REFUSED), "breaker": REFUSED},
            [(AlertKind.CREDENTIALS_REFUSED, "v1")],
        ),
        (
            {"run": run_of(RunState.HALTED, StopReason.PLEZI_REFUSED)},
            [(AlertKind.CREDENTIALS_REFUSED, "plezi_refused")],
        ),
        (
            {"run": run_of(RunState.HALTED, StopReason.SECRET)},
            [(AlertKind.CREDENTIALS_REFUSED, "secret")],
        ),
        (
            {"run": run_of(RunState.HALTED, StopReason.SALESFORCE_API_DISABLED)},
            [(AlertKind.CREDENTIALS_REFUSED, "salesforce_api_disabled")],
        ),
        (
            {
                "run": run_of(RunState.HALTED, StopReason.MASS_CLEARING),
                "breaker": Breaker(StopReason.MASS_CLEARING, "look", NOW),
            },
            [(AlertKind.BREAKER, "mass_clearing")],
        ),
        (
            {"run": run_of(RunState.FAILED, StopReason.SALESFORCE_UNAVAILABLE)},
            [(AlertKind.RUN_FAILED, "salesforce_unavailable")],
        ),
        ({"run": run_of(RunState.HALTED, StopReason.MAPPING)}, [(AlertKind.RUN_FAILED, "mapping")]),
        (
            {"run": run_of(RunState.HALTED, StopReason.SALESFORCE_API_LIMIT)},
            [(AlertKind.API_BUDGET, "salesforce_api_limit")],
        ),
        ({"run": run_of(RunState.PAUSED)}, [(AlertKind.API_BUDGET, "ours")]),
        ({"our_calls": 0.8}, [(AlertKind.API_BUDGET, "ours")]),
        ({"our_calls": 0.79}, []),
        ({"changed_api_keys": ()}, []),
        (
            {"changed_api_keys": ("finds_by_email", "pager")},
            [(AlertKind.PLEZI_API_CHANGED, "finds_by_email, pager")],
        ),
        ({"org_calls": 0.81}, [(AlertKind.API_BUDGET, "org")]),
        ({"quarantine_size": 9}, []),
        ({"quarantine_size": 10}, [(AlertKind.QUARANTINE, "")]),
        ({"suspended": {"Phone": "gone"}}, [(AlertKind.SUSPENDED_FIELD, "Phone")]),
        ({"password_days": 14.5}, []),
        ({"password_days": 14.0}, [(AlertKind.CREDENTIALS_EXPIRING, "14")]),
        ({"password_days": 5.0}, [(AlertKind.CREDENTIALS_EXPIRING, "7")]),
        ({"password_days": 2.1}, [(AlertKind.CREDENTIALS_EXPIRING, "3")]),
        ({"password_days": 0.5}, [(AlertKind.CREDENTIALS_EXPIRING, "1")]),
        ({"password_days": -3.0}, [(AlertKind.CREDENTIALS_EXPIRING, "1")]),
        ({"password_days": float("inf")}, []),
        ({"password_days": None, "org_calls": None, "our_calls": None}, []),
    ],
    ids=str,
)
def test_each_trouble_is_an_alert_of_its_kind(
    problem: dict[str, Any], expected: list[tuple[AlertKind, str]]
) -> None:
    assert kinds(replace(CALM, **problem)) == expected


@pytest.mark.parametrize(
    "run",
    [
        run_of(RunState.NOT_STARTED, StopReason.NOT_STARTED),
        run_of(RunState.FAILED, StopReason.PLEZI_UNAVAILABLE, RunKind.DRY_RUN),
        run_of(RunState.FAILED, StopReason.PLEZI_UNAVAILABLE, RunKind.FORM),
    ],
    ids=str,
)
def test_some_runs_say_nothing_of_how_things_stand(run: Run) -> None:
    evaluation = evaluate_alerts(replace(CALM, run=run, quarantine_size=50))
    assert (evaluation.alerts, evaluation.evaluated) == ((), frozenset())


def test_an_alert_is_sent_once_until_it_is_over_and_again_when_it_is_back() -> None:
    mail, memory = Mailbox(), Notebook()
    halted = replace(CALM, run=run_of(RunState.HALTED, StopReason.LOGIN_REFUSED), breaker=REFUSED)

    for situation in (halted, halted, halted, CALM, halted):
        assert notify_new(evaluate_alerts(situation), mail, memory, NOW)[1] == []

    assert [alert.key for alert in mail.sent] == ["v1", "v1"]


def test_another_version_that_is_refused_is_sent_too() -> None:
    mail, memory = Mailbox(), Notebook()
    halted = run_of(RunState.HALTED, StopReason.LOGIN_REFUSED)

    for version in ("v1", "v2"):
        breaker = replace(REFUSED, secret_version=version)
        notify_new(evaluate_alerts(replace(CALM, run=halted, breaker=breaker)), mail, memory, NOW)

    assert [alert.key for alert in mail.sent] == ["v1", "v2"]


def test_what_a_run_could_not_look_at_is_not_over() -> None:
    mail, memory = Mailbox(), Notebook()
    suspended = replace(CALM, suspended={"Phone": "gone"}, password_days=10.0, org_calls=0.9)
    blind = replace(
        CALM,
        run=run_of(RunState.FAILED, StopReason.SALESFORCE_UNAVAILABLE),
        suspended={},
        password_days=None,
        org_calls=None,
        our_calls=None,
    )

    for situation in (suspended, blind, suspended):
        notify_new(evaluate_alerts(situation), mail, memory, NOW)

    assert [alert.kind for alert in mail.sent] == [
        AlertKind.SUSPENDED_FIELD,
        AlertKind.API_BUDGET,
        AlertKind.CREDENTIALS_EXPIRING,
        AlertKind.RUN_FAILED,
    ]


def test_a_number_around_its_threshold_is_sent_once() -> None:
    mail, memory = Mailbox(), Notebook()

    for share, links in ((0.81, 10), (0.79, 9), (0.82, 10), (0.75, 6), (0.8, 10)):
        situation = replace(CALM, our_calls=share, quarantine_size=links)
        notify_new(evaluate_alerts(situation), mail, memory, NOW)

    assert [alert.kind for alert in mail.sent] == [AlertKind.QUARANTINE, AlertKind.API_BUDGET]


def test_the_warnings_before_expiry_come_at_14_7_3_and_1_days_each_once() -> None:
    mail, memory = Mailbox(), Notebook()

    for twelfth in range(20 * 12, -12, -1):  # every two hours, from 20 days before to a day after
        situation = replace(CALM, password_days=twelfth / 12)
        notify_new(evaluate_alerts(situation), mail, memory, NOW)

    assert [alert.key for alert in mail.sent] == ["14", "7", "3", "1"]


def test_the_next_password_is_warned_of_again() -> None:
    mail, memory = Mailbox(), Notebook()

    for days in (6.0, 89.0, 6.0):
        notify_new(evaluate_alerts(replace(CALM, password_days=days)), mail, memory, NOW)

    assert [alert.key for alert in mail.sent] == ["7", "7"]


def test_an_alert_that_could_not_be_sent_is_sent_by_the_next_run() -> None:
    mail, memory = Mailbox(), Notebook()
    full = replace(CALM, quarantine_size=10)
    mail.closed = True

    assert [alert.kind for alert in notify_new(evaluate_alerts(full), mail, memory, NOW)[1]] == [
        AlertKind.QUARANTINE
    ]
    mail.closed = False
    assert notify_new(evaluate_alerts(full), mail, memory, NOW)[1] == []

    assert len(mail.sent) == 1


def test_an_alert_says_what_since_when_what_to_do_and_what_is_safe() -> None:
    [alert] = evaluate_alerts(
        replace(CALM, run=run_of(RunState.HALTED, StopReason.LOGIN_REFUSED), breaker=REFUSED)
    ).alerts

    body = text(alert)

    assert "Salesforce refuses the login" in body
    assert "Since: 15 January 2027, 07:59 UTC" in body
    assert "What to do: 1. the password was reset" in body
    assert "Nothing is lost" in body


def test_a_subject_is_one_short_line_of_plain_letters() -> None:
    line = subject("The field Numéro\nde téléphone\t" + "x" * 200)
    assert line.startswith("The field Num?ro de t?l?phone x")
    assert len(line) == MAX_SUBJECT_CHARACTERS


def test_a_verification_above_the_drift_rate_sends_an_alert_until_one_is_below_it() -> None:
    above, below = evaluate_alerts(verification(11)), evaluate_alerts(verification(10))

    [alert] = above.alerts
    assert alert.kind is AlertKind.DRIFT
    assert alert.summary.startswith("11 of 10,000 compared fields differ")
    assert "/repair" in alert.remedy
    assert (below.alerts, below.evaluated) == ((), frozenset({AlertKind.DRIFT}))


def test_only_a_complete_verification_shows_anything_about_the_drift_rate() -> None:
    stopped = verification(11, state=RunState.PAUSED)

    assert evaluate_alerts(stopped).evaluated == frozenset()
    assert AlertKind.DRIFT not in evaluate_alerts(CALM).evaluated


def test_a_verification_that_failed_is_reported() -> None:
    failed = verification(0, state=RunState.FAILED, reason=StopReason.DEFECT)

    assert [alert.kind for alert in evaluate_alerts(failed).alerts] == [AlertKind.RUN_FAILED]
