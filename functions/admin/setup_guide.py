"""The route of the set-up guide."""

from __future__ import annotations

from connector.admin.setup_guide import SetupGuide, show_setup
from functions.admin.admin_app import ADMIN
from functions.admin.request import new_router
from functions.admin.responses import responses

router = new_router()


@router.get(
    "/admin/setup",
    summary="Get the set-up guide",
    responses=responses(200, "Each step with its state, reason, remedy and command."),
    tags=["setup"],
)
def guide() -> SetupGuide:
    """Return the steps of the set-up, from the credentials to the start."""
    return show_setup(ADMIN.get())
