"""Decisions for many contacts at once, one page of them in each request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.review_queue import (
    BulkDecision,
    audit_decision,
    decode_after,
)
from connector.mapping.values import to_text
from connector.model import AttentionKind, Link, LinkChange, RunKind, Side
from connector.page_token import encode_page_token
from connector.planning.manual_actions import choose_value, is_untyped, request_retry

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


def retry_people(context: AdminContext, actor: str, emails: Collection[str]) -> BulkDecision:
    """Retry the refused writes of up to 200 people; those not in quarantine are left out."""
    links = context.review.load_links(sorted(emails)[:PAGE])
    decisions = {
        email: (link, request_retry(link))
        for email, link in sorted(links.items())
        if link.quarantine is not None
    }
    return _store(context, actor, "retry", decisions, BulkDecision(None, 0, 0, 0, 0, ""))


def choose_side(
    context: AdminContext,
    actor: str,
    pair: str,
    side: Side,
    *,
    after: str = "",
    is_preview: bool = False,
) -> BulkDecision:
    """Choose the value of one side for a held field, for the next 200 contacts with a hold.

    Left out are contacts of which nobody typed a value on that side, and those with several records
    there that have different values, because a choice among those is not possible in bulk. A
    preview only counts.
    """

    def decide(link: Link) -> Link | None:
        record = _chosen_record(link, pair, side)
        return None if record is None else choose_value(link, pair, record)

    return _decide_all(
        context,
        actor,
        f"choose {pair} of {side.value}",
        AttentionKind.HOLD,
        decide,
        after,
        _HeldField(pair, is_preview=is_preview),
    )


@dataclass(frozen=True, slots=True)
class _HeldField:
    """The field that a decision is about; a preview stores nothing."""

    pair: str
    is_preview: bool

    def is_held_in(self, link: Link) -> bool:
        return self.pair in link.holds

    def overwritten(self, link: Link) -> int:
        """Return how many values of a decided link give way, blank ones not counted."""
        hold = link.holds[self.pair]
        chosen = to_text(hold.values[hold.chosen])
        texts = [to_text(value) for record, value in hold.values.items() if record != hold.chosen]
        return sum(bool(text) and text != chosen for text in texts)


def _chosen_record(link: Link, pair: str, side: Side) -> str | None:
    """Return a record with the value of a side; None if it has none, or several."""
    hold = link.holds.get(pair)
    if hold is None:
        return None
    records = [
        observation.id
        for observation in link.observations()
        if observation.side is side
        and observation.id in hold.values
        and not is_untyped(link, pair, observation.id)
    ]
    if not records or len({repr(hold.values[record]) for record in records}) > 1:
        return None
    return records[0]


def _decide_all(
    context: AdminContext,
    actor: str,
    action: str,
    kind: AttentionKind,
    decide: Callable[[Link], Link | None],
    after: str,
    held: _HeldField | None = None,
) -> BulkDecision:
    """Take a decision on each link of a page, and request a run for those that did not change."""
    emails = context.review.emails_needing_attention(kind, PAGE + 1, decode_after(after))
    links = context.review.load_links(emails[:PAGE])
    decisions = {
        email: (link, decided)
        for email, link in sorted(links.items())
        if (decided := decide(link)) is not None
    }
    overwritten = left_out = 0
    if held is not None:
        overwritten = sum(held.overwritten(decided) for _, decided in decisions.values())
        left_out = sum(map(held.is_held_in, links.values())) - len(decisions)
    following = encode_page_token(emails[PAGE - 1]) if len(emails) > PAGE else ""
    if held is not None and held.is_preview:
        return BulkDecision(None, len(decisions), overwritten, left_out, 0, following)
    counted = BulkDecision(None, 0, overwritten, left_out, 0, following)
    return _store(context, actor, action, decisions, counted)


def _store(
    context: AdminContext,
    actor: str,
    action: str,
    decisions: Mapping[str, tuple[Link, Link]],
    counted: BulkDecision,
) -> BulkDecision:
    """Store decisions (the link before and after each), and request the run that applies them."""
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
    run_id = (
        context.run_requester.request_run(RunKind.SELECTED, emails=sorted(saved)) if saved else None
    )
    return replace(counted, run_id=run_id, decided=len(saved), conflicts=len(conflicts))
