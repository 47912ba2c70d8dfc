"""Dates and times in the one form in which Salesforce writes them, which is also the stored form.

Fixed width and always UTC: comparing the texts compares the instants.
"""

from __future__ import annotations

from datetime import UTC, date, datetime


def stamp(instant: datetime) -> str:
    """Return `2021-12-02T18:23:39.000+0000`: whole seconds, as every recording shows."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_stamp(text: str) -> datetime:
    """Return the instant of a stored date and time."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def parse_datetime(text: str) -> datetime | None:
    """Return the instant of an ISO 8601 date and time with a zone, or None."""
    if "T" not in text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter: the year 1 or 9999, east or west of UTC
        return None


def parse_date(text: str) -> date | None:
    """Return the day of `YYYY-MM-DD`, or None."""
    try:
        return (
            date.fromisoformat(text)
            if text[4:5] == "-" and len(text) == len("2026-11-23")
            else None
        )
    except ValueError:
        return None
