"""What a run may clear and overwrite: it stops before it changes more than was announced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final

from connector.approved_changes import load_approved, number_of_people, save_approved
from connector.errors import MASS_CHANGES, HaltError, StopReason, UnknownFieldError
from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.model import Breaker, Counts, Run
from connector.planning.announced_changes import (
    ChangeKind,
    FieldChange,
    changes_of,
    counted_changes,
)
from connector.planning.plan import Plan
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation

REASONS: Final[Mapping[ChangeKind, StopReason]] = {
    ChangeKind.CLEARED: StopReason.MASS_CLEARING,
    ChangeKind.OVERWRITTEN: StopReason.MASS_OVERWRITING,
}
VERBS: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.CLEARED: "clear",
    ChangeKind.OVERWRITTEN: "overwrite typed values of",
}
FEW_CLEARED: Final = 5
"""Records in which a run clears one field before it reads the description of the fields again: a
user clears a field in one record, or in a few."""
SECONDS_OF_DAY: Final = 86_400
RUN_MESSAGE: Final = (
    "This run stopped before it would {changes}. Nothing of that was done, and nothing is lost. To "
    'see every record with its old and new value: POST /sync with {{"kind": "dry_run"}}, then GET '
    "/admin/runs/ID/plan. If that is intended: POST /admin/runs/ID/approve allows the next run as "
    "many as this preview shows. If it is an accident, correct it where it happened, then POST "
    '/admin/breaker/release with {{"intended": false}}.'
)
FORM_MESSAGE: Final = (
    "Forms of one day would {changes}. This form waits for the next run, which has the same limit."
)
UNDO_MESSAGE: Final = (
    "This undo stopped before it would {changes}. Request its preview (POST /admin/runs/{run_id}/"
    'undo with {{"preview": true}}), read it (GET /admin/runs/ID/plan), approve it (POST '
    "/admin/runs/ID/approve), then request the undo again: it may do as much as this preview shows."
)
BREAKER_MESSAGE: Final = (
    "The breaker is open, and this form would {changes}: it waits until an admin has decided."
)


class Limit(Enum):
    """Whose limit counts: none (people whom an admin named, a dry run), or that of the run."""

    NONE = "none"
    RUN = "run"
    UNDO = "undo"
    FORMS = "forms"


class ChangeLimiter:
    """Counts what one run clears and overwrites, by field, over all its invocations."""

    def __init__(self, context: SyncContext, bound: BoundMapping, run: Run, limit: Limit) -> None:
        """Take a run with its counts so far."""
        self._context = context
        self._bound = bound
        self._run_id = run.id
        self._run = run
        self._limit = limit
        self._done = counted_changes(run.counts)

    def check(self, plans: Sequence[Plan], isolation: Isolation) -> list[Plan]:
        """Return the plans that may be carried out, without those that cannot be checked.

        Raises `HaltError` when they would change more than is allowed; nothing is written then. The
        limit of a run opens the breaker, that of an undo does not. Raises `UnknownFieldError` as
        `_check_description`.
        """
        if self._limit is Limit.NONE:
            return list(plans)
        checked = []
        planned: Counter[FieldChange] = Counter()
        for plan in plans:
            changes = isolation.step(plan.link.email, partial(changes_of, plan, self._bound))
            if changes is not None:
                checked.append(plan)
                planned.update(changes)
        if self._limit is Limit.RUN:
            self._check_run(planned)
        elif self._limit is Limit.UNDO:
            self._check_undo(planned)
        elif planned:
            self._check_forms(planned)
        return checked

    def add(self, counts: Counts) -> None:
        """Take the counts of what was carried out."""
        by_side: dict[str, dict[str, int]] = {}
        for (side, name), number in counts.numbers.items():
            by_side.setdefault(side, {})[name] = number
        self._done.update(counted_changes(by_side))

    def _check_description(self, wanted: Mapping[FieldChange, int]) -> None:
        """Let both systems describe their fields again before a field of several people is cleared.

        A field that was deleted or hidden may look like one that many users cleared. Raises
        `UnknownFieldError`, once: the run binds its mapping again, and goes on.
        """
        cleared = {
            change.pair
            for change, number in wanted.items()
            if change.kind is ChangeKind.CLEARED and self._done[change] <= FEW_CLEARED < number
        }
        if cleared and not self._bound.is_fresh:
            raise UnknownFieldError(
                "CLEARED_FIELDS", "the fields are described again", fields=tuple(sorted(cleared))
            )

    def _check_run(self, planned: Counter[FieldChange]) -> None:
        wanted = {change: self._done[change] + number for change, number in planned.items()}
        self._check_description(wanted)
        beyond = self._beyond(wanted)
        if not beyond or self._is_unlimited() or not (beyond := self._beyond_approved(beyond)):
            return
        reason = REASONS[min(change.kind for change in beyond)]
        message = RUN_MESSAGE.format(changes=self._describe(beyond))
        self._context.control.open_breaker(Breaker(reason, message, self._context.clock()))
        self._context.log(Event.breaker_opened, run_id=self._run_id, reason=reason.value)
        raise HaltError(reason, message)

    def _check_undo(self, planned: Counter[FieldChange]) -> None:
        """Check what an undo changes: only the approval of its own preview allows it more.

        It stops alone: all other runs are as they were, and go on.
        """
        wanted = {change: self._done[change] + number for change, number in planned.items()}
        self._check_description(wanted)
        beyond = self._beyond(wanted)
        if not beyond or not (beyond := self._beyond_approved(beyond)):
            return
        run_id = self._run.undo.run_id if self._run.undo is not None else ""
        message = UNDO_MESSAGE.format(changes=self._describe(beyond), run_id=run_id)
        raise HaltError(REASONS[min(change.kind for change in beyond)], message)

    def _check_forms(self, planned: Counter[FieldChange]) -> None:
        """Check what one form changes, together with all forms of the day.

        What a form may not do, the next run does or asks about. It opens no breaker.
        """
        if self._is_unlimited():
            return
        breaker = self._context.control.breaker()
        if breaker is not None and breaker.reason in MASS_CHANGES:
            message = BREAKER_MESSAGE.format(changes=self._describe(planned))
            raise HaltError(breaker.reason, message)
        counts = Counts()
        for change, number in planned.items():
            counts.add(change.side, change.counter, number)
        day = int(self._context.clock()) // SECONDS_OF_DAY
        sums = counted_changes(self._context.control.add_form_changes(day, counts))
        if beyond := self._beyond({change: sums[change] for change in planned}):
            reason = REASONS[min(change.kind for change in beyond)]
            raise HaltError(reason, FORM_MESSAGE.format(changes=self._describe(beyond)))

    def _beyond(self, wanted: Mapping[FieldChange, int]) -> dict[FieldChange, int]:
        """Return what is beyond the limits; the number of people is read only if it matters."""
        limits = self._context.change_limits
        beyond = {it: n for it, n in wanted.items() if n > limits.number(it.kind, people=0)}
        if not beyond:
            return {}
        people = number_of_people(self._context.documents)
        return {it: n for it, n in beyond.items() if n > limits.number(it.kind, people)}

    def _beyond_approved(self, wanted: Mapping[FieldChange, int]) -> dict[FieldChange, int]:
        """Return what is beyond the approved preview too, and note that this run uses it.

        A run that began to use it in time goes on until it ends; a later one may do the rest.
        """
        documents = self._context.documents
        approved = load_approved(documents)
        is_used = self._run_id in approved.used_by
        if not is_used and approved.until <= self._context.clock():
            return dict(wanted)
        if not self._is_preview_of_run(approved.dry_run):
            return dict(wanted)
        used: Counter[FieldChange] = Counter()
        for earlier in approved.used_by:
            run = self._context.runs.load_run(earlier) if earlier != self._run_id else None
            used.update(counted_changes(run.counts) if run is not None else {})
        beyond = {it: n for it, n in wanted.items() if n > approved.expected(it) - used[it]}
        if not beyond and not is_used:
            save_approved(documents, replace(approved, used_by=(*approved.used_by, self._run_id)))
        return beyond

    def _is_preview_of_run(self, dry_run: str) -> bool:
        """Return whether a dry run shows what this run does: an undo has a preview of its own."""
        preview = self._context.runs.load_run(dry_run)
        if preview is None or self._run.undo is None:
            return preview is not None and preview.undo is None
        return (preview.undo, preview.emails) == (self._run.undo, self._run.emails)

    def _is_unlimited(self) -> bool:
        return self._context.control.clearing_allowed_until() > self._context.clock()

    def _describe(self, changes: Mapping[FieldChange, int]) -> str:
        """Return what would be changed: the fields, on which side, in how many records at least."""
        people = number_of_people(self._context.documents)
        return "; ".join(
            f"{VERBS[change.kind]} {change.pair} in {change.side.value.capitalize()} in {number} "
            f"records or more (limit "
            f"{self._context.change_limits.number(change.kind, people)})"
            for change, number in sorted(changes.items())
        )
