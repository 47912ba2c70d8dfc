"""What waits for a person: conflicts, refused writes by their cause, several Leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.bulk_decisions import choose_side, retry_all, retry_people
from connector.admin.conflict_policies import set_policy
from connector.admin.errors import InvalidRequestError
from connector.admin.record_pages import RecordPage
from connector.admin.review_queue import (
    BulkDecision,
    HoldView,
    LeadView,
    QuarantineView,
    ReviewItem,
    choose_record_value,
    list_review_items,
    pick_primary_lead,
    retry_person,
)
from connector.admin.status import show_attention
from connector.console.context import PageContext
from connector.console.labels import FieldLabels, read_labels
from connector.console.pages.overview import WaitingCount
from connector.console.pages.overview import waiting as waiting_people
from connector.console.pages.people import record_pages
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response
from connector.model import AttentionKind, Side

LIMIT: Final = 25
KINDS: Final = (
    AttentionKind.HOLD,
    AttentionKind.QUARANTINE,
    AttentionKind.DUPLICATE,
    AttentionKind.SHARED,
    AttentionKind.NO_EMAIL,
)
MAX_BULK_PAGES: Final = 50
"""Pages of 200 people that one bulk decision goes through: 10,000 people, within the 29 seconds of
API Gateway; the rest is decided by the same decision again."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One held field of one person."""

    email: str
    hold: HoldView
    label: str


@dataclass(frozen=True, slots=True)
class HeldField:
    """A field with conflicts on this page, for a decision about all of them."""

    field: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """People whose writes were refused for the same cause."""

    quarantine: QuarantineView
    labels: str
    people: tuple[tuple[str, QuarantineView], ...]


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """A person with several Leads, and the Lead that is proposed as the primary one."""

    email: str
    leads: tuple[LeadView, ...]
    proposed: str


@dataclass(frozen=True, slots=True)
class ReviewView:
    """One list of the review queue."""

    kind: str
    waiting: tuple[WaitingCount, ...]
    conflicts: tuple[Conflict, ...]
    held_fields: tuple[HeldField, ...]
    errors: tuple[ErrorGroup, ...]
    duplicates: tuple[DuplicateRow, ...]
    people: tuple[str, ...]
    pages: Mapping[str, RecordPage]
    next: str


def show_review(page: PageContext) -> Response:
    """Show one list of the review queue: the conflicts, if no other is named."""
    known = {kind.value: kind for kind in KINDS}
    kind = known.get(page.query("kind"), AttentionKind.HOLD)
    found = list_review_items(page.admin, kind, limit=LIMIT, after=page.query("next"))
    labels = read_labels(page.admin)
    conflicts = tuple(conflicts_of(found.people, labels)) if kind is AttentionKind.HOLD else ()
    view = ReviewView(
        kind=kind.value,
        waiting=waiting_people(show_attention(page.admin)),
        conflicts=conflicts,
        held_fields=held_fields(conflicts),
        errors=error_groups(found.people, labels) if kind is AttentionKind.QUARANTINE else (),
        duplicates=tuple(map(duplicate_row, found.people))
        if kind is AttentionKind.DUPLICATE
        else (),
        people=tuple(item.email for item in found.people),
        pages=record_pages(page, {it.email for it in conflicts}) if conflicts else {},
        next=found.next,
    )
    return page.render("review.html", view=view, kinds=KINDS)


def conflicts_of(people: Iterable[ReviewItem], labels: FieldLabels) -> Iterable[Conflict]:
    """Yield each held field of some people that was not decided yet."""
    for item in people:
        for hold in item.holds:
            if not hold.chosen:
                yield Conflict(item.email, hold, labels.pair(hold.field))


def held_fields(conflicts: Iterable[Conflict]) -> tuple[HeldField, ...]:
    """Return the fields of some conflicts, with their numbers."""
    numbers: dict[tuple[str, str], int] = {}
    for it in conflicts:
        key = (it.hold.field, it.label)
        numbers[key] = numbers.get(key, 0) + 1
    return tuple(HeldField(field, label, number) for (field, label), number in numbers.items())


def error_groups(people: Iterable[ReviewItem], labels: FieldLabels) -> tuple[ErrorGroup, ...]:
    """Return refused writes by side, code, fields and remedy; the largest group first."""
    groups: dict[object, list[tuple[str, QuarantineView]]] = {}
    for item in people:
        found = item.quarantine
        if found is not None:
            key = (found.side, found.code, found.fields, found.remedy)
            groups.setdefault(key, []).append((item.email, found))
    return tuple(
        ErrorGroup(members[0][1], labels.pair(",".join(members[0][1].fields)), tuple(members))
        for members in sorted(groups.values(), key=len, reverse=True)
    )


