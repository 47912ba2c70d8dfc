"""People who wait for an administrator, and the decisions about them."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from connector import wiring
from connector.administration import bulk, waiting
from connector.administration.waiting import Asked, BulkAsked, WaitingPage, Waits
from connector.model import Side
from functions.admin.answers import answers
from functions.admin.asking import LONGEST_TOKEN, USUAL_PAGE, Limit, Next, in_path, new_router, who

router = new_router()

RecordId = Annotated[str, Field(min_length=1, max_length=100)]
TAKEN = "The decision is kept; this run carries it out."


class WordChosen(BaseModel):
    """The record whose word is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: RecordId


class SurvivorPicked(BaseModel):
    """The Lead that goes on alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lead: RecordId


class PageAsked(BaseModel):
    """Where to go on: the `next` of the answer before ('': at the beginning)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    next: str = Field(default="", max_length=LONGEST_TOKEN)


class SideChosen(PageAsked):
    """The side that is right about one field, for everybody who waits with it."""

    field: str = Field(min_length=1, max_length=255)
    side: Side


FROM_THE_BEGINNING = PageAsked()


@router.get(
    "/admin/attention",
    summary="People who wait",
    responses=answers(200, "The people, in order of their e-mails."),
    tags=["attention"],
)
def people(
    kind: Annotated[Waits, Query(description="With what they wait.")],
    limit: Limit = USUAL_PAGE,
    after: Next = "",
) -> WaitingPage:
    """List people who wait: what is held, with each record's words; what was refused; Leads."""
    return waiting.list_waiting(wiring.office(), kind, limit=limit, after=after)


@router.post(
    "/admin/attention/holds/<email>/<field>",
    summary="Choose a word for a held field",
    responses=answers(202, TAKEN, 404, 409),
    status_code=202,
    tags=["attention"],
)
def choose(email: str, field: str, chosen: Annotated[WordChosen, Body()]) -> Asked:
    """Choose what one record says of a held field, for one person."""
    return waiting.choose_word(
        wiring.office(), _who(), in_path(email), in_path(field), chosen.record
    )


@router.post(
    "/admin/attention/holds",
    summary="Choose a side for a held field, for many",
    responses=answers(202, TAKEN),
    status_code=202,
    tags=["attention"],
)
def choose_all(chosen: Annotated[SideChosen, Body()]) -> BulkAsked:
    """Choose what one side says of a field, for the next 200 people who wait with a hold."""
    return bulk.choose_side(wiring.office(), _who(), chosen.field, chosen.side, after=chosen.next)


@router.post(
    "/admin/attention/quarantine/<email>/retry",
    summary="Try a refused person again",
    responses=answers(202, TAKEN, 404, 409),
    status_code=202,
    tags=["attention"],
)
def retry(email: str) -> Asked:
    """Try again what a side refused of one person."""
    return waiting.retry_refused(wiring.office(), _who(), in_path(email))


@router.post(
    "/admin/attention/quarantine",
    summary="Try refused people again",
    responses=answers(202, TAKEN),
    status_code=202,
    tags=["attention"],
)
def retry_all(page: Annotated[PageAsked, Body()] = FROM_THE_BEGINNING) -> BulkAsked:
    """Try again what was refused, for the next 200 people in quarantine."""
    return bulk.retry_all(wiring.office(), _who(), after=page.next)


@router.post(
    "/admin/attention/duplicates/<email>",
    summary="Pick the survivor among several Leads",
    responses=answers(202, TAKEN, 404, 409),
    status_code=202,
    tags=["attention"],
)
def survive(email: str, picked: Annotated[SurvivorPicked, Body()]) -> Asked:
    """Pick the Lead that goes on alone, among several of one e-mail."""
    return waiting.pick_survivor(wiring.office(), _who(), in_path(email), picked.lead)


def _who() -> str:
    return who(router.current_event.raw_event)
