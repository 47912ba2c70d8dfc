"""Times in the store (milliseconds since 1970) and in the API (ISO 8601)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
