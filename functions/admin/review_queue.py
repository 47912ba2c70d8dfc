"""The routes of the review queue: contacts that need a decision, and the decisions."""

from __future__ import annotations

from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from connector.admin import bulk_decisions, conflict_policies, duplicate_leads
from connector.admin import review_queue as use_cases
from connector.admin.conflict_policies import PolicyDecision
from connector.admin.duplicate_leads import Duplicates
from connector.admin.review_queue import BulkDecision, ReviewPage, RunRequested
from connector.model import AttentionKind, Side
from functions.admin.admin_app import ADMIN
from functions.admin.request import (
    DEFAULT_PAGE,
    MAX_TOKEN_CHARACTERS,
    Limit,
    Next,
    caller,
    new_router,
    path_value,
)
from functions.admin.responses import responses

router = new_router()

RecordId = Annotated[str, Field(min_length=1, max_length=100)]
DECIDED: Final = "The decision is stored; this run applies it."


class ValueChoice(BaseModel):
    """The record with the value to use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: RecordId


class PrimaryLeadChoice(BaseModel):
    """The Lead to synchronize."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lead: RecordId


class PageRequest(BaseModel):
    """The page: `next` of the page before ('': the first page)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    next: str = Field(default="", max_length=MAX_TOKEN_CHARACTERS)


class SideChoice(PageRequest):
    """The side with the value to use, for all contacts with a hold of this field.

    With `preview`, nothing is decided: the response says for how many contacts it would be.
    """

    field: str = Field(min_length=1, max_length=255)
    side: Side
    preview: bool = False


class PolicyChoice(BaseModel):
    """The side that wins each conflict of a field from now on.

    `version` is the version of the mapping that was read. With `preview`, nothing is saved and
    nothing decided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str = Field(min_length=1, max_length=255)
    side: Side
    version: int = Field(ge=0)
    preview: bool = False


FIRST_PAGE = PageRequest()


@router.get(
    "/admin/attention",
    summary="List the review queue",
    responses=responses(200, "The contacts, in the order of their e-mails."),
    tags=["attention"],
)
def review_queue(
    kind: Annotated[AttentionKind, Query(description="The kind of decision.")],
    limit: Limit = DEFAULT_PAGE,
    after: Next = "",
) -> ReviewPage:
    """List contacts that need a decision.

    They have held fields, refused writes, several Leads, or more records of one e-mail than the
    limit allows (`shared`).
    """
    return use_cases.list_review_items(ADMIN.get(), kind, limit=limit, after=after)


@router.post(
    "/admin/attention/holds/<email>/<field>",
    summary="Choose a value for a held field",
    responses=responses(202, DECIDED, 404, 409),
    status_code=202,
    tags=["attention"],
)
def choose(email: str, field: str, choice: Annotated[ValueChoice, Body()]) -> RunRequested:
    """Choose the value of one record for a held field of one contact."""
    return use_cases.choose_record_value(
        ADMIN.get(), _actor(), path_value(email), path_value(field), choice.record
    )


@router.post(
    "/admin/attention/holds",
    summary="Choose a side for a held field of many contacts",
    responses=responses(202, DECIDED),
    status_code=202,
    tags=["attention"],
)
def choose_all(choice: Annotated[SideChoice, Body()]) -> BulkDecision:
    """Choose the value of one side for a held field, for the next 200 contacts with a hold.

    Contacts of which nobody typed a value on that side are left out.
    """
    return bulk_decisions.choose_side(
        ADMIN.get(),
        _actor(),
        choice.field,
        choice.side,
        after=choice.next,
        is_preview=choice.preview,
    )


@router.post(
    "/admin/attention/policies",
    summary="Let a side win each conflict of a field",
    responses=responses(202, "The policy is saved; the run applies it to who waits.", 409, 502),
    status_code=202,
    tags=["attention"],
)
def set_policy(choice: Annotated[PolicyChoice, Body()]) -> PolicyDecision:
    """Save the side as the conflict policy of the field, and decide the conflicts that wait.

    It is a new version of the mapping, validated as any other. `next` of `waiting` continues with
    `POST /admin/attention/holds`.
    """
    return conflict_policies.set_policy(
        ADMIN.get(),
        _actor(),
        choice.field,
        choice.side,
        version=choice.version,
        is_preview=choice.preview,
    )


@router.post(
    "/admin/attention/quarantine/<email>/retry",
    summary="Retry a contact in quarantine",
    responses=responses(202, DECIDED, 404, 409),
    status_code=202,
    tags=["attention"],
)
def retry(email: str) -> RunRequested:
    """Retry the refused write of one contact."""
    return use_cases.retry_person(ADMIN.get(), _actor(), path_value(email))


@router.post(
    "/admin/attention/quarantine",
    summary="Retry many contacts in quarantine",
    responses=responses(202, DECIDED),
    status_code=202,
    tags=["attention"],
)
def retry_all(page: Annotated[PageRequest, Body()] = FIRST_PAGE) -> BulkDecision:
    """Retry the refused writes of the next 200 contacts in quarantine."""
    return bulk_decisions.retry_all(ADMIN.get(), _actor(), after=page.next)


@router.get(
    "/admin/attention/duplicates/<email>",
    summary="Compare several Leads of a contact",
    responses=responses(200, "The Leads, field by field, with a proposal for each rule.", 404, 502),
    tags=["attention"],
)
def duplicates(email: str) -> Duplicates:
    """Compare several Leads with one e-mail, and propose a primary one by each rule."""
    return duplicate_leads.show_duplicates(ADMIN.get(), path_value(email))


@router.post(
    "/admin/attention/duplicates/<email>",
    summary="Pick the primary Lead",
    responses=responses(202, DECIDED, 404, 409),
    status_code=202,
    tags=["attention"],
)
def pick_primary_lead(email: str, choice: Annotated[PrimaryLeadChoice, Body()]) -> RunRequested:
    """Pick the Lead to synchronize, among several Leads with the same e-mail."""
    return use_cases.pick_primary_lead(ADMIN.get(), _actor(), path_value(email), choice.lead)


def _actor() -> str:
    return caller(router.current_event.raw_event)
