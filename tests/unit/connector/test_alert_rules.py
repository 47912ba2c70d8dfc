"""The words of each alert, when it starts, and which problems a run has checked."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import StopReason
from connector.model import Alert, AlertKind, Breaker, Run, RunKind, RunState
from connector.sync.alert_rules import (
    AlertEvaluation,
    RunHealth,
    evaluate_alerts,
    is_evaluated,
)
from tests.unit.connector.alert_fixtures import CALM, REFUSED, RUN, STARTED, stopped
from tests.unit.connector.sync_fixtures_stores import NOW

NOTHING_LOST: Final = (
    "Nothing is lost: the next run that works synchronizes what users change in both systems until "
    "then."
)
BY_SUCCESS: Final = frozenset(
    {
        AlertKind.CREDENTIALS_REFUSED,
        AlertKind.RUN_FAILED,
        AlertKind.BREAKER,
        AlertKind.SUSPENDED_FIELD,
    }
)
"""What only a run that is done has checked."""
ALWAYS: Final = frozenset({AlertKind.QUARANTINE, AlertKind.API_BUDGET})


def alerts(**changes: Any) -> tuple[Alert, ...]:
    return evaluate_alerts(replace(CALM, **changes)).alerts


def checked(**changes: Any) -> frozenset[AlertKind]:
    return evaluate_alerts(replace(CALM, **changes)).evaluated


# Why a run stopped


def test_a_refused_login_is_named_with_the_version_of_the_secret() -> None:
    breaker = Breaker(StopReason.LOGIN_REFUSED, "1. reset it", NOW - 60, "v1")

    assert alerts(breaker=breaker) == (
        Alert(
            AlertKind.CREDENTIALS_REFUSED,
            "Salesforce refuses the login: synchronization is stopped",
            NOW - 60,
            "1. reset it",
            NOTHING_LOST,
            "v1",
        ),
    )


def test_a_run_that_opened_the_breaker_has_one_alert_and_one_that_failed_beside_it_has_two() -> (
    None
):
    breaker = Breaker(StopReason.MASS_CLEARING, "decide", NOW - 60)
    opened = Alert(
        AlertKind.BREAKER,
        "Synchronization stopped itself (mass_clearing)",
        NOW - 60,
        "decide",
        NOTHING_LOST,
        "mass_clearing",
    )
    halted = stopped(RunState.HALTED, StopReason.MASS_CLEARING)
    other = stopped(RunState.HALTED, StopReason.MAPPING)

    assert alerts(run=halted, breaker=breaker) == (opened,)
    assert alerts(run=other, breaker=breaker) == (
        opened,
        Alert(
            AlertKind.RUN_FAILED,
            "A run ended halted (mapping)",
            STARTED,
            "Look there.",
            NOTHING_LOST,
            "mapping",
        ),
    )


@pytest.mark.parametrize(
    ("run", "kind", "summary", "remedy", "key"),
    [
        (
            stopped(RunState.FAILED, StopReason.PLEZI_UNAVAILABLE),
            AlertKind.RUN_FAILED,
            "A run ended failed (plezi_unavailable)",
            "Look there. The next run tries again.",
            "plezi_unavailable",
        ),
        (
            stopped(RunState.FAILED, None),
            AlertKind.RUN_FAILED,
            "A run ended failed (defect)",
            "Look there. The next run tries again.",
            "defect",
        ),
        (
            stopped(RunState.HALTED, StopReason.ACCOUNT_URL),
            AlertKind.CREDENTIALS_REFUSED,
            "A system refuses the connector: synchronization is stopped",
            "Look there.",
            "account_url",
        ),
        (
            stopped(RunState.HALTED, StopReason.SESSION_REFUSED),
            AlertKind.CREDENTIALS_REFUSED,
            "A system refuses the connector: synchronization is stopped",
            "Look there.",
            "session_refused",
        ),
        (
            stopped(RunState.HALTED, StopReason.SALESFORCE_API_LIMIT),
            AlertKind.API_BUDGET,
            "The org's API calls are used up: synchronization is stopped",
            "Look there.",
            "salesforce_api_limit",
        ),
    ],
)
def test_a_run_that_stopped_is_named_with_its_reason_and_its_remedy(
    run: Run, kind: AlertKind, summary: str, remedy: str, key: str
) -> None:
    assert alerts(run=run) == (Alert(kind, summary, STARTED, remedy, NOTHING_LOST, key),)


def test_a_run_that_failed_before_it_started_did_so_now() -> None:
    run = replace(stopped(RunState.FAILED, StopReason.DEFECT), started_at=0.0)

    assert [it.since for it in alerts(run=run)] == [NOW]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (
            {"run": stopped(RunState.HALTED, StopReason.LOGIN_REFUSED), "breaker": REFUSED},
            [(AlertKind.CREDENTIALS_REFUSED, "v1")],
        ),
        (
            {"run": stopped(RunState.HALTED, StopReason.PLEZI_REFUSED)},
            [(AlertKind.CREDENTIALS_REFUSED, "plezi_refused")],
        ),
        (
            {"run": stopped(RunState.HALTED, StopReason.SECRET)},
            [(AlertKind.CREDENTIALS_REFUSED, "secret")],
        ),
        (
            {"run": stopped(RunState.HALTED, StopReason.SALESFORCE_API_DISABLED)},
            [(AlertKind.CREDENTIALS_REFUSED, "salesforce_api_disabled")],
        ),
        (
            {"run": stopped(RunState.FAILED, StopReason.SALESFORCE_UNAVAILABLE)},
            [(AlertKind.RUN_FAILED, "salesforce_unavailable")],
        ),
        (
            {"run": stopped(RunState.HALTED, StopReason.MAPPING)},
            [(AlertKind.RUN_FAILED, "mapping")],
        ),
        ({"run": stopped(RunState.PAUSED, None)}, [(AlertKind.API_BUDGET, "ours")]),
        ({"our_calls": 0.79}, []),
        ({"changed_api_keys": ()}, []),
        ({"quarantine_size": 9}, []),
        ({"password_days": 5.0}, [(AlertKind.CREDENTIALS_EXPIRING, "7")]),
        ({"password_days": 2.1}, [(AlertKind.CREDENTIALS_EXPIRING, "3")]),
        ({"password_days": math.inf}, []),
        ({"password_days": None, "org_calls": None, "our_calls": None}, []),
    ],
    ids=str,
)
def test_each_trouble_is_an_alert_of_its_kind(
    changes: dict[str, Any], expected: list[tuple[AlertKind, str]]
) -> None:
    assert [(it.kind, it.key) for it in alerts(**changes)] == expected


@pytest.mark.parametrize("state", [RunState.DONE, RunState.RUNNING, RunState.REQUESTED])
def test_a_run_that_did_not_stop_has_no_alert(state: RunState) -> None:
    assert alerts(run=stopped(state, StopReason.DEFECT)) == ()


# Links and fields


@pytest.mark.parametrize("size", [10, 11])
def test_many_people_in_quarantine_are_one_alert(size: int) -> None:
    assert alerts(quarantine_size=size) == (
        Alert(
            AlertKind.QUARANTINE,
            f"{size} people or more are in quarantine",
            NOW,
            "See who and why with GET /admin/attention?kind=quarantine. Many at once usually have "
            "one cause: a validation rule, a picklist or a missing permission.",
            "All other people are synchronized. The records of people in quarantine stay as they "
            "are in each system.",
        ),
    )


def test_each_suspended_field_is_an_alert_in_the_order_of_their_names() -> None:
    impact = (
        "All other fields are synchronized. Values typed in this field are synchronized when it is "
        "available again."
    )
    again = "The field is synchronized again when this is corrected."

    assert alerts(suspended={"Title": "No right X..", "Phone": "it is gone"}) == tuple(
        Alert(
            AlertKind.SUSPENDED_FIELD,
            f"The field {key} is no longer synchronized",
            NOW,
            f"{reason}. {again}",
            impact,
            key,
        )
        for key, reason in (("Phone", "it is gone"), ("Title", "No right X"))
    )


# Calls


def budget(summary: str, since: float, remedy: str, key: str) -> Alert:
    impact = "A run without calls keeps its position, and forms have a reserve."
    return Alert(AlertKind.API_BUDGET, summary, since, remedy, impact, key)


RAISE_SHARE: Final = "Raise the connector's share of the calls (ApiShare), or run less often."


@pytest.mark.parametrize(
    ("changes", "percent", "since", "remedy"),
    [
        ({"our_calls": 0.8}, "80%", STARTED, RAISE_SHARE),
        (
            {"our_calls": 0.5, "run": stopped(RunState.PAUSED, StopReason.API_BUDGET)},
            "50%",
            STARTED,
            f"Look there. {RAISE_SHARE}",
        ),
        (
            {"our_calls": None, "run": stopped(RunState.PAUSED, StopReason.API_BUDGET, "")},
            "100%",
            STARTED,
            RAISE_SHARE,
        ),
        ({"our_calls": 0.9, "run": replace(RUN, started_at=0.0)}, "90%", NOW, RAISE_SHARE),
    ],
)
def test_a_share_that_is_used_up_is_an_alert(
    changes: dict[str, Any], percent: str, since: float, remedy: str
) -> None:
    summary = f"{percent} of our Salesforce API calls of 24 hours are used"

    assert alerts(**changes) == (budget(summary, since, remedy, "ours"),)


def test_a_share_that_is_not_known_is_no_alert() -> None:
    assert alerts(our_calls=None) == ()


def test_the_calls_of_the_org_are_an_alert_of_their_own() -> None:
    remedy = "See in Setup > API Usage which program uses them, or buy more calls."

    assert alerts(org_calls=0.8) == (
        budget("80% of the org's API calls of 24 hours are used", NOW, remedy, "org"),
    )
    assert alerts(org_calls=0.79) == alerts(org_calls=None) == ()
    assert [it.key for it in alerts(org_calls=1.0, our_calls=1.0)] == ["ours", "org"]


# Credentials and the API of Plezi


@pytest.mark.parametrize(
    ("days", "when", "key"),
    [
        (14.0, "within 14 days", "14"),
        (7.01, "within 8 days", "14"),
        (7.0, "within 7 days", "7"),
        (1.2, "within 2 days", "3"),
        (1.0, "within 1 day", "1"),
        (0.1, "within 1 day", "1"),
        (0.0, "now, or has expired", "1"),
        (-5.0, "now, or has expired", "1"),
    ],
)
def test_the_expiry_of_the_password_is_named_in_whole_days(
    days: float, when: str, key: str
) -> None:
    assert alerts(password_days=days) == (
        Alert(
            AlertKind.CREDENTIALS_EXPIRING,
            f"The Salesforce password expires {when}",
            NOW,
            "Set a new password in Salesforce and put it with its new security token in the secret "
            "(docs/operations.md, After a password reset). Better: use a flow without a password, "
            "because Salesforce ends the password flow on 20 February 2027.",
            "Synchronization works until then. Afterwards runs stop, and nothing is lost.",
            key,
        ),
    )


def test_a_password_that_expires_later_has_no_alert() -> None:
    assert alerts(password_days=14.01) == alerts(password_days=None) == ()


def test_a_changed_api_of_the_tenant_is_one_alert_with_all_its_keys() -> None:
    assert alerts(changed_api_keys=("pager", "search")) == (
        Alert(
            AlertKind.PLEZI_API_CHANGED,
            "The API of the Plezi tenant has changed",
            NOW,
            "It differs in pager, search. See the difference and use it with a new probe "
            "(plezi-sync probe, or POST /admin/plezi/probe).",
            "Runs use what the last probe found, and may fail or take longer.",
            "pager, search",
        ),
    )


# Verifications


def verification(unexplained: int, **changes: Any) -> RunHealth:
    counts = {"salesforce": {"compared": 10_000, "drift.unexplained": unexplained}}
    run = replace(RUN, id="v1", kind=RunKind.VERIFY, counts=counts, **changes)
    return replace(CALM, run=run, suspended={"Phone": "gone"})


def test_a_verification_above_the_limit_names_its_numbers_and_the_repair() -> None:
    assert evaluate_alerts(verification(1_234)) == AlertEvaluation(
        (
            Alert(
                AlertKind.DRIFT,
                "1,234 of 10,000 compared fields differ without a known cause (12.34%)",
                NOW,
                "See which with GET /admin/runs/v1. The next run synchronizes edits that no run "
                "has read; POST /admin/runs/v1/repair resolves all of these people now.",
                "These people have different values in the two systems. All others agree, or wait "
                "for a reason that is known.",
            ),
        ),
        frozenset({AlertKind.DRIFT}),
    )
    assert evaluate_alerts(verification(100)) == AlertEvaluation((), frozenset({AlertKind.DRIFT}))


def test_a_verification_that_is_not_complete_shows_nothing_about_the_drift_rate() -> None:
    assert evaluate_alerts(verification(1_234, state=RunState.PAUSED)).evaluated == frozenset()


def test_a_verification_that_stopped_shows_only_why() -> None:
    failed = verification(1_234, state=RunState.FAILED, reason=StopReason.DEFECT)

    evaluation = evaluate_alerts(failed)

    assert [it.kind for it in evaluation.alerts] == [AlertKind.RUN_FAILED]
    assert evaluation.evaluated == frozenset()


# What a run has checked


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, kind=RunKind.UNDO),
        replace(stopped(RunState.FAILED, StopReason.PLEZI_UNAVAILABLE), kind=RunKind.DRY_RUN),
        replace(stopped(RunState.FAILED, StopReason.PLEZI_UNAVAILABLE), kind=RunKind.FORM),
        replace(RUN, state=RunState.NOT_STARTED),
        stopped(RunState.NOT_STARTED, StopReason.NOT_STARTED),
    ],
)
def test_a_run_that_shows_nothing_has_checked_nothing(run: Run) -> None:
    assert is_evaluated(run) is False
    health = replace(CALM, run=run, quarantine_size=99)
    assert evaluate_alerts(health) == AlertEvaluation((), frozenset())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, BY_SUCCESS | ALWAYS | {AlertKind.CREDENTIALS_EXPIRING}),
        ({"password_days": None}, BY_SUCCESS | ALWAYS),
        ({"changed_api_keys": (), "password_days": None}, BY_SUCCESS | ALWAYS | {"api"}),
        ({"run": stopped(RunState.FAILED, None), "password_days": None}, ALWAYS),
        ({"run": stopped(RunState.PAUSED, None), "password_days": None}, ALWAYS),
    ],
)
def test_a_problem_is_checked_where_the_run_could_look_at_it(
    changes: dict[str, Any], expected: frozenset[str]
) -> None:
    wanted = {AlertKind.PLEZI_API_CHANGED if it == "api" else it for it in expected}
    assert checked(**changes) == wanted


@pytest.mark.parametrize(
    ("size", "is_checked"), [(0, True), (5, True), (6, False), (9, False), (10, True), (11, True)]
)
def test_the_quarantine_is_over_at_half_of_its_limit(size: int, *, is_checked: bool) -> None:
    assert (AlertKind.QUARANTINE in checked(quarantine_size=size)) is is_checked


@pytest.mark.parametrize(
    ("org", "ours", "is_checked"),
    [
        (None, None, False),
        (0.1, None, True),
        (None, 0.1, True),
        (0.7, 0.1, False),
        (0.1, 0.7, False),
        (0.69, 0.69, True),
        (0.79, 0.1, False),
        (0.8, 0.8, True),
        (0.8, 0.75, False),
    ],
)
def test_the_calls_are_checked_unless_a_share_is_near_its_limit(
    org: float | None, ours: float | None, *, is_checked: bool
) -> None:
    found = checked(org_calls=org, our_calls=ours)
    assert (AlertKind.API_BUDGET in found) is is_checked
