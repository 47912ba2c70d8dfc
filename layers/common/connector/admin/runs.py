"""The history of the runs (product P21), what one did, and what a dry run would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.model import JournalEntry, JournalPage, Run, RunKind, RunState, Side, Value

MILLISECONDS = 3
"""Decimals of a duration."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. Times are seconds since 1970 (0: not yet); `counts` are by side, then by what.

    `mapping_version` is -1 for a mapping that was not saved. `people` says for how many e-mails the
    run was asked (0: for all who are due).
    """

    run_id: str
    kind: RunKind
    state: RunState
    requested_at: float
    started_at: float
    finished_at: float
    duration_seconds: float
    invocations: int
    mapping_version: int
    people: int
    counts: Mapping[str, Mapping[str, int]]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first; `next` asks for the ones before ('': there are none)."""

    runs: tuple[RunView, ...]
    next: str


@dataclass(frozen=True, slots=True)
class JournalEntryView:
    """One line of the journal, or of a dry run's plan.

    `what` is written, lost, held or refused; `field` is the line's Salesforce field; `rule` says
    why; `at` is in seconds since 1970.
    """

    email: str
    at: float
    run_id: str
    kind: str
    side: Side
    record: str
    field: str
    before: Value
    after: Value
    rule: str


@dataclass(frozen=True, slots=True)
class JournalPageView:
    """Some lines; `next` asks for the following ones ('': there are none)."""

    entries: tuple[JournalEntryView, ...]
    next: str


@dataclass(frozen=True, slots=True)
class RunDetail(RunView):
    """One run, and a page of its journal, or of what it would do; `next` asks for the next page."""

    journal: tuple[JournalEntryView, ...]
    next: str


def list_runs(
    context: AdminContext, *, limit: int, before: str = "", forms: bool = False
) -> RunPage:
    """Return the newest runs; those of forms are a list of their own."""
    runs = context.runs.list_runs(limit + 1, before, forms=forms)
    more = len(runs) > limit
    return RunPage(tuple(map(run_view, runs[:limit])), runs[limit - 1].id if more else "")


def show_run(context: AdminContext, run_id: str, *, limit: int, after: str = "") -> RunDetail:
    """Return one run with a page of its journal. Raises `UnknownItemError`."""
    return _run_detail(_run(context, run_id), _lines(context, run_id, limit, after))


def show_plan(context: AdminContext, run_id: str, *, limit: int, after: str = "") -> RunDetail:
    """Return what a dry run would do, page by page. Raises `UnknownItemError` for any other run."""
    run = _run(context, run_id)
    if run.kind is not RunKind.DRY_RUN:
        raise UnknownItemError(
            f"the run {run_id!r} is no dry run, so it has no plan: ask for its journal at "
            f"GET /admin/runs/{run_id}"
        )
    return _run_detail(run, _lines(context, run_id, limit, after))


def run_view(run: Run) -> RunView:
    """Return a run as an administrator reads it."""
    return RunView(
        run_id=run.id,
        kind=run.kind,
        state=run.state,
        requested_at=run.requested_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_seconds=round(max(0.0, run.finished_at - run.started_at), MILLISECONDS),
        invocations=run.invocations,
        mapping_version=run.mapping_version,
        people=len(run.emails),
        counts=run.counts,
        reason=run.reason.value if run.reason else "",
        message=run.message,
    )


def journal_page_view(page: JournalPage) -> JournalPageView:
    """Return a page of the journal as an administrator reads it."""
    return JournalPageView(tuple(map(journal_entry_view, page.entries)), page.next)


def journal_entry_view(line: JournalEntry) -> JournalEntryView:
    """Return a line of the journal as an administrator reads it."""
    return JournalEntryView(
        email=line.email,
        at=line.at,
        run_id=line.run_id,
        kind=line.kind,
        side=line.side,
        record=line.record_id,
        field=line.field,
        before=line.before,
        after=line.after,
        rule=str(line.rule),
    )


def _run_detail(run: Run, page: JournalPage) -> RunDetail:
    told = run_view(run)
    facts = {field.name: getattr(told, field.name) for field in fields(RunView)}
    return RunDetail(**facts, journal=tuple(map(journal_entry_view, page.entries)), next=page.next)


def _run(context: AdminContext, run_id: str) -> Run:
    run = context.runs.load_run(run_id)
    if run is None:
        raise UnknownItemError(f"there is no run {run_id!r}: GET /admin/runs lists them")
    return run


def _lines(context: AdminContext, run_id: str, limit: int, after: str) -> JournalPage:
    try:
        return context.journal.run_entries(run_id, limit, after)
    except ValueError as error:
        raise InvalidRequestError("next: not the `next` of an earlier page") from error
