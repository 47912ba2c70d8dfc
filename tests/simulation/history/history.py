"""Run one history: user actions, runs and faults; then the final check without faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from local.world.both_sides import REFUSED_ACTION_ERRORS, BothSides
from local.world.simulated_stack import UnexpectedDefectError
from tests.simulation.history.admin_actions import AdminActions
from tests.simulation.history.context import HistoryContext
from tests.simulation.history.events import OTHER_PLACES, USER_ACTIONS, Event, EventList
from tests.simulation.history.incidents import Incidents
from tests.simulation.history.invocations import Invocations
from tests.simulation.history.oracle import GuaranteeViolatedError
from tests.simulation.history.ports import HistoryPorts, MakePorts, memory_ports
from tests.simulation.history.quiescence import QuiescenceCheck
from tests.simulation.history.user_actions import UserActions

SECONDS_BETWEEN_EVENTS: Final = 7
USER_KINDS: Final = frozenset(kind for kind, _ in USER_ACTIONS)
TENS, HUNDREDS = 20, 200
RUNS: Final = ("run", "full_run", "selected_run", "hint", "dry_run")
UNEXPECTED_EXCEPTION: Final = "0 no unexpected exception"
"""The guarantee that an exception out of the connector violates."""


@dataclass
class HistoryResult:
    """The result of a history.

    `violation` is the violated guarantee with its details; '' if every guarantee holds.
    `excused` counts how often each excuse of `excuses` was used.
    """

    violation: str = ""
    trace_hash: str = ""
    log: list[str] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)

    @property
    def guarantee(self) -> str:
        """The number and the name of the violated guarantee; '' if every guarantee holds."""
        return self.violation.partition(":")[0]

    @property
    def is_unexpected_exception(self) -> bool:
        """Whether the history ended in an exception of the code, not in a failed check."""
        return self.guarantee == UNEXPECTED_EXCEPTION


class History:
    """One history of the whole system."""

    def __init__(self, sides: BothSides, events: EventList, ports: HistoryPorts) -> None:
        self.context = HistoryContext(sides, events, ports)
        self._incidents = Incidents(self.context)
        self._invocations = Invocations(self.context, self.apply)
        self._admin = AdminActions(self.context, self._invocations)
        users = UserActions(self.context)
        self._handlers = (users, self._incidents, self._invocations, self._admin)

    def run(self) -> None:
        """Apply all events, then run the final check. Raises `GuaranteeViolatedError`."""
        people = len({it.person for it in self.context.events.events if it.kind == "create"})
        self.context.counted["population: tens"] += people >= TENS
        self.context.counted["population: hundreds"] += people >= HUNDREDS
        for event in self.context.events.events:
            versions = self.context.versions
            newest = versions if event.kind == "redeliver" else versions[-1:]
            self.context.oracle.mappings[:] = newest
            self.apply(event)
            self.context.sides.clock.advance(SECONDS_BETWEEN_EVENTS)
        check = QuiescenceCheck(self.context, self._invocations, self._admin)
        check.run(password_was_reset=self._incidents.password_was_reset)

    def apply(self, event: Event) -> None:
        """Apply one event. An action that a side refuses has no effect."""
        name = f"do_{event.kind}"
        handle = next(getattr(it, name) for it in self._handlers if hasattr(it, name))
        self.context.counted[f"act {event.kind}"] += 1
        self.context.counted[f"act in a {event.side}"] += event.side in OTHER_PLACES
        try:
            handle(event)
        except REFUSED_ACTION_ERRORS as refused:
            self.context.trace.add(f"{event.kind} refused: {type(refused).__name__}")
            self.context.counted[f"refused {event.kind}"] += 1
        if event.kind in USER_KINDS:
            self.context.look()
        places = {place for person, place in self.context.records if person == event.person}
        if places & {"duplicate", "second contact"} and event.kind.startswith("create"):
            self.context.counted["several records of one address"] += 1


def run_history(
    sides: BothSides, events: EventList, make_ports: MakePorts = memory_ports
) -> HistoryResult:
    """Run a history. A violated guarantee is not raised: the result names it."""
    history = History(sides, events, make_ports(events))
    violation = ""
    try:
        history.run()
    except GuaranteeViolatedError as error:
        violation = str(error)
    except (Exception, UnexpectedDefectError) as error:  # noqa: BLE001  # each one is a finding
        violation = f"{UNEXPECTED_EXCEPTION}: {type(error).__name__}: {error}"
    context = history.context
    return HistoryResult(
        violation,
        context.trace.hash(),
        context.log,
        context.counted + context.stack.fault_injector.injected,
        context.oracle.checked,
        context.oracle.excused,
    )


def shrink(sides: BothSides, events: EventList, guarantee: str) -> EventList:
    """Remove events as long as the same guarantee stays violated."""
    for fewer in _with_less(list(events.events)):
        candidate = replace(events, events=tuple(fewer))
        if run_history(sides, candidate).guarantee == guarantee:
            return shrink(sides, candidate, guarantee)
    return events


def _with_less(events: list[Event]) -> Iterator[list[Event]]:
    """Yield the list without one event, without one event's nested events, without one crash."""
    for place in range(len(events)):
        yield events[:place] + events[place + 1 :]
    for place, event in enumerate(events):
        if event.nested:
            yield [*events[:place], replace(event, nested=()), *events[place + 1 :]]
        if event.value and event.kind in RUNS:
            yield [*events[:place], replace(event, value=0), *events[place + 1 :]]
