"""What a run may clear and overwrite without being asked, as an admin chooses it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError
from connector.chosen_limits import load_chosen, save_chosen
from connector.model import state_digest
from connector.planning.announced_changes import ChangeLimits

MAX_RECORDS: Final = 100_000
"""More than a run ever has to change by accident: an approved preview has no such limit."""


def set_limits(context: AdminContext, actor: str, limits: ChangeLimits) -> None:
    """Let runs use other limits from the next minute on. Raises `InvalidRequestError`."""
    for name, number in (("cleared", limits.cleared), ("overwritten", limits.overwritten)):
        if not 0 <= number <= MAX_RECORDS:
            raise InvalidRequestError(f"{name}: must be a whole number from 0 to {MAX_RECORDS:,}")
    if not 0 <= limits.share <= 1:
        raise InvalidRequestError("share: must be from 0 to 100 percent")
    _save(context, actor, limits)


def reset_limits(context: AdminContext, actor: str) -> None:
    """Let runs use the limits of the stack again."""
    _save(context, actor, None)


def _save(context: AdminContext, actor: str, limits: ChangeLimits | None) -> None:
    before = load_chosen(context.documents)
    save_chosen(context.documents, limits)
    subject = (
        "as deployed"
        if limits is None
        else f"cleared {limits.cleared}, overwritten {limits.overwritten}, share {limits.share:g}"
    )
    digests = [state_digest(None if it is None else asdict(it)) for it in (before, limits)]
    context.audit_change(actor, "change limits", subject, *digests)
