"""The set-up: connect, check, fields, mapping, preview, start; the state of each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.admin.connection_check import check_connection
from connector.admin.org_setup import SetupResult, set_up_fields
from connector.admin.setup_guide import SetupGuide, show_setup
from connector.connection_report import ConnectionReport
from connector.console.context import PageContext
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response


@dataclass(frozen=True, slots=True)
class SetupView:
    """The steps, and the results of the checks that were just made."""

    guide: SetupGuide
    report: ConnectionReport | None
    fields: SetupResult | None


def show_steps(page: PageContext) -> Response:
    """Show the steps."""
    return _show(page)


def check(page: PageContext) -> Response:
    """Check the connection to both systems, and the fields that the mapping needs."""
    result = check_connection(page.admin, page.actor)
    fields = set_up_fields(page.admin, page.actor, create=False) if result.report.ok else None
    return _show(page, result.report, fields)


def create_fields(page: PageContext) -> Response:
    """Create the missing fields in Salesforce."""
    return _show(page, fields=set_up_fields(page.admin, page.actor, create=True))


def _show(
    page: PageContext, report: ConnectionReport | None = None, fields: SetupResult | None = None
) -> Response:
    view = SetupView(show_setup(page.admin), report, fields)
    return page.render("setup.html", view=view)


ROUTES: Final = (
    Route("GET", "/setup", UserRole.VIEWER, show_steps),
    Route("POST", "/setup/check", UserRole.MAPPER, check),
    Route("POST", "/setup/fields", UserRole.MAPPER, create_fields),
)
