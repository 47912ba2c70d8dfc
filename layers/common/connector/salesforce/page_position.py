"""The position of a reading in Salesforce's list of changed records, as a cursor stores it.

It is the stamp and the id of the last row that was read, and the size of the next page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.model import Cursor
from connector.record_stamps import is_in_future
from connector.salesforce.answers import (
    UnreadableError,
    is_record_id,
    parse_stamp,
    read_id,
    read_stamp,
)
from connector.salesforce.page_size import ROWS_OF_PAGE

NO_PLACE: Final = "- -"
"""In place of stamp and id, where the size of the pages is stored before the first row."""


def since_condition(cursor: Cursor) -> str:
    """Return the condition of a cursor; a part of it that cannot be read is left out."""
    stamp, last, _ = _parts(cursor.position)
    if is_record_id(last):
        try:
            at = soql_time(parse_stamp(stamp), "auto")
        except UnreadableError:
            pass
        else:
            return f" WHERE (SystemModstamp = {at} AND Id > '{last}') OR SystemModstamp > {at}"
    try:
        return f" WHERE SystemModstamp >= {soql_time(parse_stamp(cursor.watermark))}"
    except UnreadableError:
        return ""


def stored_limit(position: str) -> int:
    """Return the size of the next page that a position has; 0 for none."""
    limit = _parts(position)[2]
    return int(limit) if limit in {str(rows) for rows in ROWS_OF_PAGE} else 0


def with_limit(position: str, limit: int) -> str:
    """Return a position with the size of the next page; 0 for none."""
    stamp, record_id, _ = _parts(position)
    place = f"{stamp} {record_id}" if record_id else ""
    return f"{place or NO_PLACE} {limit}" if limit else place


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is in its list: its stamp, also as it was sent, and its id."""

    stamp: datetime
    text: str
    record_id: str


def place_of(row: Mapping[str, object]) -> Place | None:
    """Return the place of a row; None where it has no id or no stamp."""
    try:
        record_id = read_id(row, "Id")
        stamp = read_stamp(row, "SystemModstamp")
    except UnreadableError:
        return None
    return Place(stamp, str(row["SystemModstamp"]), record_id) if record_id else None


def last_position(places: Sequence[Place], read_at: float | None = None) -> str:
    """Return stamp and id of the last place; '' where there is none.

    With the time of the reading, a stamp in the future does not count.
    """
    for each in reversed(places):
        if read_at is None or not is_in_future(each.stamp, read_at):
            return f"{each.text} {each.record_id}"
    return ""


def stamp_of(position: str) -> datetime | None:
    """Return the stamp of a position, before which no row is expected; None where it has none."""
    try:
        return parse_stamp(_parts(position)[0])
    except UnreadableError:
        return None


def soql_time(moment: datetime, timespec: str = "seconds") -> str:
    """Return a time as SOQL has it; `auto` keeps the fraction of a second, where there is one."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def _parts(position: str) -> tuple[str, str, str]:
    """Return stamp, id and size of the next page of a position, '' for what it lacks."""
    stamp, record_id, limit, *_ = [*position.split(" "), "", "", ""]
    return ("", "", limit) if f"{stamp} {record_id}" == NO_PLACE else (stamp, record_id, limit)
