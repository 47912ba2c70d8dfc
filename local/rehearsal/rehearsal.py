"""One rehearsal: a scenario from its first run until everybody agrees, and what it took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.model import RunState
from local.rehearsal.agreement import compare
from local.rehearsal.functions import Function
from local.rehearsal.populations import WAIT_SECONDS
from local.rehearsal.prices import Money, money
from local.rehearsal.scenarios import Scenario, Work
from local.rehearsal.world import HOUR, Bounds, World

UNFINISHED: Final = frozenset({RunState.REQUESTED, RunState.RUNNING})
RATE_WINDOWS: Final = (10.0, 60.0)
"""Windows in seconds in which the most calls to Plezi are counted."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a rehearsal took. Times are virtual, `wall_seconds` is ours.

    `stopped` says why it ended before everybody agreed ('': everybody agrees). `hours` is the time
    until the last write before everybody agreed, or until the end. `pace_hours` is the time that
    the unavoidable calls take. `left_running` are runs that are not finished and that no message
    continues. `admin_answers` are numbers by status code.
    """

    scenario: str
    people: int
    stopped: str
    agreeing: int
    hours: float
    pace_hours: float
    plezi_calls: Mapping[str, int]
    salesforce_calls: Mapping[str, int]
    invocations: int
    form_invocations: int
    admin_answers: Mapping[str, int]
    kills: int
    errors: int
    dead_letters: int
    runs: Mapping[str, int]
    left_running: int
    plezi_rates: Mapping[str, float]
    read_units: float
    write_units: float
    units: Mapping[str, tuple[float, float]]
    money: Money
    problems: Mapping[str, int]
    work: Work
    wall_seconds: float

    @property
    def people_an_hour(self) -> float:
        """How many people came to agree in an hour."""
        return self.agreeing / self.hours if self.hours else 0.0


class _Watch:
    """Finds out when everybody agrees; asks the oracle only when that is possible."""

    def __init__(self, world: World, progress: Callable[[str], None]) -> None:
        self._world = world
        self._progress = progress
        self._ended = 0
        self._written = -1
        self._disagreeing = 0
        self.agreed_at: float | None = None

    def is_over(self) -> bool:
        """Return whether everybody agrees, and nothing is queued or running."""
        world = self._world
        ended = len(world.worker.invocations) + len(world.form_worker.invocations)
        if ended != self._ended or (self.agreed_at is None and world.is_idle):
            self._ended = ended
            self._ask()
        return self.agreed_at is not None and world.is_idle

    def _ask(self) -> None:
        world = self._world
        written = _written(world)
        if self.agreed_at is not None or written == self._written:
            return
        if self._written >= 0 and written - self._written < self._disagreeing:
            return  # each write lets one person agree at most
        agreement = compare(world.tenant, world.org)
        self._written, self._disagreeing = written, agreement.disagreeing
        hours = world.kernel.time / HOUR
        self._progress(f"{hours:7.2f} h  {self._ended} invocations  {agreement}")
        if agreement.is_complete:
            meters = (world.plezi.meter, world.salesforce.meter)
            self.agreed_at = max(meter.last_write_at for meter in meters)


def _written(world: World) -> int:
    """Return how many records were written in both systems, as the simulators counted them."""
    records = Counter(world.tenant.control.calls.since_mark()["records"])
    records.update(world.org.calls.since_mark()["records"])
    return sum(n for kind, n in records.items() if kind not in {"list", "get", "query", "schema"})


def rehearse(
    scenario: Scenario, bounds: Bounds, progress: Callable[[str], None] = lambda _line: None
) -> Result:
    """Rehearse one scenario within bounds; `progress` receives a line now and then."""
    started = time.monotonic()
    world = World()
    try:
        work = scenario.kind.prepare(world, scenario.people)
        world.kernel.sleep(WAIT_SECONDS)
        world.restart(scenario.variant.conditions())
        world.database.faults.throttling = scenario.variant.throttling
        world.database.set_index_lag(scenario.variant.index_lag)
        begin, begin_at = world.kernel.time, world.kernel.now()
        watch = _Watch(world, progress)
        scenario.kind.begin(world, scenario.people)
        stopped = world.run_until(watch.is_over, bounds)
        end = watch.agreed_at if watch.agreed_at is not None else world.kernel.time
        agreeing = min(work.people, compare(world.tenant, world.org).agreeing)
        span = _Span(begin_at, max(0.0, end - begin) / HOUR, started, stopped, agreeing)
        return _result(scenario, world, work, span)
    finally:
        world.close()


@dataclass(frozen=True, slots=True)
class _Span:
    """From the begin (virtual, seconds since 1970) until everybody agreed or it was stopped.

    `started` is when we began, by our own clock.
    """

    begin_at: float
    hours: float
    started: float
    stopped: str
    agreeing: int


def _result(scenario: Scenario, world: World, work: Work, span: _Span) -> Result:
    functions = world.functions
    queues = (world.runs_queue, world.forms_queue)
    units = world.database.units
    own_runs = [run for run in world.runs() if run.requested_at >= span.begin_at]
    runs = Counter(run.state.value for run in own_runs)
    meter = world.plezi.meter
    return Result(
        scenario=scenario.name,
        people=work.people,
        stopped=span.stopped,
        agreeing=span.agreeing,
        hours=span.hours,
        pace_hours=work.seconds(world.conditions) * scenario.variant.stretch / HOUR,
        plezi_calls=dict(sorted(meter.calls.items())),
        salesforce_calls=dict(sorted(world.salesforce.meter.calls.items())),
        invocations=len(world.worker.invocations),
        form_invocations=len(world.form_worker.invocations),
        admin_answers=dict(sorted(world.admin_answers.items())),
        kills=sum(function.kills for function in functions),
        errors=sum(_errors(function) for function in functions),
        dead_letters=sum(len(queue.dead_letters) for queue in queues),
        runs=dict(sorted(runs.items())),
        left_running=sum(
            run.state in UNFINISHED and not world.runs_queue.mentions(run.id) for run in own_runs
        ),
        plezi_rates={f"{window:g}": meter.most_in(window) / window for window in RATE_WINDOWS},
        read_units=units.total_reads,
        write_units=units.total_writes,
        units={
            f"{it.table} {it.operation} {it.kind} {it.index}".strip(): (reads, writes)
            for it, reads, writes in units.rows()
        },
        money=money(
            writes=units.total_writes,
            reads=units.total_reads,
            gigabyte_seconds=sum(function.gigabyte_seconds for function in functions),
            invocations=sum(len(function.invocations) for function in functions),
            messages=sum(queue.requests for queue in queues),
        ),
        problems=dict(world.services.problems.most_common()),
        work=work,
        wall_seconds=time.monotonic() - span.started,
    )


def _errors(function: Function) -> int:
    return sum(bool(each.error) for each in function.invocations)
