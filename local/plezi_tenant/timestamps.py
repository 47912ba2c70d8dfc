"""Instants as the store holds them (milliseconds since 1970) and as the wire spells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_millis(instant: datetime) -> int:
    """Return an aware instant as milliseconds since 1970."""
    return (instant - _EPOCH) // _MILLISECOND


def parse_millis(text: str) -> int:
    """Return an ISO 8601 instant as milliseconds; without a zone it is a `ValueError`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the instant has no zone")
    return to_millis(instant)


def format_millis(moment: int) -> str:
    """Return milliseconds as the wire spells them: `2024-05-02T08:15:30.000Z`."""
    instant = _EPOCH + moment * _MILLISECOND
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
