"""The model: people who type, a run that may die between any two steps, and answers that get lost.

One state is three numbers: of the world (what both sides hold, and what people have typed that
nobody has heard yet), of the link as stored, and of the worker (where the run stands).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from connector.model import Link
from connector.plan import fold
from tests.simulation.protocol.naming import ONES, names, numbers
from tests.simulation.protocol.people import people
from tests.simulation.protocol.records import EMAIL
from tests.simulation.protocol.run import Move, Run, Triple
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.weaker import SOUND, Protocol
from tests.simulation.protocol.worlds import HEARD, PENDING, Mark, World, Worlds

State = Triple


class Model:
    """All moves from a state."""

    def __init__(
        self, scenario: Scenario, protocol: Protocol = SOUND, *, symmetric: bool = False
    ) -> None:
        """Take a scenario; `symmetric` visits one of two states that differ in words alone."""
        self.scenario = scenario
        self.protocol = protocol
        self.worlds = Worlds()
        self.run = Run(scenario, protocol, self.worlds)
        self.links = self.run.links
        self.workers = self.run.workers
        self._symmetric = symmetric and scenario.symmetric
        self._people: dict[int, tuple[tuple[str, int], ...]] = {}
        self._same = _Change()
        self._closings: dict[int, _Change] = {}
        self._namings: dict[State, _Change] = {}
        self._changes: dict[tuple[object, ...], _Change] = {}

    def start(self) -> State:
        """Return the first state: linked and agreed, or strangers that a first run will meet."""
        records = self.scenario.records
        link = Link(EMAIL)
        marks = tuple(Mark(HEARD if it.value is None else PENDING) for it in records)
        if self.scenario.linked:
            for it in records:
                link = fold(link, it.observed())
            base = {
                it.id: {n: v for n, v in it.observed().values.items() if n != "url"}
                for it in records
            }
            link = replace(link, base=base, dirty=False)
            marks = tuple(Mark(HEARD, it.value) for it in records)
        world = World(records, marks, self.scenario.chances)
        return self._canonical(self.worlds.number(world), self.links.number(link), self.run.idle)

    def is_idle(self, state: State) -> bool:
        """Whether no run is under way."""
        return state[2] == self.run.idle

    def world(self, state: State) -> World:
        """Return what both sides hold."""
        return self.worlds.things[state[0]]

    def link(self, state: State) -> Link:
        """Return the link as it is stored."""
        return self.links.things[state[1]]

    def people(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield what people may do now."""
        world, link, worker = state
        known = self._people.get(world)
        if known is None:
            moves = people(self.scenario, self.worlds.things[world])
            known = tuple((label, self.worlds.number(after)) for label, after in moves)
            self._people[world] = known
        for label, after in known:
            yield label, self._canonical(after, link, worker)

    def steps(self, state: State) -> Iterator[Move]:
        """Yield what a run may do next, be it to begin: a move for each way a call can go."""
        world, link, worker = state
        idle = worker == self.run.idle
        for move in self.run.steps((world, link, self.run.begun) if idle else state):
            label = f"a run begins: {move.label}" if idle else move.label
            yield Move(label, self._canonical(*move.state), move.wrote, move.broken)

    def death(self, state: State) -> State:
        """Return the state after the run has died: what it had in its hands is gone."""
        return self._canonical(state[0], state[1], self.run.idle)

    def _canonical(self, world: int, link: int, worker: int) -> State:
        """Return the one state that stands for all that differ in numbers and names alone."""
        worlds, links, workers = self.worlds, self.links, self.workers
        bits = worlds.bits[world] | links.bits[link] | workers.bits[worker]
        if bits & (bits + ONES):  # a gap: see `naming`
            world, link, worker = self._closing(bits).state(world, link, worker)
        if self._symmetric:
            said = (worlds.letters[world], links.letters[link], workers.letters[worker])
            naming = self._namings.get(said)
            if naming is None:
                naming = self._namings[said] = self._naming(said)
            if naming is not self._same:
                return naming.state(world, link, worker)
        return world, link, worker

    def _closing(self, bits: int) -> _Change:
        known = self._closings.get(bits)
        if known is None:
            new = numbers(bits)
            key = (*sorted(new.versions.items()), *sorted(new.stamps.items()))
            known = self._changes.get(key)
            if known is None:
                known = self._changes[key] = _Change(
                    lambda it: self.worlds.renumbered(it, new),
                    lambda it: self.links.renumbered(it, new),
                    lambda it: self.workers.renumbered(it, new),
                )
            self._closings[bits] = known
        return known

    def _naming(self, letters: State) -> _Change:
        world, link, worker = letters
        new = names([*self.worlds.said[world], *self.links.said[link], *self.workers.said[worker]])
        if not new:
            return self._same
        key = tuple(new.items())
        known = self._changes.get(key)
        if known is None:
            known = self._changes[key] = _Change(
                lambda it: self.worlds.renamed(it, new),
                lambda it: self.links.renamed(it, new),
                lambda it: self.workers.renamed(it, new),
            )
        return known


class _Change:
    """New numbers or names for a whole state, worked out once for each of its three parts."""

    def __init__(self, *parts: Callable[[int], int]) -> None:
        self._parts = parts
        self._known: tuple[dict[int, int], ...] = ({}, {}, {})

    def state(self, world: int, link: int, worker: int) -> State:
        """Return the state with its new numbers or names."""
        worlds, links, workers = self._known
        try:
            return worlds[world], links[link], workers[worker]
        except KeyError:
            for known, change, it in zip(
                self._known, self._parts, (world, link, worker), strict=True
            ):
                if it not in known:
                    known[it] = change(it)
            return worlds[world], links[link], workers[worker]
