"""The routes of the status, of the switch, and of the reset of the breaker."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from connector.admin import status as use_cases
from connector.admin.breaker import BreakerReset, reset_breaker
from connector.admin.status import Status, SyncSwitch
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()


@router.get(
    "/admin/status",
    summary="Get the status",
    responses=responses(200, "The status."),
    tags=["status"],
)
def status() -> Status:
    """Return the version, the switch, the breaker, counts of the review queue, and more."""
    return use_cases.show_status(ADMIN.get())


@router.post(
    "/admin/start",
    summary="Enable synchronization",
    responses=responses(200, "Synchronization is enabled.", 409),
    tags=["status"],
)
def start() -> SyncSwitch:
    """Enable synchronization."""
    return use_cases.switch_sync(ADMIN.get(), caller(router.current_event.raw_event), on=True)


@router.post(
    "/admin/pause",
    summary="Pause synchronization",
    responses=responses(200, "Synchronization is paused."),
    tags=["status"],
)
def pause() -> SyncSwitch:
    """Pause synchronization: runs end before they start work, and nothing is lost."""
    return use_cases.switch_sync(ADMIN.get(), caller(router.current_event.raw_event), on=False)


class BreakerResetRequest(BaseModel):
    """Whether runs may do what the breaker stopped; if not, its cause is corrected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intended: bool


@router.post(
    "/admin/breaker/release",
    summary="Reset the breaker that waits for a decision",
    responses=responses(200, "The breaker is closed.", 409),
    tags=["status"],
)
def reset(request: Annotated[BreakerResetRequest, Body()]) -> BreakerReset:
    """Close the breaker: what it stopped may go on, for four hours, or its cause is corrected.

    After a stage of the first synchronization, the next run begins with the next stage, or repeats
    the stage.
    """
    event = router.current_event.raw_event
    return reset_breaker(ADMIN.get(), caller(event), intended=request.intended)
