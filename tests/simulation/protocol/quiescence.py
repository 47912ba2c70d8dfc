"""The final check: how a state converges when user actions and faults stop."""

from __future__ import annotations

from typing import Final

from connector.mapping import DuplicatePolicy
from connector.model import Link, RecordKind, Side
from tests.simulation.protocol.canonical import State
from tests.simulation.protocol.holds import overdue_hold
from tests.simulation.protocol.model import Model
from tests.simulation.protocol.run import Step
from tests.simulation.protocol.system_states import PENDING, SystemState

MAX_RUNS: Final = 6
"""Runs without a fault within which a state must converge: three that may write, and one more if
an earlier run only recovered the intent of a crashed run."""
MAX_STEPS: Final = 40
"""Steps of one run without a fault; it takes 3 passes of at most 8."""
NOT_CONVERGED: Final = f"the sides have not converged after {MAX_RUNS} runs without a fault"


class QuiescenceCheck:
    """Checks how states without a run in progress converge."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[State, tuple[str, int]] = {}
        self._first_steps: dict[State, Step] = {}

    def add_first_step(self, state: State, step: Step) -> None:
        """Add the first step of a run without a fault, so that it is computed once."""
        self._first_steps[state] = step

    def violation(self, state: State) -> str:
        """Return the violation after a state has converged; '' if there is none."""
        path: list[State] = []
        while state not in self._known:
            path.append(state)
            if len(path) > MAX_RUNS:
                return self._store(path, NOT_CONVERGED, 0)
            after, wrote, violation = self._run_without_faults(state)
            if violation:
                return self._store(path, violation, 0)
            if after == state:
                result = (
                    "a run writes although nothing changed"
                    if wrote
                    else self._check_converged(state)
                )
                return self._store(path, result, 0)
            state = after
        result, runs = self._known[state]
        return self._store(path, result, runs)

    def _store(self, path: list[State], result: str, runs: int) -> str:
        """Store the result for each state of a path that ends `runs` runs before convergence."""
        for distance, state in enumerate(reversed(path), 1):
            too_late = runs + distance > MAX_RUNS and not result
            self._known[state] = (NOT_CONVERGED if too_late else result, runs + distance)
        return self._known[path[0]][0] if path else result

    def _run_without_faults(self, state: State) -> tuple[State, bool, str]:
        wrote = False
        for _ in range(MAX_STEPS):
            step = self._first_steps.get(state)
            if step is None:
                step = self._first_steps[state] = next(self._model.steps(state))
            wrote = wrote or step.wrote
            state = step.state
            if step.violation or self._model.is_idle(state):
                return state, wrote, step.violation
        return state, wrote, "a run does not end"

    def _check_converged(self, state: State) -> str:
        """Return the violation of a converged state: sides that differ, or a lost edit."""
        link, system = self._model.link(state), self._model.system(state)
        if self._model.scenario.names_rejected and (missing := self._missing_rest(link, system)):
            return missing
        if link.holds or link.quarantine is not None:
            return overdue_hold(link) if self._may_plan(system) else ""
        if not self._may_plan(system) or self._is_ambiguous(state):
            return ""
        participants = [it for it in system.records if it.is_participant]
        writable = [it for it in participants if it.kind is not RecordKind.CONTACT]
        on_both_sides = {it.side for it in writable} == set(Side)
        if len({it.value for it in writable}) > 1 and on_both_sides:
            return "both sides stay different"
        undelivered = [
            it
            for it, mark in zip(system.records, system.marks, strict=True)
            if mark.status == PENDING and it.is_participant and on_both_sides
        ]
        return f"{undelivered[0].value!r} was typed and never delivered" if undelivered else ""

    def _may_plan(self, system: SystemState) -> bool:
        """Whether both sides have a record that takes part, and the field is mapped."""
        sides = {it.side for it in system.records if it.is_participant and it.is_mapped}
        return sides == set(Side)

    def _missing_rest(self, link: Link, system: SystemState) -> str:
        """Return the violation if a refused value holds more than its field; '' if not."""
        leads = [it for it in system.records if it.kind is RecordKind.LEAD]
        if not leads:
            return "a refused value keeps a person out of Salesforce"
        if not all(it.url for it in leads):
            return "the rest of a refused write never arrives"
        rejected = self._model.scenario.rejected
        plezi = [it for it in system.records if it.side is Side.PLEZI]
        if link.quarantine is not None and all(it.value != rejected for it in plezi):
            return "a quarantine is not over although no value is refused"
        return ""

    def _is_ambiguous(self, state: State) -> bool:
        records = self._model.system(state).records
        leads = [it for it in records if it.kind is RecordKind.LEAD and it.is_participant]
        return len(leads) > 1 and self._model.scenario.duplicates is not DuplicatePolicy.MIRROR
