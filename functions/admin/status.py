"""Status, start, pause, and the release of the breaker."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from connector.admin import breaker as releasing
from connector.admin import status as verbs
from connector.admin.breaker import BreakerReset
from connector.admin.status import Status, SyncSwitch
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()


@router.get(
    "/admin/status", summary="How it goes", responses=responses(200, "The status."), tags=["status"]
)
def status() -> Status:
    """Say whether synchronisation is on, what stops it, what is due, what waits, who is told."""
    return verbs.show_status(ADMIN.get())


@router.post(
    "/admin/start", summary="Press start", responses=responses(200, "It is on."), tags=["status"]
)
def start() -> SyncSwitch:
    """Switch synchronisation on."""
    return verbs.switch_sync(ADMIN.get(), caller(router.current_event.raw_event), on=True)


@router.post(
    "/admin/pause", summary="Press pause", responses=responses(200, "It is off."), tags=["status"]
)
def pause() -> SyncSwitch:
    """Switch synchronisation off: runs end before they begin, and nothing is lost."""
    return verbs.switch_sync(ADMIN.get(), caller(router.current_event.raw_event), on=False)


class BreakerResetRequest(BaseModel):
    """Whether the emptying of fields is meant; if not, it was an accident that is mended by now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intended: bool


@router.post(
    "/admin/breaker/release",
    summary="Say what a mass emptying of fields was",
    responses=responses(200, "The breaker is closed.", 409),
    tags=["status"],
)
def release(asked: Annotated[BreakerResetRequest, Body()]) -> BreakerReset:
    """Close the breaker of a mass emptying: for four hours it is meant, or it is mended."""
    event = router.current_event.raw_event
    return releasing.reset_breaker(ADMIN.get(), caller(event), meant=asked.intended)
