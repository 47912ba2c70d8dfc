"""Times in the store (milliseconds since 1970) and in the API (ISO 8601)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_millis(time: datetime) -> int:
    """Return an aware time as milliseconds since 1970."""
    return (time - _EPOCH) // _MILLISECOND


def parse_millis(text: str) -> int:
    """Return an ISO 8601 time as milliseconds since 1970.

    Raises:
        ValueError: when the text is not a time, or has no zone.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("the instant has no zone")
    return to_millis(time)


def format_millis(millis: int) -> str:
    """Return milliseconds in the format of the API: `2024-05-02T08:15:30.000Z`."""
    time = _EPOCH + millis * _MILLISECOND
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def format_local(millis: int) -> str:
    """Return milliseconds in the time of Paris, with as many decimals as are needed.

    Ruby on Rails and Java write times of a zone like this: `2024-05-02T10:15:30.5+02:00`.
    """
    time = _EPOCH + millis * _MILLISECOND
    is_summer = _last_sunday(time.year, 3) <= time < _last_sunday(time.year, 10)
    zone = timezone(timedelta(hours=2 if is_summer else 1))
    text = time.astimezone(zone).isoformat(timespec="milliseconds")
    return f"{text[:-6].rstrip('0').rstrip('.')}{text[-6:]}"


def _last_sunday(year: int, month: int) -> datetime:
    """Return when summer time begins or ends in the European Union (Directive 2000/84/EC)."""
    last_day = datetime(year, month, 31, 1, tzinfo=UTC)
    return last_day - timedelta(days=last_day.isoweekday() % 7)
