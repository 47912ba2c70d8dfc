"""The history of the runs, the journal of one run, and the plan of a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import UnknownItemError, page_token_errors
from connector.admin.undo_origins import UndoOrigin, undo_origins
from connector.model import (
    JournalEntry,
    JournalPage,
    MappingProblem,
    Run,
    RunKind,
    RunState,
    Side,
    Value,
)
from connector.planning.first_sync_stages import current_stage
from connector.planning.forecast import PlannedWork, run_needs
from connector.verification import Verification, verification_of

HOUR_SECONDS: Final = 3600.0
UNKNOWN_SECONDS: Final = -1.0
MILLISECONDS: Final = 3
"""Decimals of a duration in seconds."""
HOUR_DECIMALS: Final = 3
"""Decimals of a duration in hours: seconds."""
CENT_DECIMALS: Final = 4
"""Decimals of an amount in dollars."""


@dataclass(frozen=True, slots=True)
class ProgressView:
    """How far a run is.

    `phase` is read, stage, resolve or write_plezi ('': not started). `stage` is the stage of a
    first synchronization: 10, 100 or 1000 people, or all ('': the run has none). `people_listed`
    are found so far (a contact that both systems changed counts twice), `people_finished` of them
    are done.
    `people_an_hour` is the pace since the start, `seconds_left` what the rest takes at this pace
    (-1: not known yet). `last_invocation_at` is in seconds since 1970 (0: none). `last_error` names
    the last unexpected error of an invocation, or why writes wait ('': there was none).
    """

    phase: str
    stage: str
    people_listed: int
    people_finished: int
    people_an_hour: float
    seconds_left: float
    last_invocation_at: float
    last_error: str


@dataclass(frozen=True, slots=True)
class VerificationView:
    """The result of a complete verification; `finished_at` is in seconds since 1970.

    `people` were compared, in `compared_fields`. `unexplained_fields` of these differ without a
    known cause; `drift_rate` is their fraction.
    """

    run_id: str
    finished_at: float
    people: int
    compared_fields: int
    unexplained_fields: int
    drift_rate: float


@dataclass(frozen=True, slots=True)
class ExpectedView:
    """What the run of a preview takes, about; it is measured for ordinary people (docs/costs.md).

    `hours` is at the pace of the stack (None: it has no limit), `dollars` what AWS charges, in US
    dollars.
    """

    plezi_calls: int
    salesforce_calls: int
    hours: float | None
    dollars: float


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. Times are in seconds since 1970 (0: not yet). `counts` are by side, then by name.

    `mapping_version` is -1 for a mapping that was not saved. `people` is the number of e-mails that
    the run was requested for (0: all contacts that it finds). `problems` are those of the mapping
    of a dry run, as a save reports them; a mapping that is not saved is not used with problems.
    `undoes` is the run that an undo, or its preview, puts back ('': it is none), `undo_field` the
    only field that it puts back ('': all), `undo_both_sides` whether also where a user typed the
    new value. `repairs` is the verification whose unexplained differences the run resolves ('':
    none). `verification` is the result of a verification (None: the run is none, or is not
    complete). `expected` is what the run of a preview takes (None: the
    run is none, or is not complete).
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
    progress: ProgressView
    reason: str
    message: str
    problems: tuple[MappingProblem, ...]
    undoes: str
    undo_field: str
    undo_both_sides: bool
    repairs: str
    verification: VerificationView | None
    expected: ExpectedView | None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first; `next` is the token of the next page ('': there is none)."""

    runs: tuple[RunView, ...]
    next: str


