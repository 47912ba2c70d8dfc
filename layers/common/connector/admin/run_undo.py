"""The request to undo a run, or to show what an undo would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.admin.undo_origins import UNDO_ACTION, undo_digest
from connector.clean_text import canonical_email
from connector.errors import StaleError
from connector.model import Run, RunKind, RunState, UndoRequest

OPEN_STATES: Final = frozenset({RunState.REQUESTED, RunState.RUNNING})
"""States of a run that is not over: what it writes is not known yet."""
WRITE_COUNTERS: Final = frozenset({"created", "updated"})
"""The counters of the records that a run wrote."""
ALL: Final = ""


@dataclass(frozen=True, slots=True)
class UndoRequested:
    """The run that undoes another one (`undoes`), or, with `preview`, the dry run that shows it."""

    run_id: str
    undoes: str
    preview: bool


def request_undo(  # noqa: PLR0913  # the parts of a request, each by its name
    context: AdminContext,
    actor: str,
    run_id: str,
    *,
    is_preview: bool,
    email: str = ALL,
    field: str = ALL,
    opt_outs: bool = False,
    both_sides: bool = False,
) -> UndoRequested:
    """Request the undo of a run, of one contact in it, or of one field; a preview writes nothing.

    The run that is requested writes into the journal what it put back, and what it left as it is,
    with the reason. With `both_sides` a value is put back where somebody typed the new one too, if
    it is still there; no field is cleared there. Raises `UnknownItemError` for a run that does not
    exist, `InvalidRequestError` for a run that wrote nothing and for a field that the mapping does
    not have, and `StaleError` for a run that is not over or whose journal has expired.
    """
    run = context.runs.load_run(run_id)
    if run is None:
        raise UnknownItemError(f"there is no run {run_id!r}: GET /admin/runs lists them")
    _check_run(context, run)
    if field and all(pair.key != field for pair in context.mappings.current().pairs):
        raise InvalidRequestError(
            f"field: the mapping has no pair {field!r}: GET /admin/mapping lists the pairs, each "
            "is named by its Salesforce field"
        )
    canonical = canonical_email(email)
    if email and not canonical:
        raise InvalidRequestError("email: this is not an e-mail address")
    request = UndoRequest(run_id, field, opt_outs, both_sides)
    undo_id = context.run_requester.request_run(
        RunKind.DRY_RUN if is_preview else RunKind.UNDO,
        emails=[canonical] if canonical else [],
        undo=request,
    )
    if not is_preview:
        after = undo_digest(undo_id, canonical, request)
        context.audit_change(actor, UNDO_ACTION, run_id, "", after)
    return UndoRequested(undo_id, run_id, is_preview)


def _check_run(context: AdminContext, run: Run) -> None:
    """Raise the error of a run that cannot be undone."""
    if run.kind is RunKind.DRY_RUN:
        raise InvalidRequestError(f"run: {run.id!r} is a dry run, which writes nothing")
    if run.state in OPEN_STATES:
        raise StaleError(f"the run {run.id!r} is not over: wait until it ends, then undo it")
    if context.journal.run_entries(run.id, 1).entries:
        return
    written = any(numbers.get(it) for numbers in run.counts.values() for it in WRITE_COUNTERS)
    if not written:
        raise InvalidRequestError(f"run: {run.id!r} wrote nothing, so there is nothing to undo")
    raise StaleError(
        f"the journal of the run {run.id!r} has expired (JournalDays): the values from before it "
        "are not known any more. Restore them in the system where they are to be corrected"
    )
