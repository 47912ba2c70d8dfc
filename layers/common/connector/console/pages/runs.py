"""The runs: the list, one run with its journal, the preview of a dry run, the undo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.breaker import approve_preview
from connector.admin.mapping_draft import show_draft
from connector.admin.run_repair import request_repair
from connector.admin.run_undo import request_undo
from connector.admin.runs import JournalEntryView, RunDetail, RunView, list_runs, show_run
from connector.console.context import PageContext
from connector.console.history import written
from connector.console.journal_view import (
    EntryFilter,
    EntryPage,
    EntryRow,
    most_serious_first,
    read_entries,
)
from connector.console.labels import FieldLabels, read_labels
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response
from connector.model import JournalKind, RunKind, RunState, Side

LIST_LIMIT: Final = 25
ENTRY_LIMIT: Final = 50
UNFINISHED: Final = frozenset({RunState.REQUESTED, RunState.RUNNING})
UNDONE_KINDS: Final = frozenset(
    {RunKind.CHANGES, RunKind.FULL, RunKind.SELECTED, RunKind.FORM, RunKind.UNDO}
)
PEOPLE: Final = "people."
"""Counts of all people who take part, which bound a run."""
MAIN_COUNTS: Final = ("seen", "changed", "created", "updated", "held", "quarantined", "overwritten")
"""The counters that are shown first; the others follow by their names."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the list; `written` is the number of records that it wrote."""

    run: RunView
    written: int


@dataclass(frozen=True, slots=True)
class CountRow:
    """One counter of a run, of both sides."""

    name: str
    plezi: int
    salesforce: int


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """What a dry run would do with one field, of all people: by counter, in records."""

    field: str
    label: str
    side: str
    cleared: int
    overwritten: int
    written: int


