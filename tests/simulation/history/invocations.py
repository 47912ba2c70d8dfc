"""Runs: requested, worked on part by part, dying, overtaken by others, delivered again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from connector.model import ChangeHint, Phase, RunKind, RunState
from local.world.fault_injector import Crash
from tests.simulation.history.actor import Actor
from tests.simulation.history.events import NAMES, Event
from tests.simulation.history.oracle import GuaranteeViolatedError

QUEUE_SECONDS: Final = 10.0
"""What a message waits; a run that waits for a dead one's intent goes on until it is old enough."""
MOST_PARTS: Final = 60
Happen = Callable[[Event], None]


class Invocations:
    """Whatever invokes the connector, and the fate of each invocation."""

    def __init__(self, scene: Actor, happen: Happen) -> None:
        self._scene = scene
        self._happen = happen

    def do_run(self, event: Event) -> None:
        """Run on schedule."""
        self._run(event, self._scene.connected.request_run)

    def do_full(self, event: Event) -> None:
        """Run over everybody."""
        self._run(event, lambda: self._scene.connected.request_run(RunKind.FULL))

    def do_selected(self, event: Event) -> None:
        """Run over one person."""
        emails = (f"{NAMES[event.who].lower()}@example.com",)
        self._run(event, lambda: self._scene.connected.request_run(RunKind.SELECTED, emails=emails))

    def do_hint(self, event: Event) -> None:
        """Hear a hint about one person."""
        email = f"{NAMES[event.who].lower()}@example.com"
        self._scene.describe(f"a hint about {NAMES[event.who]} is heard")
        self._scene.counted["hint"] += 1
        self._fate(event)
        connected = self._scene.connected
        trace = connected.new_id()
        self._guarded(lambda: connected.sync_contact(ChangeHint(trace, email=email)))

    def do_again(self, _event: Event) -> None:
        """Deliver an old message of the queue again, late."""
        known = [it.id for it in self._scene.connected.ledger.list_runs(10)]
        if known:
            self._scene.counted["42 duplicate message"] += 1
            self._scene.describe("an old message is delivered again")
            self._guarded(lambda: self.parts(known[-1]))

    def do_overlap(self, event: Event) -> None:
        """Let somebody type, and a second process bring it over, between two steps of the first.

        The first one stands still meanwhile, as a process that is frozen and thawed.
        """
        scene = self._scene
        scene.counted["41 two at once"] += 1
        self._happen(event.more[0])
        scene.describe("a second process starts")
        scene.oracle.unstored = set(scene.oracle.fresh)
        with scene.connected.second_process(), scene.oracle.hearing.second_process():
            (self.do_hint if event.value % 2 else self.do_run)(Event("run", event.who))
        scene.oracle.unstored.clear()
        scene.describe("the first process goes on")

    # Fates

    def _fate(self, event: Event) -> None:
        self._scene.oracle.fresh.clear()
        after, _ = event.extra or (False, 0)
        meanwhile = {it.value: partial(self._happen, it.more[0]) for it in event.more}
        self._scene.fault_injector.invocation(
            die_at=event.value, die_after=after, meanwhile=meanwhile
        )

    def _run(self, event: Event, request: Callable[[], str]) -> None:
        run = request()
        dies = f", that will die at step {event.value}" if event.value else ""
        self._scene.describe(f"a run begins{dies}")
        self._fate(event)
        hurried = (event.extra or (False, 0))[1]
        calls = iter(range(10_000))

        def out_of_time() -> bool:
            return bool(hurried) and next(calls) % (hurried + 1) == hurried

        self._guarded(lambda: self.parts(run, out_of_time))

    def _guarded(self, work: Callable[[], object]) -> None:
        scene = self._scene
        try:
            work()
        except Crash:
            scene.counted["43 the process dies"] += 1
            scene.words.append(f"{scene.sides.clock.now():%H:%M:%S} {scene.trace.lines[-1]}")
            scene.fault_injector.invocation()
            scene.connected.start_process()
            scene.connected.inbox.messages.clear()
        finally:
            scene.fault_injector.invocation()

    def parts(self, run: str, out_of_time: Callable[[], bool] = lambda: False) -> None:
        """Work on a run and on all of its continuations."""
        connected = self._scene.connected
        part = Phase.READ
        connected.inbox.messages.clear()
        for _ in range(MOST_PARTS):
            self._scene.sides.clock.advance(QUEUE_SECONDS)
            state = connected.run_phase(run, part, out_of_time)
            self._scene.trace.add(f"run {state.value}")
            if state is not RunState.RUNNING or not connected.inbox.messages:
                return
            run, part = connected.inbox.messages.pop(0)
        raise GuaranteeViolatedError("26 deadline: a run goes on for ever")

    def calm(self, kind: RunKind) -> None:
        """Run undisturbed; it must end done."""
        connected = self._scene.connected
        run = connected.request_run(kind)
        self._scene.fault_injector.invocation()
        self.parts(run)
        ended = connected.ledger.load_run(run)
        if ended is None or ended.state is not RunState.DONE:
            why = f"{ended.state.value} {ended.reason} {ended.message}" if ended else "unknown"
            raise GuaranteeViolatedError(f"1 convergence: a run in peace ends {why}")
