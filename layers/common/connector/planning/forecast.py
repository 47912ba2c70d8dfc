"""The forecast of API calls: a day's calls by cause, and what a first synchronization takes.

Pure arithmetic on the counts of past runs and on slopes that were measured (docs/scale.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector.model import RunKind, Side

SECONDS_OF_DAY: Final = 86_400.0
SECONDS_OF_HOUR: Final = 3_600.0
DAY_HOURS: Final = 24.0
WEEK_DAYS: Final = 7.0
IDLE_CALLS: Final = 5
"""Calls to each system of a run that finds no change, at most (README, Costs and limits): they do
not become fewer when fewer people take part."""
NOT_DAILY: Final = frozenset({RunKind.VERIFY, RunKind.FULL, RunKind.DRY_RUN})
"""Runs that are made once a week or on request: they say nothing about a trend."""
PLEZI_PAGE: Final = 100
"""Contacts in a page of Plezi's list by default (docs/mapping.md, assumed)."""
SALESFORCE_PAGE: Final = 2_000
"""Records in a page of a query of Salesforce at most (REST API Developer Guide, Query)."""
SHORTEST_TREND_DAYS: Final = 2.0
"""A trend needs two days: less shows the hours of a working day."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What one more person of a first synchronization takes.

    `seconds` are those besides the pace of Plezi's calls. `salesforce_calls_an_hour` are made for
    each hour that the work takes, because changes of the users are read again and again.
    """

    plezi_calls: float
    salesforce_calls: float
    seconds: float
    salesforce_calls_an_hour: float = 0.0


TO_SALESFORCE: Final = Slope(0.01014, 0.00701, 0.0092)
"""A contact of Plezi that becomes a Lead: `new-contacts` with 20,000 and 100,000 people
(benchmarks/measured/after.json)."""
TO_PLEZI: Final = Slope(2.034, 0.0177, 0.027, 79.2)
"""A Lead that becomes a contact of Plezi: `new-leads` and `new-leads/low-rate` with 20,000 people
(the same file)."""

STAGES_CALLS: Final = 24
"""Calls to Salesforce that the stages of a first synchronization add once: 165 of `new-contacts`
with 20,000 people (the same file), less what its people take."""
PLEZI_LOOKS_AN_HOUR: Final = 80.0
"""Calls to Plezi for each hour that a run works, which show what the users change: 667 pages
of `new-leads` (the same file) less one for 100 people, in 5.8 hours."""
CREATED_IN: Final = {Side.PLEZI: 0.0236 / 1_000, Side.SALESFORCE: 0.0050 / 1_000}
"""US dollars of DynamoDB, Lambda and SQS for one new record: `new-leads` and `new-contacts`
(docs/costs.md, What one person costs)."""
UPDATED: Final = 0.0079 / 1_000
"""US dollars for one changed record: `changed` (the same table)."""


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """What a dry run planned: its calls to both systems, and the records that it would write."""

    plezi_calls: int
    salesforce_calls: int
    created: Mapping[Side, int]
    updated: int


@dataclass(frozen=True, slots=True)
class RunNeeds:
    """What the run of a plan takes, about. `hours` is None without a limit of the pace.

    `dollars` is what AWS charges for it, in US dollars, without the free tier.
    """

    plezi_calls: int
    salesforce_calls: int
    hours: float | None
    dollars: float


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """The calls of one run that is over; `at` is its request, in seconds since 1970."""

    kind: RunKind
    at: float
    plezi_calls: int
    salesforce_calls: int


