"""The routes of the connected org and tenant, and of the decision about another one."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from connector.admin import systems as use_cases
from connector.admin.systems import SystemDecision, SystemDecisionResult, SystemsView
from connector.model import Side
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()


class SystemDecisionRequest(BaseModel):
    """Whether another org or tenant of this side has the same people, or the secret is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: Side
    decision: SystemDecision


@router.get(
    "/admin/systems",
    summary="Get the connected org and tenant",
    responses=responses(200, "The systems of both sides."),
    tags=["setup"],
)
def systems() -> SystemsView:
    """Return the org and the tenant of the linked records, and others that were found."""
    return use_cases.list_systems(ADMIN.get())


@router.post(
    "/admin/systems",
    summary="Decide about another org or tenant",
    responses=responses(200, "The system after the decision, and the next step.", 409),
    tags=["setup"],
)
def decide(request: Annotated[SystemDecisionRequest, Body()]) -> SystemDecisionResult:
    """Accept another org or tenant with the same people, or state that the secret is wrong."""
    event = router.current_event.raw_event
    return use_cases.decide_system(ADMIN.get(), caller(event), request.side, request.decision)
