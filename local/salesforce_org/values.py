"""Dates and times in the format of Salesforce, which is also the stored format.

The format has a fixed width and is always UTC: the order of the texts is the order of the times.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time


def stamp(moment: datetime) -> str:
    """Return `2021-12-02T18:23:39.000+0000`: whole seconds, as in all recordings."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_stamp(text: str) -> datetime:
    """Return the time of a stamp, in UTC."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def parse_datetime(text: str) -> datetime | None:
    """Return the time of an ISO 8601 date and time with a zone in UTC, or None."""
    if "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):  # OverflowError: year 1 or 9999, east or west of UTC
        return None


def parse_time(text: str) -> str | None:
    """Return `10:30:00.000Z` of a time of day with seconds and Z, or None.

    SOAP API Developer Guide, "Primitive Data Types": a time has no zone of its own.
    """
    if not text.endswith("Z") or text.count(":") != len("::"):
        return None
    try:
        moment = time.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None
    return f"{moment.isoformat(timespec='milliseconds')}Z" if moment.tzinfo is None else None


def parse_date(text: str) -> date | None:
    """Return the date of `YYYY-MM-DD`, or None."""
    try:
        return (
            date.fromisoformat(text)
            if text[4:5] == "-" and len(text) == len("2026-11-23")
            else None
        )
    except ValueError:
        return None
