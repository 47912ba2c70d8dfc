"""The journal: what happened to each field of each person."""

from __future__ import annotations

from dataclasses import dataclass

from connector.model.links import Value
from connector.model.reasons import JournalKind
from connector.model.sides import Side


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One field that was written, overwritten, held, refused, or not undone.

    `field` is the key of the field pair. `rule` is a `MergeRule`; for `held` it is a `HoldReason`,
    for `refused` the code of the other system, for `duplicate` the duplicate policy. An
    `overwritten` value gives way to `after`: in its own record, or on the other side if its record
    is not written to. `run_id` is the id of the run; for a form it is the trace id. The entries of
    a dry run state what a run would do; they are stored apart from the history of the contacts. For
    `not_undone` the rule is an `UndoReason`, `before` is the present value as far as it is known,
    `after` the one that is not put back, and `newer_run` the run that wrote the field later ('':
    no run did). For `drift` the rule is a `DriftCause`, `before` is Plezi's value and `after` that
    of Salesforce; without a field a record is missing, and `newer_run` is the undo that left the
    difference ('': no undo did). Only entries of these two kinds have `newer_run`.
    """

    email: str
    at: float
    run_id: str
    kind: JournalKind
    side: Side
    record_id: str
    field: str
    before: Value
    after: Value
    rule: str
    newer_run: str = ""


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of entries, and the token of the next page ('': this is the last one)."""

    entries: tuple[JournalEntry, ...]
    next: str = ""
