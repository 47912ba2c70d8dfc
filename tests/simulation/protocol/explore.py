"""Breadth-first search over all states; predecessors are kept to print a counterexample."""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from tests.simulation.protocol.canonical import State
from tests.simulation.protocol.model import Model
from tests.simulation.protocol.quiescence import QuiescenceCheck
from tests.simulation.protocol.run import Step
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.variants import SOUND, Protocol

MAX_STATES: Final = 5_000_000
"""More than any scenario has: a scenario with more is not finite, and would fill the memory."""
Predecessors = dict[State, State | None]


@dataclass(frozen=True)
class Finding:
    """The result of a search: the number of states, and the shortest counterexample, if any."""

    scenario: str
    protocol: str
    states: int
    violation: str = ""
    counterexample: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        """Return one line, and for a violation the numbered steps of its counterexample."""
        names = f"{self.scenario:<50} {self.protocol:<38}"
        if not self.violation:
            return f"{names} holds {self.states:>10,} states {self.seconds:6.1f} s"
        steps = "".join(f"\n    {n}. {step}" for n, step in enumerate(self.counterexample, 1))
        return f"{names} VIOLATED: {self.violation}{steps}"


def explore(
    scenario: Scenario, protocol: Protocol = SOUND, *, max_states: int = MAX_STATES
) -> Finding:
    """Check every state that user actions, crashes and lost responses can lead to.

    States that differ only in the names of typed values are checked once. A counterexample is
    searched again without this reduction, so that its values have one name from start to end.
    """
    started = time.perf_counter()
    collecting = gc.isenabled()
    gc.disable()  # there are no reference cycles, and the search for them takes a fifth of the time
    try:
        finding = _search(Model(scenario, protocol, symmetric=True), max_states)
        if finding.counterexample and scenario.symmetric:
            finding = _search(Model(scenario, protocol), max_states)
    finally:
        if collecting:
            gc.enable()
    return replace(finding, seconds=time.perf_counter() - started)


def _search(model: Model, max_states: int) -> Finding:
    start = model.start()
    predecessors: Predecessors = {start: None}
    check = QuiescenceCheck(model)
    queue = deque([start])

    def finding(violation: str = "", steps: tuple[str, ...] = ()) -> Finding:
        names = (model.scenario.name, model.protocol.name)
        return Finding(*names, len(predecessors), violation, steps)

    while queue:
        state = queue.popleft()
        if model.is_idle(state):  # a run in progress may crash, which leads to an idle state
            violation = check.violation(state)
            if violation:
                end_of_input = "user actions and faults stop; runs go on"
                return finding(violation, (*_path(model, predecessors, state), end_of_input))
        steps = list(model.steps(state))
        check.add_first_step(state, steps[0])
        for step in steps:
            if step.violation:
                path = (*_path(model, predecessors, state), step.label)
                return finding(step.violation, path)
        for after in _successors(model, state, steps):
            if after not in predecessors:
                predecessors[after] = state
                queue.append(after)
        if len(predecessors) > max_states:
            return finding(f"more than {max_states:,} states: the search does not end")
    return finding()


def _successors(model: Model, state: State, steps: list[Step]) -> list[State]:
    successors = model.after_user_actions(state)
    successors.extend(after for _, after in model.choices(state))
    if model.may_crash(state):
        successors.append(model.after_crash(state))
    successors.extend(step.state for step in steps)
    return successors


def _path(model: Model, predecessors: Predecessors, state: State) -> tuple[str, ...]:
    """Return the labels of the steps that lead to a state."""
    labels: list[str] = []
    before = predecessors[state]
    while before is not None:
        labels.append(_label(model, before, state))
        state, before = before, predecessors[before]
    return tuple(reversed(labels))


def _label(model: Model, before: State, after: State) -> str:
    """Return the label of the first transition from one state to another."""
    steps = list(model.steps(before))
    labels = [*model.user_action_labels(before), *(label for label, _ in model.choices(before))]
    if model.may_crash(before):
        labels.append("the run crashes")
    labels.extend(step.label for step in steps)
    return labels[_successors(model, before, steps).index(after)]
