"""What a finished run measures, and which alerts it sends."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, RetryError, StopReason
from connector.log_events import Event
from connector.model import (
    Alert,
    AlertKind,
    Breaker,
    Link,
    Quarantine,
    Run,
    RunKind,
    RunState,
    Side,
)
from connector.sync.run_alerts import RunAlerts
from local.world.memory import MemoryAlertPublisher
from tests.unit.connector.alert_fixtures import Api, Password, Topic
from tests.unit.connector.sync_fixtures import SyncSetup
from tests.unit.connector.sync_fixtures_limits import RUNNING, limited
from tests.unit.connector.sync_fixtures_stores import NOW, Budget

DAY: Final = 86_400.0
DONE: Final = replace(RUNNING, state=RunState.DONE)
UNAVAILABLE: Final = RetryError("busy", reason=StopReason.SALESFORCE_UNAVAILABLE)


def notify(setup: SyncSetup, run: Run = DONE, **changes: Any) -> list[Alert]:
    """Send the alerts of a run; return those that were published."""
    publisher = MemoryAlertPublisher()
    store: Any = setup.ledger  # speaks all ports of the ledger
    parts: dict[str, Any] = {
        "publisher": publisher,
        "budget": Budget(0.1, 0.1),
        "password": Password(60.0),
        "plezi_api": Api(()),
        "quarantine_limit": 2,
        "credential_age": lambda: None,
        "drift_limit": 0.01,
    }
    alerts = RunAlerts(store, clock=setup.clock, log=setup.log, **(parts | changes))
    alerts.notify(run)
    return publisher.published


def measured(setup: SyncSetup, run: Run = DONE, **changes: Any) -> dict[str, object]:
    notify(setup, run, **changes)
    [line] = setup.log.of(Event.health_measured)
    return line


def quarantine(setup: SyncSetup, *ages: float) -> None:
    """Put people in quarantine, since so many days ago."""
    for number, age in enumerate(ages):
        since = Quarantine(Side.SALESFORCE, "X", "look", (), NOW - age * DAY)
        setup.store(Link(f"{number}@x.fr", quarantine=since))


def kinds(alerts: list[Alert]) -> list[tuple[AlertKind, str]]:
    return [(it.kind, it.key) for it in alerts]


def test_a_calm_run_sends_no_alert_and_measures_its_health() -> None:
    setup = limited()

    assert notify(setup) == []
    assert setup.log.lines == [
        (
            Event.health_measured,
            {
                "quarantine_links": 0,
                "quarantine_days": 0.0,
                "api_share_percent": 10.0,
                "password_days": 60.0,
                "credential_days": None,
            },
        )
    ]


@pytest.mark.parametrize(
    "run", [replace(DONE, kind=RunKind.DRY_RUN), replace(DONE, state=RunState.NOT_STARTED)]
)
def test_a_run_that_shows_nothing_measures_nothing(run: Run) -> None:
    setup = limited()
    quarantine(setup, 1, 1)

    assert notify(setup, run) == []
    assert setup.log.lines == []


def test_the_oldest_quarantine_counts_in_days_up_to_the_limit_of_people() -> None:
    setup = limited()
    quarantine(setup, 1.24, 3.26, 2, 9)

    line = measured(setup)

    assert (line["quarantine_links"], line["quarantine_days"]) == (2, 3.3)


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"budget": Budget(0.5, 0.12345)}, (12.3, 60.0, None)),
        ({"budget": Budget(0.5, None)}, (None, 60.0, None)),
        ({"password": Password(12.345)}, (10.0, 12.3, None)),
        ({"password": Password(math.inf)}, (10.0, None, None)),
        ({"password": Password(None)}, (10.0, None, None)),
        ({"credential_age": lambda: 12.345 * DAY}, (10.0, 60.0, 12.3)),
    ],
)
def test_shares_and_days_are_measured_with_one_decimal_where_they_are_known(
    changes: dict[str, Any], numbers: tuple[float | None, ...]
) -> None:
    line = measured(limited(), **changes)

    names = ("api_share_percent", "password_days", "credential_days")
    assert tuple(line[name] for name in names) == numbers


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"budget": Budget(0.9, 0.1)}, (AlertKind.API_BUDGET, "org")),
        ({"budget": Budget(0.1, 0.9)}, (AlertKind.API_BUDGET, "ours")),
        ({"password": Password(2.0)}, (AlertKind.CREDENTIALS_EXPIRING, "3")),
        ({"plezi_api": Api(("pager",))}, (AlertKind.PLEZI_API_CHANGED, "pager")),
    ],
)
def test_each_measurement_has_its_alert(
    changes: dict[str, Any], expected: tuple[AlertKind, str]
) -> None:
    setup = limited()

    assert kinds(notify(setup, **changes)) == [expected]
    assert setup.log.of(Event.alert_sent) == [{"alert": expected[0].value, "key": expected[1]}]
    assert notify(setup, **changes) == []


def test_the_state_of_the_ledger_has_its_alerts_with_the_time_of_the_clock() -> None:
    setup = limited()
    quarantine(setup, 1, 1, 1)
    setup.ledger.open_breaker(Breaker(StopReason.DEFECT, "look", NOW - 5))
    setup.ledger.save_suspended_pairs({"Phone": "gone"})

    alerts = notify(setup, replace(RUNNING, state=RunState.HALTED, reason=StopReason.DEFECT))

    assert [(it.kind, it.key, it.since) for it in alerts] == [
        (AlertKind.BREAKER, "defect", NOW - 5),
        (AlertKind.QUARANTINE, "", NOW),
        (AlertKind.SUSPENDED_FIELD, "Phone", NOW),
    ]
    assert alerts[1].summary == "2 people or more are in quarantine"
    assert set(setup.ledger.load_document("alerts") or {}) == {
        "breaker#defect",
        "quarantine#",
        "suspended_field#Phone",
    }
    assert set((setup.ledger.load_document("alerts") or {}).values()) == {NOW}


def test_a_verification_above_the_limit_sends_its_alert() -> None:
    counts = {"salesforce": {"compared": 100, "drift.unexplained": 2}}
    run = replace(DONE, kind=RunKind.VERIFY, counts=counts)

    assert kinds(notify(limited(), run)) == [(AlertKind.DRIFT, "")]
    assert notify(limited(), run, drift_limit=0.02) == []


def test_an_alert_that_cannot_be_sent_is_logged() -> None:
    setup = limited()

    notify(setup, publisher=Topic(*AlertKind), budget=Budget(0.9, 0.1))

    assert setup.log.of(Event.alert_failed) == [{"alert": "api_budget", "key": "org"}]
    assert setup.log.of(Event.alert_sent) == []


def test_a_run_without_success_looks_neither_at_the_password_nor_at_the_api() -> None:
    setup = limited()
    failed = replace(RUNNING, state=RunState.FAILED, reason=StopReason.PLEZI_UNAVAILABLE)

    alerts = notify(setup, failed, password=Password(2.0), plezi_api=Api(("pager",)))

    assert kinds(alerts) == [(AlertKind.RUN_FAILED, "plezi_unavailable")]
    assert setup.log.of(Event.health_measured)[0]["password_days"] is None


@pytest.mark.parametrize("error", [UNAVAILABLE, HaltError(StopReason.LOGIN_REFUSED, "no")])
def test_a_password_whose_age_is_unknown_is_logged_and_its_warning_stays(
    error: RetryError | HaltError,
) -> None:
    setup = limited()
    notify(setup, password=Password(2.0))

    notify(setup, password=Password(error))

    assert setup.log.of(Event.password_age_unknown) == [{"reason": error.reason.value}]
    assert setup.ledger.load_document("alerts") == {"credentials_expiring#3": NOW}


def test_an_api_that_cannot_be_checked_is_logged_and_its_alert_stays() -> None:
    setup = limited()
    notify(setup, plezi_api=Api(("pager",)))

    notify(setup, plezi_api=Api(RetryError("busy", reason=StopReason.PLEZI_UNAVAILABLE)))

    assert setup.log.of(Event.plezi_api_not_checked) == [{"reason": "plezi_unavailable"}]
    assert setup.ledger.load_document("alerts") == {"plezi_api_changed#pager": NOW}
