"""The routes of the fields of both sides, and of the set-up of those that the product needs."""

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

Refresh = Annotated[bool, Query(description="Read the fields from both sides again.")]


class SetupRequest(BaseModel):
    """With `create`, the missing fields are created; without, the fields are only reported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    create: bool = False


REPORT_ONLY = SetupRequest()


@router.get(
    "/admin/fields",
    summary="List the fields of both sides",
    responses=responses(200, "The fields, as both sides describe them.", 409, 502),
    tags=["mapping"],
)
def fields(refresh: Refresh = False) -> FieldList:  # noqa: FBT002  # a query parameter
    """List the fields of Plezi, Lead and Contact; mark those that are new since the last view."""
    return list_fields(ADMIN.get(), refresh=refresh)


@router.post(
    "/admin/setup/salesforce-fields",
    summary="Report the Salesforce fields that the product needs, or create them",
    responses=responses(200, "The state of each field, and the steps that were taken.", 409, 502),
    tags=["setup"],
)
def setup(request: Annotated[SetupRequest, Body()] = REPORT_ONLY) -> SetupResult:
    """Report the fields that the product needs; with `create`, create the missing ones."""
    event = router.current_event.raw_event
    return set_up_fields(ADMIN.get(), caller(event), create=request.create)
