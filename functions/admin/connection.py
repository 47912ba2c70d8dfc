"""The check of the connection: `update configuration`, as the article calls it."""

from __future__ import annotations

from connector.admin.connection_check import ConnectionCheckResult, check_connection
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()


@router.post(
    "/admin/connection/check",
    summary="Try the credentials",
    responses=responses(200, "What was found, with causes in order.", 409, 502),
    tags=["setup"],
)
def check() -> ConnectionCheckResult:
    """Log in to both sides, once, and say what a person must know; on success list the fields."""
    return check_connection(ADMIN.get(), caller(router.current_event.raw_event))
