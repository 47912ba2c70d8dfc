"""The request of a run by an admin who has no API: the console."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError
from connector.admin.review_queue import RunRequested
from connector.clean_text import canonical_email
from connector.model import RunKind

REQUESTED_KINDS: Final = frozenset(
    {RunKind.CHANGES, RunKind.FULL, RunKind.SELECTED, RunKind.DRY_RUN, RunKind.VERIFY}
)
"""The kinds of run that are requested by themselves: a form and an undo have requests of their
own."""


def request_run(
    context: AdminContext, actor: str, kind: RunKind, emails: Iterable[str] = ()
) -> RunRequested:
    """Request a run, and write that into the audit log.

    Raises `InvalidRequestError` for a kind that is not requested so, and for a selected run of
    nobody.
    """
    canonical = tuple(filter(None, map(canonical_email, emails)))
    if kind not in REQUESTED_KINDS:
        raise InvalidRequestError(f"kind: send one of {', '.join(sorted(REQUESTED_KINDS))}")
    if (kind is RunKind.SELECTED) != bool(canonical):
        raise InvalidRequestError("emails: name the people of a selected run, and of no other")
    run_id = context.run_requester.request_run(kind, emails=canonical)
    context.audit_change(actor, f"request run: {kind.value}", run_id)
    return RunRequested(run_id)