@dataclass(frozen=True, slots=True)
class DailyCalls:
    """The calls of one cause a day; `is_expected`: computed, because no such run was seen."""

    cause: RunKind
    runs: float
    plezi: float
    salesforce: float
    is_expected: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of both systems.

    `plezi_calls_per_second` is 0 without a limit. `salesforce_calls_a_day` is the connector's share
    of the org's calls of 24 hours (None: the org's limit was not read yet).
    """

    plezi_calls_per_second: float
    salesforce_calls_a_day: float | None


@dataclass(frozen=True, slots=True)
class FirstSyncNeeds:
    """What a first synchronization needs.

    `hours` is None without a limit of the pace, because Plezi's own speed is not known then.
    `paused_hours` of them wait for the next calls of the share.
    """

    plezi_calls: float
    salesforce_calls: float
    hours: float | None
    paused_hours: float


def daily_calls(
    runs: Sequence[ObservedRun], now: float, days: float, people: int
) -> tuple[DailyCalls, ...]:
    """Return the calls a day by cause, of the runs in the last `days`.

    A verification is made once a week: where none was seen, its pages are computed for the
    number of people (0: not known, so none is expected).
    """
    since = now - days * SECONDS_OF_DAY
    found = []
    for kind in RunKind:
        some = [run for run in runs if run.kind is kind and run.at >= since]
        if some:
            found.append(
                DailyCalls(
                    kind,
                    len(some) / days,
                    sum(run.plezi_calls for run in some) / days,
                    sum(run.salesforce_calls for run in some) / days,
                )
            )
        elif kind is RunKind.VERIFY and people:
            found.append(_expected_verification(people))
    return tuple(found)


def _expected_verification(people: int) -> DailyCalls:
    return DailyCalls(
        RunKind.VERIFY,
        1 / WEEK_DAYS,
        (IDLE_CALLS + people / PLEZI_PAGE) / WEEK_DAYS,
        (IDLE_CALLS + people / SALESFORCE_PAGE) / WEEK_DAYS,
        is_expected=True,
    )


def for_fewer_people(calls: Iterable[DailyCalls], share: float) -> tuple[DailyCalls, ...]:
    """Return the calls a day if only a fraction of today's people takes part.

    What an idle run takes stays.
    """
    return tuple(
        replace(
            each,
            plezi=_scaled(each.plezi, each.runs, share),
            salesforce=_scaled(each.salesforce, each.runs, share),
        )
        for each in calls
    )


def _scaled(calls: float, runs: float, share: float) -> float:
    idle = min(calls, runs * IDLE_CALLS)
    return idle + (calls - idle) * share


def growth_a_day(runs: Sequence[ObservedRun], now: float, days: float) -> float | None:
    """Return by how many calls to Salesforce a day's calls grow each day; None: not known yet.

    It is the difference between the two halves of the time that was observed.
    """
    if days < SHORTEST_TREND_DAYS:
        return None
    half = days / 2
    middle, since = now - half * SECONDS_OF_DAY, now - days * SECONDS_OF_DAY
    daily = [run for run in runs if run.kind not in NOT_DAILY and run.at >= since]
    later = sum(run.salesforce_calls for run in daily if run.at >= middle)
    earlier = sum(run.salesforce_calls for run in daily if run.at < middle)
    return (later - earlier) / half / half


def days_until_spent(calls_a_day: float, growth: float | None, limit: float | None) -> float | None:
    """Return after how many days a day's calls reach a limit, at their present growth.

    0: they do already. None: never at this growth, or it is not known.
    """
    if limit is None:
        return None
    if calls_a_day >= limit:
        return 0.0
    return (limit - calls_a_day) / growth if growth is not None and growth > 0 else None


def first_sync_needs(to_plezi: float, to_salesforce: float, limits: Limits) -> FirstSyncNeeds:
    """Return what a first synchronization of people takes who are in one system only.

    `to_plezi` become contacts of Plezi, `to_salesforce` become Leads.
    """
    work = ((TO_PLEZI, to_plezi), (TO_SALESFORCE, to_salesforce))
    plezi_calls = sum(slope.plezi_calls * people for slope, people in work)
    salesforce_calls = sum(slope.salesforce_calls * people for slope, people in work)
    salesforce_calls += STAGES_CALLS if to_plezi + to_salesforce else 0
    hours = None
    if pace := limits.plezi_calls_per_second:
        each = [(it, people * (it.plezi_calls / pace + it.seconds)) for it, people in work]
        hours = sum(seconds for _, seconds in each) / SECONDS_OF_HOUR
        salesforce_calls += sum(
            slope.salesforce_calls_an_hour * seconds / SECONDS_OF_HOUR for slope, seconds in each
        )
    paused = _paused_hours(salesforce_calls, limits.salesforce_calls_a_day)
    longest = None if hours is None else max(hours, paused)
    return FirstSyncNeeds(plezi_calls, salesforce_calls, longest, paused)


def run_needs(work: PlannedWork, calls_per_second: float) -> RunNeeds:
    """Return what the run of a plan takes at a pace (0: there is no limit).

    A dry run reads each system once; a run that lasts reads again what the users change.
    """
    hours = None
    looks = {Side.PLEZI: 0.0, Side.SALESFORCE: 0.0}
    if calls_per_second:
        seconds = work.plezi_calls / calls_per_second
        seconds += work.created[Side.PLEZI] * TO_PLEZI.seconds
        seconds += work.created[Side.SALESFORCE] * TO_SALESFORCE.seconds
        hours = seconds / SECONDS_OF_HOUR
        looks = {
            Side.PLEZI: PLEZI_LOOKS_AN_HOUR * hours,
            Side.SALESFORCE: TO_PLEZI.salesforce_calls_an_hour * hours,
        }
    dollars = UPDATED * work.updated + sum(CREATED_IN[it] * work.created[it] for it in Side)
    return RunNeeds(
        work.plezi_calls + round(looks[Side.PLEZI]),
        work.salesforce_calls + round(looks[Side.SALESFORCE]),
        hours,
        dollars,
    )


def _paused_hours(calls: float, limit: float | None) -> float:
    """Return the least hours that calls take within the share: the first share is free at once."""
    if limit is None or limit <= 0 or calls <= limit:
        return 0.0
    return (calls / limit - 1) * DAY_HOURS