@dataclass(frozen=True, slots=True)
class JournalEntryView:
    """One entry of the journal, or of the plan of a dry run.

    `kind` is a kind of journal entry, such as written or overwritten. `field` is the key of the
    field pair. `rule` is the reason. `at` is in seconds since 1970. `newer_run` is the run that
    wrote a field later, which an undo leaves as it is for this reason ('': no run did); for a
    difference with the cause `undone` it is the undo that left it.
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
    newer_run: str


@dataclass(frozen=True, slots=True)
class JournalPageView:
    """A page of entries; `next` is the token of the next page ('': there is none)."""

    entries: tuple[JournalEntryView, ...]
    next: str


@dataclass(frozen=True, slots=True)
class RunDetail(RunView):
    """One run, with a page of its journal or its plan.

    `next` is the token of the next page ('': there is none). `undos` are the undos that left the
    differences of the page, in a verification.
    """

    journal: tuple[JournalEntryView, ...]
    next: str
    undos: tuple[UndoOrigin, ...]


def list_runs(
    context: AdminContext, *, limit: int, before: str = "", forms: bool = False
) -> RunPage:
    """Return the newest runs; the runs of forms are a separate list."""
    runs = context.runs.list_runs(limit + 1, before, forms=forms)
    more = len(runs) > limit
    views = tuple(run_view(run, context.plezi_calls_per_second) for run in runs[:limit])
    return RunPage(views, runs[limit - 1].id if more else "")


def show_run(context: AdminContext, run_id: str, *, limit: int, after: str = "") -> RunDetail:
    """Return one run with a page of its journal. Raises `UnknownItemError`."""
    return _run_detail(context, _run(context, run_id), _entries(context, run_id, limit, after))


def show_plan(context: AdminContext, run_id: str, *, limit: int, after: str = "") -> RunDetail:
    """Return a dry run with a page of its plan. Raises `UnknownItemError` for any other run."""
    run = _run(context, run_id)
    if run.kind is not RunKind.DRY_RUN:
        raise UnknownItemError(
            f"the run {run_id!r} is not a dry run and has no plan: its journal is at "
            f"GET /admin/runs/{run_id}"
        )
    return _run_detail(context, run, _entries(context, run_id, limit, after))


def run_view(run: Run, calls_per_second: float) -> RunView:
    """Return the view of a run; the pace is that of the calls to Plezi (0: without a limit)."""
    return RunView(
        run_id=run.id,
        kind=run.kind,
        state=run.state,
        requested_at=run.requested_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_seconds=_duration(run),
        invocations=run.invocations,
        mapping_version=run.mapping_version,
        people=len(run.emails),
        counts=run.counts,
        progress=_progress_view(run),
        reason=run.reason.value if run.reason else "",
        message=run.message,
        problems=run.problems,
        undoes=run.undo.run_id if run.undo else "",
        undo_field=run.undo.field if run.undo else "",
        undo_both_sides=bool(run.undo and run.undo.both_sides),
        repairs=run.repairs,
        verification=verification_view(verification_of(run)),
        expected=_expected(run, calls_per_second),
    )


def _expected(run: Run, calls_per_second: float) -> ExpectedView | None:
    if run.kind is not RunKind.DRY_RUN or run.state is not RunState.DONE:
        return None
    numbers = {side: run.counts.get(side.value, {}) for side in Side}
    needs = run_needs(
        PlannedWork(
            numbers[Side.PLEZI].get("predicted_calls", 0),
            numbers[Side.SALESFORCE].get("predicted_calls", 0),
            {side: counts.get("created", 0) for side, counts in numbers.items()},
            sum(counts.get("updated", 0) for counts in numbers.values()),
        ),
        calls_per_second,
    )
    return ExpectedView(
        needs.plezi_calls,
        needs.salesforce_calls,
        None if needs.hours is None else round(needs.hours, HOUR_DECIMALS),
        round(needs.dollars, CENT_DECIMALS),
    )


def verification_view(found: Verification | None) -> VerificationView | None:
    """Return the view of the result of a verification."""
    if found is None:
        return None
    return VerificationView(
        found.run_id,
        found.finished_at,
        people=found.people,
        compared_fields=found.compared,
        unexplained_fields=found.unexplained,
        drift_rate=found.drift_rate,
    )


def _progress_view(run: Run) -> ProgressView:
    """Return how far a run is, at the pace from its start to its last invocation or its end."""
    listed, resolved = run.progress.listed, run.progress.resolved
    elapsed = (run.finished_at or run.active_at) - run.started_at
    pace = resolved / elapsed if elapsed > 0 else 0.0
    is_over = run.state is not RunState.RUNNING
    left = 0.0 if is_over else (listed - resolved) / pace if pace else UNKNOWN_SECONDS
    return ProgressView(
        phase=run.phase.value if run.phase else "",
        stage=current_stage(run),
        people_listed=listed,
        people_finished=resolved,
        people_an_hour=round(pace * HOUR_SECONDS, 1),
        seconds_left=round(left, 1),
        last_invocation_at=run.active_at,
        last_error=run.error,
    )


def journal_page_view(page: JournalPage) -> JournalPageView:
    """Return the view of a page of the journal."""
    return JournalPageView(tuple(map(journal_entry_view, page.entries)), page.next)


def journal_entry_view(entry: JournalEntry) -> JournalEntryView:
    """Return the view of a journal entry."""
    return JournalEntryView(
        email=entry.email,
        at=entry.at,
        run_id=entry.run_id,
        kind=entry.kind,
        side=entry.side,
        record=entry.record_id,
        field=entry.field,
        before=entry.before,
        after=entry.after,
        rule=str(entry.rule),
        newer_run=entry.newer_run,
    )


def _run_detail(context: AdminContext, run: Run, page: JournalPage) -> RunDetail:
    view = run_view(run, context.plezi_calls_per_second)
    members = {field.name: getattr(view, field.name) for field in fields(RunView)}
    return RunDetail(
        **members,
        journal=tuple(map(journal_entry_view, page.entries)),
        next=page.next,
        undos=undo_origins(context, page.entries),
    )


def _run(context: AdminContext, run_id: str) -> Run:
    run = context.runs.load_run(run_id)
    if run is None:
        raise UnknownItemError(f"there is no run {run_id!r}: GET /admin/runs lists them")
    return run


def _entries(context: AdminContext, run_id: str, limit: int, after: str) -> JournalPage:
    with page_token_errors():
        return context.journal.run_entries(run_id, limit, after)


def _duration(run: Run) -> float:
    """Return the seconds from the start of a run to its end; 0 when one of them is missing."""
    if not (run.started_at and run.finished_at):
        return 0.0
    return round(max(0.0, run.finished_at - run.started_at), MILLISECONDS)
