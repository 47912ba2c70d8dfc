"""The expressions of EventBridge Scheduler that the template uses, as times of the world."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
CRON: Final = re.compile(r"cron\((\d+) (\d+) \? \* ([A-Z]{3}) \*\)")
UNITS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def next_tick(expression: str, begin: datetime, after: datetime) -> datetime:
    """Return the first time of a schedule after a time; `begin` is when it was created.

    `rate(2 hours)` fires first when it was created; `cron(0 3 ? * SUN *)` fires weekly (Amazon
    EventBridge Scheduler User Guide, "Schedule types"). Raises `ValueError` for another form.
    """
    if match := RATE.fullmatch(expression):
        every = int(match[1]) * UNITS[match[2]]
        ticks = int((after - begin).total_seconds() // every) + 1
        return begin + timedelta(seconds=ticks * every)
    if match := CRON.fullmatch(expression):
        day = after.replace(hour=int(match[2]), minute=int(match[1]), second=0, microsecond=0)
        day += timedelta(days=(DAYS.index(match[3]) - day.weekday()) % len(DAYS))
        return day if day > after else day + timedelta(weeks=1)
    raise ValueError(f"the rehearsal does not know the schedule {expression!r}")
