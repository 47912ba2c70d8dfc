"""The history of the runs (product P21), what one did, and what a dry run would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from connector.administration.office import Office
from connector.administration.refusals import NotKnownError, UnusableError
from connector.journal import Lines
from connector.model import JournalLine, Run, RunKind, RunState, Side, Value

MILLISECONDS = 3
"""Decimals of a duration."""


@dataclass(frozen=True, slots=True)
class RunTold:
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

    runs: tuple[RunTold, ...]
    next: str


@dataclass(frozen=True, slots=True)
class LineTold:
    """One line of the journal, or of a dry run's plan.

    `what` is written, lost, held or refused; `field` is the line's Salesforce field; `rule` says
    why; `at` is in seconds since 1970.
    """

    email: str
    at: float
    run_id: str
    what: str
    side: Side
    record: str
    field: str
    before: Value
    after: Value
    rule: str


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines; `next` asks for the following ones ('': there are none)."""

    lines: tuple[LineTold, ...]
    next: str


@dataclass(frozen=True, slots=True)
class RunStory(RunTold):
    """One run, and a page of its journal, or of what it would do; `next` asks for the next page."""

    journal: tuple[LineTold, ...]
    next: str


def list_runs(office: Office, *, limit: int, before: str = "", forms: bool = False) -> RunPage:
    """Return the newest runs; those of forms are a list of their own."""
    runs = office.ledger.runs(limit + 1, before, forms=forms)
    more = len(runs) > limit
    return RunPage(tuple(map(told_run, runs[:limit])), runs[limit - 1].id if more else "")


def one_run(office: Office, run_id: str, *, limit: int, after: str = "") -> RunStory:
    """Return one run with a page of its journal. Raises `NotKnownError`."""
    return _story(_run(office, run_id), _lines(office, run_id, limit, after))


def plan_of_run(office: Office, run_id: str, *, limit: int, after: str = "") -> RunStory:
    """Return what a dry run would do, page by page. Raises `NotKnownError` for any other run."""
    run = _run(office, run_id)
    if run.kind is not RunKind.DRY_RUN:
        raise NotKnownError(
            f"the run {run_id!r} is no dry run, so it has no plan: ask for its journal at "
            f"GET /admin/runs/{run_id}"
        )
    return _story(run, _lines(office, run_id, limit, after))


def told_run(run: Run) -> RunTold:
    """Return a run as an administrator reads it."""
    return RunTold(
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
        reason=run.reason,
        message=run.message,
    )


def told_page(page: Lines) -> LinePage:
    """Return a page of the journal as an administrator reads it."""
    return LinePage(tuple(map(told_line, page.lines)), page.next)


def told_line(line: JournalLine) -> LineTold:
    """Return a line of the journal as an administrator reads it."""
    return LineTold(
        email=line.email,
        at=line.at,
        run_id=line.run,
        what=line.what,
        side=line.side,
        record=line.record,
        field=line.field,
        before=line.before,
        after=line.after,
        rule=str(line.rule),
    )


def _story(run: Run, page: Lines) -> RunStory:
    told = told_run(run)
    facts = {field.name: getattr(told, field.name) for field in fields(RunTold)}
    return RunStory(**facts, journal=tuple(map(told_line, page.lines)), next=page.next)


def _run(office: Office, run_id: str) -> Run:
    run = office.ledger.run(run_id)
    if run is None:
        raise NotKnownError(f"there is no run {run_id!r}: GET /admin/runs lists them")
    return run


def _lines(office: Office, run_id: str, limit: int, after: str) -> Lines:
    try:
        return office.journal.of_run(run_id, limit, after)
    except ValueError as error:
        raise UnusableError("next: not the `next` of an earlier page") from error
