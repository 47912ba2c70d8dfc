"""The history of the runs, what one did, what a dry run would do."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from connector.admin import runs as verbs
from connector.admin.runs import RunDetail, RunPage
from functions.admin.admin_app import ADMIN
from functions.admin.request import DEFAULT_PAGE, Limit, Next, new_router, path_value
from functions.admin.responses import responses

router = new_router()

Forms = Annotated[bool, Query(description="The runs of forms, which are a list of their own.")]


@router.get(
    "/admin/runs",
    summary="The runs",
    responses=responses(200, "The runs, newest first."),
    tags=["runs"],
)
def runs(limit: Limit = DEFAULT_PAGE, after: Next = "", forms: Forms = False) -> RunPage:  # noqa: FBT002  # a query parameter
    """List the runs, newest first, with counts, duration, and why one was halted."""
    return verbs.list_runs(ADMIN.get(), limit=limit, before=after, forms=forms)


@router.get(
    "/admin/runs/<run_id>",
    summary="One run",
    responses=responses(200, "The run, and a page of its journal.", 404),
    tags=["runs"],
)
def run(run_id: str, limit: Limit = DEFAULT_PAGE, after: Next = "") -> RunDetail:
    """Tell one run, with what it counted and what it wrote down."""
    return verbs.show_run(ADMIN.get(), path_value(run_id), limit=limit, after=after)


@router.get(
    "/admin/runs/<run_id>/plan",
    summary="What a dry run would do",
    responses=responses(200, "The run, and a page of its plan.", 404),
    tags=["runs"],
)
def plan(run_id: str, limit: Limit = DEFAULT_PAGE, after: Next = "") -> RunDetail:
    """Tell, per person and field, what a run would write, where, and by which rule."""
    return verbs.show_plan(ADMIN.get(), path_value(run_id), limit=limit, after=after)
