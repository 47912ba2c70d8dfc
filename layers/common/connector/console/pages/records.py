"""The audit log: which changes admins made."""

from __future__ import annotations

from typing import Final

from connector.admin.audit_log import list_audit_entries
from connector.console.context import PageContext
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response

LIMIT: Final = 50


def show_audit(page: PageContext) -> Response:
    """Show the changes that admins made, newest first."""
    found = list_audit_entries(page.admin, limit=LIMIT, after=page.query("next"))
    return page.render("audit.html", found=found)


ROUTES: Final = (Route("GET", "/audit", UserRole.VIEWER, show_audit),)
