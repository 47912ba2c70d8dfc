"""The routes of one contact and of the audit log."""

from __future__ import annotations

from connector.admin.audit_log import list_audit_entries
from connector.admin.people import Person, show_person
from connector.model import AuditPage
from functions.admin.admin_app import ADMIN
from functions.admin.request import DEFAULT_PAGE, Limit, Next, new_router, path_value
from functions.admin.responses import responses

router = new_router()


@router.get(
    "/admin/contacts/<email>",
    summary="Get a contact",
    responses=responses(
        200, "The link with base and observations, and why each field has its value.", 404
    ),
    tags=["people"],
)
def contact(email: str, limit: Limit = DEFAULT_PAGE, after: Next = "") -> Person:
    """Return the link with base and observations, why each field has its value, and the journal."""
    return show_person(ADMIN.get(), path_value(email), limit=limit, after=after)


@router.get(
    "/admin/audit",
    summary="List the changes by admins",
    responses=responses(200, "The changes, newest first."),
    tags=["audit"],
)
def audit(limit: Limit = DEFAULT_PAGE, after: Next = "") -> AuditPage:
    """List the changes that admins made, with hashes of the states before and after."""
    return list_audit_entries(ADMIN.get(), limit=limit, after=after)
