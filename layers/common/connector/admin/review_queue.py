"""The review queue: contacts that need a decision, and the decisions about one contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError, page_token_errors
from connector.clean_text import canonical_email
from connector.errors import StaleError
from connector.model import (
    AttentionKind,
    HoldReason,
    Link,
    LinkChange,
    RecordKind,
    RunKind,
    Side,
    Value,
    state_digest,
)
from connector.page_token import decode_page_token, encode_page_token
from connector.planning.manual_actions import (
    choose_value,
    is_untyped,
    pick_primary,
    request_retry,
)

NOT_STORED_MESSAGE: Final = (
    "the decision is not stored, because the data of this contact is too large or cannot be "
    "stored: shorten the longest values in Plezi or Salesforce, then decide again"
)


@dataclass(frozen=True, slots=True)
class RecordValueView:
    """The value of a field in one record.

    `can_be_chosen`: somebody typed it. A blank that was never anything else, or a placeholder, is
    nobody's word, and would empty the other records.
    """

    record: str
    kind: RecordKind
    value: Value
    can_be_chosen: bool


@dataclass(frozen=True, slots=True)
class HoldView:
    """A held field: the reason, the time (`since`, seconds since 1970), the value of each record.

    `chosen` is the record whose value was chosen already ('': none).
    """

    field: str
    reason: HoldReason
    since: float
    values: tuple[RecordValueView, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """A refused write: the side and its error code, the remedy, the fields, the number of tries."""

    side: Side
    code: str
    remedy: str
    fields: tuple[str, ...]
    since: float
    tries: int


@dataclass(frozen=True, slots=True)
class LeadView:
    """One of several Leads with the same e-mail, and its values.

    An e-mail of the kind `shared` has more records than these: the ones beyond the limit are not
    stored.
    """

    id: str
    modified: str
    primary: bool
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One contact that needs a decision."""

    email: str
    kinds: tuple[AttentionKind, ...]
    holds: tuple[HoldView, ...]
    quarantine: QuarantineView | None
    leads: tuple[LeadView, ...]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of contacts, in the order of their e-mails.

    `next` is the token of the next page ('': there is none).
    """

    people: tuple[ReviewItem, ...]
    next: str


@dataclass(frozen=True, slots=True)
class RunRequested:
    """The run that applies a decision."""

    run_id: str


@dataclass(frozen=True, slots=True)
class BulkDecision:
    """A decision for many contacts, or its preview.

    `decided` is the number of contacts that it was (or would be) taken for, `overwritten` the
    number of values in their records that give way to it, blank ones not counted. `left_out` is the
    number of contacts with this hold that it cannot be taken for. `conflicts` is the number of
    contacts that changed at the same time; the decision was not taken for them. `run_id` is the run
    that applies the decision (None: it was taken for no contact). `next` is the token of the next
    page ('': there is none).
    """

    run_id: str | None
    decided: int
    overwritten: int
    left_out: int
    conflicts: int
    next: str


def list_review_items(
    context: AdminContext, kind: AttentionKind, *, limit: int, after: str = ""
) -> ReviewPage:
    """Return contacts that need a decision of this kind. Raises `InvalidRequestError`."""
    emails = context.review.emails_needing_attention(kind, limit + 1, decode_after(after))
    links = context.review.load_links(emails[:limit])
    people = tuple(review_item(links[email]) for email in emails[:limit] if email in links)
    return ReviewPage(people, encode_page_token(emails[limit - 1]) if len(emails) > limit else "")


def choose_record_value(
    context: AdminContext, actor: str, email: str, pair: str, record: str
) -> RunRequested:
    """Choose the value of one record for a held field.

    Raises `UnknownItemError`, `StaleError`, and `InvalidRequestError` for a value that nobody
    typed.
    """

    def choose(link: Link) -> Link:
        if is_untyped(link, pair, record):
            raise InvalidRequestError(
                "record: nobody typed a value in this record, so it cannot replace one that "
                "somebody typed: choose another record, or type a value there"
            )
        return choose_value(link, pair, record)

    return _decide(context, actor, email, f"choose {pair}", choose)


def retry_person(context: AdminContext, actor: str, email: str) -> RunRequested:
    """Retry the refused write of one contact. Raises `UnknownItemError`, `StaleError`."""
    return _decide(context, actor, email, "retry", _with_retry)


def pick_primary_lead(context: AdminContext, actor: str, email: str, lead: str) -> RunRequested:
    """Pick one of several Leads with the same e-mail. Raises `UnknownItemError`, `StaleError`."""
    return _decide(context, actor, email, "primary_lead", lambda link: pick_primary(link, lead))


def review_item(link: Link) -> ReviewItem:
    """Return the view of a contact in the review queue."""
    kinds = {observation.id: observation.kind for observation in link.observations()}
    quarantine = link.quarantine
    has_duplicates = AttentionKind.DUPLICATE in link.attention
    return ReviewItem(
        email=link.email,
        kinds=link.attention,
        holds=tuple(
            HoldView(
                field,
                hold.reason,
                hold.since,
                tuple(
                    RecordValueView(record, kinds[record], value, record not in hold.untyped)
                    for record, value in hold.values.items()
                    if record in kinds
                ),
                hold.chosen,
            )
            for field, hold in sorted(link.holds.items())
        ),
        quarantine=None
        if quarantine is None
        else QuarantineView(
            quarantine.side,
            quarantine.code,
            quarantine.remedy,
            quarantine.fields,
            quarantine.since,
            quarantine.tries,
        ),
        leads=tuple(
            LeadView(lead.id, lead.modified, lead.id == link.primary_lead, lead.values)
            for lead in link.salesforce
            if has_duplicates and lead.kind is RecordKind.LEAD and lead.participates
        ),
    )


def decode_after(token: str) -> str:
    """Return the e-mail that comes before a page. Raises `InvalidRequestError`."""
    with page_token_errors():
        return decode_page_token(token)


def find_link(context: AdminContext, email: str) -> Link:
    """Return the link of an e-mail in any spelling. Raises `UnknownItemError`."""
    canonical = canonical_email(email)
    link = context.review.load_links([canonical]).get(canonical)
    if link is None:
        raise UnknownItemError(
            "there is no contact with this e-mail: check the e-mail; a new contact is read by the "
            "next run"
        )
    return link


def audit_subject(link: Link) -> str:
    """Return the name of a contact in the audit log: the ids of its records, no personal value."""
    return ", ".join(sorted(link.record_ids))


def audit_state(link: Link) -> object:
    """Return the part of a link that a decision changes."""
    chosen = {field: hold.chosen for field, hold in link.holds.items()}
    return {"chosen": chosen, "primary_lead": link.primary_lead, "dirty": link.dirty}


def audit_decision(
    context: AdminContext, actor: str, action: str, link: Link, decided: Link
) -> None:
    """Record a decision that changed a link, in the audit log."""
    context.audit_change(
        actor,
        action,
        audit_subject(link),
        state_digest(audit_state(link)),
        state_digest(audit_state(decided)),
    )


def _with_retry(link: Link) -> Link:
    if link.quarantine is None:
        raise StaleError("this contact is not in quarantine any more: read the list again")
    return request_retry(link)


def _decide(
    context: AdminContext, actor: str, email: str, action: str, decide: Callable[[Link], Link]
) -> RunRequested:
    """Take a decision on one link if it did not change since it was read, and request its run."""
    link = find_link(context, email)
    decided = decide(link)
    saved = context.review.save_links([LinkChange(decided)])
    if saved.refused:
        raise StaleError("the contact changed at the same time: read it again, then decide")
    if saved.all_emails:
        raise InvalidRequestError(NOT_STORED_MESSAGE)
    audit_decision(context, actor, action, link, decided)
    return RunRequested(context.run_requester.request_run(RunKind.SELECTED, emails=[link.email]))
