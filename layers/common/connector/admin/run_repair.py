"""The request to resolve the people with unexplained differences of a verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.errors import StaleError
from connector.model import MAX_LISTED, DriftCause, Run, RunKind, state_digest
from connector.verification import DRIFT, verification_counts, verification_of

PAGE: Final = 200
"""Entries of a verification that are read at a time."""


@dataclass(frozen=True, slots=True)
class RepairRequested:
    """The run that resolves the unexplained differences of a verification (`repairs`).

    `people` is the number of people that it resolves. `is_complete`: these are all; otherwise
    verify and repair again afterwards. `left_undone` is the number of differences that an undo left
    when the verification was made: they stay as the admin decided.
    """

    run_id: str
    repairs: str
    people: int
    is_complete: bool
    left_undone: int


def request_repair(context: AdminContext, actor: str, run_id: str) -> RepairRequested:
    """Request a run of the people with unexplained differences, with the limits of every run.

    Raises `UnknownItemError` for a run that does not exist, `InvalidRequestError` for one that is
    no verification or found nothing to repair, and `StaleError` for one that is not complete or
    whose entries have expired.
    """
    run = context.runs.load_run(run_id)
    if run is None:
        raise UnknownItemError(f"there is no run {run_id!r}: GET /admin/runs lists them")
    unexplained = _unexplained(run)
    stored = Counter(_people(context, run_id))
    emails = sorted(stored)[:MAX_LISTED]
    if not emails:
        raise StaleError(
            f"the differences of the run {run_id!r} have expired: verify again "
            '(POST /sync with {"kind": "verify"})'
        )
    repair_id = context.run_requester.request_run(RunKind.SELECTED, emails=emails, repairs=run_id)
    context.audit_change(actor, "repair run", run_id, "", state_digest([repair_id, len(emails)]))
    is_complete = sum(stored[email] for email in emails) == unexplained
    left_undone = verification_counts(run).get(DRIFT.format(DriftCause.UNDONE.value), 0)
    return RepairRequested(repair_id, run_id, len(emails), is_complete, left_undone)


def _unexplained(run: Run) -> int:
    """Return how many differences have no known cause; raise the error of a run with none."""
    if run.kind is not RunKind.VERIFY:
        raise InvalidRequestError(f"run: {run.id!r} is not a verification")
    verification = verification_of(run)
    if verification is None:
        raise StaleError(f"the verification {run.id!r} is not complete: wait until it is done")
    if not verification.unexplained:
        raise InvalidRequestError(
            f"run: {run.id!r} found no difference without a known cause. What an undo left stays "
            "as the admin decided: undo that undo, or edit one of the two values"
        )
    return verification.unexplained


def _people(context: AdminContext, run_id: str) -> Iterator[str]:
    """Yield the e-mail of each unexplained difference that is stored."""
    after = ""
    while True:
        page = context.journal.run_entries(run_id, PAGE, after)
        for entry in page.entries:
            if entry.rule == DriftCause.UNEXPLAINED.value:
                yield entry.email
        after = page.next
        if not after:
            return
