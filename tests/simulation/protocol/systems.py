"""How the two systems take a write, and whether something that a person typed is lost by it."""

from __future__ import annotations

from collections.abc import Iterable

from connector.model import Intent, Side, Value, Write
from connector.planning.outcome import WriteResult
from tests.simulation.protocol.agreement import told
from tests.simulation.protocol.records import NAMES, URL_FIELD, Record, value_field
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import HEARD, PENDING, EditMark, SystemState
from tests.simulation.protocol.weaker import Protocol
from tests.simulation.protocol.workers import Answer

Sent = tuple[SystemState, tuple[Answer, ...], str]
"""The world after some writes, what they answered, and what is wrong ('' where nothing is)."""


class Systems:
    """Salesforce and Plezi, as far as a run writes to them."""

    def __init__(self, scenario: Scenario, protocol: Protocol) -> None:
        self._scenario = scenario
        self._protocol = protocol

    def send(self, world: SystemState, intent: Intent, writes: Iterable[Write]) -> Sent:
        """Carry out the writes of one side, one after the other."""
        answers: list[Answer] = []
        broken = ""
        for write in writes:
            world, answer, wrong = self._written(world, write)
            answers.append(answer)
            if answer.result is WriteResult.DONE:
                words = told(intent, write)
                world = world.agreed(words).kept(words)
            broken = broken or wrong
        return world.heard(), tuple(answers), broken

    def _written(self, world: SystemState, write: Write) -> tuple[SystemState, Answer, str]:
        value = write.values.get(value_field(write.kind))
        refused = self._scenario.refused
        if refused and value == refused and write.side is Side.SALESFORCE:
            return world, Answer(write.record_id, WriteResult.REJECTED, write.record_id), ""
        if write.is_create:
            return self._created(world, write, value)
        place = world.place(write.record_id)
        assert place is not None
        target = world.records[place]
        moved = f"{target.version:02d}" != write.version
        if not target.takes_part or (moved and self._protocol.precondition):
            return world, Answer(write.record_id, WriteResult.STALE, write.record_id), ""
        return self._updated(world, place, write, excused=moved and self._protocol.window)

    def _updated(
        self, world: SystemState, place: int, write: Write, *, excused: bool
    ) -> tuple[SystemState, Answer, str]:
        """Write to a record; `excused`: what is overwritten was typed since our last reading."""
        name = value_field(write.kind)
        target = world.records[place]
        after = target._replace(
            value=write.values.get(name, target.value),
            url=target.url or URL_FIELD in write.values,
            version=target.version + 1,
            stamp=self._stamp(world),
        )
        mark = world.marks[place]
        broken = ""
        if after.value != target.value and mark.fate == PENDING and not excused:
            broken = f"{target.value!r}, typed in {NAMES[target.side]} ({target.id}), is lost"
        if name in write.values:
            mark = EditMark(HEARD, after.value)  # written over, or typed by both
        shown = after if write.side is Side.PLEZI else None  # Salesforce answers with the id alone
        answer = Answer(write.record_id, WriteResult.DONE, target.id, shown)
        return world.with_record(place, after, mark), answer, broken

    def _created(
        self, world: SystemState, write: Write, value: Value
    ) -> tuple[SystemState, Answer, str]:
        """Make a record; a Lead by upsert on the url, which writes to one that has it already."""
        if write.side is Side.PLEZI:
            if any(it.side is Side.PLEZI and not it.deleted for it in world.records):
                return world, Answer(write.record_id, WriteResult.STALE, ""), ""
            new = Record(write.kind, "p", value, stamp=self._stamp(world))
        else:
            twins = (n for n, it in enumerate(world.records) if it.url and not it.deleted)
            twin = next(twins, None)
            if twin is not None:
                return self._updated(world, twin, write, excused=False)
            free = (name for name in ("l1", "l2", "l3") if world.place(name) is None)
            new = Record(write.kind, next(free), value, stamp=self._stamp(world), url=True)
        after = world.with_new(new, EditMark(HEARD, value))
        doubled = new.side is Side.SALESFORCE and sum(it.url for it in after.records) > 1
        broken = "a second record is made" if doubled else ""
        return after, Answer(write.record_id, WriteResult.DONE, new.id, new), broken

    def _stamp(self, world: SystemState) -> int:
        return world.later() if self._scenario.clocks else 0
