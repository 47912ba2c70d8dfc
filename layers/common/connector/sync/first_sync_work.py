"""The stages of a first synchronization in one run: begun, checked, ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from connector.errors import HaltError, StopReason
from connector.first_sync import ALL_PEOPLE, FirstSync, load_first_sync, save_first_sync
from connector.log_events import Event
from connector.model import Breaker, Run, RunKind
from connector.planning.first_sync_stages import STAGES, StageLimits, StageNumbers, exceeded
from connector.sync.context import SyncContext
from connector.sync.resolve_phase import ResolvePhase, StageEnd

STAGED_KINDS: Final = frozenset({RunKind.CHANGES, RunKind.FULL})
FOUND: Final = {
    "errors": "{number} are in quarantine (GET /admin/attention?kind=quarantine)",
    "duplicates": "{number} have several Leads (GET /admin/attention?kind=duplicate)",
    "overwritten": "typed values of {number} were overwritten (GET /admin/runs/{run})",
}
STOPPED: Final = (
    "The first synchronization stopped after its stage of {people} people: {found}. All others are "
    "unchanged, and nothing is lost. When the cause is corrected: POST /admin/breaker/release with "
    '{{"intended": false}}; the next run repeats the stage with other people. To go on with the '
    'next stage as it is: {{"intended": true}}. To leave out all other stages after that: POST '
    '/sync with {{"skip_stages": true}}.'
)


class FirstSyncWork:
    """Works on the stages of one run. Nothing is read for a run of any other kind."""

    def __init__(self, context: SyncContext, run: Run) -> None:
        self._context = context
        self._run = run

    def begin(self) -> None:
        """Decide whether the run has stages: it is the first one, or they are requested."""
        if self._run.kind not in STAGED_KINDS:
            return
        state = before = load_first_sync(self._context.documents)
        if self._run.first and (state is None or state.run_id != self._run.id):
            state = FirstSync(run_id=self._run.id)
        elif state is None:
            # A ledger without this state that was applied to all people is older than the stages.
            is_old = self._context.cursors.applied_version() is not None
            state = FirstSync(ALL_PEOPLE if is_old else 0, done=is_old)
        if self._run.skip_stages and state.is_staged:
            state = replace(state, stage=ALL_PEOPLE)
        if state != before:
            save_first_sync(self._context.documents, state)

    def are_due(self) -> bool:
        """Return whether a stage of some people comes next."""
        if self._run.kind not in STAGED_KINDS:
            return False
        state = load_first_sync(self._context.documents)
        return state is not None and state.is_staged

    def work(self, resolving: ResolvePhase, out_of_time: Callable[[], bool]) -> bool:
        """Work on the stages that are left; return whether all of them are over.

        A stage is checked before the next one begins. Raises `HaltError` after one with too many
        errors, duplicates or overwritten values, and opens the breaker.
        """
        documents = self._context.documents
        state = load_first_sync(documents) or FirstSync()
        if state.stage == 0 and not resolving.has_more_people_than(STAGES[0]):
            state = replace(state, stage=ALL_PEOPLE)
        while state.is_staged:
            end = resolving.resolve_stage(STAGES[state.stage], out_of_time)
            numbers = resolving.end_stage()
            if end is StageEnd.OUT_OF_TIME:
                return False
            if end is StageEnd.FULL:
                self._check(numbers)
            is_last = end is StageEnd.NOBODY_LEFT
            state = replace(state, stage=ALL_PEOPLE if is_last else state.stage + 1)
            save_first_sync(documents, state)
            if state.is_staged and out_of_time():
                return False
        save_first_sync(documents, state)
        return True

    def end(self) -> None:
        """Note that the first synchronization is complete, when a run of all people is done."""
        if self._run.kind not in STAGED_KINDS:
            return
        state = load_first_sync(self._context.documents)
        if state is not None and not state.done and not state.is_staged:
            save_first_sync(self._context.documents, replace(state, done=True))

    def _check(self, numbers: StageNumbers) -> None:
        limits = self._context.stage_limits
        if not (names := exceeded(numbers, limits)):
            return
        found = [self._found(name, numbers, limits) for name in names]
        message = STOPPED.format(people=numbers.people, found="; ".join(found))
        reason = StopReason.FIRST_SYNC
        self._context.control.open_breaker(Breaker(reason, message, self._context.clock()))
        self._context.log(Event.breaker_opened, run_id=self._run.id, reason=reason.value)
        raise HaltError(reason, message)

    def _found(self, name: str, numbers: StageNumbers, limits: StageLimits) -> str:
        text = FOUND[name].format(number=getattr(numbers, name), run=self._run.id)
        return f"{text}, more than {getattr(limits, name):.0%}"
