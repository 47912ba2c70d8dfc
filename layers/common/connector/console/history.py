"""What the overview shows of the last 30 days: one document, renewed when it is out of date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from connector.admin.context import AdminContext
from connector.admin.forecast import Question, show_forecast
from connector.admin.runs import RunView, list_runs
from connector.admin.status import AttentionCounts
from connector.model import RunKind

KEY: Final = "console_history"
DAYS: Final = 30
FORECAST_SECONDS: Final = 3600.0
"""How long the average of the calls to Plezi is used: it is that of a week, of up to 2,000 runs."""
PAGE: Final = 200
MAX_PAGES: Final = 5
"""Pages of runs that are read at once: 1,000, twice the runs that the schedule makes in 30 days."""
WRITTEN: Final = ("created", "updated")


@dataclass(frozen=True, slots=True)
class PleziUsage:
    """The calls to Plezi in an average day of the last week, and the limit of the pace."""

    calls_a_day: int
    limit_a_day: int


@dataclass(frozen=True, slots=True)
class History:
    """The last 30 days, by day (ISO 8601, UTC).

    `written` are the records that runs wrote, `waiting` the people who waited for a decision when
    they were last counted on that day; a day without a count is not in it. `plezi` is None without
    a limit of the pace. `newest` is the newest run that is counted, with its state. `forecast_at`
    is in seconds since 1970.
    """

    written: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    plezi: PleziUsage | None = None
    newest: str = ""
    forecast_at: float = 0.0


def written(counts: Mapping[str, Mapping[str, int]]) -> int:
    """Return how many records a run created and updated."""
    return sum(numbers.get(name, 0) for numbers in counts.values() for name in WRITTEN)


def last_days(now: float) -> list[str]:
    """Return the last 30 days, the oldest first."""
    today = datetime.fromtimestamp(now, UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS - 1, -1, -1)]


def renew_history(
    context: AdminContext, waiting: AttentionCounts, latest: RunView | None
) -> History:
    """Return the history with the people who wait now; store it if it changed.

    `latest` is the newest run. The schedule of the console calls this every day, and the overview
    at each visit, so that a day has a number also if nobody looks.
    """
    before = _load(context)
    now = context.clock()
    newest = "" if latest is None else f"{latest.run_id} {latest.state}"
    days = last_days(now)
    waits = waiting.hold + waiting.quarantine + waiting.duplicate
    counted = {day: it for day, it in before.waiting.items() if day in days} | {days[-1]: waits}
    is_due = now - before.forecast_at >= FORECAST_SECONDS
    after = History(
        before.written if newest == before.newest else _written(context, before, days),
        counted,
        _plezi_usage(context) if is_due else before.plezi,
        newest,
        now if is_due else before.forecast_at,
    )
    if after != before:
        context.documents.save_document(KEY, asdict(after))
    return after


def _load(context: AdminContext) -> History:
    """Return the stored history; an empty one if there is none, or it is damaged."""
    document: Mapping[str, Any] = context.documents.load_document(KEY) or {}
    try:
        plezi = document.get("plezi")
        return History(
            _numbers(document["written"]),
            _numbers(document["waiting"]),
            PleziUsage(int(plezi["calls_a_day"]), int(plezi["limit_a_day"])) if plezi else None,
            str(document["newest"]),
            float(document["forecast_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return History()


def _numbers(members: Mapping[str, Any]) -> dict[str, int]:
    return {date.fromisoformat(day).isoformat(): int(number) for day, number in members.items()}


def _written(context: AdminContext, before: History, days: list[str]) -> dict[str, int]:
    """Return the records written on each day; days before the last counted one stay as they are."""
    known = {day: it for day, it in before.written.items() if day in days}
    since = max(known, default=days[0])
    fresh: dict[str, int] = {}
    token = ""
    for _ in range(MAX_PAGES):
        page = list_runs(context, limit=PAGE, before=token)
        for run in page.runs:
            if _day(run) >= since and run.kind is not RunKind.DRY_RUN:
                fresh[_day(run)] = fresh.get(_day(run), 0) + written(run.counts)
        token = page.next
        if not token or (page.runs and _day(page.runs[-1]) < since):
            break
    return {day: fresh.get(day, 0) if day >= since else known.get(day, 0) for day in days}


def _day(run: RunView) -> str:
    return datetime.fromtimestamp(run.requested_at, UTC).date().isoformat()


def _plezi_usage(context: AdminContext) -> PleziUsage | None:
    plezi = show_forecast(context, Question()).now.plezi
    if plezi.limit_a_day is None:
        return None
    return PleziUsage(round(plezi.calls_a_day), round(plezi.limit_a_day))
