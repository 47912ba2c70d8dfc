"""Play one history: people, runs and bad fault_injector; then peace, and what must hold in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from local.world.both_sides import REFUSALS, BothSides
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue
from tests.simulation.history.actor import Actor
from tests.simulation.history.events import Event, EventList, mapping
from tests.simulation.history.incidents import Incidents
from tests.simulation.history.invocations import Invocations
from tests.simulation.history.oracle import GuaranteeViolatedError
from tests.simulation.history.people import People
from tests.simulation.history.quiescence import Quiescence

BETWEEN_EVENTS: Final = 7
"""Seconds."""
RUNS: Final = ("run", "full", "selected", "hint")
Ports = Callable[[], dict[str, Any]]


@dataclass
class Outcome:
    """What a history came to."""

    broken: str = ""
    trace: str = ""
    story: list[str] = field(default_factory=list)
    fault_injector: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    window: int = 0


class History:
    """One history in the world."""

    def __init__(self, sides: BothSides, story: EventList, make: Ports) -> None:
        self.scene = Actor(sides, story, make)
        self._adversity = Incidents(self.scene)
        self._invocations = Invocations(self.scene, self.apply)
        self._hands = (People(self.scene), self._adversity, self._invocations)

    def play(self) -> None:
        """Let everything happen, then peace. Raises `BrokenPromiseError`."""
        for event in self.scene.story.events:
            self.apply(event)
            self.scene.sides.clock.advance(BETWEEN_EVENTS)
        Quiescence(self.scene, self._invocations).check(password_due=self._adversity.password_due)

    def apply(self, event: Event) -> None:
        """Let one event happen; what people cannot do, they are told, and it did not happen."""
        verb = f"do_{event.what}"
        action = next(getattr(hand, verb) for hand in self._hands if hasattr(hand, verb))
        try:
            action(event)
        except REFUSALS as refused:
            self.scene.trace.add(f"{event.what} refused: {type(refused).__name__}")


def in_memory(story: EventList) -> Ports:
    """Return what makes the ports in memory."""

    def make() -> dict[str, Any]:
        return {
            "ledger": MemoryLedger(),
            "journal": MemoryJournal(),
            "inbox": MemoryRunQueue(),
            "configuration": MemoryMappings(mapping(story.policies)),
        }

    return make


def play(sides: BothSides, story: EventList, make: Ports | None = None) -> Outcome:
    """Play a story; never raises for a broken promise: the outcome names it."""
    history = History(sides, story, make or in_memory(story))
    broken = ""
    try:
        history.play()
    except GuaranteeViolatedError as error:
        broken = str(error)
    except Exception as error:  # noqa: BLE001  # any error of ours is a finding, with its story
        broken = f"0 no error unforeseen: {type(error).__name__}: {error}"
    scene = history.scene
    return Outcome(
        broken,
        scene.trace.hash(),
        scene.words,
        scene.counted + scene.connected.fault_injector.struck,
        scene.oracle.checked,
        sum(scene.oracle.window.values()),
    )


def shortened(sides: BothSides, story: EventList, broken: str) -> EventList:
    """Drop events as long as the same promise stays broken."""
    kind = broken.partition(":")[0]
    events = list(story.events)
    for smaller in _smaller(events):
        candidate = replace(story, events=tuple(smaller))
        if play(sides, candidate).broken.partition(":")[0] == kind:
            return shortened(sides, candidate, broken)
    return story


def _smaller(events: list[Event]) -> Iterator[list[Event]]:
    for place in range(len(events)):
        yield events[:place] + events[place + 1 :]
    for place, event in enumerate(events):
        if event.more:
            yield [*events[:place], replace(event, more=()), *events[place + 1 :]]
        if event.value and event.what in RUNS:
            yield [*events[:place], replace(event, value=0), *events[place + 1 :]]
