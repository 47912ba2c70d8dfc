"""The actions of an admin on a link in the review queue: choose, retry, pick the primary Lead."""

from __future__ import annotations

from dataclasses import replace

from connector.errors import StaleError
from connector.model import Link, RecordKind


def is_untyped(link: Link, key: str, record_id: str) -> bool:
    """Whether a held field has a value in this record that nobody typed."""
    hold = link.holds.get(key)
    return hold is not None and record_id in hold.untyped


def choose_value(link: Link, key: str, record_id: str) -> Link:
    """Return the link with the value of one record chosen for a held field pair.

    Raises `StaleError` if the pair is not held, or not with a value of this record: another admin
    decided first, or the values changed after they were shown.
    """
    hold = link.holds.get(key)
    if hold is None or record_id not in hold.values:
        raise StaleError(f"{key} is not held with a value of this record: read the list again")
    holds = {**link.holds, key: replace(hold, chosen=record_id)}
    return replace(link, holds=holds, dirty=True)


def request_retry(link: Link) -> Link:
    """Return the link marked for another attempt at the refused write."""
    return replace(link, dirty=True)


def pick_primary(link: Link, lead_id: str) -> Link:
    """Return the link with one Lead picked as the primary Lead among several of one e-mail.

    Raises `StaleError` if this Lead takes no part in the link.
    """
    lead = link.observation(lead_id)
    if lead is None or lead.kind is not RecordKind.LEAD or not lead.participates:
        raise StaleError("this Lead does not belong to this contact: read the list again")
    return replace(link, primary_lead=lead_id, dirty=True)
