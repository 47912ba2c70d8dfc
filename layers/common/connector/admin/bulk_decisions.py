"""Decisions for many contacts at once, one page of them in each request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.review_queue import (
    BulkDecision,
    audit_decision,
    decode_after,
)
from connector.model import AttentionKind, Link, LinkChange, RunKind, Side
from connector.page_token import encode_page_token
from connector.planning.manual_actions import choose_value, request_retry

PAGE: Final = 200
"""Contacts of one decision: as many as one run of selected contacts takes."""


def retry_all(context: AdminContext, actor: str, *, after: str = "") -> BulkDecision:
    """Retry the refused writes of the next 200 contacts in quarantine."""
    return _decide_all(
        context,
        actor,
        "retry",
        AttentionKind.QUARANTINE,
        lambda link: None if link.quarantine is None else request_retry(link),
        after,
    )


def choose_side(
    context: AdminContext, actor: str, pair: str, side: Side, *, after: str = ""
) -> BulkDecision:
    """Choose the value of one side for a held field, for the next 200 contacts with a hold.

    Two kinds of contacts are left out: those with holds of other fields only, and those with
    several records on that side that have different values, because a choice among those is not
    possible in bulk.
    """
    return _decide_all(
        context,
        actor,
        f"choose {pair} of {side.value}",
        AttentionKind.HOLD,
        lambda link: _with_side(link, pair, side),
        after,
    )


def _with_side(link: Link, pair: str, side: Side) -> Link | None:
    hold = link.holds.get(pair)
    if hold is None:
        return None
    records = [
        observation.id
        for observation in link.observations()
        if observation.side is side and observation.id in hold.values
    ]
    if not records or len({repr(hold.values[record]) for record in records}) > 1:
        return None
    return choose_value(link, pair, records[0])


def _decide_all(
    context: AdminContext,
    actor: str,
    action: str,
    kind: AttentionKind,
    decide: Callable[[Link], Link | None],
    after: str,
) -> BulkDecision:
    """Take a decision on each link of a page, and request a run for those that did not change."""
    emails = context.review.emails_needing_attention(kind, PAGE + 1, decode_after(after))
    links = context.review.load_links(emails[:PAGE])
    decisions = {
        email: (link, decided)
        for email, link in sorted(links.items())
        if (decided := decide(link)) is not None
    }
    conflicts = (
        context.review.save_links(
            [LinkChange(decided) for _, decided in decisions.values()]
        ).all_emails
        if decisions
        else frozenset[str]()
    )
    saved = {email: pair for email, pair in decisions.items() if email not in conflicts}
    for link, decided in saved.values():
        audit_decision(context, actor, action, link, decided)
    return BulkDecision(
        context.run_requester.request_run(RunKind.SELECTED, emails=sorted(saved))
        if saved
        else None,
        len(saved),
        len(conflicts),
        encode_page_token(emails[PAGE - 1]) if len(emails) > PAGE else "",
    )
