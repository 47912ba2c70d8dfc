"""The audit log: the changes that admins made, page by page."""

from __future__ import annotations

from connector.admin.context import AdminContext
from connector.admin.errors import page_token_errors
from connector.model import AuditPage


def list_audit_entries(context: AdminContext, *, limit: int, after: str = "") -> AuditPage:
    """Return the newest changes that admins made. Raises `InvalidRequestError`."""
    with page_token_errors():
        return context.audit.entries(limit, after)
