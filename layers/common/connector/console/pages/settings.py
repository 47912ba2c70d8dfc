"""The settings of the stack, the recipients of alerts, and the alerts whose problem is not over."""

from __future__ import annotations

from typing import Final

from connector.admin.alert_recipients import PROTOCOL, add_recipient, remove_recipient
from connector.admin.alerts import list_open_alerts
from connector.admin.plezi_probe import dialect_view
from connector.console.context import PageContext
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response
from connector.version import VERSION

MAX_EMAIL_CHARACTERS: Final = 300
"""What is read of a form; the use case says how long an e-mail may be."""


def show_settings(page: PageContext) -> Response:
    """Show the settings: a deployment changes the limits, and this page the recipients."""
    return page.render(
        "settings.html",
        recipients=page.admin.recipients(),
        removable=PROTOCOL,
        version=VERSION,
        dialect=dialect_view(page.admin),
        settings=page.settings,
        alerts=list_open_alerts(page.admin),
        mapping=page.admin.mappings.current(),
    )


def add(page: PageContext) -> Response:
    """Ask somebody by e-mail to confirm the alerts."""
    add_recipient(page.admin, page.subscriptions, page.actor, _email(page))
    return page.go("/settings", "recipient_added")


def remove(page: PageContext) -> Response:
    """Send no more alerts to somebody."""
    remove_recipient(page.admin, page.subscriptions, page.actor, _email(page))
    return page.go("/settings", "recipient_removed")


def _email(page: PageContext) -> str:
    return page.request.value("email")[:MAX_EMAIL_CHARACTERS]


ROUTES: Final = (
    Route("GET", "/settings", UserRole.VIEWER, show_settings),
    Route("POST", "/settings/recipients/add", UserRole.MAPPER, add),
    Route("POST", "/settings/recipients/remove", UserRole.MAPPER, remove),
)
