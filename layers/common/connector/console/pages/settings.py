"""The settings of the stack, the recipients of alerts, and the alerts whose problem is not over."""

from __future__ import annotations

from typing import Final

from connector.admin.alerts import list_open_alerts
from connector.admin.status import show_status
from connector.console.context import PageContext
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response


def show_settings(page: PageContext) -> Response:
    """Show the settings; a deployment changes them."""
    return page.render(
        "settings.html",
        state=show_status(page.admin),
        settings=page.settings,
        alerts=list_open_alerts(page.admin),
        mapping=page.admin.mappings.current(),
    )


ROUTES: Final = (Route("GET", "/settings", UserRole.VIEWER, show_settings),)
