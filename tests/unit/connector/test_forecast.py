"""The forecast: a day's calls, the trend, and the slopes of a first synchronization."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.model import RunKind, Side
from connector.planning.forecast import (
    SECONDS_OF_DAY,
    STAGES_CALLS,
    TO_PLEZI,
    TO_SALESFORCE,
    DailyCalls,
    FirstSyncNeeds,
    Limits,
    ObservedRun,
    PlannedWork,
    daily_calls,
    days_until_spent,
    first_sync_needs,
    for_fewer_people,
    growth_a_day,
    run_needs,
)

NOW = 1_000 * SECONDS_OF_DAY
MEASURED = Path(__file__).parents[3] / "benchmarks/measured/after.json"


def measured() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return rows


def runs(days_ago: float, plezi: int, salesforce: int, kind: RunKind) -> ObservedRun:
    return ObservedRun(kind, NOW - days_ago * SECONDS_OF_DAY, plezi, salesforce)


def changes(days_ago: float, salesforce: int) -> ObservedRun:
    return runs(days_ago, 2, salesforce, RunKind.CHANGES)


def test_calls_a_day_are_the_averages_of_each_cause() -> None:
    found = daily_calls(
        [
            changes(1, 10),
            changes(3, 30),
            changes(9, 1_000),  # before the window
            runs(2, 70, 7, RunKind.VERIFY),
        ],
        NOW,
        7.0,
        people=0,
    )

    assert found == (
        DailyCalls(RunKind.CHANGES, 2 / 7, 4 / 7, 40 / 7),
        DailyCalls(RunKind.VERIFY, 1 / 7, 70 / 7, 7 / 7),
    )


def test_a_weekly_verification_that_was_not_seen_is_computed_from_the_people() -> None:
    found = daily_calls([], NOW, 2.0, people=20_000)

    # 200 pages of Plezi, 10 of Salesforce, and what every run takes
    assert found == (DailyCalls(RunKind.VERIFY, 1 / 7, 205 / 7, 15 / 7, is_expected=True),)


def test_fewer_people_make_fewer_calls_but_a_run_stays_a_run() -> None:
    today = [
        DailyCalls(RunKind.CHANGES, 1.0, 5.0, 105.0),
        DailyCalls(RunKind.VERIFY, 2.0, 30.0, 4.0, is_expected=True),
    ]

    assert for_fewer_people(today, 0.25) == (
        DailyCalls(RunKind.CHANGES, 1.0, 5.0, 30.0),
        DailyCalls(RunKind.VERIFY, 2.0, 15.0, 4.0, is_expected=True),
    )


def test_the_share_is_spent_when_the_trend_reaches_it() -> None:
    observed = [changes(1, 140), changes(3, 100), runs(1, 0, 9_000, RunKind.FULL)]

    growth = growth_a_day(observed, NOW, 4.0)

    # 50 a day, then 70 a day, two days later: 10 more each day. The full run is no trend.
    assert growth == pytest.approx(10)
    assert days_until_spent(70, growth, 170) == pytest.approx(10)


@pytest.mark.parametrize(
    ("calls", "growth", "limit", "days"),
    [
        (70, 0.5, 170, 200.0),
        (70, 0.0, 170, None),
        (70, -1.0, 170, None),
        (70, None, 170, None),
        (70, 10.0, None, None),
        (170, 10.0, 170, 0.0),
        (170, None, 170, 0.0),
    ],
)
def test_the_share_is_spent_only_if_calls_grow_or_are_as_many_already(
    calls: float, growth: float | None, limit: float | None, days: float | None
) -> None:
    assert days_until_spent(calls, growth, limit) == days


@pytest.mark.parametrize(
    ("days_ago", "days", "growth"),
    [
        (1.0, 2.0, 10.0),  # the middle belongs to the later half
        (2.0, 2.0, -10.0),  # the first moment belongs to the earlier half
        (2.5, 2.0, 0.0),
        (1.0, 1.9, None),  # too short for a trend
    ],
)
def test_the_trend_of_a_run_depends_on_the_half_of_the_time_it_is_in(
    days_ago: float, days: float, growth: float | None
) -> None:
    assert growth_a_day([changes(days_ago, 10)], NOW, days) == growth


@pytest.mark.parametrize(
    ("scenario", "people", "pace"),
    [
        ("new-contacts", 20_000, 2.0),
        ("new-contacts", 100_000, 2.0),
        ("new-contacts/low-rate", 20_000, 0.5),
        ("new-leads", 20_000, 2.0),
        ("new-leads/low-rate", 20_000, 0.5),
    ],
)
def test_a_first_sync_takes_what_was_measured(scenario: str, people: int, pace: float) -> None:
    (row,) = [it for it in measured() if (it["scenario"], it["people"]) == (scenario, people)]
    to_plezi = people if scenario.startswith("new-leads") else 0

    needs = first_sync_needs(to_plezi, people - to_plezi, Limits(pace, None))

    assert needs.hours == pytest.approx(row["hours"], rel=0.06)
    assert needs.plezi_calls == pytest.approx(sum(row["plezi_calls"].values()), rel=0.03)
    calls = sum(row["salesforce_calls"].values())
    assert needs.salesforce_calls == pytest.approx(calls, rel=0.1)


def test_a_first_sync_that_needs_more_than_the_share_pauses() -> None:
    people = 1_000_000
    calls = TO_SALESFORCE.salesforce_calls * people + STAGES_CALLS

    needs = first_sync_needs(0, people, Limits(2.0, calls / 3))

    assert needs.paused_hours == pytest.approx(48)
    assert needs.hours == pytest.approx(48)


@pytest.mark.parametrize(
    ("share", "paused"),
    [
        (None, 0.0),
        (0.0, 0.0),  # no share: the time cannot be computed
        (1.0, 7_033 * 24.0),
        (3_517.0, 24.0),
        (14_068.0, 0.0),
    ],
)
def test_a_first_sync_pauses_for_each_share_that_it_spends_but_the_first(
    share: float | None, paused: float
) -> None:
    needs = first_sync_needs(0, 1_000_000, Limits(0.0, share))  # 7,034 calls

    assert needs.paused_hours == pytest.approx(paused)


def test_the_calls_of_the_stages_count_once_and_only_if_somebody_is_copied() -> None:
    needs = first_sync_needs(100, 100, Limits(0.0, None))

    assert first_sync_needs(0, 0, Limits(2.0, 100.0)) == FirstSyncNeeds(0.0, 0.0, 0.0, 0.0)
    assert (needs.plezi_calls, needs.salesforce_calls) == pytest.approx((204.414, 26.471))


def test_without_a_limit_of_the_pace_the_time_is_not_known() -> None:
    needs = first_sync_needs(100, 0, Limits(0.0, None))

    assert needs.hours is None
    assert needs.plezi_calls == pytest.approx(100 * TO_PLEZI.plezi_calls)


@pytest.mark.parametrize(
    ("contacts", "leads", "updated", "seconds", "calls", "dollars"),
    [
        (0, 0, 6_000, 3_600.0, (7_280, 179), 0.0474),
        (10_000, 0, 0, 3_870.0, (7_286, 185), 0.236),
        (0, 10_000, 0, 3_692.0, (7_282, 181), 0.05),
    ],
)
def test_a_planned_run_takes_its_calls_at_the_pace_and_reads_again_what_users_change(
    contacts: int,
    leads: int,
    updated: int,
    seconds: float,
    calls: tuple[int, int],
    dollars: float,
) -> None:
    created = {Side.PLEZI: contacts, Side.SALESFORCE: leads}

    needs = run_needs(PlannedWork(7_200, 100, created, updated), 2.0)

    assert needs.hours == pytest.approx(seconds / 3_600)
    assert (needs.plezi_calls, needs.salesforce_calls) == calls
    assert needs.dollars == pytest.approx(dollars)


def test_without_a_limit_of_the_pace_the_time_of_a_planned_run_is_not_known() -> None:
    work = PlannedWork(3_000, 10, {Side.PLEZI: 1_000, Side.SALESFORCE: 1_000}, updated=0)

    needs = run_needs(work, 0.0)

    assert (needs.hours, needs.plezi_calls, needs.salesforce_calls) == (None, 3_000, 10)
    assert needs.dollars == pytest.approx(0.0286)


@pytest.mark.parametrize(
    ("scenario", "side"), [("new-leads", "plezi"), ("new-contacts", "salesforce")]
)
def test_the_money_for_a_new_record_is_that_which_was_measured(scenario: str, side: str) -> None:
    [row] = [it for it in measured() if (it["scenario"], it["people"]) == (scenario, 20_000)]
    created = {**dict.fromkeys(Side, 0), Side(side): 20_000}

    dollars = run_needs(PlannedWork(0, 0, created, updated=0), 2.0).dollars

    assert dollars == pytest.approx(sum(row["money"].values()), rel=0.1)
