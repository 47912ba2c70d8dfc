"""Runs: worked on phase by phase, each ended with a reason; and the contact of one change hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from connector.errors import ConnectorError, HaltError, StopReason, UnknownFieldError
from connector.mapping import BoundMapping, MappingConfig, Schema, bind_mapping
from connector.model import (
    ChangeHint,
    Counts,
    HintResult,
    Phase,
    RecordKind,
    Run,
    RunKind,
    RunState,
    Side,
)
from connector.sync.context import SyncContext
from connector.sync.dry_run import run_dry_run
from connector.sync.read_phase import read_changes
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.run_requests import new_run
from connector.sync.selected_people import refresh_people

FINAL_STATES: Final = frozenset(
    {RunState.DONE, RunState.HALTED, RunState.FAILED, RunState.NOT_STARTED, RunState.PAUSED}
)
NOT_STARTED_MESSAGE: Final = (
    "Synchronization is disabled: check the preview, then enable it (POST /admin/start)."
)
PAUSED_MESSAGE: Final = (
    "{reason}. Nothing is lost: the next run continues from here when calls are free again."
)
NOT_READABLE_MESSAGE: Final = "Plezi does not return the contact of this form yet."
STOP_REASONS: Final = {
    HintResult.NOT_READABLE: StopReason.CONTACT_NOT_READABLE,
    HintResult.BUSY: StopReason.LINK_BUSY,
}
"""Why the run of a form stopped, by the result of its hint."""

Result = TypeVar("Result")


class SyncEngine:
    """Works on runs as far as the time allows; the ledger holds what is left to do."""

    def __init__(self, context: SyncContext) -> None:
        self._context = context

    def run_phase(self, run_id: str, phase: Phase, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one phase of a run; return the run's state afterwards.

        A run that is out of time queues its own continuation; a run that has used its share of API
        calls is paused. A `HaltError` ends the run for good, any other `ConnectorError` ends it
        until the next one. Nothing is lost in any case: the cursors and the dirty marks are the
        work list.
        """
        runs = self._context.runs
        run = runs.load_run(run_id)
        if run is None or run.state in FINAL_STATES:
            return RunState.DONE if run is None else run.state
        if run.kind is not RunKind.DRY_RUN and (refusal := self._start_refusal(run)) is not None:
            return self._end(run_id, *refusal)
        if reason := self._context.budget.exhausted_reason():
            return self._pause(run_id, reason)
        calls = {side: client.calls for side, client in self._context.clients.items()}
        try:
            mapping = self._mapping(run)
            runs.start_phase(run_id, self._context.clock(), mapping.version)
            remaining = self._with_fresh_schema(
                mapping, lambda bound: self._run_phases(run, bound, phase, out_of_time)
            )
            # Asked before the calls of this phase are stored.
            exhausted = self._context.budget.exhausted_reason()
        except HaltError as error:
            return self._end(run_id, RunState.HALTED, error.reason, str(error))
        except ConnectorError as error:
            return self._end(run_id, RunState.FAILED, error.reason, str(error))
        finally:
            self._count_calls(run_id, calls)
        if remaining is None:
            return self._end(run_id, RunState.DONE)
        if exhausted:
            return self._pause(run_id, exhausted)
        self._context.run_queue.send(run_id, remaining)
        return RunState.RUNNING

    def sync_contact(self, hint: ChangeHint) -> HintResult:
        """Read the contact of a hint again in Plezi, and resolve its link at once.

        The hint's trace id is the run's id, so that one id leads from the form to the Lead. A
        system that cannot be called now leaves the hint `busy`; a halt leaves it to the schedule.
        """
        if not self._context.control.is_enabled():
            return HintResult.NOT_STARTED
        if self._context.budget.exhausted_reason(forms=True):
            return HintResult.PAUSED
        run_id = hint.trace_id
        emails = (hint.email,) if hint.email else ()
        now = self._context.clock()
        self._context.runs.create_run(replace(new_run(run_id, RunKind.FORM, now), emails=emails))
        mapping = self._context.mappings.current()
        self._context.runs.start_phase(run_id, now, mapping.version)
        calls = {side: client.calls for side, client in self._context.clients.items()}
        try:
            result = self._with_fresh_schema(mapping, lambda bound: self._sync_contact(hint, bound))
        except HaltError as error:
            self._end(run_id, RunState.HALTED, error.reason, str(error))
            return HintResult.PAUSED
        except ConnectorError as error:
            self._end(run_id, RunState.FAILED, error.reason, str(error))
            return HintResult.BUSY
        finally:
            self._count_calls(run_id, calls)
        if result is HintResult.RESOLVED:
            self._end(run_id, RunState.DONE)
        else:
            is_unread = result is HintResult.NOT_READABLE
            message = NOT_READABLE_MESSAGE if is_unread else ""
            self._end(run_id, RunState.FAILED, STOP_REASONS[result], message)
        return result

    def _start_refusal(self, run: Run) -> tuple[RunState, StopReason, str] | None:
        """Return why a run may not start: its final state, the reason and the message."""
        if not self._context.control.is_enabled():
            return RunState.NOT_STARTED, StopReason.NOT_STARTED, NOT_STARTED_MESSAGE
        breaker = self._context.control.breaker()
        is_mass_clearing = breaker is not None and breaker.reason is StopReason.MASS_CLEARING
        if breaker is not None and is_mass_clearing and not run.emails:
            return RunState.HALTED, breaker.reason, breaker.message
        return None

    def _sync_contact(self, hint: ChangeHint, bound: BoundMapping) -> HintResult:
        emails = self._read_contact(hint, bound)
        if emails is None:
            return HintResult.NOT_READABLE
        phase = ResolvePhase(self._context, bound, hint.trace_id)
        is_resolved = phase.resolve_people(emails, lambda: False)
        return HintResult.RESOLVED if is_resolved else HintResult.BUSY

    def _read_contact(self, hint: ChangeHint, bound: BoundMapping) -> list[str] | None:
        """Read the contact of a hint, by its id if that is known and works, else by its e-mail.

        Returns the e-mails of the links that were found; None while Plezi does not return it.
        """
        contacts = (hint.contact_id,) if hint.contact_id else ()
        emails = (hint.email,) if hint.email else ()
        for some_contacts, some_emails in ((contacts, ()), ((), emails)):
            if not some_contacts and not some_emails:
                continue
            counts, found = refresh_people(
                self._context, bound, some_emails, (Side.PLEZI,), some_contacts
            )
            self._context.runs.add_counts(hint.trace_id, counts)
            if counts.get(Side.PLEZI, "seen"):
                return found
        return None

    def _mapping(self, run: Run) -> MappingConfig:
        """Return the mapping of a run: it keeps its version when a newer one is saved."""
        mappings = self._context.mappings
        if run.draft:
            return mappings.draft(run.draft)
        first_version = mappings.version(run.mapping_version) if run.invocations else None
        return first_version or mappings.current()

    def _with_fresh_schema(
        self, mapping: MappingConfig, work: Callable[[BoundMapping], Result]
    ) -> Result:
        """Work with the fields as described; if one is not as described, read them again, once.

        A field pair that cannot be used is suspended then; all others continue.
        """
        try:
            return work(self._bind(mapping))
        except UnknownFieldError:
            pass
        for client in self._context.clients.values():
            client.invalidate_schemas()
        return work(self._bind(mapping))

    def _run_phases(
        self, run: Run, bound: BoundMapping, phase: Phase, out_of_time: Callable[[], bool]
    ) -> Phase | None:
        """Read both systems, then resolve; return the phase that is left to do.

        Every invocation makes at least one page or one batch of progress.
        """

        def must_stop() -> bool:
            return out_of_time() or bool(self._context.budget.exhausted_reason())

        if run.kind is RunKind.DRY_RUN:
            run_dry_run(self._context, bound, run, out_of_time)
            return None
        self._update_suspended(bound)
        if run.kind is RunKind.SELECTED:
            return self._run_selected(run, bound, phase, must_stop)
        if phase is Phase.READ:
            if run.kind is RunKind.FULL:
                self._restart_reading(bound, since=run.requested_at)
            if not self._read_changes(run, bound, must_stop):
                return Phase.READ
            if must_stop():
                return Phase.RESOLVE
        # Created only now: what was read a moment ago need not be read again.
        cleared = run.counts.get(Side.SALESFORCE, {}).get("cleared", 0)
        is_done = ResolvePhase(self._context, bound, run.id, cleared=cleared).run(must_stop)
        return None if is_done else Phase.RESOLVE

    def _run_selected(
        self, run: Run, bound: BoundMapping, phase: Phase, must_stop: Callable[[], bool]
    ) -> Phase | None:
        emails = list(run.emails)
        if phase is Phase.READ:
            counts, emails = refresh_people(self._context, bound, run.emails)
            self._context.runs.add_counts(run.id, counts)
        is_done = ResolvePhase(self._context, bound, run.id).resolve_people(emails, must_stop)
        return Phase.RESOLVE if must_stop() and not is_done else None

    def _bind(self, mapping: MappingConfig) -> BoundMapping:
        schemas: dict[RecordKind, Schema] = {}
        for client in self._context.clients.values():
            schemas.update(client.schemas())
        return bind_mapping(mapping, schemas)

    def _update_suspended(self, bound: BoundMapping) -> None:
        """Store which field pairs cannot be used today.

        When a pair can be used again, all people are read again: what users typed in its field
        while it was suspended was not read.
        """
        suspended = {pair.key: pair.reason for pair in bound.suspended}
        before = self._context.control.suspended_pairs()
        if suspended == before:
            return
        if before.keys() - suspended.keys():
            self._restart_reading(bound, since=self._context.clock())
        self._context.control.save_suspended_pairs(suspended)

    def _restart_reading(self, bound: BoundMapping, *, since: float) -> None:
        """Start a full read of each kind of record, unless one was started since then."""
        for kind in RecordKind:
            cursor = self._context.cursors.load_cursor(kind)
            is_started = cursor.full and (not cursor.started_at or cursor.started_at >= since)
            if not is_started and not self._is_since(cursor.completed_at, since):
                restarted = cursor.started(version=bound.config.version, full=True)
                self._context.cursors.checkpoint(restarted, "", Counts())

    def _is_since(self, at: float, since: float) -> bool:
        """Return whether `at` is after `since`, and not in the future of a clock set back."""
        return since <= at <= self._context.clock()

    def _read_changes(self, run: Run, bound: BoundMapping, must_stop: Callable[[], bool]) -> bool:
        """Read the changes of each kind of record; return whether all were read completely."""
        for kind in RecordKind:
            cursor = self._context.cursors.load_cursor(kind)
            if self._is_since(cursor.completed_at, run.requested_at):
                continue  # an earlier invocation of this run read it completely
            cursor = cursor.started(version=bound.config.version, full=False)
            if not read_changes(self._context, cursor, bound, run.id, must_stop):
                return False
        return True

    def _count_calls(self, run_id: str, before: Mapping[Side, int]) -> None:
        counts = Counts()
        for side, client in self._context.clients.items():
            counts.add(side, "calls", client.calls - before[side])
        self._context.runs.add_counts(run_id, counts)
        self._context.budget.save_usage()

    def _pause(self, run_id: str, reason: str) -> RunState:
        message = PAUSED_MESSAGE.format(reason=reason[:1].upper() + reason[1:])
        return self._end(run_id, RunState.PAUSED, StopReason.API_BUDGET, message)

    def _end(
        self,
        run_id: str,
        state: RunState,
        reason: StopReason | None = None,
        message: str = "",
    ) -> RunState:
        self._context.runs.finish_run(run_id, state, self._context.clock(), reason, message)
        return state
