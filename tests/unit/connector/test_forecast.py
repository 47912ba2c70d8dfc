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

    assert [each.cause for each in found] == [RunKind.CHANGES, RunKind.VERIFY]
    assert [each.plezi * 7 for each in found] == pytest.approx([4, 70])
    assert [each.salesforce * 7 for each in found] == pytest.approx([40, 7])


def test_a_weekly_verification_that_was_not_seen_is_computed_from_the_people() -> None:
    (found,) = daily_calls([], NOW, 2.0, people=20_000)

    assert (found.cause, found.is_expected) == (RunKind.VERIFY, True)
    assert found.plezi * 7 == pytest.approx(205)  # 200 pages and what every run takes


def test_fewer_people_make_fewer_calls_but_a_run_stays_a_run() -> None:
    (calls,) = daily_calls([runs(1, 5, 105, RunKind.CHANGES)], NOW, 1.0, people=0)

    (scaled,) = for_fewer_people([calls], 0.1)

    assert [scaled.plezi, scaled.salesforce] == pytest.approx([5, 15])


def test_the_share_is_spent_when_the_trend_reaches_it() -> None:
    observed = [changes(1, 140), changes(3, 100), runs(1, 0, 9_000, RunKind.FULL)]

    growth = growth_a_day(observed, NOW, 4.0)

    # 50 a day, then 70 a day, two days later: 10 more each day. The full run is no trend.
    assert growth == pytest.approx(10)
    assert days_until_spent(70, growth, 170) == pytest.approx(10)
    assert days_until_spent(170, growth, 170) == 0.0
    assert days_until_spent(70, -1.0, 170) is None
    assert days_until_spent(70, growth, None) is None
    assert growth_a_day(observed, NOW, 1.9) is None


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
    assert first_sync_needs(0, people, Limits(2.0, calls)).paused_hours == 0.0


def test_without_a_limit_of_the_pace_the_time_is_not_known() -> None:
    needs = first_sync_needs(100, 0, Limits(0.0, None))

    assert needs.hours is None
    assert needs.plezi_calls == pytest.approx(100 * TO_PLEZI.plezi_calls)


def test_a_planned_run_takes_its_calls_at_the_pace_and_reads_again_what_users_change() -> None:
    work = PlannedWork(7_200, 100, {Side.PLEZI: 0, Side.SALESFORCE: 0}, updated=6_000)

    needs = run_needs(work, 2.0)

    assert needs.hours == pytest.approx(1.0)
    assert (needs.plezi_calls, needs.salesforce_calls) == (7_280, 179)
    assert needs.dollars == pytest.approx(0.0474)


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
