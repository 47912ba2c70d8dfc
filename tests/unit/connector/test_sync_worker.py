"""The worker of the runs queue: what it logs, publishes and records, and how dead runs end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.connected_systems import ConnectedSystem, save_system
from connector.errors import StopReason
from connector.log_events import Event
from connector.model import (
    AlertKind,
    Breaker,
    Phase,
    Run,
    RunDelivery,
    RunKind,
    RunState,
    Side,
)
from connector.sync.run_alerts import RunAlerts
from connector.sync.runs import SyncEngine
from connector.sync.worker import (
    DEAD_MESSAGE,
    DEFECT_MESSAGE,
    RunWorker,
    UnexpectedRunError,
    run_metrics,
)
from tests.unit.connector.alert_fixtures import Api, Password, Topic
from tests.unit.connector.sync_fixtures import (
    EMAIL,
    MAPPING,
    RUN,
    SyncSetup,
    agreed,
    contact,
    raising,
)
from tests.unit.connector.sync_fixtures_stores import NOW

BUDGET: Final = 100.0
MANY_MILLIS: Final = 900_000
DELIVERY: Final = RunDelivery(RUN, Phase.READ)
LAST_DELIVERY: Final = RunDelivery(RUN, Phase.READ, 5)
DESCRIBED: Final = {"error": "ValueError", "frame": "read:7", "trace_id": "t"}
TEXT: Final = "ValueError read:7"


def describe(error: BaseException) -> dict[str, str]:
    return {**DESCRIBED, "error": type(error).__name__}


def nothing() -> None:
    """Do nothing at a call."""


class WorkerSetup:
    """A worker between two systems, with what it published and the alerts that it sent."""

    def __init__(self) -> None:
        self.sync = SyncSetup()
        self.sync.read_all()
        self.sync.plezi.put(contact(EMAIL))
        self.published: list[Mapping[str, float]] = []
        self.alerts = Topic()
        sync = self.sync
        self.run_alerts = RunAlerts(
            sync.ledger,
            self.alerts,
            sync.budget,
            Password(None),
            Api(()),
            sync.clock,
            sync.log,
            quarantine_limit=10,
            credential_age=lambda: None,
            drift_limit=0.001,
        )
        self.worker = RunWorker(
            SyncEngine(sync.context),
            sync.ledger,
            self.run_alerts,
            sync.clock,
            sync.log,
            publish=self.published.append,
            describe_error=describe,
            deadline=sync.deadline,
            budget_seconds=BUDGET,
        )

    def work(self, request: RunDelivery = DELIVERY, remaining_millis: int = MANY_MILLIS) -> None:
        self.worker.work(request, remaining_millis)

    def fail(self, request: RunDelivery = DELIVERY) -> None:
        """Work on a run whose first call shows a defect."""
        self.sync.plezi.then["read"].append(raising(ValueError("no number")))
        with pytest.raises(UnexpectedRunError, match="'frame': 'read:7'") as raised:
            self.work(request)
        assert raised.value.__suppress_context__


NO_METRICS: Final = {
    "RunsDone": 0.0,
    "Heartbeat": 0.0,
    "RunsHalted": 0.0,
    "RecordsSeen": 0,
    "RecordsWritten": 0,
    "LinksQuarantined": 0,
    "FieldsHeld": 0,
    "ApiCalls": 0,
}


def test_a_run_that_is_done_is_logged_and_its_numbers_are_published() -> None:
    setup = WorkerSetup()
    setup.sync.request()
    setup.sync.plezi.then["read"].append(lambda: setup.sync.clock.advance(2.54))

    setup.work()

    log = setup.sync.log
    assert log.of(Event.run_started) == [{"run_id": RUN, "kind": "changes", "phase": "read"}]
    assert log.of(Event.phase_ended) == [
        {"run_id": RUN, "phase": "read", "state": "done", "seconds": 2.5}
    ]
    assert log.of(Event.run_ended) == [
        {"run_id": RUN, "kind": "changes", "state": "done", "reason": "", "invocations": 1}
    ]
    assert setup.published == [
        {
            **NO_METRICS,
            "RunsDone": 1.0,
            "Heartbeat": 1.0,
            "RecordsSeen": 1,
            "RecordsWritten": 1,
            "ApiCalls": 5,
        }
    ]
    assert len(log.of(Event.health_measured)) == 1


def test_a_run_that_ends_early_is_logged_with_its_reason_and_sends_its_alert() -> None:
    setup = WorkerSetup()
    setup.sync.ledger.open_breaker(Breaker(StopReason.DEFECT, "many errors", NOW))
    setup.sync.request()

    setup.work()

    (line,) = setup.sync.log.of(Event.run_ended)
    assert (line["state"], line["reason"], line["invocations"]) == ("halted", "defect", 0)
    assert setup.published == [{**NO_METRICS, "RunsHalted": 1.0}]
    assert [alert.kind for alert in setup.alerts.published] == [AlertKind.BREAKER]


def test_only_the_first_invocation_of_a_run_is_logged_as_its_start() -> None:
    setup = WorkerSetup()
    setup.sync.request(invocations=1, mapping_version=MAPPING.version)

    setup.work()

    assert setup.sync.log.of(Event.run_started) == []


def test_a_run_that_continues_shows_that_it_is_alive() -> None:
    setup = WorkerSetup()
    setup.sync.request()

    # Ten seconds of an invocation are kept, to store results.
    setup.work(remaining_millis=10_000)

    log = setup.sync.log
    assert log.of(Event.phase_ended)[0]["state"] == "running"
    assert log.of(Event.deadline_reached) == [{"run_id": RUN, "phase": "read"}]
    assert (log.of(Event.run_ended), setup.published) == ([], [{"Heartbeat": 1.0}])


@pytest.mark.parametrize(("millis", "seconds_left"), [(MANY_MILLIS, 100.0), (30_000, 20.0)])
def test_the_time_ends_with_the_budget_or_shortly_before_the_invocation(
    millis: int, seconds_left: float
) -> None:
    setup = WorkerSetup()
    setup.sync.request()

    setup.work(remaining_millis=millis)

    assert setup.sync.deadline.seconds_left() == seconds_left


def test_a_run_stops_when_its_budget_is_spent() -> None:
    setup = WorkerSetup()
    setup.sync.request()
    setup.sync.plezi.then["read"].append(lambda: setup.sync.clock.advance(BUDGET))

    setup.work()

    assert setup.sync.run().state is RunState.RUNNING
    assert setup.sync.queue.messages == [(RUN, Phase.READ)]


def test_the_links_that_forget_a_former_system_stop_when_the_budget_is_spent() -> None:
    setup = WorkerSetup()
    setup.sync.store(agreed(EMAIL))
    system = ConnectedSystem("plezi-1", forget_since=NOW - 9)
    save_system(setup.sync.ledger, Side.PLEZI, system)
    setup.sync.request()

    setup.work(remaining_millis=10_000)

    assert (setup.sync.link(EMAIL).plezi, setup.sync.plezi.calls) == (None, 0)
    assert setup.sync.queue.messages == [(RUN, Phase.READ)]


def test_a_dry_run_that_continues_does_not_show_that_synchronization_is_alive() -> None:
    setup = WorkerSetup()
    setup.sync.request(RunKind.DRY_RUN)

    setup.work(remaining_millis=10_000)

    assert (setup.sync.run().state, setup.published) == (RunState.RUNNING, [])


def test_a_message_of_a_run_that_is_not_stored_publishes_nothing() -> None:
    setup = WorkerSetup()

    setup.work()

    log = setup.sync.log
    assert log.of(Event.phase_ended)[0]["state"] == "done"
    assert (log.of(Event.run_started), log.of(Event.run_ended), setup.published) == ([], [], [])


# Unexpected errors


def test_an_unexpected_error_is_recorded_and_the_queue_delivers_the_run_again() -> None:
    setup = WorkerSetup()
    setup.sync.request()

    setup.fail(RunDelivery(RUN, Phase.READ, 4))

    run = setup.sync.run()
    assert (run.state, run.error) == (RunState.RUNNING, TEXT)
    assert setup.sync.log.of(Event.run_failed) == [{"run_id": RUN, "phase": "read", **DESCRIBED}]
    assert setup.published == []


def test_the_last_delivery_ends_a_run_with_an_unexpected_error() -> None:
    setup = WorkerSetup()
    setup.sync.request()
    setup.sync.clock.advance(3)

    setup.fail(LAST_DELIVERY)

    run = setup.sync.run()
    assert (run.state, run.reason) == (RunState.FAILED, StopReason.DEFECT)
    assert (run.finished_at, run.error) == (NOW + 3, TEXT)
    assert run.message == DEFECT_MESSAGE.format(deliveries=5, error=TEXT)
    assert [metrics["RunsHalted"] for metrics in setup.published] == [1.0]
    assert [alert.kind for alert in setup.alerts.published] == [AlertKind.RUN_FAILED]


def test_a_run_that_has_ended_keeps_its_end_when_its_alerts_fail() -> None:
    setup = WorkerSetup()
    setup.sync.ledger.open_breaker(Breaker(StopReason.DEFECT, "many errors", NOW))
    setup.sync.request()
    setup.alerts.refused, setup.alerts.error = tuple(AlertKind), ValueError("not published")

    with pytest.raises(UnexpectedRunError):
        setup.work(LAST_DELIVERY)

    run = setup.sync.run()
    assert (run.state, run.message, run.error) == (RunState.HALTED, "many errors", "")


def test_an_error_of_a_run_that_is_gone_is_only_logged() -> None:
    setup = WorkerSetup()
    setup.sync.request()
    runs = setup.sync.ledger
    runs.then["load_run"] += [nothing, nothing, lambda: runs.forget_run(RUN)]
    setup.sync.plezi.then["identity"].append(raising(ValueError("no id")))

    with pytest.raises(UnexpectedRunError):
        setup.work(LAST_DELIVERY)

    assert len(setup.sync.log.of(Event.run_failed)) == 1
    assert (runs.load_run(RUN), setup.published) == (None, [])


def test_a_run_that_is_gone_when_it_is_ended_publishes_nothing() -> None:
    setup = WorkerSetup()
    setup.sync.request()
    runs = setup.sync.ledger
    # The worker, the engine and the work load the run; then the error is recorded and it ends.
    runs.then["load_run"] += [nothing] * 4 + [lambda: runs.forget_run(RUN)]

    setup.fail(LAST_DELIVERY)

    assert len(setup.sync.log.of(Event.run_failed)) == 1
    assert (runs.load_run(RUN), setup.published) == (None, [])


def test_what_fails_while_an_error_is_recorded_is_logged_beside_the_error() -> None:
    setup = WorkerSetup()
    setup.sync.request()
    setup.sync.ledger.then["note_error"].append(raising(KeyError("y")))

    setup.fail()

    first, second = setup.sync.log.of(Event.run_failed)
    assert first == {"run_id": RUN, "phase": "read", **DESCRIBED}
    assert second == {"run_id": RUN, "phase": "read", **DESCRIBED, "error": "KeyError"}


# Dead runs

DEAD: Final = Run("run-0", RunKind.FULL, RunState.RUNNING, NOW - 9000, active_at=NOW - 3601)


def begin_beside(other: Run) -> WorkerSetup:
    """Begin a run beside another one."""
    setup = WorkerSetup()
    setup.sync.store_run(other)
    setup.sync.request()
    setup.work()
    return setup


@pytest.mark.parametrize(("error", "shown"), [("", ""), (TEXT, f" ({TEXT})")])
def test_a_new_run_ends_a_run_without_an_invocation_for_an_hour(error: str, shown: str) -> None:
    setup = begin_beside(replace(DEAD, error=error))

    run = setup.sync.run(DEAD.id)
    assert (run.state, run.reason) == (RunState.FAILED, StopReason.STOPPED)
    assert (run.message, run.finished_at) == (DEAD_MESSAGE.format(error=shown), NOW)
    ended = [line["run_id"] for line in setup.sync.log.of(Event.run_ended)]
    assert ended == [DEAD.id, RUN]
    assert [metrics["RunsHalted"] for metrics in setup.published] == [1.0, 0.0]


@pytest.mark.parametrize(
    "other",
    [
        replace(DEAD, active_at=NOW - 3600),
        replace(DEAD, state=RunState.REQUESTED),
        replace(DEAD, state=RunState.DONE),
    ],
    ids=["active an hour ago", "not begun", "done"],
)
def test_a_new_run_leaves_a_run_that_is_not_dead(other: Run) -> None:
    setup = begin_beside(other)

    assert setup.sync.run(DEAD.id) == other


def test_a_run_does_not_end_itself() -> None:
    setup = WorkerSetup()
    setup.sync.store_run(replace(DEAD, id=RUN, kind=RunKind.CHANGES))

    setup.work()

    assert setup.sync.run().state is RunState.DONE
    assert len(setup.published) == 1


def test_a_run_that_continues_ends_no_other_run() -> None:
    setup = WorkerSetup()
    setup.sync.store_run(DEAD)
    setup.sync.request(invocations=1)

    setup.work()

    assert setup.sync.run(DEAD.id) == DEAD


def test_only_the_twenty_newest_runs_are_checked() -> None:
    setup = WorkerSetup()
    for number in range(20):
        setup.sync.store_run(replace(DEAD, id=f"run-0{number:02}"))
    setup.sync.request()

    setup.work()

    states = [setup.sync.run(f"run-0{number:02}").state for number in range(20)]
    # The newest of the twenty is the run that begins.
    assert states == [RunState.RUNNING, *[RunState.FAILED] * 19]


def test_a_run_begins_although_the_dead_runs_cannot_be_ended() -> None:
    setup = WorkerSetup()
    setup.sync.ledger.then["list_runs"].append(raising(ValueError("z")))
    setup.sync.request()

    setup.work()

    assert setup.sync.run().state is RunState.DONE
    assert setup.sync.log.of(Event.dead_runs_not_ended) == [{"run_id": RUN, **DESCRIBED}]


# The numbers of a run

COUNTS: Final = {
    "plezi": {"seen": 1, "created": 2, "updated": 3, "quarantined": 4, "held": 5, "calls": 6},
    "salesforce": {"seen": 10, "created": 20, "updated": 30, "held": 50, "calls": 60},
}


def ended(kind: RunKind, state: RunState, counts: Any = COUNTS) -> Run:
    return Run(RUN, kind, state, NOW, counts=counts)


def test_the_numbers_of_a_run_are_the_sums_of_both_sides() -> None:
    assert run_metrics(ended(RunKind.CHANGES, RunState.DONE)) == {
        "RunsDone": 1.0,
        "Heartbeat": 1.0,
        "RunsHalted": 0.0,
        "RecordsSeen": 11,
        "RecordsWritten": 55,
        "LinksQuarantined": 4,
        "FieldsHeld": 55,
        "ApiCalls": 66,
    }


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        (RunKind.FULL, RunState.DONE, (1.0, 1.0, 0.0)),
        (RunKind.SELECTED, RunState.DONE, (1.0, 1.0, 0.0)),
        (RunKind.DRY_RUN, RunState.DONE, (0.0, 0.0, 0.0)),
        (RunKind.UNDO, RunState.DONE, (0.0, 0.0, 0.0)),
        (RunKind.CHANGES, RunState.NOT_STARTED, (0.0, 1.0, 0.0)),
        (RunKind.CHANGES, RunState.PAUSED, (0.0, 0.0, 0.0)),
        (RunKind.CHANGES, RunState.HALTED, (0.0, 0.0, 1.0)),
        (RunKind.CHANGES, RunState.FAILED, (0.0, 0.0, 1.0)),
    ],
)
def test_the_end_of_a_run_shows_if_synchronization_works(
    kind: RunKind, state: RunState, expected: tuple[float, float, float]
) -> None:
    metrics = run_metrics(ended(kind, state, {}))

    shown = (metrics["RunsDone"], metrics["Heartbeat"], metrics["RunsHalted"])
    assert (shown, "DriftRate" in metrics) == (expected, False)


def test_a_verification_publishes_the_share_of_fields_that_differ() -> None:
    counts = {"salesforce": {"compared": 200, "drift.unexplained": 3}}

    metrics = run_metrics(ended(RunKind.VERIFY, RunState.DONE, counts))

    assert metrics == {**NO_METRICS, "DriftRate": 0.015}
