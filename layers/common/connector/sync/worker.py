"""The worker of the runs queue: one phase of a run in one invocation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from connector.deadline import Deadline
from connector.errors import StopReason
from connector.log_events import ERROR_FIELDS, Event, EventLog
from connector.model import Run, RunDelivery, RunKind, RunState
from connector.sync.ports import Clock, RunStore
from connector.sync.run_alerts import RunAlerts
from connector.sync.runs import FINAL_STATES, SyncEngine
from connector.verification import verification_of

MAX_DELIVERIES: Final = 5
"""Deliveries of a message, as `maxReceiveCount` of the runs queue in the template."""
DEAD_SECONDS: Final = 3600.0
"""A run without an invocation for this time is dead: its message was delivered five times, each
time with RunsVisibilitySeconds (330) in between, and is a dead letter now."""
RUNS_CHECKED: Final = 20
"""Runs of which a new run checks whether they are dead: those of the last two days."""
OTHER_KINDS: Final = frozenset({RunKind.DRY_RUN, RunKind.UNDO, RunKind.VERIFY})
"""Kinds of run that do not synchronize what changed."""
DEAD_MESSAGE: Final = (
    "The run stopped without an end: its invocations were stopped by AWS or failed{error}. Nothing "
    "is lost, and this run continues its work. The log has the details (event run_failed), and the "
    "message is in the dead-letter queue of runs."
)
DEFECT_MESSAGE: Final = (
    "An unexpected error ended the run {deliveries} times: {error}. Nothing is lost: the next run "
    "tries again. The log has the details (event run_failed)."
)


class UnexpectedRunError(Exception):
    """An unexpected error ended an invocation; its text names class and place, and no value."""


class RunWorker:
    """Works on the phases of runs, and publishes the numbers and alerts of a run that ended."""

    def __init__(  # noqa: PLR0913  # what a worker needs, each by its name
        self,
        engine: SyncEngine,
        runs: RunStore,
        alerts: RunAlerts,
        clock: Clock,
        log: EventLog,
        *,
        publish: Callable[[Mapping[str, float]], None],
        describe_error: Callable[[BaseException], dict[str, str]],
        deadline: Deadline,
        budget_seconds: float,
    ) -> None:
        self._engine = engine
        self._runs = runs
        self._alerts = alerts
        self._clock = clock
        self._log = log
        self._publish = publish
        self._describe_error = describe_error
        self._deadline = deadline
        self._budget_seconds = budget_seconds

    def work(self, request: RunDelivery, remaining_millis: int) -> None:
        """Work on a run from a phase on, until it ends or the time is used up.

        The time is used up when the budget is spent, or when AWS leaves only enough to save the
        position (`remaining_millis`). Raises `UnexpectedRunError` for an error that is not the
        connector's own: the queue delivers the request again, and the last delivery ends the run.
        """
        started_at = self._clock()
        run_id, phase = request.run_id, request.phase
        self._deadline.start(remaining=remaining_millis / 1000, budget=self._budget_seconds)
        try:
            before = self._runs.load_run(run_id)
            if before is not None and not before.invocations:
                kind = before.kind.value
                self._log(Event.run_started, run_id=run_id, kind=kind, phase=phase.value)
                self._end_dead_runs(run_id)
            state = self._engine.run_phase(run_id, phase, lambda: self._deadline.is_over)
            is_dry_run = before is not None and before.kind is RunKind.DRY_RUN
            self._report(request, state, started_at, is_dry_run=is_dry_run)
        except Exception as error:  # noqa: BLE001  # the queue delivers the request again
            described = self._describe_error(error)
            self._log(Event.run_failed, run_id=run_id, phase=phase.value, **described)
            self._note_error(request, described)
            raise UnexpectedRunError(described) from None

    def _report(
        self, request: RunDelivery, state: RunState, started_at: float, *, is_dry_run: bool
    ) -> None:
        """Log how an invocation ended; publish the numbers and the alerts of a run that ended."""
        run_id, phase = request.run_id, request.phase.value
        seconds = round(self._clock() - started_at, 1)
        self._log(Event.phase_ended, run_id=run_id, phase=phase, state=state.value, seconds=seconds)
        if state is RunState.RUNNING:
            self._log(Event.deadline_reached, run_id=run_id, phase=phase)
            if not is_dry_run:
                self._publish({"Heartbeat": 1.0})
            return
        run = self._runs.load_run(run_id)
        if run is not None and state in FINAL_STATES:
            self._end(run)

    def _note_error(self, request: RunDelivery, described: Mapping[str, str]) -> None:
        """Record an unexpected error in the run's record; the last delivery ends the run.

        A run that has ended keeps its end: only its alerts failed. What fails here is only logged:
        the error of the run is more important.
        """
        error = " ".join(filter(None, (described.get(name, "") for name in ERROR_FIELDS)))
        try:
            run = self._runs.load_run(request.run_id)
            if run is None or run.state in FINAL_STATES:
                return
            self._runs.note_error(request.run_id, error)
            if request.deliveries >= MAX_DELIVERIES:
                message = DEFECT_MESSAGE.format(deliveries=request.deliveries, error=error)
                self._finish(request.run_id, StopReason.DEFECT, message)
        except Exception as second:  # noqa: BLE001  # as the docstring says
            described = self._describe_error(second)
            self._log(
                Event.run_failed, run_id=request.run_id, phase=request.phase.value, **described
            )

    def _end_dead_runs(self, present: str) -> None:
        """End the runs that stopped without an end, each with the reason that is known.

        What fails here is only logged: it is not about the run that begins.
        """
        try:
            for run in self._runs.list_runs(RUNS_CHECKED):
                is_running = run.state is RunState.RUNNING and run.id != present
                if is_running and self._clock() - run.active_at > DEAD_SECONDS:
                    error = f" ({run.error})" if run.error else ""
                    self._finish(run.id, StopReason.STOPPED, DEAD_MESSAGE.format(error=error))
        except Exception as failure:  # noqa: BLE001  # as the docstring says
            self._log(Event.dead_runs_not_ended, run_id=present, **self._describe_error(failure))

    def _finish(self, run_id: str, reason: StopReason, message: str) -> None:
        """End a run as failed, with its numbers and alerts."""
        self._runs.finish_run(run_id, RunState.FAILED, self._clock(), reason, message)
        run = self._runs.load_run(run_id)
        if run is not None:
            self._end(run)

    def _end(self, run: Run) -> None:
        self._log(
            Event.run_ended,
            run_id=run.id,
            kind=run.kind.value,
            state=run.state.value,
            reason=run.reason.value if run.reason else "",
            invocations=run.invocations,
        )
        self._publish(run_metrics(run))
        self._alerts.notify(run)


def run_metrics(run: Run) -> dict[str, float]:
    """Return what a finished run publishes, by the metric's name."""

    def total(*names: str) -> float:
        return sum(side.get(name, 0) for side in run.counts.values() for name in names)

    # Other kinds synchronize nothing: they must not silence the alarm for missed runs.
    is_done = run.state is RunState.DONE and run.kind not in OTHER_KINDS
    verification = verification_of(run)
    drift = {} if verification is None else {"DriftRate": verification.drift_rate}
    return {
        "RunsDone": float(is_done),
        # A run that finds synchronization paused, or not enabled yet, is as it should be.
        "Heartbeat": float(is_done or run.state is RunState.NOT_STARTED),
        "RunsHalted": float(run.state in (RunState.HALTED, RunState.FAILED)),
        "RecordsSeen": total("seen"),
        "RecordsWritten": total("created", "updated"),
        "LinksQuarantined": total("quarantined"),
        "FieldsHeld": total("held"),
        "ApiCalls": total("calls"),
        **drift,
    }
