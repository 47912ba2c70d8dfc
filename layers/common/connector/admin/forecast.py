"""The forecast: API calls a day against the limits, and what a first synchronization takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.status import api_usage
from connector.approved_changes import number_of_people
from connector.first_sync import load_first_sync
from connector.model import Run, RunKind, RunState, Side
from connector.planning.first_sync_stages import current_stage
from connector.planning.forecast import (
    SECONDS_OF_DAY,
    WEEK_DAYS,
    DailyCalls,
    Limits,
    ObservedRun,
    daily_calls,
    days_until_spent,
    first_sync_needs,
    for_fewer_people,
    growth_a_day,
)

PAGE: Final = 200
"""Runs that are read at once."""
MAX_RUNS: Final = 1_000
"""Runs of each list (of forms, and all others) that are counted: 12 scheduled ones a day for a week
are 84. Of more, the newest are, and the time that they cover."""
SHORTEST_WINDOW_DAYS: Final = 1 / 24
"""The counts of less than an hour are taken for those of an hour: a first run in a new stack would
look like thousands a day."""


@dataclass(frozen=True, slots=True)
class CauseForecast:
    """The calls of one kind of run in an average day.

    `observed_days` is the time that the average is of. `is_expected`: no such run was seen, so its
    calls are computed.
    """

    cause: RunKind
    runs_a_day: float
    plezi_calls_a_day: float
    salesforce_calls_a_day: float
    observed_days: float
    is_expected: bool


@dataclass(frozen=True, slots=True)
class PleziForecast:
    """The calls to Plezi a day, and the limit of the pace (None: there is no limit)."""

    calls_a_day: float
    calls_per_second: float
    limit_a_day: float | None
    used_share: float | None


@dataclass(frozen=True, slots=True)
class SalesforceForecast:
    """The calls to Salesforce a day, and the connector's share of the org's limit.

    `limit_a_day`, `used_share` and `org_allowed` are None until the limit of the org was read.
    `growth_a_day` is by how much a day's calls grow each day (None: less than two days were seen),
    and `days_until_spent` after how many days they reach the share at that growth (0: they do
    already; None: never, or not known). `org_used` are the calls of the whole org in the last 24
    hours.
    """

    calls_a_day: float
    api_share: float
    limit_a_day: float | None
    used_share: float | None
    growth_a_day: float | None
    days_until_spent: float | None
    org_used: int | None
    org_allowed: int | None


@dataclass(frozen=True, slots=True)
class FirstSyncForecast:
    """What a first synchronization takes, for people who are in one system only.

    `basis` is where the numbers of people come from: `request`, or the id of a dry run. `hours` is
    None without a limit of the pace. `paused_hours` of them wait for the share.
    """

    to_plezi: int
    to_salesforce: int
    basis: str
    plezi_calls: float
    salesforce_calls: float
    hours: float | None
    paused_hours: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast for one pace, one share, and a fraction of the people (1: all of them).

    `first_sync` is None when it is done, or for a number of people that is not known:
    make a dry run, or give the numbers.
    """

    people_share: float
    causes: tuple[CauseForecast, ...]
    plezi: PleziForecast
    salesforce: SalesforceForecast
    first_sync: FirstSyncForecast | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast with the settings of the stack, and with others (None: none were given).

    `at` is in seconds since 1970. `people` is about how many are synchronized (0: not known).
    """

    at: float
    people: int
    now: Outlook
    changed: Outlook | None


@dataclass(frozen=True, slots=True)
class Question:
    """What would be if: each member that is None is as it is now.

    `people_share` is the fraction of today's people that another filter would let in. `to_plezi`
    and `to_salesforce` are the people of a first synchronization who are in the other system only.
    """

    calls_per_second: float | None = None
    api_share: float | None = None
    people_share: float | None = None
    to_plezi: int | None = None
    to_salesforce: int | None = None

    @property
    def changes_something(self) -> bool:
        """Whether another pace, share or filter was requested for."""
        return any(
            it is not None for it in (self.calls_per_second, self.api_share, self.people_share)
        )


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings that one outlook is for."""

    calls_per_second: float
    api_share: float
    people_share: float


@dataclass(frozen=True, slots=True)
class _Observed:
    """What is known of the stack: the calls of its runs, and the newest preview of all people."""

    runs: tuple[ObservedRun, ...]
    causes: tuple[tuple[DailyCalls, float], ...]
    growth: float | None
    first_sync: tuple[int, int, str] | None
    org_used: int | None
    org_allowed: int | None


def show_forecast(context: AdminContext, question: Question) -> Forecast:
    """Return the forecast, from the runs of the last week; neither system is called."""
    people = number_of_people(context.documents)
    observed = _observe(context, question, people)
    present = _Settings(context.plezi_calls_per_second, context.api_share, 1.0)
    changed = _Settings(
        _given(question.calls_per_second, present.calls_per_second),
        _given(question.api_share, present.api_share),
        _given(question.people_share, present.people_share),
    )
    return Forecast(
        context.clock(),
        people,
        _outlook(observed, present),
        _outlook(observed, changed) if question.changes_something else None,
    )


def _given(requested: float | None, present: float) -> float:
    return present if requested is None else requested


