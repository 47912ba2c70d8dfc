"""The fields of both sides, and the set-up of those that the product needs."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict

from connector.admin.fields import FieldList, list_fields
from connector.admin.org_setup import SetupResult, set_up_fields
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()

Refresh = Annotated[bool, Query(description="Ask both sides again, instead of what is remembered.")]


class SetupRequest(BaseModel):
    """Whether to make what is missing, or only to look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    create: bool = False


LOOK_ONLY = SetupRequest()


@router.get(
    "/admin/fields",
    summary="The fields of both sides",
    responses=responses(200, "The fields, as both sides describe them.", 409, 502),
    tags=["mapping"],
)
def fields(refresh: Refresh = False) -> FieldList:  # noqa: FBT002  # a query parameter
    """List the fields of Plezi, Lead and Contact, with what is new since the last look."""
    return list_fields(ADMIN.get(), refresh=refresh)


@router.post(
    "/admin/setup/salesforce-fields",
    summary="Look at the product's own Salesforce fields, or make them",
    responses=responses(200, "How each field stands, and what was made.", 409, 502),
    tags=["setup"],
)
def setup(asked: Annotated[SetupRequest, Body()] = LOOK_ONLY) -> SetupResult:
    """Report the fields that the product needs; with `create`, make and open what is missing."""
    event = router.current_event.raw_event
    return set_up_fields(ADMIN.get(), caller(event), create=asked.create)