@dataclass(frozen=True, slots=True)
class RunPageView:
    """One run. `filter` is about its journal. `person` is the id of the person of an undo."""

    run: RunDetail
    entries: EntryPage
    counts: tuple[CountRow, ...]
    filter: EntryFilter
    fields: tuple[tuple[str, str], ...]
    is_unfinished: bool
    can_be_undone: bool
    person: str


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A dry run. `approves` is what its approval does: apply the draft, allow the run, or undo.

    `undo_side` is the only system in which an undo puts something back (None: both).
    """

    run: RunDetail
    rows: tuple[EntryRow, ...]
    next: str
    by_field: tuple[FieldSummary, ...]
    people: int
    is_unfinished: bool
    approves: str
    person: str
    undo_side: Side | None

    @property
    def writes(self) -> bool:
        """Whether a value would be written; a page further on may have others."""
        return bool(self.next) or any(row.can_be_undone for row in self.rows)


def show_runs(page: PageContext) -> Response:
    """Show the list of the runs, or of the runs of forms."""
    is_forms = page.query("list") == "forms"
    found = list_runs(page.admin, limit=LIST_LIMIT, before=page.query("next"), forms=is_forms)
    rows = tuple(RunRow(run, written(run.counts)) for run in found.runs)
    return page.render("runs.html", rows=rows, next=found.next, is_forms=is_forms)


def show_one(page: PageContext) -> Response:
    """Show one run: a dry run as the preview that it is."""
    run = show_run(page.admin, page.parameters["run_id"], limit=1)
    if run.kind is RunKind.DRY_RUN:
        return _show_preview(page, run)
    wanted = EntryFilter(page.query("kind"), page.query("side"), page.query("field"))
    labels = read_labels(page.admin)
    view = RunPageView(
        run=run,
        entries=_entries(page, run, wanted, labels),
        counts=count_rows(run.counts),
        filter=wanted,
        fields=tuple((key, labels.pair(key)) for key in labels.names),
        is_unfinished=run.state in UNFINISHED,
        can_be_undone=run.kind in UNDONE_KINDS and run.state not in UNFINISHED,
        person=page.query("person"),
    )
    return page.render("run.html", view=view)


def _show_preview(page: PageContext, run: RunDetail) -> Response:
    labels = read_labels(page.admin)
    found = _entries(page, run, EntryFilter(), labels)
    is_done = run.state is RunState.DONE and not run.problems
    view = PreviewView(
        run=run,
        rows=tuple(most_serious_first(found.rows)),
        next=found.next,
        by_field=field_summaries(run.counts, found.rows, labels),
        people=len({row.entry.email for row in found.rows}),
        is_unfinished=run.state in UNFINISHED,
        approves=_approval(page, run) if is_done else "",
        person=page.query("person"),
        undo_side=_only_side(found),
    )
    return page.render("preview.html", view=view)


def _only_side(page: EntryPage) -> Side | None:
    sides = {row.entry.side for row in page.rows if row.can_be_undone}
    return sides.pop() if len(sides) == 1 and not page.next else None


def _approval(page: PageContext, run: RunDetail) -> str:
    """Return what the approval of a complete dry run does."""
    if run.undoes:
        return "undo"
    return "draft" if show_draft(page.admin).preview == run.run_id else "run"


def _entries(
    page: PageContext, run: RunView, wanted: EntryFilter, labels: FieldLabels
) -> EntryPage:
    def read(limit: int, after: str) -> tuple[Iterable[JournalEntryView], str]:
        detail = show_run(page.admin, run.run_id, limit=limit, after=after)
        return detail.journal, detail.next

    return read_entries(read, wanted, labels, limit=ENTRY_LIMIT, after=page.query("next"))


def count_rows(counts: Mapping[str, Mapping[str, int]]) -> tuple[CountRow, ...]:
    """Return the counters of a run, the main ones first."""
    plezi, salesforce = (counts.get(side.value, {}) for side in (Side.PLEZI, Side.SALESFORCE))
    found = plezi.keys() | salesforce.keys()
    others = sorted(name for name in found if name not in MAIN_COUNTS and PEOPLE not in name)
    rows = (
        CountRow(name, plezi.get(name, 0), salesforce.get(name, 0))
        for name in (*MAIN_COUNTS, *others)
    )
    return tuple(row for row in rows if row.plezi or row.salesforce)


def field_summaries(
    counts: Mapping[str, Mapping[str, int]], rows: Iterable[EntryRow], labels: FieldLabels
) -> tuple[FieldSummary, ...]:
    """Return what would happen to each field, those that lose most values first.

    Cleared and overwritten values are the counters of the run, of all people; the written ones are
    those of the entries that are shown.
    """
    writes: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.entry.kind == JournalKind.WRITTEN.value:
            key = (row.entry.field, row.entry.side.value)
            writes[key] = writes.get(key, 0) + 1
    keys = dict.fromkeys(writes)
    for side, numbers in counts.items():
        for name in numbers:
            kind, dot, field = name.partition(".")
            if dot and kind in ("cleared", "overwritten"):
                keys[field, side] = None
    found = [
        FieldSummary(
            field,
            labels.pair(field),
            side,
            counts.get(side, {}).get(f"cleared.{field}", 0),
            counts.get(side, {}).get(f"overwritten.{field}", 0),
            writes.get((field, side), 0),
        )
        for field, side in keys
    ]
    return tuple(
        sorted(found, key=lambda it: (-it.cleared, -it.overwritten, -it.written, it.field))
    )


def undo(page: PageContext) -> Response:
    """Request the preview of an undo, or the undo itself; of a run, of a person or of a field."""
    is_preview = page.request.value("confirmed") != "yes"
    person = page.request.value("person")
    requested = request_undo(
        page.admin,
        page.actor,
        page.parameters["run_id"],
        is_preview=is_preview,
        email=page.person_email(person) if person else "",
        field=page.request.value("field"),
        opt_outs=page.request.value("opt_outs") == "yes",
        both_sides=page.request.value("both_sides") == "yes",
    )
    done = "undo_previewed" if is_preview else "undo_requested"
    return page.go(f"/runs/{requested.run_id}", done, person=person)


def repair(page: PageContext) -> Response:
    """Resolve the unexplained differences of a verification."""
    requested = request_repair(page.admin, page.actor, page.parameters["run_id"])
    return page.go(f"/runs/{requested.run_id}", "run_requested")


def approve(page: PageContext) -> Response:
    """Approve a preview: the next run may clear and overwrite what it shows."""
    run_id = page.parameters["run_id"]
    approve_preview(page.admin, page.actor, run_id)
    return page.go(f"/runs/{run_id}", "approved")


ROUTES: Final = (
    Route("GET", "/runs", UserRole.VIEWER, show_runs),
    Route("GET", "/runs/{run_id}", UserRole.VIEWER, show_one),
    Route("POST", "/runs/{run_id}/undo", UserRole.OPERATOR, undo),
    Route("POST", "/runs/{run_id}/repair", UserRole.OPERATOR, repair),
    Route("POST", "/runs/{run_id}/approve", UserRole.OPERATOR, approve),
)