def duplicate_row(item: ReviewItem) -> DuplicateRow:
    """Return the row of a person with several Leads.

    The primary Lead is proposed again; without one, the Lead that the policy `survivor` would take:
    the one with the lowest id.
    """
    primary = next((lead.id for lead in item.leads if lead.primary), "")
    return DuplicateRow(
        item.email, item.leads, primary or min((lead.id for lead in item.leads), default="")
    )


def choose(page: PageContext) -> Response:
    """Choose the value of one record for a held field."""
    email = page.person_email(page.request.value("person"))
    field, record = page.request.value("field"), page.request.value("record")
    choose_record_value(page.admin, page.actor, email, field, record)
    return _back(page, "chosen")


def choose_all(page: PageContext) -> Response:
    """Show what a choice for all conflicts of a field would overwrite; confirmed, make it."""
    field = page.request.value("field")
    side = Side.PLEZI if page.request.value("side") == Side.PLEZI.value else Side.SALESFORCE
    if page.request.value("confirmed") == "yes":
        decided = _decide_all(page, field, side, is_preview=False)
        done = "chosen_all" if decided.decided else "chosen_none"
        return page.go("/review", done, kind=AttentionKind.HOLD.value)
    preview = _decide_all(page, field, side, is_preview=True)
    label = read_labels(page.admin).pair(field)
    return page.render(
        "review_bulk.html",
        field=field,
        label=label,
        side=side.value,
        preview=preview,
        policy=None,
    )


def set_field_policy(page: PageContext) -> Response:
    """Show what it means that a side wins each conflict of a field; confirmed, save it."""
    field = page.request.value("field")
    side = Side.PLEZI if page.request.value("side") == Side.PLEZI.value else Side.SALESFORCE
    is_preview = page.request.value("confirmed") != "yes"
    version = page.request.value("version")
    if not is_preview and not (version.isascii() and version.isdecimal()):
        raise InvalidRequestError("version: must be the number of a version")
    current = page.admin.mappings.current().version
    decision = set_policy(
        page.admin,
        page.actor,
        field,
        side,
        version=current if is_preview else int(version),
        is_preview=is_preview,
    )
    if not is_preview:
        return page.go("/review", "policy_saved", kind=AttentionKind.HOLD.value)
    return page.render(
        "review_bulk.html",
        field=field,
        label=read_labels(page.admin).pair(field),
        side=side.value,
        preview=decision.waiting,
        policy=decision,
    )


def _decide_all(page: PageContext, field: str, side: Side, *, is_preview: bool) -> BulkDecision:
    """Make, or count, a decision for the people of all pages."""
    after, decided, overwritten, left_out, conflicts = "", 0, 0, 0, 0
    for _ in range(MAX_BULK_PAGES):
        part = choose_side(page.admin, page.actor, field, side, after=after, is_preview=is_preview)
        decided += part.decided
        overwritten += part.overwritten
        left_out += part.left_out
        conflicts += part.conflicts
        after = part.next
        if not after:
            break
    return BulkDecision(None, decided, overwritten, left_out, conflicts, after)


def retry(page: PageContext) -> Response:
    """Retry the refused write of one person, or of all people of a list."""
    emails = [page.person_email(person) for person in page.request.values("person")]
    if len(emails) == 1:
        retry_person(page.admin, page.actor, emails[0])
    else:
        retry_people(page.admin, page.actor, emails)
    return _back(page, "retried")


def retry_everyone(page: PageContext) -> Response:
    """Retry every refused write."""
    after = ""
    for _ in range(MAX_BULK_PAGES):
        after = retry_all(page.admin, page.actor, after=after).next
        if not after:
            break
    return _back(page, "retried")


def pick_primary(page: PageContext) -> Response:
    """Pick the Lead to synchronize."""
    email = page.person_email(page.request.value("person"))
    pick_primary_lead(page.admin, page.actor, email, page.request.value("lead"))
    return _back(page, "primary")


def _back(page: PageContext, done: str) -> Response:
    """Go back to the page with the form: a person's, or the list."""
    if page.request.value("back") == "person":
        return page.go(f"/people/{page.request.value('person')}", done)
    return page.go("/review", done, kind=page.request.value("kind"))


ROUTES: Final = (
    Route("GET", "/review", UserRole.VIEWER, show_review),
    Route("POST", "/review/choose", UserRole.OPERATOR, choose),
    Route("POST", "/review/choose-all", UserRole.OPERATOR, choose_all),
    Route("POST", "/review/policy", UserRole.MAPPER, set_field_policy),
    Route("POST", "/review/retry", UserRole.OPERATOR, retry),
    Route("POST", "/review/retry-all", UserRole.OPERATOR, retry_everyone),
    Route("POST", "/review/primary", UserRole.OPERATOR, pick_primary),
)
