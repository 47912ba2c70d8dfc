"""Decisions for many people at once, a bounded page at a time."""

from __future__ import annotations

from collections.abc import Callable

from connector.administration.office import Office
from connector.administration.waiting import (
    BulkAsked,
    Waits,
    after_of,
    state_of,
    subject_of,
)
from connector.journal import digest, token_of
from connector.model import Change, Link, RunKind, Side
from connector.plan.attention import choose, retry

PAGE = 200
"""People of one decision: what one selected run takes."""


def retry_all(office: Office, who: str, *, after: str = "") -> BulkAsked:
    """Try again what was refused, for the next 200 people in quarantine."""
    return _decide_all(
        office,
        who,
        "retry",
        Waits.QUARANTINE,
        lambda link: None if link.quarantine is None else retry(link),
        after,
    )


def choose_side(office: Office, who: str, line: str, side: Side, *, after: str = "") -> BulkAsked:
    """Choose what one side says of a field, for the next 200 people who wait with a hold.

    People whose other fields wait are passed over, and so is who has several records on that side
    that say different things: nobody can choose among those in bulk.
    """
    return _decide_all(
        office,
        who,
        f"choose {line} of {side.value}",
        Waits.HOLD,
        lambda link: _with_side(link, line, side),
        after,
    )


def _with_side(link: Link, line: str, side: Side) -> Link | None:
    hold = link.holds.get(line)
    if hold is None:
        return None
    records = [
        seen.id for seen in link.observations() if seen.side is side and seen.id in hold.words
    ]
    if not records or len({repr(hold.words[record]) for record in records}) > 1:
        return None
    return choose(link, line, records[0])


def _decide_all(
    office: Office,
    who: str,
    what: str,
    kind: Waits,
    decision: Callable[[Link], Link | None],
    after: str,
) -> BulkAsked:
    emails = office.ledger.waiting(kind.value, PAGE + 1, after_of(after))
    links = office.ledger.links(emails[:PAGE])
    decided = {
        email: (link, new)
        for email, link in sorted(links.items())
        if (new := decision(link)) is not None
    }
    moved = office.ledger.put([Change(new) for _, new in decided.values()]) if decided else ()
    done = {email: pair for email, pair in decided.items() if email not in moved}
    for before, new in done.values():
        office.note(who, what, subject_of(before), digest(state_of(before)), digest(state_of(new)))
    return BulkAsked(
        office.door.request(RunKind.SELECTED, emails=sorted(done)) if done else None,
        len(done),
        len(moved),
        token_of(emails[PAGE - 1]) if len(emails) > PAGE else "",
    )
