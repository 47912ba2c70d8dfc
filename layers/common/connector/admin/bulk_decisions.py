"""Decisions for many people at once, a bounded page at a time."""

from __future__ import annotations

from collections.abc import Callable

from connector.admin.context import AdminContext
from connector.admin.review_queue import (
    BulkDecision,
    audit_state,
    audit_subject,
    decode_after,
)
from connector.model import AttentionKind, Link, LinkChange, RunKind, Side, state_digest
from connector.page_token import encode_page_token
from connector.planning.manual_actions import choose_value, request_retry

PAGE = 200
"""People of one decision: what one selected run takes."""


def retry_all(context: AdminContext, who: str, *, after: str = "") -> BulkDecision:
    """Try again what was refused, for the next 200 people in quarantine."""
    return _decide_all(
        context,
        who,
        "retry",
        AttentionKind.QUARANTINE,
        lambda link: None if link.quarantine is None else request_retry(link),
        after,
    )


def choose_side(
    context: AdminContext, who: str, line: str, side: Side, *, after: str = ""
) -> BulkDecision:
    """Choose what one side says of a field, for the next 200 people who wait with a hold.

    People whose other fields wait are passed over, and so is who has several records on that side
    that say different things: nobody can choose among those in bulk.
    """
    return _decide_all(
        context,
        who,
        f"choose {line} of {side.value}",
        AttentionKind.HOLD,
        lambda link: _with_side(link, line, side),
        after,
    )


def _with_side(link: Link, line: str, side: Side) -> Link | None:
    hold = link.holds.get(line)
    if hold is None:
        return None
    records = [
        seen.id for seen in link.observations() if seen.side is side and seen.id in hold.values
    ]
    if not records or len({repr(hold.values[record]) for record in records}) > 1:
        return None
    return choose_value(link, line, records[0])


def _decide_all(
    context: AdminContext,
    who: str,
    what: str,
    kind: AttentionKind,
    decision: Callable[[Link], Link | None],
    after: str,
) -> BulkDecision:
    emails = context.review.emails_needing_attention(kind, PAGE + 1, decode_after(after))
    links = context.review.load_links(emails[:PAGE])
    decided = {
        email: (link, new)
        for email, link in sorted(links.items())
        if (new := decision(link)) is not None
    }
    moved = (
        context.review.save_links([LinkChange(new) for _, new in decided.values()])
        if decided
        else ()
    )
    done = {email: pair for email, pair in decided.items() if email not in moved}
    for before, new in done.values():
        context.audit_change(
            who,
            what,
            audit_subject(before),
            state_digest(audit_state(before)),
            state_digest(audit_state(new)),
        )
    return BulkDecision(
        context.run_requester.request_run(RunKind.SELECTED, emails=sorted(done)) if done else None,
        len(done),
        len(moved),
        encode_page_token(emails[PAGE - 1]) if len(emails) > PAGE else "",
    )
