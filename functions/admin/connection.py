"""The check of the connection: `update configuration`, as the article calls it."""

from __future__ import annotations

from connector import wiring
from connector.administration.checking import CheckTold, check_connection
from functions.admin.answers import answers
from functions.admin.asking import new_router, who

router = new_router()


@router.post(
    "/admin/connection/check",
    summary="Try the credentials",
    responses=answers(200, "What was found, with causes in order.", 409, 502),
    tags=["setup"],
)
def check() -> CheckTold:
    """Log in to both sides, once, and say what a person must know; on success list the fields."""
    return check_connection(wiring.office(), who(router.current_event.raw_event))
