"""Status, start and pause."""

from __future__ import annotations

from connector import wiring
from connector.administration import status as verbs
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
