"""The decisions of an admin about what a breaker stopped, and about the preview of a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import UnknownItemError
from connector.approved_changes import ApprovedChanges, save_approved
from connector.errors import MASS_CHANGES, NEEDS_DECISION, StaleError, StopReason
from connector.first_sync import load_first_sync, save_first_sync
from connector.model import RunKind, RunState, state_digest
from connector.planning.announced_changes import counted_changes

OVERWRITING: Final = "the overwriting is"
ALLOWED_SECONDS: Final = 4 * 3600.0
"""How long runs may do what the breaker stopped, once an admin confirmed it: two scheduled runs."""


@dataclass(frozen=True, slots=True)
class BreakerReset:
    """The reset of a breaker.

    `clearing_allowed_until` is the time until which runs may clear and overwrite without a limit
    (seconds since 1970; 0: they may not), `defects_allowed_until` the time until which runs go on
    although many people cause unexpected errors (0: they do not).
    """

    clearing_allowed_until: float
    defects_allowed_until: float


def reset_breaker(context: AdminContext, actor: str, *, intended: bool) -> BreakerReset:
    """Close the breaker: what it stopped may go on (`intended`), or its cause is corrected.

    After many unexpected errors, `intended` lets all other people be synchronized before the cause
    is corrected. After a stage of the first synchronization, `intended` lets the next run begin
    with the next stage; else the stage is repeated with other people. Raises `StaleError` when this
    breaker is not open. A breaker that a refused login opened closes automatically once the secret
    has a new version.
    """
    breaker = context.control.breaker()
    if breaker is None or breaker.reason not in NEEDS_DECISION:
        state = f"open for another reason ({breaker.reason})" if breaker else "not open"
        raise StaleError(f"the breaker is {state}: see GET /admin/status")
    until = context.clock() + ALLOWED_SECONDS if intended else 0.0
    reset = BreakerReset(0.0, 0.0)
    if breaker.reason in MASS_CHANGES:
        what = "the clearing is" if breaker.reason is StopReason.MASS_CLEARING else OVERWRITING
        reset = replace(reset, clearing_allowed_until=until)
        if intended:
            context.control.allow_clearing(until)
    elif breaker.reason is StopReason.FIRST_SYNC:
        what = "the stage of the first synchronization is"
        if intended:
            _begin_next_stage(context)
    else:
        what = "going on in spite of defects is"
        reset = replace(reset, defects_allowed_until=until)
        if intended:
            context.control.allow_defects(until)
    context.control.close_breaker()
    is_named = intended or breaker.reason is not StopReason.DEFECT
    context.audit_change(
        actor,
        f"reset breaker: {what} {'intended' if intended else 'corrected'}"
        if is_named
        else "reset breaker",
        "",
        state_digest(breaker.reason),
        state_digest(until),
    )
    return reset


def _begin_next_stage(context: AdminContext) -> None:
    state = load_first_sync(context.documents)
    if state is not None and state.is_staged:
        save_first_sync(context.documents, replace(state, stage=state.stage + 1))


@dataclass(frozen=True, slots=True)
class ApprovedPreview:
    """What was approved: the next run may clear and overwrite as many records per field, no more.

    `changes` is by side, then by `cleared.` or `overwritten.` and the field. `until` is the time
    before which a run must begin to use it (seconds since 1970).
    """

    run_id: str
    until: float
    changes: Mapping[str, Mapping[str, int]]


def approve_preview(context: AdminContext, actor: str, run_id: str) -> ApprovedPreview:
    """Allow exactly what a dry run showed; close the breaker of a run that stopped before that.

    Raises `UnknownItemError` for a run that is no dry run, and `StaleError` for one that is not
    complete or was made more than four hours ago: its preview may be out of date.
    """
    run = context.runs.load_run(run_id)
    if run is None or run.kind is not RunKind.DRY_RUN:
        raise UnknownItemError(f'there is no dry run {run_id!r}: POST /sync {{"kind": "dry_run"}}')
    now = context.clock()
    if run.state is not RunState.DONE or now - run.finished_at > ALLOWED_SECONDS:
        raise StaleError(
            f"the dry run {run_id!r} is not complete, or older than four hours: request a new one"
        )
    changes: dict[str, dict[str, int]] = {}
    for change, number in counted_changes(run.counts).items():
        changes.setdefault(change.side.value, {})[change.counter] = number
    until = now + ALLOWED_SECONDS
    save_approved(context.documents, ApprovedChanges(run_id, until, changes))
    breaker = context.control.breaker()
    if breaker is not None and breaker.reason in MASS_CHANGES:
        context.control.close_breaker()
    context.audit_change(actor, "approve preview", run_id, "", state_digest(changes))
    return ApprovedPreview(run_id, until, changes)
