"""Runs: requested at a door, worked on in parts, ended with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from connector.errors import ConnectorError, HaltError, RejectedError, StopReason
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
from connector.sync.selected_people import refresh_people

FINAL_STATES = frozenset(
    {RunState.DONE, RunState.HALTED, RunState.FAILED, RunState.NOT_STARTED, RunState.PAUSED}
)
UNKNOWN_FIELD = "INVALID_FIELD"
"""Salesforce's code for a field that is not (any more) as it was described."""
NOT_STARTED_MESSAGE = (
    "Synchronisation is switched off: look at the preview, then press start (POST /admin/start)."
)
PAUSED_MESSAGE = "{why}. Nothing is lost: the next run goes on from here once calls are free again."
NOT_READABLE_MESSAGE = "Plezi does not show the contact of this form yet."

STOP_REASONS: Final = {
    HintResult.NOT_READABLE: StopReason.CONTACT_NOT_READABLE,
    HintResult.BUSY: StopReason.LINK_BUSY,
}
"""Why the run of a form stopped, by what became of its hint."""

Answer = TypeVar("Answer")


class SyncEngine:
    """Works on runs, as far as the time allows; the ledger remembers the rest."""

    def __init__(self, world: SyncContext) -> None:
        self._world = world

    def run_phase(self, run_id: str, part: Phase, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one part of a run; return the run's state afterwards.

        A run that is out of time sends its own continuation; one that has spent its share of API
        calls is paused. A `HaltError` ends the run for good, any other `ConnectorError` ends it
        until the next one: in all cases nothing is lost, for the cursors and the dirty marks are
        the work list.
        """
        ledger = self._world.ledger
        run = ledger.load_run(run_id)
        if run is None or run.state in FINAL_STATES:
            return RunState.DONE if run is None else run.state
        if run.kind is not RunKind.DRY_RUN and (refusal := self._start_refusal(run)) is not None:
            return self._end(run_id, *refusal)
        if why := self._world.budget.exhausted_reason():
            return self._pause(run_id, why)
        calls = {side: client.calls for side, client in self._world.clients.items()}
        try:
            mapping = self._mapping(run)
            ledger.start_phase(run_id, self._world.clock(), mapping.version)
            left = self._with_fresh_schema(
                mapping, lambda bound: self._run_phases(run, bound, part, out_of_time)
            )
            spent = (
                self._world.budget.exhausted_reason()
            )  # before the calls of this part are filed away
        except HaltError as error:
            return self._end(run_id, RunState.HALTED, error.reason, str(error))
        except ConnectorError as error:
            return self._end(run_id, RunState.FAILED, error.reason, str(error))
        finally:
            self._count_calls(run_id, calls)
        if left is None:
            return self._end(run_id, RunState.DONE)
        if spent:
            return self._pause(run_id, spent)
        self._world.run_queue.send(run_id, left)
        return RunState.RUNNING

    def _start_refusal(self, run: Run) -> tuple[RunState, StopReason, str] | None:
        """Say why a run may not begin: how it ends, the reason, and what people are told."""
        if not self._world.ledger.is_enabled():
            return RunState.NOT_STARTED, StopReason.NOT_STARTED, NOT_STARTED_MESSAGE
        breaker = self._world.ledger.breaker()
        if breaker is not None and breaker.reason == StopReason.MASS_CLEARING and not run.emails:
            return RunState.HALTED, breaker.reason, breaker.message
        return None

    def sync_contact(self, hint: ChangeHint) -> HintResult:
        """Read the one person of a hint again in Plezi, and settle that link at once.

        The hint's trace id is the run's id, so one id leads from the form to the Lead. A side that
        cannot be asked now leaves the hint `busy`; a halt leaves it to the schedule.
        """
        ledger = self._world.ledger
        if not ledger.is_enabled():
            return HintResult.NOT_STARTED
        if self._world.budget.exhausted_reason(forms=True):
            return HintResult.PAUSED
        emails = (hint.email,) if hint.email else ()
        ledger.create_run(
            replace(new_run(hint.trace_id, RunKind.FORM, self._world.clock()), emails=emails)
        )
        mapping = self._world.mappings.current()
        ledger.start_phase(hint.trace_id, self._world.clock(), mapping.version)
        calls = {side: client.calls for side, client in self._world.clients.items()}
        try:
            heard = self._with_fresh_schema(mapping, lambda bound: self._sync_contact(hint, bound))
        except HaltError as error:
            self._end(hint.trace_id, RunState.HALTED, error.reason, str(error))
            return HintResult.PAUSED
        except ConnectorError as error:
            self._end(hint.trace_id, RunState.FAILED, error.reason, str(error))
            return HintResult.BUSY
        finally:
            self._count_calls(hint.trace_id, calls)
        unread = heard is HintResult.NOT_READABLE
        self._end(
            hint.trace_id,
            RunState.DONE if heard is HintResult.RESOLVED else RunState.FAILED,
            None if heard is HintResult.RESOLVED else STOP_REASONS[heard],
            NOT_READABLE_MESSAGE if unread else "",
        )
        return heard

    def _sync_contact(self, hint: ChangeHint, bound: BoundMapping) -> HintResult:
        emails = self._read_again(hint, bound)
        if emails is None:
            return HintResult.NOT_READABLE
        settled = ResolvePhase(self._world, bound, hint.trace_id).resolve_people(
            emails, lambda: False
        )
        return HintResult.RESOLVED if settled else HintResult.BUSY

    def _read_again(self, hint: ChangeHint, bound: BoundMapping) -> list[str] | None:
        """Read the contact of a hint, by its id if that is known and works, else by its e-mail.

        Returns the e-mails of the links concerned; None while Plezi does not show the contact.
        """
        contacts = (hint.contact_id,) if hint.contact_id else ()
        emails = (hint.email,) if hint.email else ()
        for ids, addresses in ((contacts, ()), ((), emails)):
            if not ids and not addresses:
                continue
            counts, found = refresh_people(self._world, bound, addresses, (Side.PLEZI,), ids)
            self._world.ledger.add_counts(hint.trace_id, counts)
            if counts.get(Side.PLEZI, "seen"):
                return found
        return None

    def _mapping(self, run: Run) -> MappingConfig:
        """Return the mapping of a run: it keeps its version, whatever is saved meanwhile."""
        configuration = self._world.mappings
        if run.draft:
            return configuration.draft(run.draft)
        begun_with = configuration.version(run.mapping_version) if run.invocations else None
        return begun_with or configuration.current()

    def _with_fresh_schema(
        self, mapping: MappingConfig, stroke: Callable[[BoundMapping], Answer]
    ) -> Answer:
        """Work with the fields as described; where one is no more as described, look again, once.

        What cannot work without it is parked then: all the others go on.
        """
        try:
            return stroke(self._bind(mapping))
        except RejectedError as error:
            if error.code != UNKNOWN_FIELD:
                raise
        for client in self._world.clients.values():
            client.invalidate_schemas()
        return stroke(self._bind(mapping))

    def _run_phases(
        self, run: Run, bound: BoundMapping, part: Phase, out_of_time: Callable[[], bool]
    ) -> Phase | None:
        """Observe both sides, then reconcile; return the part that is left to do.

        Every invocation gets at least one page or one batch further, however little time it has.
        """

        def must_stop() -> bool:
            return out_of_time() or bool(self._world.budget.exhausted_reason())

        if run.kind is RunKind.DRY_RUN:
            run_dry_run(self._world, bound, run, out_of_time)
            return None
        self._update_suspended(bound)
        if run.kind is RunKind.SELECTED:
            emails = self._select(run, bound) if part is Phase.READ else list(run.emails)
            done = ResolvePhase(self._world, bound, run.id).resolve_people(emails, must_stop)
            return Phase.RESOLVE if must_stop() and not done else None
        if part is Phase.READ:
            if run.kind is RunKind.FULL:
                self._restart_reading(bound, since=run.requested_at)
            if not self._read_changes(run, bound, must_stop):
                return Phase.READ
            if must_stop():
                return Phase.RESOLVE
        # Only now: what was read a moment ago need not be read again.
        cleared = run.counts.get(Side.SALESFORCE, {}).get("cleared", 0)
        reconciliation = ResolvePhase(self._world, bound, run.id, cleared=cleared)
        done = reconciliation.run(must_stop)
        return None if done else Phase.RESOLVE

    def _select(self, run: Run, bound: BoundMapping) -> list[str]:
        """Read the people named on both sides; return the e-mails of their links."""
        counts, emails = refresh_people(self._world, bound, run.emails)
        self._world.ledger.add_counts(run.id, counts)
        return emails

    def _bind(self, mapping: MappingConfig) -> BoundMapping:
        schemas: dict[RecordKind, Schema] = {}
        for client in self._world.clients.values():
            schemas.update(client.schemas())
        return bind_mapping(mapping, schemas)

    def _update_suspended(self, bound: BoundMapping) -> None:
        """Keep which lines cannot work today.

        When one is back that could not, everybody is read again: what people typed in its field
        meanwhile was not read.
        """
        parked = {line.key: line.reason for line in bound.suspended}
        before = self._world.ledger.suspended_pairs()
        if parked == before:
            return
        if before.keys() - parked.keys():
            self._restart_reading(bound, since=self._world.clock())
        self._world.ledger.save_suspended_pairs(parked)

    def _restart_reading(self, bound: BoundMapping, *, since: float) -> None:
        """Let the reading of each kind begin anew, with everybody, unless it did since then."""
        for kind in RecordKind:
            cursor = self._world.ledger.load_cursor(kind)
            begun = cursor.full and (not cursor.started_at or cursor.started_at >= since)
            if not begun and not self._is_since(cursor.completed_at, since):
                anew = cursor.started(version=bound.config.version, full=True)
                self._world.ledger.checkpoint(anew, "", Counts())

    def _is_since(self, at: float, since: float) -> bool:
        """Whether something happened since an instant; not what our clock, set back, puts ahead."""
        return since <= at <= self._world.clock()

    def _read_changes(self, run: Run, bound: BoundMapping, must_stop: Callable[[], bool]) -> bool:
        """Read what there is to read of each kind; return whether all came to their end."""
        ledger = self._world.ledger
        for kind in RecordKind:
            cursor = ledger.load_cursor(kind)
            if self._is_since(cursor.completed_at, run.requested_at):
                continue  # read to its end by an earlier invocation of this run
            cursor = cursor.started(version=bound.config.version, full=False)
            client = self._world.clients[kind.side]
            if not read_changes(cursor, client, ledger, bound, run.id, must_stop):
                return False
        return True

    def _count_calls(self, run_id: str, before: Mapping[Side, int]) -> None:
        counts = Counts()
        for side, client in self._world.clients.items():
            counts.add(side, "calls", client.calls - before[side])
        self._world.ledger.add_counts(run_id, counts)
        self._world.budget.save_usage()

    def _pause(self, run_id: str, why: str) -> RunState:
        message = PAUSED_MESSAGE.format(why=why[:1].upper() + why[1:])
        return self._end(run_id, RunState.PAUSED, StopReason.API_BUDGET, message)

    def _end(
        self,
        run_id: str,
        state: RunState,
        reason: StopReason | None = None,
        message: str = "",
    ) -> RunState:
        self._world.ledger.finish_run(run_id, state, self._world.clock(), reason, message)
        return state


def new_run(run_id: str, kind: RunKind, now: float) -> Run:
    """Return the record of a run that was just requested."""
    return Run(run_id, kind, RunState.REQUESTED, requested_at=now)
