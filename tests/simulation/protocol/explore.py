"""Visit every state, breadth first; parents are kept, so that what breaks tells its story."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from connector.model import Side
from tests.simulation.protocol.model import IDLE, PENDING, Model, Move, Scenario, State
from tests.simulation.protocol.weaker import SOUND, Protocol

RUNS: Final = 6
"""Undisturbed runs within which everything must have settled: three that work (invariant 1), and
one more where an earlier one only judged what a dead run had left."""
MOST_STEPS: Final = 40
"""Steps of one undisturbed run; it takes 3 passes of at most 8."""


@dataclass(frozen=True)
class Finding:
    """What an exploration found: how many states there are, and the shortest story that breaks."""

    scenario: str
    protocol: str
    states: int
    broken: str = ""
    story: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.broken:
            return f"{self.scenario}: {self.protocol}: holds, {self.states:,} states"
        steps = "".join(f"\n    {number}. {step}" for number, step in enumerate(self.story, 1))
        return f"{self.scenario}: {self.protocol}: {self.broken}{steps}"


def explore(
    scenario: Scenario,
    protocol: Protocol = SOUND,
    *,
    symmetric: bool = True,
    most: int = 2_000_000,
) -> Finding:
    """Visit every state that people, crashes and lost answers can lead to.

    `symmetric` visits one of two states that differ in the names of the words alone; a story that
    breaks is told without it, for its words to be the same from beginning to end.
    """
    finding = _explored(Model(scenario, protocol, symmetric=symmetric), most)
    if symmetric and finding.broken:
        return _explored(Model(scenario, protocol), most)
    return finding


def _explored(model: Model, most: int) -> Finding:
    scenario, protocol = model.scenario, model.protocol
    start = model.start()
    parents: dict[State, tuple[State, str] | None] = {start: None}
    rest = _Rest(model)
    queue = deque([start])
    while queue:
        state = queue.popleft()
        broken = rest.broken(state)
        if broken:
            return _found(scenario, protocol, parents, state, broken)
        for move in model.moves(state):
            if move.broken:
                parents.setdefault(move.state, (state, move.label))
                story = (*_story(parents, state), move.label)
                return Finding(scenario.name, protocol.name, len(parents), move.broken, story)
            if move.state not in parents:
                parents[move.state] = (state, move.label)
                queue.append(move.state)
        if len(parents) > most:
            raise AssertionError(f"{scenario.name}: more than {most:,} states; it does not close")
    return Finding(scenario.name, protocol.name, len(parents))


def _found(
    scenario: Scenario,
    protocol: Protocol,
    parents: dict[State, tuple[State, str] | None],
    state: State,
    broken: str,
) -> Finding:
    return Finding(
        scenario.name,
        protocol.name,
        len(parents),
        broken,
        (*_story(parents, state), "people stop; runs go on undisturbed"),
    )


def _story(parents: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    steps: list[str] = []
    here = parents[state]
    while here is not None:
        before, label = here
        if label:
            steps.append(label)
        here = parents[before]
    return tuple(reversed(steps))


class _Rest:
    """What becomes of a state when people stop and nothing fails any more."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[State, str] = {}

    def broken(self, state: State) -> str:
        """Return what is wrong with how a state settles; '' when nothing is.

        Only states without a run are asked: a run under way may die, which is one of them.
        """
        if state.worker != IDLE:
            return ""
        path: list[State] = []
        for _ in range(RUNS):
            if state in self._known:
                return self._keep(path, self._known[state])
            path.append(state)
            after, wrote, broken = self._undisturbed(state)
            if broken:
                return self._keep(path, broken)
            if after == state:
                verdict = "a run writes although nothing changed" if wrote else self._judged(state)
                return self._keep(path, verdict)
            state = after
        return f"nothing is settled after {RUNS} undisturbed runs"

    def _keep(self, path: list[State], verdict: str) -> str:
        self._known.update(dict.fromkeys(path, verdict))
        return verdict

    def _undisturbed(self, state: State) -> tuple[State, bool, str]:
        wrote = False
        move = self._first(state)
        for _ in range(MOST_STEPS):
            wrote = wrote or move.wrote
            if move.broken or move.state.worker == IDLE:
                return move.state, wrote, move.broken
            move = next(self._model.steps(move.state))
        return move.state, wrote, "a run does not come to its end"

    def _first(self, state: State) -> Move:
        return next(self._model.steps(state._replace(worker=("read", 0))))

    def _judged(self, state: State) -> str:
        """Say what is wrong at rest: sides that differ unheld, or something typed and unheard."""
        link = self._model.links.link(state.link)
        if link.holds or link.quarantine is not None:
            return ""
        taking = [it for it in state.records if it.takes_part]
        company = {it.side for it in taking}
        if company != set(Side) or _ambiguous(self._model, state):
            return ""
        told = [it for it in taking if it.kind.value != "Contact"]
        if len({it.value for it in taking}) > 1 and {it.side for it in told} == set(Side):
            return "both sides rest, and differ"
        unheard = [
            it
            for it, mark in zip(state.records, state.marks, strict=True)
            if mark.fate == PENDING and it.takes_part and {t.side for t in told} == set(Side)
        ]
        return f"{unheard[0].value!r} was typed and never heard" if unheard else ""


def _ambiguous(model: Model, state: State) -> bool:
    leads = [it for it in state.records if it.kind.value == "Lead" and it.takes_part]
    return len(leads) > 1 and model.scenario.duplicates.value != "mirror"
