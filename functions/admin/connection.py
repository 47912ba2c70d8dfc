"""The route that checks the connection to both sides."""

from __future__ import annotations

from connector.admin.connection_check import ConnectionCheckResult, check_connection
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()


@router.post(
    "/admin/connection/check",
    summary="Check the connection",
    responses=responses(200, "The findings, with their causes in order.", 409),
    tags=["setup"],
)
def check() -> ConnectionCheckResult:
    """Test the credentials of both sides once; on success, list their fields."""
    return check_connection(ADMIN.get(), caller(router.current_event.raw_event))
