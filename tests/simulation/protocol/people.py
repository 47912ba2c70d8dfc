"""What people do: type, clear, touch another field, create, delete, undelete, convert."""

from __future__ import annotations

from collections.abc import Iterator

from connector.model import RecordKind, Value
from tests.simulation.protocol.records import NAMES, SUCCESSOR, Record
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import HEARD, PENDING, UNHEARD, EditMark, SystemState


def people(scenario: Scenario, world: SystemState) -> Iterator[tuple[str, SystemState]]:
    """Yield what people may do now, and the world after it."""
    for place, it in enumerate(world.records):
        if it.deleted or it.converted:
            continue
        where = f"{NAMES[it.side]} ({it.id})"
        for word in scenario.words:
            if word != it.value:
                said = "clears the field" if word is None else f"types {word}"
                yield f"somebody {said} in {where}", _typed(scenario, world, place, word)
        if scenario.touches:
            touched = _moved(scenario, world, it)
            after = world.with_record(place, touched, world.marks[place])
            yield f"somebody edits another field in {where}", after
    for chance in world.chances:
        happened = _chance(scenario, world, chance)
        if happened is not None:
            yield f"somebody does: {chance}", happened.heard()


def _moved(scenario: Scenario, world: SystemState, it: Record) -> Record:
    """Return a record after somebody, or something, has written to it."""
    return it._replace(version=it.version + 1, stamp=world.later() if scenario.clocks else 0)


def _typed(scenario: Scenario, world: SystemState, place: int, word: Value) -> SystemState:
    after = _moved(scenario, world, world.records[place])._replace(value=word)
    mark = world.marks[place]
    unsaid = word is None and mark.kept == UNHEARD  # a blank says nothing to strangers
    fate = HEARD if word == mark.kept or unsaid else PENDING
    return world.with_record(place, after, mark.with_fate(fate)).heard()


def _chance(scenario: Scenario, world: SystemState, chance: str) -> SystemState | None:
    """Return the world after what may happen once; None where it may not happen now."""
    verb, _, target = chance.partition(" ")
    left = world._replace(chances=tuple(it for it in world.chances if it != chance))
    place = world.place(target)
    if verb == "add":
        if place is not None:
            return None
        kind = RecordKind.PLEZI_CONTACT if target == "p" else RecordKind.LEAD
        return left.with_new(Record(kind, target, "b"), EditMark(PENDING))
    if verb == "convert":
        leads = (n for n, it in enumerate(world.records) if it.kind is RecordKind.LEAD)
        place = next(leads, None)
    if place is None:
        return None
    it, mark = world.records[place], world.marks[place]
    moved = _moved(scenario, world, it)
    silent = mark.with_fate(HEARD)
    match verb:
        case "delete" if not it.deleted:
            return left.with_record(place, moved._replace(deleted=True), silent)
        case "undelete" if it.deleted:
            return left.with_record(place, moved._replace(deleted=False), silent)
        case "convert" if not it.deleted and not it.converted:
            contact = Record(RecordKind.CONTACT, SUCCESSOR, it.value, stamp=moved.stamp)
            left = left.with_record(place, moved._replace(converted=True), silent)
            return left.with_new(contact, mark)
    return None
