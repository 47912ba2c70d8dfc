"""The fields of both sides, and the set-up of those that the product needs."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict

from connector import wiring
from connector.administration.fields import Fields, list_fields
from connector.administration.fitting import Fitting, fit
from functions.admin.answers import answers
from functions.admin.asking import new_router, who

router = new_router()

Refresh = Annotated[bool, Query(description="Ask both sides again, instead of what is remembered.")]


class SetupAsked(BaseModel):
    """Whether to make what is missing, or only to look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    create: bool = False


LOOK_ONLY = SetupAsked()


@router.get(
    "/admin/fields",
    summary="The fields of both sides",
    responses=answers(200, "The fields, as both sides describe them.", 409, 502),
    tags=["mapping"],
)
def fields(refresh: Refresh = False) -> Fields:  # noqa: FBT002  # a query parameter
    """List the fields of Plezi, Lead and Contact, with what is new since the last look."""
    return list_fields(wiring.office(), refresh=refresh)


@router.post(
    "/admin/setup/salesforce-fields",
    summary="Look at the product's own Salesforce fields, or make them",
    responses=answers(200, "How each field stands, and what was made.", 409, 502),
    tags=["setup"],
)
def setup(asked: Annotated[SetupAsked, Body()] = LOOK_ONLY) -> Fitting:
    """Report the fields that the product needs; with `create`, make and open what is missing."""
    event = router.current_event.raw_event
    return fit(wiring.office(), who(event), create=asked.create)
