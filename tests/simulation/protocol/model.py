"""The model: people who type, a run that may die between any two steps, and answers that get lost.

One state is three numbers: of the world (what both sides hold, and what people have typed that
nobody has heard yet), of the link as stored, and of the worker (where the run stands).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from connector.model import Link
from connector.planning.observation import apply_observation
from tests.simulation.protocol.canonical import Canonical, State
from tests.simulation.protocol.people import people
from tests.simulation.protocol.records import EMAIL
from tests.simulation.protocol.run import Move, Run
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import (
    HEARD,
    PENDING,
    EditMark,
    SystemState,
    SystemStates,
)
from tests.simulation.protocol.weaker import SOUND, Protocol


class Model:
    """All moves from a state."""

    def __init__(
        self, scenario: Scenario, protocol: Protocol = SOUND, *, symmetric: bool = False
    ) -> None:
        """Take a scenario; `symmetric` visits one of two states that differ in words alone."""
        self.scenario = scenario
        self.protocol = protocol
        self.worlds = SystemStates()
        self.run = Run(scenario, protocol, self.worlds)
        self.links = self.run.links
        self.workers = self.run.workers
        self._canonical = Canonical(
            self.worlds, self.links, self.workers, symmetric=symmetric and scenario.symmetric
        )
        self._people: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}

    def start(self) -> State:
        """Return the first state: linked and agreed, or strangers that a first run will meet."""
        records = self.scenario.records
        link = Link(EMAIL)
        marks = tuple(EditMark(HEARD if it.value is None else PENDING) for it in records)
        if self.scenario.linked:
            for it in records:
                link = apply_observation(link, it.observed())
            base = {
                it.id: {n: v for n, v in it.observed().values.items() if n != "url"}
                for it in records
            }
            link = replace(link, base=base, dirty=False)
            marks = tuple(EditMark(HEARD, it.value) for it in records)
        world = SystemState(records, marks, self.scenario.chances)
        return self._canonical.state(
            self.worlds.number(world), self.links.number(link), self.run.idle
        )

    def is_idle(self, state: State) -> bool:
        """Whether no run is under way."""
        return state[2] == self.run.idle

    def world(self, state: State) -> SystemState:
        """Return what both sides hold."""
        return self.worlds.things[state[0]]

    def link(self, state: State) -> Link:
        """Return the link as it is stored."""
        return self.links.things[state[1]]

    def people(self, state: State) -> list[State]:
        """Return the state after each thing that people may do now."""
        return self._canonical.states(self._done_by_people(state[0])[1], state[1], state[2])

    def said_of_people(self, state: State) -> tuple[str, ...]:
        """Return what people may do now, in words; in the order of `people`."""
        return self._done_by_people(state[0])[0]

    def _done_by_people(self, world: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        known = self._people.get(world)
        if known is None:
            moves = list(people(self.scenario, self.worlds.things[world]))
            labels = tuple(label for label, _ in moves)
            known = (labels, tuple(self.worlds.number(after) for _, after in moves))
            self._people[world] = known
        return known

    def steps(self, state: State) -> Iterator[Move]:
        """Yield what a run may do next, be it to begin: a move for each way a call can go."""
        world, link, worker = state
        idle = worker == self.run.idle
        for move in self.run.steps((world, link, self.run.begun) if idle else state):
            label = f"a run begins: {move.label}" if idle else move.label
            yield Move(label, self._canonical.state(*move.state), move.wrote, move.broken)

    def death(self, state: State) -> State:
        """Return the state after the run has died: what it had in its hands is gone."""
        return self._canonical.state(state[0], state[1], self.run.idle)
