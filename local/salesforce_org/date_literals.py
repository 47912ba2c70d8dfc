"""Date literals of SOQL (`TODAY`, `LAST_N_DAYS:30`, `THIS_QUARTER`) as spans of UTC days.

SOQL and SOSL Reference, "Date Formats and Date Literals in WHERE". The fiscal year of the org is
the calendar year, the default.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from local.salesforce_org.soql_ast import DateLiteral

MONTHS = 12
MONTHS_OF = {"MONTH": 1, "QUARTER": 3, "YEAR": 12, "FISCAL_QUARTER": 3, "FISCAL_YEAR": 12}
PERIODS = ("WEEK", *MONTHS_OF)
_STEP = {"LAST": -1, "THIS": 0, "NEXT": 1}
DATE_LITERALS = frozenset(f"{when}_{period}" for when in _STEP for period in PERIODS) | {
    "YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS",
}  # fmt: skip
NUMBERED_LITERALS = frozenset(
    form.format(period)
    for period in ("DAY", *PERIODS)
    for form in ("LAST_N_{}S", "NEXT_N_{}S", "N_{}S_AGO")
)


def span(literal: DateLiteral, today: date) -> tuple[date, date]:
    """Return the first day of the span and the first day after it."""
    tomorrow = today + timedelta(days=1)
    days = timedelta(days=literal.number)
    fixed = {
        "YESTERDAY": (today - timedelta(days=1), today),
        "TODAY": (today, tomorrow),
        "TOMORROW": (tomorrow, tomorrow + timedelta(days=1)),
        "LAST_90_DAYS": (today - timedelta(days=90), tomorrow),
        "NEXT_90_DAYS": (tomorrow, tomorrow + timedelta(days=90)),
        "LAST_N_DAYS": (today - days, tomorrow),
        "NEXT_N_DAYS": (tomorrow, tomorrow + days),
        "N_DAYS_AGO": (today - days, today - days + timedelta(days=1)),
    }
    if literal.name in fixed:
        return fixed[literal.name]
    if literal.name in NUMBERED_LITERALS:
        return _numbered(literal, today)
    when, _, period = literal.name.partition("_")
    first = _starts(period, today)
    return first(_STEP[when]), first(_STEP[when] + 1)


def _numbered(literal: DateLiteral, today: date) -> tuple[date, date]:
    """Return a span of whole periods, of which none is the present one."""
    number = literal.number
    if literal.name.endswith("_AGO"):
        first = _starts(literal.name.removeprefix("N_").removesuffix("S_AGO"), today)
        return first(-number), first(1 - number)
    when, _, period = literal.name.removesuffix("S").partition("_N_")
    first = _starts(period, today)
    return (first(-number), first(0)) if when == "LAST" else (first(1), first(number + 1))


def _starts(period: str, today: date) -> Callable[[int], date]:
    """Return the first day of a period by its distance from the present one."""
    if period == "WEEK":  # weeks start on Sunday in the default locale, en_US
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return lambda step: sunday + timedelta(weeks=step)
    length = MONTHS_OF[period]
    present = (today.year * MONTHS + today.month - 1) // length
    return lambda step: _first_of_month((present + step) * length)


def _first_of_month(months: int) -> date:
    return date(months // MONTHS, months % MONTHS + 1, 1)
