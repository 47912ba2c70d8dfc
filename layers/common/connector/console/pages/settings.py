"""The settings of the stack, the recipients of alerts, and the alerts whose problem is not over."""

from __future__ import annotations

import re
from typing import Final

from connector.admin.alert_recipients import PROTOCOL, add_recipient, remove_recipient
from connector.admin.alerts import list_open_alerts
from connector.admin.change_limits import reset_limits, set_limits
from connector.admin.errors import InvalidRequestError
from connector.admin.plezi_probe import dialect_view
from connector.chosen_limits import load_chosen
from connector.console.context import PageContext
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response
from connector.planning.announced_changes import ChangeLimits
from connector.version import VERSION

PERCENT: Final = 100
NUMBER: Final = re.compile(r"[0-9]{1,9}")
DECIMAL: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
MAX_EMAIL_CHARACTERS: Final = 300
"""What is read of a form; the use case says how long an e-mail may be."""


def show_settings(page: PageContext) -> Response:
    """Show the settings: some are chosen on this page, and a deployment sets the others."""
    return page.render(
        "settings.html",
        recipients=page.admin.recipients(),
        removable=PROTOCOL,
        version=VERSION,
        dialect=dialect_view(page.admin),
        settings=page.settings,
        chosen=load_chosen(page.admin.documents),
        deployed=ChangeLimits(
            page.settings.max_cleared,
            page.settings.max_overwritten,
            page.settings.max_changed_share,
        ),
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


def change_limits(page: PageContext) -> Response:
    """Let runs use other limits, or those of the stack again."""
    if page.request.value("reset") == "yes":
        reset_limits(page.admin, page.actor)
        return page.go("/settings", "limits_reset")
    limits = ChangeLimits(
        _whole_number(page, "cleared"),
        _whole_number(page, "overwritten"),
        _percent(page, "share") / PERCENT,
    )
    set_limits(page.admin, page.actor, limits)
    return page.go("/settings", "limits_changed")


def _whole_number(page: PageContext, name: str) -> int:
    text = page.request.value(name).strip()
    if not NUMBER.fullmatch(text):
        raise InvalidRequestError(f"{name}: must be a whole number, such as 100")
    return int(text)


def _percent(page: PageContext, name: str) -> float:
    text = page.request.value(name).strip().replace(",", ".")
    if not DECIMAL.fullmatch(text):
        raise InvalidRequestError(f"{name}: must be a number in percent, such as 5 or 0.5")
    return float(text)


def _email(page: PageContext) -> str:
    return page.request.value("email")[:MAX_EMAIL_CHARACTERS]


ROUTES: Final = (
    Route("GET", "/settings", UserRole.VIEWER, show_settings),
    Route("POST", "/settings/recipients/add", UserRole.MAPPER, add),
    Route("POST", "/settings/recipients/remove", UserRole.MAPPER, remove),
    Route("POST", "/settings/limits", UserRole.MAPPER, change_limits),
)
