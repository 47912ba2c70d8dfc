"""One person, and the account of what administrators did."""

from __future__ import annotations

from connector import wiring
from connector.administration.accounts import list_changes
from connector.administration.people import Person, one_person
from connector.journal import AuditPage
from functions.admin.answers import answers
from functions.admin.asking import USUAL_PAGE, Limit, Next, in_path, new_router

router = new_router()


@router.get(
    "/admin/contacts/<email>",
    summary="All about one person",
    responses=answers(200, "The link, its three trees, and why each field has its value.", 404),
    tags=["people"],
)
def contact(email: str, limit: Limit = USUAL_PAGE, after: Next = "") -> Person:
    """Tell the link, the three trees, why each field has its value, and the journal."""
    return one_person(wiring.office(), in_path(email), limit=limit, after=after)


@router.get(
    "/admin/audit",
    summary="Who changed what",
    responses=answers(200, "The changes, newest first."),
    tags=["audit"],
)
def audit(limit: Limit = USUAL_PAGE, after: Next = "") -> AuditPage:
    """List what administrators changed: who, what, when, and hashes of before and after."""
    return list_changes(wiring.office(), limit=limit, after=after)
