"""Who changed what, page by page."""

from __future__ import annotations

from connector.administration.office import Office
from connector.administration.refusals import UnusableError
from connector.journal import AuditPage


def list_changes(office: Office, *, limit: int, after: str = "") -> AuditPage:
    """Return the newest changes that administrators made. Raises `UnusableError`."""
    try:
        return office.audit.entries(limit, after)
    except ValueError as error:
        raise UnusableError("next: not the `next` of an earlier page") from error
