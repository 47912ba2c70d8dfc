"""The worker of the runs queue: one phase of a run in one invocation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from connector.log_events import Event, EventLog
from connector.model import Phase, Run, RunKind, RunState
from connector.sync.ports import Clock, RunStore
from connector.sync.run_alerts import RunAlerts
from connector.sync.runs import FINAL_STATES, SyncEngine

RESERVE_MILLISECONDS: Final = 10_000
"""The time kept to end calls in progress, save the position and queue the continuation."""


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
        budget_seconds: float,
    ) -> None:
        self._engine = engine
        self._runs = runs
        self._alerts = alerts
        self._clock = clock
        self._log = log
        self._publish = publish
        self._describe_error = describe_error
        self._budget_seconds = budget_seconds

    def work(self, run_id: str, phase: Phase, remaining_millis: Callable[[], int]) -> None:
        """Work on one phase of a run until it ends or the time is used up.

        The time is used up when the budget is spent, or when AWS leaves only enough to save the
        position. Raises `UnexpectedRunError` for an error that is not the connector's own: the
        queue delivers the request again.
        """
        started_at = self._clock()

        def out_of_time() -> bool:
            spent = self._clock() - started_at
            return spent >= self._budget_seconds or remaining_millis() < RESERVE_MILLISECONDS

        before = self._runs.load_run(run_id)
        if before is not None and not before.invocations:
            self._log(Event.run_started, run_id=run_id, kind=before.kind.value, phase=phase.value)
        try:
            state = self._engine.run_phase(run_id, phase, out_of_time)
        except Exception as error:  # noqa: BLE001  # the queue delivers the request again
            described = self._describe_error(error)
            self._log(Event.run_failed, run_id=run_id, phase=phase.value, **described)
            raise UnexpectedRunError(described) from None
        seconds = round(self._clock() - started_at, 1)
        self._log(
            Event.phase_ended,
            run_id=run_id,
            phase=phase.value,
            state=state.value,
            seconds=seconds,
        )
        if state is RunState.RUNNING:
            self._log(Event.deadline_reached, run_id=run_id, phase=phase.value)
            return
        run = self._runs.load_run(run_id)
        if run is not None and state in FINAL_STATES:
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

    return {
        # A dry run synchronizes nothing: it must not silence the alarm for missed runs.
        "RunsDone": float(run.state is RunState.DONE and run.kind is not RunKind.DRY_RUN),
        "RunsHalted": float(run.state in (RunState.HALTED, RunState.FAILED)),
        "RecordsSeen": total("seen"),
        "RecordsWritten": total("created", "updated"),
        "LinksQuarantined": total("quarantined"),
        "FieldsHeld": total("held"),
        "ApiCalls": total("calls"),
    }
