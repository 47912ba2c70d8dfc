"""People who wait for an administrator, and the decisions about them."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from connector.admin import bulk_decisions as bulk
from connector.admin import review_queue as waiting
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
TAKEN = "The decision is kept; this run carries it out."


class ValueChoice(BaseModel):
    """The record whose word is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: RecordId


class PrimaryLeadChoice(BaseModel):
    """The Lead that goes on alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lead: RecordId


class PageRequest(BaseModel):
    """Where to go on: the `next` of the answer before ('': at the beginning)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    next: str = Field(default="", max_length=MAX_TOKEN_CHARACTERS)


class SideChoice(PageRequest):
    """The side that is right about one field, for everybody who waits with it."""

    field: str = Field(min_length=1, max_length=255)
    side: Side


FROM_THE_BEGINNING = PageRequest()


@router.get(
    "/admin/attention",
    summary="People who wait",
    responses=responses(200, "The people, in order of their e-mails."),
    tags=["attention"],
)
def people(
    kind: Annotated[AttentionKind, Query(description="With what they wait.")],
    limit: Limit = DEFAULT_PAGE,
    after: Next = "",
) -> ReviewPage:
    """List people who wait: what is held, with each record's words; what was refused; Leads."""
    return waiting.list_review_items(ADMIN.get(), kind, limit=limit, after=after)


@router.post(
    "/admin/attention/holds/<email>/<field>",
    summary="Choose a word for a held field",
    responses=responses(202, TAKEN, 404, 409),
    status_code=202,
    tags=["attention"],
)
def choose(email: str, field: str, chosen: Annotated[ValueChoice, Body()]) -> RunRequested:
    """Choose what one record says of a held field, for one person."""
    return waiting.choose_record_value(
        ADMIN.get(), _who(), path_value(email), path_value(field), chosen.record
    )


@router.post(
    "/admin/attention/holds",
    summary="Choose a side for a held field, for many",
    responses=responses(202, TAKEN),
    status_code=202,
    tags=["attention"],
)
def choose_all(chosen: Annotated[SideChoice, Body()]) -> BulkDecision:
    """Choose what one side says of a field, for the next 200 people who wait with a hold."""
    return bulk.choose_side(ADMIN.get(), _who(), chosen.field, chosen.side, after=chosen.next)


@router.post(
    "/admin/attention/quarantine/<email>/retry",
    summary="Try a refused person again",
    responses=responses(202, TAKEN, 404, 409),
    status_code=202,
    tags=["attention"],
)
def retry(email: str) -> RunRequested:
    """Try again what a side refused of one person."""
    return waiting.retry_person(ADMIN.get(), _who(), path_value(email))


@router.post(
    "/admin/attention/quarantine",
    summary="Try refused people again",
    responses=responses(202, TAKEN),
    status_code=202,
    tags=["attention"],
)
def retry_all(page: Annotated[PageRequest, Body()] = FROM_THE_BEGINNING) -> BulkDecision:
    """Try again what was refused, for the next 200 people in quarantine."""
    return bulk.retry_all(ADMIN.get(), _who(), after=page.next)


@router.post(
    "/admin/attention/duplicates/<email>",
    summary="Pick the survivor among several Leads",
    responses=responses(202, TAKEN, 404, 409),
    status_code=202,
    tags=["attention"],
)
def survive(email: str, picked: Annotated[PrimaryLeadChoice, Body()]) -> RunRequested:
    """Pick the Lead that goes on alone, among several of one e-mail."""
    return waiting.pick_primary_lead(ADMIN.get(), _who(), path_value(email), picked.lead)


def _who() -> str:
    return caller(router.current_event.raw_event)
