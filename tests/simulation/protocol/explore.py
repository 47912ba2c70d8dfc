"""Visit every state, breadth first; parents are kept, so that what breaks tells its story."""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from tests.simulation.protocol.canonical import State
from tests.simulation.protocol.model import Model
from tests.simulation.protocol.quiescence import Quiescence
from tests.simulation.protocol.run import Move
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.weaker import SOUND, Protocol

MOST_STATES: Final = 5_000_000
"""More than any scenario has: what has more does not close, and would fill the memory."""
Parents = dict[State, State | None]


@dataclass(frozen=True)
class Finding:
    """What an exploration found: how many states there are, and the shortest story that breaks."""

    scenario: str
    protocol: str
    states: int
    broken: str = ""
    story: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        what = f"{self.scenario:<50} {self.protocol:<45}"
        if not self.broken:
            return f"{what} holds {self.states:>10,} states {self.seconds:6.1f} s"
        steps = "".join(f"\n    {number}. {step}" for number, step in enumerate(self.story, 1))
        return f"{what} breaks: {self.broken}{steps}"


def explore(scenario: Scenario, protocol: Protocol = SOUND, *, most: int = MOST_STATES) -> Finding:
    """Visit every state that people, crashes and lost answers can lead to.

    Of two states that differ in the names of the words alone one is visited; a story that breaks is
    told without that, for its words to be the same from beginning to end.
    """
    begun = time.perf_counter()
    collecting = gc.isenabled()
    gc.disable()  # nothing here refers to itself, and looking for that costs a fifth of the time
    try:
        finding = _explored(Model(scenario, protocol, symmetric=True), most)
        if finding.story and scenario.symmetric:
            finding = _explored(Model(scenario, protocol), most)
    finally:
        if collecting:
            gc.enable()
    return replace(finding, seconds=time.perf_counter() - begun)


def _explored(model: Model, most: int) -> Finding:
    scenario, protocol = model.scenario, model.protocol
    start = model.start()
    parents: Parents = {start: None}
    rest = Quiescence(model)
    queue = deque([start])
    while queue:
        state = queue.popleft()
        if model.is_idle(state):  # a run under way may die, which is a state of its own
            broken = rest.broken(state)
            if broken:
                story = (*_story(model, parents, state), "people stop; runs go on undisturbed")
                return Finding(scenario.name, protocol.name, len(parents), broken, story)
        steps = list(model.steps(state))
        rest.note(state, steps[0])
        for move in steps:
            if move.broken:
                story = (*_story(model, parents, state), move.label)
                return Finding(scenario.name, protocol.name, len(parents), move.broken, story)
        for after in _after(model, state, steps):
            if after not in parents:
                parents[after] = state
                queue.append(after)
        if len(parents) > most:
            endless = f"more than {most:,} states: it does not close"
            return Finding(scenario.name, protocol.name, len(parents), endless)
    return Finding(scenario.name, protocol.name, len(parents))


def _after(model: Model, state: State, steps: list[Move]) -> list[State]:
    after = model.people(state)
    if not model.is_idle(state):
        after.append(model.death(state))
    after.extend(move.state for move in steps)
    return after


def _story(model: Model, parents: Parents, state: State) -> tuple[str, ...]:
    steps: list[str] = []
    before = parents[state]
    while before is not None:
        steps.append(_label(model, before, state))
        state, before = before, parents[before]
    return tuple(reversed(steps))


def _label(model: Model, before: State, after: State) -> str:
    """Return what leads from one state to another, in the order in which both were visited."""
    steps = list(model.steps(before))
    labels = [*model.said_of_people(before)]
    if not model.is_idle(before):
        labels.append("the run dies")
    labels.extend(move.label for move in steps)
    return labels[_after(model, before, steps).index(after)]
