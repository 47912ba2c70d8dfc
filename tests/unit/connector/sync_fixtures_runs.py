"""A run, its work and its phases between two systems in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.model import Link, Phase, RunState
from connector.planning.announced_changes import ChangeLimits
from connector.sync.isolation import Isolation
from connector.sync.read_phase import ReadPhase
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.run_work import RunWork
from connector.sync.runs import SyncEngine
from connector.sync.work_queue import WorkQueue
from tests.unit.connector.sync_fixtures import (
    BOUND,
    EMAIL,
    LIMITS,
    RUN,
    SyncSetup,
    contact,
    never,
)
from tests.unit.connector.sync_fixtures_stores import NOW


def setup_with(
    *links: Link,
    read_at: float = NOW,
    listed: bool = True,
    limits: ChangeLimits = LIMITS,
    **run: Any,
) -> SyncSetup:
    """Return a setup that was read at a time; the records of the links are in both systems."""
    setup = SyncSetup(limits=limits)
    setup.read_all(at=read_at)
    setup.request(**run)
    setup.hold(*links, listed=listed)
    return setup


def setup_with_contact() -> SyncSetup:
    """Return a setup that was read a minute ago, with one contact that is new since then."""
    setup = SyncSetup()
    setup.read_all()
    setup.plezi.put(contact(EMAIL))
    return setup


def run_phase(
    setup: SyncSetup, phase: Phase = Phase.READ, out_of_time: Callable[[], bool] = never
) -> RunState:
    """Work on the stored run."""
    return SyncEngine(setup.context).run_phase(RUN, phase, out_of_time)


def work_of(setup: SyncSetup) -> RunWork:
    """Return the work of a new invocation of the run."""
    return RunWork(setup.context, BOUND, setup.run())


def work(
    setup: SyncSetup, phase: Phase = Phase.READ, out_of_time: Callable[[], bool] = never
) -> Phase | None:
    """Do the work of an invocation; return the phase that is left."""
    return work_of(setup).work(phase, out_of_time)


def phase_of(setup: SyncSetup, bound: BoundMapping = BOUND, **options: Any) -> ResolvePhase:
    """Return the phase of the run that resolves links."""
    run = setup.run()
    isolation = Isolation(setup.context, RUN)
    queue = WorkQueue(setup.context, run)
    reading = ReadPhase(setup.context, bound, run, queue, isolation)
    return ResolvePhase(setup.context, bound, run, queue, isolation, reading, **options)


def units(setup: SyncSetup) -> list[object]:
    """Return how many links each unit had."""
    return [line["links"] for line in setup.log.of(Event.batch_resolved)]
