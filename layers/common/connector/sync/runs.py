"""Runs: worked on phase by phase, each ended with a reason; and the contact of one change hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from connector.deadline import DeadlineError
from connector.errors import (
    NEEDS_DECISION,
    ConnectorError,
    HaltError,
    StopReason,
    UnknownFieldError,
)
from connector.mapping import BoundMapping, MappingConfig
from connector.model import (
    ChangeHint,
    Counts,
    HintResult,
    MappingProblem,
    Phase,
    Run,
    RunKind,
    RunState,
    Side,
    SkipReason,
)
from connector.sync.binding import MappingBinder
from connector.sync.change_limits import Limit
from connector.sync.context import SyncContext
from connector.sync.dry_run import DryRun
from connector.sync.hint_work import HintWork
from connector.sync.identity import ForgetSide, check_identity
from connector.sync.run_requests import new_run
from connector.sync.run_work import RunWork, restart_reading
from connector.sync.undo_work import UndoWork
from connector.sync.verify_work import VerifyWork

FINAL_STATES: Final = frozenset(
    {RunState.DONE, RunState.HALTED, RunState.FAILED, RunState.NOT_STARTED, RunState.PAUSED}
)
MAX_IDLE: Final = len(Phase)
"""Invocations in a row without progress after which a run ends: the cause is not the time. Each
phase may end an invocation without work of its own."""
NOT_STARTED_MESSAGE: Final = (
    "Synchronization is disabled: check the preview, then enable it (POST /admin/start)."
)
PAUSED_MESSAGE: Final = (
    "{reason}. Nothing is lost: the next run continues from here when calls are free again."
)
VERIFICATION_PAUSED_MESSAGE: Final = (
    "{reason}. The verification is not complete, and has no result: request it again (POST /sync "
    'with {{"kind": "verify"}}) when calls are free again.'
)
IDLE_MESSAGE: Final = (
    "{number} invocations in a row made no progress: the systems answer too slowly for "
    "WorkerBudgetSeconds ({phase}). Nothing is lost. Raise WorkerTimeoutSeconds and "
    "WorkerBudgetSeconds, or see in the log which calls are slow."
)
NOT_READABLE_MESSAGE: Final = "Plezi does not return the contact of this form yet."
STOP_REASONS: Final = {
    HintResult.NOT_READABLE: StopReason.CONTACT_NOT_READABLE,
    HintResult.BUSY: StopReason.LINK_BUSY,
}
"""Why the run of a form stopped, by the result of its hint."""

MAX_PROBLEMS: Final = 200
"""Problems of a mapping that are stored with a run: 100 KB of the 400 KB of an item."""
INVALID_DRAFT: Final = (
    "The mapping has {number} problem(s), so nothing was read. A save would refuse it too. {first} "
    "`problems` of this run has each problem with its remedy."
)

Result = TypeVar("Result")
Work = RunWork | DryRun | UndoWork | VerifyWork
"""What works on a run, by its kind."""


class InvalidDraftError(ConnectorError):
    """The mapping of a dry run cannot be saved; the message names the first problem."""

    reason = StopReason.MAPPING

    def __init__(self, problems: tuple[MappingProblem, ...]) -> None:
        first = problems[0]
        text = f"{first.pair}: {first.message}; {first.remedy}."
        super().__init__(INVALID_DRAFT.format(number=len(problems), first=text))


class SyncEngine:
    """Works on runs as far as the time allows; the ledger holds what is left to do."""

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._binder = MappingBinder(context)

    def run_phase(self, run_id: str, phase: Phase, out_of_time: Callable[[], bool]) -> RunState:
        """Work on a run from a phase on; return the run's state afterwards.

        A run that is out of time queues its own continuation; a run that has used its share of API
        calls is paused. A `HaltError` ends the run for good, any other `ConnectorError` ends it
        until the next one, and so do several invocations without progress. Nothing is lost in any
        case: the cursors and the work lists are in the ledger.
        """
        runs = self._context.runs
        run = runs.load_run(run_id)
        if run is None or run.state in FINAL_STATES:
            return RunState.DONE if run is None else run.state
        if run.kind is not RunKind.DRY_RUN and (refusal := self._start_refusal(run)) is not None:
            return self._end(run_id, *refusal)
        if reason := self._context.budget.exhausted_reason():
            return self._pause(run, reason)
        calls = {side: client.calls for side, client in self._context.clients.items()}
        try:
            mapping = self._mapping(run)
            runs.start_phase(run_id, self._context.clock(), mapping.version, phase)
            if not self._is_prepared(run, out_of_time):
                runs.end_invocation(
                    run_id, idle=0, position=run.position, visited_lists=run.visited_lists
                )
                self._context.run_queue.send(run_id, phase)
                return RunState.RUNNING
            mapping = self._validated(run, mapping)
            remaining, rest = self._with_fresh_schema(
                mapping, lambda bound: self._work(run, bound, phase, out_of_time)
            )
            # Asked before the calls of this phase are stored.
            exhausted = self._context.budget.exhausted_reason()
        except DeadlineError:
            return self._continue(run, phase, None)
        except HaltError as error:
            return self._end(run_id, RunState.HALTED, error.reason, str(error))
        except ConnectorError as error:
            return self._end(run_id, RunState.FAILED, error.reason, str(error))
        finally:
            self._count_calls(run_id, calls)
        if remaining is None:
            return self._end(run_id, RunState.DONE)
        if exhausted:
            return self._pause(run, exhausted)
        return self._continue(run, remaining, rest)

    def _continue(self, run: Run, phase: Phase, work: Work | None) -> RunState:
        """Queue the continuation of a run, unless several invocations made no progress."""
        idle = 0 if work is not None and work.made_progress else run.idle + 1
        position = run.position if work is None else work.position
        visited = run.visited_lists if work is None else work.visited_lists
        self._context.runs.end_invocation(
            run.id, idle=idle, position=position, visited_lists=visited
        )
        if idle >= MAX_IDLE:
            message = IDLE_MESSAGE.format(number=idle, phase=phase.value)
            return self._end(run.id, RunState.FAILED, StopReason.OUT_OF_TIME, message)
        self._context.run_queue.send(run.id, phase)
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
        if self._context.tombstones.erased([hint.email, hint.contact_id]):
            return self._ignore_erased(run_id)
        emails = (hint.email,) if hint.email else ()
        now = self._context.clock()
        run = replace(new_run(run_id, RunKind.FORM, now), emails=emails)
        self._context.runs.create_run(run)
        mapping = self._context.mappings.current()
        self._context.runs.start_phase(run_id, now, mapping.version, Phase.READ)
        calls = {side: client.calls for side, client in self._context.clients.items()}
        try:
            check_identity(self._context, RunKind.FORM)
            result = self._with_fresh_schema(
                mapping, lambda bound: HintWork(self._context, bound, run).work(hint)
            )
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

    def _ignore_erased(self, run_id: str) -> HintResult:
        """Record that a form was one of an erased person, without the e-mail; read nothing."""
        counts = Counts()
        counts.skip(Side.PLEZI, SkipReason.ERASED)
        run = new_run(run_id, RunKind.FORM, self._context.clock())
        self._context.runs.create_run(run)
        self._context.runs.add_counts(run_id, counts)
        self._end(run_id, RunState.DONE)
        return HintResult.RESOLVED

    def _is_prepared(self, run: Run, out_of_time: Callable[[], bool]) -> bool:
        """Check both systems, and let the links forget a former one; return whether all have."""
        check_identity(self._context, run.kind)
        return run.kind is RunKind.DRY_RUN or ForgetSide(self._context).work(out_of_time)

    def _start_refusal(self, run: Run) -> tuple[RunState, StopReason, str] | None:
        """Return why a run may not start: its final state, the reason and the message."""
        if not self._context.control.is_enabled():
            return RunState.NOT_STARTED, StopReason.NOT_STARTED, NOT_STARTED_MESSAGE
        breaker = self._context.control.breaker()
        stops_runs = breaker is not None and breaker.reason in NEEDS_DECISION
        is_named = bool(run.emails) and not run.repairs
        is_decision = is_named or run.kind is RunKind.UNDO
        if breaker is not None and stops_runs and not is_decision:
            return RunState.HALTED, breaker.reason, breaker.message
        return None

    def _mapping(self, run: Run) -> MappingConfig:
        """Return the mapping of a run: it keeps its version when a newer one is saved."""
        mappings = self._context.mappings
        if run.draft:
            return mappings.draft(run.draft)
        first_version = mappings.version(run.mapping_version) if run.invocations else None
        return first_version or mappings.current()

    def _validated(self, run: Run, mapping: MappingConfig) -> MappingConfig:
        """Return the mapping of a dry run as a save would store it; record its problems.

        The mapping of any other run was validated when it was saved. Raises `InvalidDraftError`
        for a draft that a save would refuse. A saved mapping that no longer fits is used as it is:
        runs suspend what cannot be used, and so does the dry run.
        """
        if run.kind is not RunKind.DRY_RUN:
            return mapping
        validation = self._binder.validate(run, mapping)
        problems = tuple(
            MappingProblem(it.code.value, it.pair, it.field, it.message, it.remedy)
            for it in validation.problems
        )
        if problems[:MAX_PROBLEMS] != run.problems:
            self._context.runs.save_problems(run.id, problems[:MAX_PROBLEMS])
        if not run.draft:
            return mapping
        if problems:
            raise InvalidDraftError(problems)
        return validation.mapping

    def _with_fresh_schema(
        self, mapping: MappingConfig, work: Callable[[BoundMapping], Result]
    ) -> Result:
        """Work with the fields as described; if one is not as described, read them again, once.

        A field pair that cannot be used is suspended then; all others continue.
        """
        try:
            return work(self._binder.bind(mapping))
        except UnknownFieldError:
            pass
        return work(self._binder.bind_afresh(mapping))

    def _work(
        self, run: Run, bound: BoundMapping, phase: Phase, out_of_time: Callable[[], bool]
    ) -> tuple[Phase | None, Work]:
        """Work on a run; return the phase that is left to do, and what was done."""

        def must_stop() -> bool:
            return (
                out_of_time()
                or self._context.deadline.is_over
                or bool(self._context.budget.exhausted_reason())
            )

        # An attempt with former descriptions may have added lists.
        run = self._context.runs.load_run(run.id) or run
        work: Work
        if run.kind is RunKind.DRY_RUN:
            work = DryRun(self._context, bound, run)
        elif run.kind is RunKind.UNDO:
            work = UndoWork(self._context, bound, run)
        elif run.kind is RunKind.VERIFY:
            work = VerifyWork(self._context, bound, run)
        else:
            if self._binder.update_suspended(bound):
                now = self._context.clock()
                restart_reading(self._context, bound, since=now, is_applied=False)
            if run.kind is RunKind.FULL and phase is Phase.READ:
                restart_reading(self._context, bound, since=run.requested_at)
            # People whom an administrator named have no limit on what is changed.
            is_named = run.kind is RunKind.SELECTED and not run.repairs
            limit = Limit.NONE if is_named else Limit.RUN
            work = RunWork(self._context, bound, run, limit=limit)
        try:
            remaining = work.work(phase, must_stop)
        except DeadlineError:
            # The position is stored after each page and unit: the next invocation goes on there.
            remaining = work.phase
        return remaining, work

    def _count_calls(self, run_id: str, before: Mapping[Side, int]) -> None:
        counts = Counts()
        for side, client in self._context.clients.items():
            counts.add(side, "calls", client.calls - before[side])
        self._context.runs.add_counts(run_id, counts)
        self._context.budget.save_usage()

    def _pause(self, run: Run, reason: str) -> RunState:
        is_verification = run.kind is RunKind.VERIFY
        text = VERIFICATION_PAUSED_MESSAGE if is_verification else PAUSED_MESSAGE
        message = text.format(reason=reason[:1].upper() + reason[1:])
        return self._end(run.id, RunState.PAUSED, StopReason.API_BUDGET, message)

    def _end(
        self,
        run_id: str,
        state: RunState,
        reason: StopReason | None = None,
        message: str = "",
    ) -> RunState:
        self._context.runs.finish_run(run_id, state, self._context.clock(), reason, message)
        return state
