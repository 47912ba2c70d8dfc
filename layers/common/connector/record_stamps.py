"""The stamps of records: no record changed after it was read.

A stamp in the future is wrong. As the position of a reading it would leave out all other records;
as a version it would hide every later edit of its record for a while; as the time of an edit it
would win over every other one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

STAMP_TOLERANCE: Final = timedelta(minutes=5)
"""How far a position may be in the future: the clock of a system is ahead of ours, or the record
changed during the call, which takes up to two minutes. Servers that follow NTP differ far less (MIT
Kerberos Documentation, "krb5.conf", has the same `clockskew`)."""
VERSION_TOLERANCE: Final = timedelta(days=1)
"""How far a version may be in the future. Versions are compared with each other only, so that those
of a system whose clock is ahead all the time stay as they are, also where it has its local time as
UTC (at most 14 hours): their order tells late answers from edits."""


def is_in_future(moment: datetime, read_at: float) -> bool:
    """Return whether a stamp is no position; `read_at` is our clock at the reading, in seconds."""
    return moment > datetime.fromtimestamp(read_at, UTC) + STAMP_TOLERANCE


def plausible_stamp(moment: datetime, read_at: float) -> datetime:
    """Return when a record changed at the latest: the reading, where its stamp cannot be true.

    Every later edit has a later stamp than that, and counts.
    """
    read = datetime.fromtimestamp(read_at, UTC)
    return read if moment > read + VERSION_TOLERANCE else moment
