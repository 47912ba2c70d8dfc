"""The first page: is synchronization healthy, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.admin.alerts import OpenAlert, list_open_alerts
from connector.admin.breaker import reset_breaker
from connector.admin.run_requests import request_run
from connector.admin.runs import RunView, list_runs
from connector.admin.status import AttentionCounts, Status, show_status, switch_sync
from connector.approved_changes import number_of_people
from connector.console.charts import BarChart, bar_chart
from connector.console.context import PageContext
from connector.console.history import History, PleziUsage, last_days, renew_history
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.shown_settings import RATE
from connector.console.web import Response
from connector.errors import NEEDS_DECISION
from connector.model import RunKind, RunState

RECENT_RUNS: Final = 25
"""The newest runs, among which the last scheduled one is looked for: a day has 12 of them."""
BAD_STATES: Final = frozenset({RunState.HALTED, RunState.FAILED})
UNIT_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
PERCENT: Final = 100


class Level(StrEnum):
    """How healthy synchronization is; each level has a colour and a word."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Health:
    """The health in one word: `key` is the text, `detail` what the connector says about it."""

    level: Level
    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UsageBar:
    """A bar: how much of a limit is used. `percent` is never above 100."""

    key: str
    used: int
    allowed: int

    @property
    def percent(self) -> int:
        """The part of the limit that is used, in percent."""
        if self.allowed <= 0:
            return 0
        return min(PERCENT, round(PERCENT * self.used / self.allowed))

    @property
    def level(self) -> Level:
        """The colour of the bar: the alert about the API budget is sent at 80 percent."""
        limits = ((Level.GOOD, 70), (Level.WARNING, 80))
        return next((level for level, below in limits if self.percent < below), Level.BAD)


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """How many people wait for a decision of one kind; `at_least`: there may be more."""

    kind: str
    number: int
    at_least: bool


@dataclass(frozen=True, slots=True)
class OverviewView:
    """What the page shows.

    `people` is about how many are synchronized (0: not known). `written` and `waited` are those of
    `history`. `next_run` is the latest time of the next run (0: not known).
    """

    health: Health
    status: Status
    waiting: tuple[WaitingCount, ...]
    meters: tuple[UsageBar, ...]
    alerts: tuple[OpenAlert, ...]
    people: int
    history: History
    written: BarChart
    waited: BarChart
    latest: RunView | None
    next_run: float
    needs_decision: bool


def show_overview(page: PageContext) -> Response:
    """Show the page."""
    status = show_status(page.admin)
    alerts = list_open_alerts(page.admin)
    runs = list_runs(page.admin, limit=RECENT_RUNS).runs
    now = page.admin.clock()
    history = renew_history(page.admin, status.attention, runs[0] if runs else None)
    view = OverviewView(
        health=health(status, alerts),
        status=status,
        waiting=waiting(status.attention),
        meters=(*meters(status), *plezi_meter(history.plezi)),
        alerts=alerts,
        people=number_of_people(page.admin.documents),
        history=history,
        written=bar_chart(by_day(history.written, now)),
        waited=bar_chart(by_day(history.waiting, now)),
        latest=runs[0] if runs else None,
        next_run=next_run(page.settings.schedule_expression, runs) if status.started else 0.0,
        needs_decision=status.breaker is not None and status.breaker.reason in NEEDS_DECISION,
    )
    return page.render("overview.html", view=view)


def health(status: Status, alerts: Iterable[OpenAlert]) -> Health:
    """Return the health in one word: the worst of what is known."""
    last = status.last_run
    verification = status.last_verification
    if status.breaker is not None:
        return Health(Level.BAD, "stopped", status.breaker.message)
    if not status.started:
        return Health(Level.OFF, "never_started" if last is None else "paused")
    if last is None:
        return Health(Level.OFF, "no_run")
    if last.state in BAD_STATES:
        return Health(Level.BAD, "failed", last.message)
    if verification is not None and verification.unexplained_fields:
        return Health(Level.WARNING, "drift")
    if status.suspended_pairs:
        return Health(Level.WARNING, "suspended")
    if any(True for _ in alerts):
        return Health(Level.WARNING, "alerts")
    if status.manual_sync.due:
        return Health(Level.WARNING, "sync_due")
    if status.attention.hold or status.attention.quarantine:
        return Health(Level.GOOD, "waiting")
    return Health(Level.GOOD, "good")


def waiting(counts: AttentionCounts) -> tuple[WaitingCount, ...]:
    """Return how many people wait for a decision, by kind; kinds without anybody are left out."""
    numbers = {
        "hold": counts.hold,
        "quarantine": counts.quarantine,
        "duplicate": counts.duplicate,
        "shared": counts.shared,
        "no_email": counts.no_email,
    }
    return tuple(
        WaitingCount(kind, number, number >= counts.counted_to)
        for kind, number in numbers.items()
        if number
    )


def meters(status: Status) -> tuple[UsageBar, ...]:
    """Return the bars of the calls to Salesforce in the last 24 hours."""
    budget = status.api_budget
    if budget is None:
        return ()
    return (
        UsageBar("ours", budget.ours, budget.our_share),
        UsageBar("org", budget.org_used, budget.org_allowed),
    )


def plezi_meter(usage: PleziUsage | None) -> tuple[UsageBar, ...]:
    """Return the bar of the calls to Plezi in an average day; none without a limit of the pace."""
    return () if usage is None else (UsageBar("plezi", usage.calls_a_day, usage.limit_a_day),)


def by_day(numbers: Mapping[str, int], now: float) -> list[tuple[str, int]]:
    """Return the numbers of the last days in their order; 0 where there is none."""
    return [(day, numbers.get(day, 0)) for day in last_days(now)]


def next_run(schedule: str, runs: Iterable[RunView]) -> float:
    """Return the latest time of the next scheduled run; 0 if it is not known."""
    rate = RATE.fullmatch(schedule)
    last = next((run for run in runs if run.kind is RunKind.CHANGES), None)
    if rate is None or last is None:
        return 0.0
    return last.requested_at + int(rate[1]) * UNIT_SECONDS[rate[2]]


def switch(page: PageContext) -> Response:
    """Start or pause synchronization."""
    on = page.request.value("on") == "yes"
    switch_sync(page.admin, page.actor, on=on)
    return page.go("/", "started" if on else "paused")


def decide_breaker(page: PageContext) -> Response:
    """Decide about what the breaker stopped."""
    reset_breaker(page.admin, page.actor, intended=page.request.value("intended") == "yes")
    return page.go("/", "breaker")


def start_run(page: PageContext) -> Response:
    """Request a run now, and show it."""
    kinds = {kind.value: kind for kind in RunKind}
    kind = kinds.get(page.request.value("kind"), RunKind.FORM)
    requested = request_run(page.admin, page.actor, kind)
    return page.go(f"/runs/{requested.run_id}", "run_requested")


ROUTES: Final = (
    Route("GET", "/", UserRole.VIEWER, show_overview),
    Route("POST", "/switch", UserRole.MAPPER, switch),
    Route("POST", "/breaker", UserRole.OPERATOR, decide_breaker),
    Route("POST", "/runs", UserRole.OPERATOR, start_run),
)
