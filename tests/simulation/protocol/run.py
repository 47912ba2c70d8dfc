"""The steps of one run in the model, as `connector.engine` takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from connector.mapping import BoundMapping
from connector.matching import gather
from connector.model import NEW_RECORD, Intent, Kind, Link, Side, Value, Write
from connector.plan import Outcome, Plan, Result, fold, forget, plan, record, refreshed
from tests.simulation.protocol.model import (
    HEARD,
    IDLE,
    JOURNALLED,
    PASSES,
    PENDING,
    LinkNumber,
    Mark,
    Move,
    State,
    agreed,
    heard,
    kept,
    value_field,
)
from tests.simulation.protocol.records import URL_FIELD, Record

if TYPE_CHECKING:
    from tests.simulation.protocol.model import Model

READ, LOAD, LOOK, APPLY, RECORD = "read", "load", "look", "apply", "record"
NAMES: Final = {Side.PLEZI: "Plezi", Side.SALESFORCE: "Salesforce"}
Answer = tuple[str, Result, str, tuple[Record, ...]]
"""The record of a write, what became of it, the record that answered, and what it showed."""


def steps(model: Model, state: State) -> Iterator[Move]:
    """Yield what the run may do next.

    Two things that touch the world stand in one step only where nothing can tell the difference: a
    reading and the put that keeps it, the last look and the intent that rests on it.
    """
    match state.worker:
        case ("read", int(number)):
            yield _read(model, state, number)
        case ("load", int(passes)):
            yield from _load(model, state, passes)
        case ("look", int(passes), LinkNumber() as held):
            yield _intend(model, state, passes, _look(model, state, Side.SALESFORCE, held))
        case ("apply", int(passes), Side() as side, LinkNumber() as held, tuple(answers)):
            yield from _apply(model, state, passes, side, held, answers)
        case ("record", int(passes), LinkNumber() as held, tuple(answers)):
            yield _record(model, state, passes, held, answers)


def _read(model: Model, state: State, number: int) -> Move:
    """Read one kind of record, and keep what was read."""
    kind = model.kinds[number]
    page = tuple(it for it in state.records if it.kind is kind)
    if kind is Kind.PLEZI_CONTACT:
        page = tuple(it for it in page if not it.deleted)  # Plezi lists no graves

    def folded() -> Link:
        link = model.links.link(state.link)
        for it in page:
            link = fold(link, it.observed())
        return link

    link = model.remembered(("fold", state.link, page), folded)
    worker = (READ, number + 1) if number + 1 < len(model.kinds) else (LOAD, 1)
    after = model.renumbered(state._replace(link=link, worker=worker))
    label = f"the run reads {NAMES[kind.side]} ({kind.value})"
    if worker[0] == READ or model.links.link(after.link).dirty:
        return Move(label, after)
    return Move(f"{label}; nothing to do", after._replace(worker=IDLE))


def _load(model: Model, state: State, passes: int) -> Iterator[Move]:
    link = model.links.link(state.link)
    if not link.dirty or passes > PASSES:
        yield Move("the run ends", model.renumbered(state._replace(worker=IDLE)))
        return
    first = plan(link, model.bound, now=0.0)
    if link.intent is None and not first.writes:
        yield _keep(model, state, first)
        return
    held = LinkNumber(state.link)
    looked = _look(model, state, Side.PLEZI, held)
    after = model.renumbered(state._replace(worker=(LOOK, passes, looked)))
    yield Move("the run finds work and looks again at Plezi", after)
    if model.scenario.fresh and link.intent is None and not _creates(first, Side.PLEZI):
        after = model.renumbered(state._replace(worker=(LOOK, passes, held)))
        yield Move("the run finds work; Plezi was read just now", after)


def _creates(planned: Plan, side: Side) -> bool:
    return any(it.creates and it.side is side for it in planned.writes)


def _keep(model: Model, state: State, planned: Plan) -> Move:
    """Keep what was adopted where nothing is to be written."""
    link = model.links.number(replace(planned.link, dirty=False, quarantine=None))
    before = model.links.link(state.link)
    after = _read_together(model, state._replace(link=link, worker=IDLE), planned.link, before)
    return Move("the run keeps what is agreed or held, and ends", model.renumbered(after))


def _look(model: Model, state: State, side: Side, held: LinkNumber) -> LinkNumber:
    """Read again, by id and by e-mail; what is not there any more is gone for certain."""
    seen = tuple(it for it in state.records if it.side is side)

    def looked() -> Link:
        link = model.links.link(held.number)
        known = {it.id for it in link.observations() if it.side is side}
        alive = [it for it in seen if not it.deleted]
        for it in alive:
            link = refreshed(link, it.observed())
        for gone in sorted(known - {it.id for it in alive}):
            link = forget(link, gone)
        return link

    return LinkNumber(model.remembered(("look", held.number, side, seen), looked))


def _intend(model: Model, state: State, passes: int, held: LinkNumber) -> Move:
    """Decide, journal the losers, and store the decision."""
    protocol = model.protocol
    before = model.links.link(state.link)
    decided = model.decided(held.number)
    if not decided.writes:
        return _keep(model, state, decided)
    marks = list(state.marks)
    for lost in decided.lost:
        for place, it in enumerate(state.records):
            named = it.id == lost.record and it.value == lost.value
            if named and marks[place].fate == PENDING and lost.line != URL_FIELD:
                marks[place] = marks[place].with_fate(JOURNALLED)
    intent = Intent("i", "r", 0.0, decided.writes, decided.settlements)
    link = replace(decided.link, intent=intent, dirty=True)
    mine = LinkNumber(model.links.number(link))
    stored = state.link
    if protocol.records_first:
        done = {it.record: Outcome(it, Result.DONE, it.record) for it in intent.writes}
        stored = model.links.number(record(link, "i", done, undisturbed=True, now=0.0))
    elif protocol.intends:
        stored = mine.number
    after = state._replace(
        link=stored,
        marks=tuple(marks),
        worker=(APPLY, passes, _first_side(intent), mine, ()),
    )
    if protocol.intends:
        after = _read_together(model, after, link, before)
    return Move(
        "the run looks again at Salesforce, and writes down what it will do",
        model.renumbered(after),
    )


def _first_side(intent: Intent) -> Side:
    sides = {it.side for it in intent.writes}
    return Side.SALESFORCE if Side.SALESFORCE in sides else Side.PLEZI


def _all_agreed(link: Link, before: Link, bound: BoundMapping) -> dict[str, Value]:
    """What each record says, where all of them were read to say the same.

    Some of it may have been read earlier: that on which an unfinished intent rested.
    """
    said = _said(link, bound)
    words = said if len(set(said.values())) == 1 and len(said) > 1 else {}
    now = {it.id: it.values.get(value_field(it.kind)) for it in link.observations()}
    for settlement in before.intent.settlements if before.intent is not None else ():
        meant = {record: word for record, (_, word) in settlement.words.items()}
        if NEW_RECORD in meant:  # whoever stands there now is taken for the one created
            made = _creating_side(before)
            found = next((it.id for it in link.observations() if it.side is made), NEW_RECORD)
            meant = {found if r == NEW_RECORD else r: word for r, word in meant.items()}
            needs = {found if r == NEW_RECORD else r for r in settlement.needs}
        else:
            needs = set(settlement.needs)
        if all(r in now and now[r] == meant[r] for r in needs):
            words = {**meant, **words}
    return words


def _creating_side(link: Link) -> Side | None:
    writes = link.intent.writes if link.intent is not None else ()
    return next((it.side for it in writes if it.creates), None)


def _said_across(link: Link, bound: BoundMapping) -> dict[str, Value]:
    """What each record says where some record of the other side was read to say the same."""
    said = _said(link, bound)
    sides = {(it.side, said[it.id]) for it in link.observations() if it.id in said}
    return {
        it.id: said[it.id]
        for it in link.observations()
        if it.id in said and (it.side.other, said[it.id]) in sides
    }


def _said(link: Link, bound: BoundMapping) -> dict[str, Value]:
    company = [it.seen for it in gather(link, bound.mapping).roles if it.seen is not None]
    return {it.id: it.values.get(value_field(it.kind)) for it in company}


def _read_together(model: Model, state: State, link: Link, before: Link) -> State:
    """Return the state after a run has kept what both sides were read to say."""
    everywhere = _all_agreed(link, before, model.bound)
    across = _said_across(link, model.bound)
    return kept(agreed(agreed(state, across), everywhere), everywhere)


def _apply(
    model: Model,
    state: State,
    passes: int,
    side: Side,
    held: LinkNumber,
    answers: tuple[Answer, ...],
) -> Iterator[Move]:
    """Send the writes of one side; the answer may be lost, before or after they are done."""
    intent = model.links.link(held.number).intent
    assert intent is not None
    writes = [it for it in intent.writes if it.side is side]

    def onward(now: State, more: tuple[Answer, ...]) -> State:
        both = (*answers, *more)
        if side is Side.SALESFORCE and any(it.side is Side.PLEZI for it in intent.writes):
            worker: tuple[object, ...] = (APPLY, passes, Side.PLEZI, held, both)
        else:
            worker = (RECORD, passes, held, both)
        return model.renumbered(now._replace(worker=worker))

    after, more, wrote, broken = _sent(model, state, intent, writes)
    where = NAMES[side]
    yield Move(f"the run writes to {where}", onward(after, more), wrote, broken)
    if not model.scenario.deaf:
        return
    deaf = tuple((it.record, Result.UNKNOWN, it.record, ()) for it in writes)
    unheard = f"the run writes to {where}, and the answer is lost"
    yield Move(unheard, onward(after, deaf), wrote, broken)
    yield Move(f"the run's call to {where} never arrives", onward(state, deaf))


def _sent(
    model: Model, state: State, intent: Intent, writes: list[Write]
) -> tuple[State, tuple[Answer, ...], bool, str]:
    answers = []
    wrote = False
    broken = ""
    for write in writes:
        state, answer, said = _done(model, state, write)
        answers.append(answer)
        if answer[1] is Result.DONE:
            told = _told(intent, write)
            state = kept(agreed(state, told), told)
        wrote = wrote or answer[1] is Result.DONE
        broken = broken or said
    return heard(state), tuple(answers), wrote, broken


def _told(intent: Intent, write: Write) -> dict[str, Value]:
    """What the records say whose word a write has carried over, and what the target says now."""
    return {
        record: word
        for it in intent.settlements
        if it.line != URL_FIELD and write.record in it.needs
        for record, (_, word) in it.words.items()
        if record == write.record or record not in it.needs
    }


def _done(model: Model, state: State, write: Write) -> tuple[State, Answer, str]:
    name = value_field(write.kind)
    value = write.values.get(name)
    if model.scenario.refused and value == model.scenario.refused and write.side is Side.SALESFORCE:
        return state, (write.record, Result.REJECTED, write.record, ()), ""
    if write.creates:
        return _created(state, write)
    place = next(n for n, it in enumerate(state.records) if it.id == write.record)
    target = state.records[place]
    moved = f"{target.version:02d}" != write.version
    if not target.takes_part or (moved and model.protocol.precondition):
        return state, (write.record, Result.STALE, write.record, ()), ""
    after = target._replace(
        value=value if name in write.values else target.value,
        url=target.url or URL_FIELD in write.values,
        version=target.version + 1,
        stamp=model._stamp(state),  # one model in two modules
    )
    mark = state.marks[place]
    broken = ""
    overwritten = after.value != target.value and mark.fate == PENDING
    if overwritten and not (moved and model.protocol.window):
        broken = f"{target.value!r}, typed in {NAMES[target.side]} ({target.id}), is lost"
    if name in write.values:
        mark = Mark(HEARD, after.value)  # written over, or typed by both
    shown = (after,) if write.side is Side.PLEZI else ()
    records = (*state.records[:place], after, *state.records[place + 1 :])
    marks = (*state.marks[:place], mark, *state.marks[place + 1 :])
    now = state._replace(records=records, marks=marks)
    return now, (write.record, Result.DONE, write.record, shown), broken


def _created(state: State, write: Write) -> tuple[State, Answer, str]:
    """Make a record; a Lead by upsert on the url, so that making it twice makes it once."""
    value = write.values.get(value_field(write.kind))
    if write.side is Side.PLEZI:
        if any(it.side is Side.PLEZI and not it.deleted for it in state.records):
            return state, (write.record, Result.STALE, "", ()), ""
        new = Record(write.kind, "p", value)
        rest = [(it, m) for it, m in zip(state.records, state.marks, strict=True) if it.id != "p"]
    else:
        twin = next((it for it in state.records if it.url and not it.deleted), None)
        if twin is not None:
            return state, (write.record, Result.STALE, "", ()), ""
        free = next(
            name for name in ("l1", "l2", "l3") if name not in {r.id for r in state.records}
        )
        new = Record(write.kind, free, value, url=True)
        rest = list(zip(state.records, state.marks, strict=True))
    both = sorted([*rest, (new, Mark(HEARD, value))], key=lambda it: it[0].id)
    now = state._replace(records=tuple(r for r, _ in both), marks=tuple(m for _, m in both))
    broken = "a second record is made" if _doubled(now, new) else ""
    return now, (write.record, Result.DONE, new.id, (new,)), broken


def _doubled(state: State, new: Record) -> bool:
    return new.side is Side.SALESFORCE and sum(it.url for it in state.records) > 1


def _record(
    model: Model, state: State, passes: int, held: LinkNumber, answers: tuple[Answer, ...]
) -> Move:
    """Record what the writes answered."""

    def recorded() -> Link:
        return _recorded(model, held, answers)

    number = model.remembered(("record", held.number, answers), recorded)
    if model.protocol.reads_again:
        number = model.links.number(_read_again(state, model.links.link(number)))
    if model.protocol.records_first:
        number = state.link
    wrote = any(result is Result.DONE for _, result, _, _ in answers)
    worker = (LOAD, passes + 1) if wrote and passes < PASSES else IDLE
    now = state._replace(link=number, worker=worker)
    return Move("the run records what it was answered", model.renumbered(now))


def _recorded(model: Model, held: LinkNumber, answers: tuple[Answer, ...]) -> Link:
    link = model.links.link(held.number)
    writes = {it.record: it for it in link.intent.writes} if link.intent is not None else {}
    outcomes = {}
    for about, result, told, shown in answers:
        write = writes[about]
        seen = shown[0].observed() if shown else None
        if seen is not None and write.creates and write.side is Side.SALESFORCE:
            seen = replace(seen, version="", modified="")  # its answer shows nothing but the id
        created = write.creates and result is Result.DONE
        outcomes[about] = Outcome(write, result, told, 0.0, created=created, seen=seen)
    after = record(link, "i", outcomes, undisturbed=True, now=0.0)
    if after.quarantine is not None:  # how often it was tried decides nothing
        after = replace(after, quarantine=replace(after.quarantine, tries=1))
    if after.intent is not None:  # in doubt or of a dead run: the next one judges it all the same
        return replace(after, intent=replace(after.intent, in_doubt=False))
    return after


def _read_again(state: State, link: Link) -> Link:
    """Make the base of what is there now, as a last reading would."""
    base = {}
    for it in state.records:
        if it.takes_part and it.id in link.records:
            link = link.with_observation(it.observed())
            name = value_field(it.kind)
            base[it.id] = {**link.base.get(it.id, {}), name: it.value}
    return replace(link, base=base, dirty=False)
