"""Which of several Leads with one e-mail to propose as the primary one, by rule. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.described_enum import DescribedEnum


class PrimaryRule(DescribedEnum):
    """The rules that propose the primary Lead among several with one e-mail."""

    OLDEST = "oldest", "The Lead that was created first."
    MOST_COMPLETE = "most_complete", "The Lead with values in most of the mapped fields."
    OWNER = "owner", "The oldest Lead that a user owns, and not a queue."


@dataclass(frozen=True, slots=True)
class DuplicateLead:
    """One of the Leads: its creation (ISO 8601 in UTC), its mapped fields with a value, its owner.

    `has_user`: a user owns it, and not a queue.
    """

    id: str
    created: str
    filled: int
    has_user: bool


def propose_primary(rule: PrimaryRule, leads: Sequence[DuplicateLead]) -> str:
    """Return the id of the Lead that a rule proposes; '' if no Lead meets it.

    Of several equal ones, the oldest is proposed.
    """
    if rule is PrimaryRule.OWNER:
        leads = [lead for lead in leads if lead.has_user]
    most = max((lead.filled for lead in leads), default=0)
    if rule is PrimaryRule.MOST_COMPLETE:
        leads = [lead for lead in leads if lead.filled == most]
    # A creation that is not known is later than all others.
    oldest = min(leads, key=lambda it: (not it.created, it.created, it.id), default=None)
    return "" if oldest is None else oldest.id
