"""Status, start, pause, and the release of the breaker."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from connector import wiring
from connector.administration import release as releasing
from connector.administration import status as verbs
from connector.administration.release import Released
from connector.administration.status import Status, SwitchTold
from functions.admin.answers import answers
from functions.admin.asking import new_router, who

router = new_router()


@router.get(
    "/admin/status", summary="How it goes", responses=answers(200, "The status."), tags=["status"]
)
def status() -> Status:
    """Say whether synchronisation is on, what stops it, what is due, what waits, who is told."""
    return verbs.status(wiring.office())


@router.post(
    "/admin/start", summary="Press start", responses=answers(200, "It is on."), tags=["status"]
)
def start() -> SwitchTold:
    """Switch synchronisation on."""
    return verbs.switch(wiring.office(), who(router.current_event.raw_event), on=True)


@router.post(
    "/admin/pause", summary="Press pause", responses=answers(200, "It is off."), tags=["status"]
)
def pause() -> SwitchTold:
    """Switch synchronisation off: runs end before they begin, and nothing is lost."""
    return verbs.switch(wiring.office(), who(router.current_event.raw_event), on=False)


class ReleaseAsked(BaseModel):
    """Whether the emptying of fields is meant; if not, it was an accident that is mended by now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meant: bool


@router.post(
    "/admin/breaker/release",
    summary="Say what a mass emptying of fields was",
    responses=answers(200, "The breaker is closed.", 409),
    tags=["status"],
)
def release(asked: Annotated[ReleaseAsked, Body()]) -> Released:
    """Close the breaker of a mass emptying: for four hours it is meant, or it is mended."""
    event = router.current_event.raw_event
    return releasing.release(wiring.office(), who(event), meant=asked.meant)
