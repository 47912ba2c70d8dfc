"""What a person may do about a link that waits: choose a value, retry, pick the survivor. Pure."""

from __future__ import annotations

from dataclasses import replace

from connector.errors import StaleError
from connector.model import Link, RecordKind


def choose_value(link: Link, line: str, record: str) -> Link:
    """Return the link with one record's word chosen for a held line.

    Raises `StaleError` when the line is not held, or not by words of this record: somebody was
    quicker, or the words have changed since they were shown.
    """
    hold = link.holds.get(line)
    if hold is None or record not in hold.values:
        raise StaleError(f"{line} is not held with a value of this record: read the list again")
    holds = {**link.holds, line: replace(hold, chosen=record)}
    return replace(link, holds=holds, dirty=True)


def request_retry(link: Link) -> Link:
    """Return the link marked for another try of what was refused."""
    return replace(link, dirty=True)


def pick_primary(link: Link, lead: str) -> Link:
    """Return the link with one Lead picked as the survivor among several of one e-mail.

    Raises `StaleError` when this Lead takes no part in the link.
    """
    seen = link.observation(lead)
    if seen is None or seen.kind is not RecordKind.LEAD or not seen.participates:
        raise StaleError("this Lead is not one of this person's: read the list again")
    return replace(link, primary_lead=lead, dirty=True)
