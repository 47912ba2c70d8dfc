"""The routes of the runs: the history, one run, the plan of a dry run and its approval."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from connector.admin import run_repair, run_undo
from connector.admin import runs as use_cases
from connector.admin.breaker import ApprovedPreview, approve_preview
from connector.admin.run_repair import RepairRequested
from connector.admin.run_undo import UndoRequested
from connector.admin.runs import RunDetail, RunPage
from functions.admin.admin_app import ADMIN
from functions.admin.request import DEFAULT_PAGE, Limit, Next, caller, new_router, path_value
from functions.admin.responses import responses

router = new_router()

Forms = Annotated[bool, Query(description="List the runs of forms, which are a separate list.")]


class Undo(BaseModel):
    """What to undo of a run.

    With `preview` (the default) nothing is written. `email` and `field` select one contact and one
    field pair ('': all). With `opt_outs`, opt-outs are taken back too, on both sides. With
    `both_sides`, a value is put back also where somebody typed the new one, if it is still there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preview: bool = True
    email: str = Field(default="", max_length=254)
    field: str = Field(default="", max_length=255)
    opt_outs: bool = False
    both_sides: bool = False


@router.get(
    "/admin/runs",
    summary="List the runs",
    responses=responses(200, "The runs, newest first."),
    tags=["runs"],
)
def runs(limit: Limit = DEFAULT_PAGE, after: Next = "", forms: Forms = False) -> RunPage:  # noqa: FBT002  # a query parameter
    """List the runs, newest first, with counts, duration, and the reason of a stop."""
    return use_cases.list_runs(ADMIN.get(), limit=limit, before=after, forms=forms)


@router.get(
    "/admin/runs/<run_id>",
    summary="Get a run",
    responses=responses(200, "The run, and a page of its journal.", 404),
    tags=["runs"],
)
def run(run_id: str, limit: Limit = DEFAULT_PAGE, after: Next = "") -> RunDetail:
    """Return one run with its counts and a page of its journal."""
    return use_cases.show_run(ADMIN.get(), path_value(run_id), limit=limit, after=after)


@router.get(
    "/admin/runs/<run_id>/plan",
    summary="Get the plan of a dry run",
    responses=responses(200, "The run, and a page of its plan.", 404),
    tags=["runs"],
)
def plan(run_id: str, limit: Limit = DEFAULT_PAGE, after: Next = "") -> RunDetail:
    """Return the writes that a run would make, by contact and field, with the rules."""
    return use_cases.show_plan(ADMIN.get(), path_value(run_id), limit=limit, after=after)


@router.post(
    "/admin/runs/<run_id>/approve",
    summary="Approve the preview of a dry run",
    responses=responses(200, "What the next run may clear and overwrite.", 404, 409),
    tags=["runs"],
)
def approve(run_id: str) -> ApprovedPreview:
    """Allow the next run to clear and overwrite as many records per field as the preview shows."""
    actor = caller(router.current_event.raw_event)
    return approve_preview(ADMIN.get(), actor, path_value(run_id))


@router.post(
    "/admin/runs/<run_id>/undo",
    summary="Undo a run",
    responses=responses(202, "The undo, or its preview, is requested.", 404, 409),
    status_code=202,
    tags=["runs"],
)
def undo(run_id: str, request: Annotated[Undo, Body()]) -> UndoRequested:
    """Put back the values that a run replaced, where nobody changed them since."""
    return run_undo.request_undo(
        ADMIN.get(),
        caller(router.current_event.raw_event),
        path_value(run_id),
        is_preview=request.preview,
        email=request.email,
        field=request.field,
        opt_outs=request.opt_outs,
        both_sides=request.both_sides,
    )


@router.post(
    "/admin/runs/<run_id>/repair",
    summary="Repair what a verification found",
    responses=responses(202, "The run that resolves these people is requested.", 404, 409),
    status_code=202,
    tags=["runs"],
)
def repair(run_id: str) -> RepairRequested:
    """Resolve the people with unexplained differences, with the limits of every run."""
    actor = caller(router.current_event.raw_event)
    return run_repair.request_repair(ADMIN.get(), actor, path_value(run_id))
