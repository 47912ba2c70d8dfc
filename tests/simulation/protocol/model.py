"""The model: users who edit, a run that may crash between any two steps, and lost responses.

One state is three numbers: of the system state (what both sides store, and the status of each
edit), of the link as stored, and of the worker (the position of the run).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from connector.model import Link
from connector.planning.observation import apply_observation
from tests.simulation.protocol.canonical import Canonicalizer, State
from tests.simulation.protocol.holds import choice_of
from tests.simulation.protocol.mapping_changes import mapping_changes
from tests.simulation.protocol.records import EMAIL, LEAD_FIELD, base_key
from tests.simulation.protocol.run import Run, Step
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import (
    DELIVERED,
    PENDING,
    EditMark,
    SystemState,
    SystemStateInterner,
)
from tests.simulation.protocol.user_actions import Overwriting, overwriting, user_actions
from tests.simulation.protocol.variants import SOUND, Protocol
from tests.simulation.protocol.workers import NO_LINK


class Model:
    """All transitions from a state."""

    def __init__(
        self, scenario: Scenario, protocol: Protocol = SOUND, *, symmetric: bool = False
    ) -> None:
        """Take a scenario. `symmetric`: states that differ only in typed values are one state."""
        self.scenario = scenario
        self.protocol = protocol
        self.systems = SystemStateInterner()
        self.run = Run(scenario, protocol, self.systems)
        self.links = self.run.links
        self.workers = self.run.workers
        self._canonical = Canonicalizer(
            self.systems, self.links, self.workers, symmetric=symmetric and scenario.symmetric
        )
        self._user_actions: dict[
            tuple[int, Overwriting, bool], tuple[tuple[str, ...], tuple[int, ...]]
        ] = {}

    def start(self) -> State:
        """Return the first state: linked and agreed, or records that a first run will match."""
        records = self.scenario.records
        link = Link(EMAIL)
        marks = tuple(EditMark(DELIVERED if it.value is None else PENDING) for it in records)
        if self.scenario.linked:
            for it in records:
                link = apply_observation(link, it.observation())
            base = {it.id: {base_key(it.kind): it.value} for it in records}
            link = replace(link, base=base, dirty=False)
            marks = tuple(EditMark(DELIVERED, it.value) for it in records)
        system = SystemState(records, marks, self.scenario.one_time_events)
        return self._canonical.state(
            self.systems.number(system), self.links.number(link), self.run.idle
        )

    def is_idle(self, state: State) -> bool:
        """Whether no run is in progress."""
        return state[2] == self.run.idle

    def system(self, state: State) -> SystemState:
        """Return the state of both systems."""
        return self.systems.objects[state[0]]

    def link(self, state: State) -> Link:
        """Return the link as it is stored."""
        return self.links.objects[state[1]]

    def after_user_actions(self, state: State) -> list[State]:
        """Return the state after each possible user action."""
        return self._canonical.states(self._actions(state)[1], state[1], state[2])

    def user_action_labels(self, state: State) -> tuple[str, ...]:
        """Return the labels of the possible user actions, in the order of their states."""
        return self._actions(state)[0]

    def _actions(self, state: State) -> tuple[tuple[str, ...], tuple[int, ...]]:
        system = state[0]
        unfinished = overwriting(self.links.objects[state[1]])
        idle = self.is_idle(state)
        known = self._user_actions.get((system, unfinished, idle))
        if known is None:
            before = self.systems.objects[system]
            actions = list(user_actions(self.scenario, before, unfinished))
            actions += mapping_changes(before) if idle else ()
            labels = tuple(label for label, _ in actions)
            known = (labels, tuple(self.systems.number(after) for _, after in actions))
            self._user_actions[system, unfinished, idle] = known
        return known

    def choices(self, state: State) -> list[tuple[str, State]]:
        """Return each possible choice of an admin for a held field, with the state after it.

        A choice of a value that nobody typed is refused (`choose_record_value`). A worker that
        loaded the link before can no longer store what it decided.
        """
        if not self.scenario.choices:
            return []
        _, link, worker = state
        held = self.links.objects[link].holds.get(LEAD_FIELD)
        position = self.workers.objects[worker]
        if position.held != NO_LINK:
            position = position._replace(is_outdated=True)
        outcomes = []
        for record in sorted(held.values) if held is not None else ():
            chosen = self.run.after_choice(link, record)
            if chosen is None:
                continue
            made = self.system(state)._replace(choice=choice_of(self.links.objects[chosen]))
            after = (self.systems.number(made), chosen, self.workers.number(position))
            label = f"an admin chooses the value of {record}"
            outcomes.append((label, self._canonical.state(*after)))
        return outcomes

    def steps(self, state: State) -> Iterator[Step]:
        """Yield the possible next steps of a run (an idle state: its start), one per outcome."""
        system, link, worker = state
        idle = worker == self.run.idle
        for step in self.run.steps((system, link, self.run.started) if idle else state):
            label = f"a run starts: {step.label}" if idle else step.label
            yield Step(label, self._canonical.state(*step.state), step.wrote, step.violation)

    def may_crash(self, state: State) -> bool:
        """Whether a run is in progress."""
        return not self.is_idle(state)

    def after_crash(self, state: State) -> State:
        """Return the state after the run crashed: what it held in memory is lost."""
        return self._canonical.state(state[0], state[1], self.run.idle)
