"""Date literals of SOQL (`TODAY`, `LAST_N_DAYS:30`, `THIS_MONTH`) as spans of UTC days."""

from __future__ import annotations

from datetime import date, timedelta

from local.salesforce_org.soql_ast import DateLiteral

MONTHS = 12
_STEP = {"LAST": -1, "THIS": 0, "NEXT": 1}


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
    when, _, unit = literal.name.partition("_")
    step = _STEP[when]
    if unit == "WEEK":  # weeks start on Sunday in the default locale, en_US
        start = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=step)
        return start, start + timedelta(weeks=1)
    if unit == "MONTH":
        return _month(today, step), _month(today, step + 1)
    return date(today.year + step, 1, 1), date(today.year + step + 1, 1, 1)


def _month(today: date, step: int) -> date:
    months = today.year * MONTHS + today.month - 1 + step
    return date(months // MONTHS, months % MONTHS + 1, 1)
