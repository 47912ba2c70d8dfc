"""The undos that left a difference: what each undid, who requested it, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.model import (
    AuditEntry,
    JournalEntry,
    JournalKind,
    Run,
    UndoRequest,
    state_digest,
)

UNDO_ACTION: Final = "undo run"
"""The action of an undo in the audit log."""
AUDIT_PAGE: Final = 100
"""Entries of the audit log that are read at a time."""
MAX_AUDIT_PAGES: Final = 10
"""The newest thousand changes are searched for an undo: 3 changes a day for a year."""
CLOCK_SECONDS: Final = 60.0
"""How much older than its run the audit entry of an undo may be: clocks are set."""


@dataclass(frozen=True, slots=True)
class UndoOrigin:
    """One undo that left a difference.

    `run_id` is the run that undid the run `undoes`; `requested_at` is in seconds since 1970.
    `requested_by` is the actor of the audit log ('': the entry is not among the newest thousand, or
    was changed by the erasure of a person).
    """

    run_id: str
    undoes: str
    requested_at: float
    requested_by: str


def undo_origins(context: AdminContext, entries: Iterable[JournalEntry]) -> tuple[UndoOrigin, ...]:
    """Return the undos that the differences of a verification come from, each once, oldest first.

    An undo whose run is not stored any more is left out.
    """
    ids = {it.newer_run for it in entries if it.kind is JournalKind.DRIFT and it.newer_run}
    runs = [run for it in sorted(ids) if (run := context.runs.load_run(it)) is not None]
    if not runs:
        return ()
    actors = _actors(context, runs)
    return tuple(
        UndoOrigin(
            run.id, run.undo.run_id if run.undo else "", run.requested_at, actors.get(run.id, "")
        )
        for run in runs
    )


def undo_digest(run_id: str, email: str, request: UndoRequest) -> str:
    """Return the hash of what is undone: the audit has no e-mail."""
    found = [run_id, request.field, email, request.opt_outs]
    return state_digest([*found, True] if request.both_sides else found)


def _actors(context: AdminContext, runs: Iterable[Run]) -> dict[str, str]:
    """Return who requested each undo, as far as the audit log shows it."""
    wanted = {_digest_of(run): run for run in runs}
    oldest = min(run.requested_at for run in wanted.values()) - CLOCK_SECONDS
    found: dict[str, str] = {}
    for entry in _newest_changes(context):
        run = wanted.get(entry.after)
        if run is not None and entry.action == UNDO_ACTION:
            found[run.id] = entry.actor
        if entry.at < oldest or len(found) == len(wanted):
            break
    return found


def _digest_of(run: Run) -> str:
    return undo_digest(run.id, "".join(run.emails), run.undo or UndoRequest(""))


def _newest_changes(context: AdminContext) -> Iterator[AuditEntry]:
    after = ""
    for _ in range(MAX_AUDIT_PAGES):
        page = context.audit.entries(AUDIT_PAGE, after)
        yield from page.entries
        after = page.next
        if not after:
            return