def _observe(context: AdminContext, question: Question, people: int) -> _Observed:
    now = context.clock()
    others, other_days = _recent_runs(context, now, forms=False)
    forms, form_days = _recent_runs(context, now, forms=True)
    usage = api_usage(context)
    runs, form_runs = _observed_runs(others), _observed_runs(forms)
    causes = [(each, other_days) for each in daily_calls(runs, now, other_days, people)]
    causes += [(each, form_days) for each in daily_calls(form_runs, now, form_days, people=0)]
    return _Observed(
        (*runs, *form_runs),
        tuple(causes),
        growth_a_day((*runs, *form_runs), now, min(other_days, form_days)),
        _first_sync_people(context, question, others),
        usage.used if usage else None,
        usage.total if usage else None,
    )


def _recent_runs(context: AdminContext, now: float, *, forms: bool) -> tuple[list[Run], float]:
    """Return the runs of the last week, newest first, and the days that they cover."""
    found: list[Run] = []
    since, before, is_week = now - WEEK_DAYS * SECONDS_OF_DAY, "", False
    while len(found) < MAX_RUNS and not is_week:
        page = context.runs.list_runs(PAGE, before, forms=forms)
        found += [run for run in page if run.requested_at >= since]
        is_week = bool(page) and page[-1].requested_at < since
        if len(page) < PAGE:
            break
        before = page[-1].id
    covered = WEEK_DAYS
    if found and not is_week:
        covered = (now - found[-1].requested_at) / SECONDS_OF_DAY
    return found, max(covered, SHORTEST_WINDOW_DAYS)


def _observed_runs(runs: list[Run]) -> tuple[ObservedRun, ...]:
    """Return the calls of runs; those of a first synchronization are none of an average day."""
    return tuple(
        ObservedRun(
            run.kind,
            run.requested_at,
            _count(run, Side.PLEZI, "calls"),
            _count(run, Side.SALESFORCE, "calls"),
        )
        for run in runs
        if not current_stage(run)
    )


def _first_sync_people(
    context: AdminContext, question: Question, runs: list[Run]
) -> tuple[int, int, str] | None:
    """Return the people of a first synchronization by side, and where the numbers come from."""
    if question.to_plezi is not None or question.to_salesforce is not None:
        return question.to_plezi or 0, question.to_salesforce or 0, "request"
    state = load_first_sync(context.documents)
    if state is not None and state.done:
        return None
    preview = next((run for run in runs if _is_preview_of_all(run)), None)
    if preview is None:
        return None
    return (
        _count(preview, Side.PLEZI, "created"),
        _count(preview, Side.SALESFORCE, "created"),
        preview.id,
    )


def _is_preview_of_all(run: Run) -> bool:
    is_dry_run = run.kind is RunKind.DRY_RUN and run.state is RunState.DONE
    return is_dry_run and not run.emails and run.undo is None


def _count(run: Run, side: Side, name: str) -> int:
    return run.counts.get(side.value, {}).get(name, 0)


def _outlook(observed: _Observed, settings: _Settings) -> Outlook:
    share = settings.people_share
    allowed = observed.org_allowed
    limit = None if not allowed else settings.api_share * allowed
    causes = tuple(
        _cause(for_fewer_people((calls,), share)[0], days) for calls, days in observed.causes
    )
    plezi_calls = sum(each.plezi_calls_a_day for each in causes)
    salesforce_calls = sum(each.salesforce_calls_a_day for each in causes)
    pace_limit = settings.calls_per_second * SECONDS_OF_DAY or None
    growth = None if observed.growth is None else observed.growth * share
    return Outlook(
        share,
        causes,
        PleziForecast(
            round(plezi_calls, 1),
            settings.calls_per_second,
            pace_limit,
            _share_of(plezi_calls, pace_limit),
        ),
        SalesforceForecast(
            round(salesforce_calls, 1),
            settings.api_share,
            limit,
            _share_of(salesforce_calls, limit),
            _rounded(growth),
            _rounded(days_until_spent(salesforce_calls, growth, limit)),
            observed.org_used,
            allowed,
        ),
        _first_sync(observed.first_sync, Limits(settings.calls_per_second, limit), share),
    )


def _cause(calls: DailyCalls, days: float) -> CauseForecast:
    return CauseForecast(
        calls.cause,
        round(calls.runs, 2),
        round(calls.plezi, 1),
        round(calls.salesforce, 1),
        round(days, 2),
        calls.is_expected,
    )


def _first_sync(
    people: tuple[int, int, str] | None, limits: Limits, share: float
) -> FirstSyncForecast | None:
    if people is None:
        return None
    to_plezi, to_salesforce = round(people[0] * share), round(people[1] * share)
    needs = first_sync_needs(to_plezi, to_salesforce, limits)
    return FirstSyncForecast(
        to_plezi,
        to_salesforce,
        people[2],
        round(needs.plezi_calls, 1),
        round(needs.salesforce_calls, 1),
        None if needs.hours is None else round(needs.hours, 3),
        round(needs.paused_hours, 3),
    )


def _share_of(calls: float, limit: float | None) -> float | None:
    return round(calls / limit, 4) if limit else None


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
