"""Who changed what, page by page."""

from __future__ import annotations

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError
from connector.model import AuditPage


def list_audit_entries(context: AdminContext, *, limit: int, after: str = "") -> AuditPage:
    """Return the newest changes that administrators made. Raises `InvalidRequestError`."""
    try:
        return context.audit.entries(limit, after)
    except ValueError as error:
        raise InvalidRequestError("next: not the `next` of an earlier page") from error
