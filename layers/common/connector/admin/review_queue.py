"""People who wait for an administrator, and what may be done: choose, retry, pick the survivor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.errors import StaleError
from connector.mapping import canonical_email
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
from connector.planning.manual_actions import choose_value, pick_primary, request_retry


@dataclass(frozen=True, slots=True)
class RecordValueView:
    """What one record says of a field."""

    record: str
    kind: RecordKind
    value: Value


@dataclass(frozen=True, slots=True)
class HoldView:
    """A field that waits: why, since when (seconds since 1970), what each record said.

    `chosen` is the record whose word was chosen already ('' for none).
    """

    field: str
    reason: HoldReason
    since: float
    values: tuple[RecordValueView, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """A refusal: by which side, its own code, what to do, for which fields, how often tried."""

    side: Side
    code: str
    remedy: str
    fields: tuple[str, ...]
    since: float
    tries: int


@dataclass(frozen=True, slots=True)
class LeadView:
    """One of several Leads of one e-mail, and what it says."""

    id: str
    modified: str
    primary: bool
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One person who waits."""

    email: str
    kinds: tuple[AttentionKind, ...]
    holds: tuple[HoldView, ...]
    quarantine: QuarantineView | None
    leads: tuple[LeadView, ...]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some people, in order of their e-mails; `next` asks for the following ones."""

    people: tuple[ReviewItem, ...]
    next: str


@dataclass(frozen=True, slots=True)
class RunRequested:
    """A run that was asked for to carry out a decision."""

    run_id: str


@dataclass(frozen=True, slots=True)
class BulkDecision:
    """A decision for many: for how many it was taken, how many had moved meanwhile.

    `run_id` is the run that carries it out (None: it was taken for nobody). `next` asks for the
    following people ('': there are none).
    """

    run_id: str | None
    decided: int
    conflicts: int
    next: str


def list_review_items(
    context: AdminContext, kind: AttentionKind, *, limit: int, after: str = ""
) -> ReviewPage:
    """Return people who wait with something of this kind. Raises `InvalidRequestError`."""
    emails = context.review.emails_needing_attention(kind, limit + 1, decode_after(after))
    links = context.review.load_links(emails[:limit])
    people = tuple(review_item(links[email]) for email in emails[:limit] if email in links)
    return ReviewPage(people, encode_page_token(emails[limit - 1]) if len(emails) > limit else "")


def choose_record_value(
    context: AdminContext, who: str, email: str, line: str, record: str
) -> RunRequested:
    """Choose one record's word for a held field. Raises `UnknownItemError`, `StaleError`."""
    return _decide(context, who, email, f"choose {line}", lambda it: choose_value(it, line, record))


def retry_person(context: AdminContext, who: str, email: str) -> RunRequested:
    """Try again what was refused. Raises `UnknownItemError`, `StaleError`."""
    return _decide(context, who, email, "retry", _retried)


def pick_primary_lead(context: AdminContext, who: str, email: str, lead: str) -> RunRequested:
    """Pick one Lead among several of one e-mail. Raises `UnknownItemError`, `StaleError`."""
    return _decide(context, who, email, "primary_lead", lambda it: pick_primary(it, lead))


def review_item(link: Link) -> ReviewItem:
    """Return a person as an administrator sees what waits."""
    kinds = {seen.id: seen.kind for seen in link.observations()}
    refused = link.quarantine
    several = AttentionKind.DUPLICATE in link.attention
    return ReviewItem(
        email=link.email,
        kinds=link.attention,
        holds=tuple(
            HoldView(
                field,
                hold.reason,
                hold.since,
                tuple(
                    RecordValueView(record, kinds[record], value)
                    for record, value in hold.values.items()
                    if record in kinds
                ),
                hold.chosen,
            )
            for field, hold in sorted(link.holds.items())
        ),
        quarantine=None
        if refused is None
        else QuarantineView(
            refused.side, refused.code, refused.remedy, refused.fields, refused.since, refused.tries
        ),
        leads=tuple(
            LeadView(seen.id, seen.modified, seen.id == link.primary_lead, seen.values)
            for seen in link.salesforce
            if several and seen.kind is RecordKind.LEAD and seen.participates
        ),
    )


def decode_after(token: str) -> str:
    """Return the e-mail after which a page begins. Raises `InvalidRequestError`."""
    try:
        return decode_page_token(token)
    except ValueError as error:
        raise InvalidRequestError("next: not the `next` of an earlier page") from error


def find_link(context: AdminContext, email: str) -> Link:
    """Return the link of an e-mail, however it is written. Raises `UnknownItemError`."""
    canonical = canonical_email(email)
    link = context.review.load_links([canonical]).get(canonical)
    if link is None:
        raise UnknownItemError(
            "nobody is known under this e-mail: it was not read yet, or is written otherwise"
        )
    return link


def audit_subject(link: Link) -> str:
    """Name a person without personal values: by the ids of the records."""
    return ", ".join(sorted(link.record_ids))


def audit_state(link: Link) -> object:
    """Return what a decision changes of a link."""
    chosen = {field: hold.chosen for field, hold in link.holds.items()}
    return {"chosen": chosen, "primary_lead": link.primary_lead, "dirty": link.dirty}


def _retried(link: Link) -> Link:
    if link.quarantine is None:
        raise StaleError("nothing of this person is refused any more: read the list again")
    return request_retry(link)


def _decide(
    context: AdminContext, who: str, email: str, what: str, decision: Callable[[Link], Link]
) -> RunRequested:
    """Take a decision on one link, on the condition that it has not moved, and ask for its run."""
    link = find_link(context, email)
    decided = decision(link)
    if context.review.save_links([LinkChange(decided)]):
        raise StaleError("this person's line moved at the same moment: read it again, then decide")
    context.audit_change(
        who,
        what,
        audit_subject(link),
        state_digest(audit_state(link)),
        state_digest(audit_state(decided)),
    )
    return RunRequested(context.run_requester.request_run(RunKind.SELECTED, emails=[link.email]))
