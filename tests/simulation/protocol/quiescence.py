"""What becomes of a state when people stop and nothing fails any more."""

from __future__ import annotations

from typing import Final

from connector.mapping import DuplicatePolicy
from connector.model import RecordKind, Side
from tests.simulation.protocol.canonical import State
from tests.simulation.protocol.model import Model
from tests.simulation.protocol.run import Move
from tests.simulation.protocol.system_states import PENDING

RUNS: Final = 6
"""Undisturbed runs within which everything must have settled: three that work (invariant 1), and
one more where an earlier one only judged what a dead run had left."""
MOST_STEPS: Final = 40
"""Steps of one undisturbed run; it takes 3 passes of at most 8."""


class Quiescence:
    """Says how states without a run settle."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[State, tuple[str, int]] = {}
        self._firsts: dict[State, Move] = {}

    def note(self, state: State, first: Move) -> None:
        """Keep what an undisturbed run does first in a state, so that it is worked out once."""
        self._firsts[state] = first

    def broken(self, state: State) -> str:
        """Return what is wrong with how a state settles; '' when nothing is."""
        path: list[State] = []
        while state not in self._known:
            path.append(state)
            if len(path) > RUNS:
                return self._keep(path, f"nothing is settled after {RUNS} undisturbed runs", 0)
            after, wrote, broken = self._undisturbed(state)
            if broken:
                return self._keep(path, broken, 0)
            if after == state:
                verdict = "a run writes although nothing changed" if wrote else self._judged(state)
                return self._keep(path, verdict, 0)
            state = after
        verdict, runs = self._known[state]
        return self._keep(path, verdict, runs)

    def _keep(self, path: list[State], verdict: str, runs: int) -> str:
        """Keep the verdict on every state of a path that ends `runs` runs before it settles."""
        for back, state in enumerate(reversed(path), 1):
            late = runs + back > RUNS and not verdict
            said = f"nothing is settled after {RUNS} undisturbed runs" if late else verdict
            self._known[state] = (said, runs + back)
        return self._known[path[0]][0] if path else verdict

    def _undisturbed(self, state: State) -> tuple[State, bool, str]:
        wrote = False
        for _ in range(MOST_STEPS):
            move = self._firsts.get(state)
            if move is None:
                move = self._firsts[state] = next(self._model.steps(state))
            wrote = wrote or move.wrote
            state = move.state
            if move.broken or self._model.is_idle(state):
                return state, wrote, move.broken
        return state, wrote, "a run does not come to its end"

    def _judged(self, state: State) -> str:
        """Say what is wrong at rest: sides that differ unheld, or something typed and unheard."""
        link, world = self._model.link(state), self._model.world(state)
        if link.holds or link.quarantine is not None:
            return ""
        taking = [it for it in world.records if it.takes_part]
        company = {it.side for it in taking}
        if company != set(Side) or self._is_ambiguous(state):
            return ""
        told = [it for it in taking if it.kind is not RecordKind.CONTACT]
        if len({it.value for it in told}) > 1 and {it.side for it in told} == set(Side):
            return "both sides rest, and differ"
        unheard = [
            it
            for it, mark in zip(world.records, world.marks, strict=True)
            if mark.fate == PENDING and it.takes_part and {t.side for t in told} == set(Side)
        ]
        return f"{unheard[0].value!r} was typed and never heard" if unheard else ""

    def _is_ambiguous(self, state: State) -> bool:
        records = self._model.world(state).records
        leads = [it for it in records if it.kind is RecordKind.LEAD and it.takes_part]
        return len(leads) > 1 and self._model.scenario.duplicates is not DuplicatePolicy.MIRROR
