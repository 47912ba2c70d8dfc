"""The model: people who type, a run that may die between any two steps, and answers that get lost.

One state holds what both sides hold, the link as stored, where the run stands, and what people have
typed that nobody has heard yet. Everything that decides is the connector's own: `fold`, `judge`,
`refreshed`, `forget`, `plan`, `record` (and with them `gather` and `settle`). What is modelled here
is the shell around them, one step between two things that outlive a crash.

Versions and stamps are only ever compared, so that after each step they are numbered anew from
zero: that is what makes the space of states finite although people may type for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from connector.mapping import Duplicates, Policy
from connector.model import Kind, Link, Side, Value
from connector.plan import Plan, fold
from tests.simulation.protocol.records import (
    EMAIL,
    LEAD_FIELD,
    PLEZI_FIELD,
    WORDS,
    Links,
    Record,
    Stamps,
    Versions,
    bound,
    reworded,
)
from tests.simulation.protocol.weaker import SOUND, Protocol

PASSES: Final = 3
"""As the engine: a record that was created first needs a second look."""
HEARD, PENDING, JOURNALLED = 0, 1, 2
"""What has become of a value that a person typed: it reached the other side, it did not yet, or the
journal names it as one that gives way."""
UNHEARD: Final = "~"
"""What a record agreed to that never agreed to anything."""
IDLE: Final = ("idle",)

Worker = tuple[object, ...]


class Mark(NamedTuple):
    """What has become of what a record says, and what it last agreed to, as a run could know it.

    A value typed and taken back before a run told it to the other side, or saw it there, is not an
    edit, for us as for Unison.
    """

    fate: int = HEARD
    kept: Value = UNHEARD

    def with_fate(self, fate: int) -> Mark:
        """Return the mark with another fate."""
        return Mark(fate, self.kept)


class State(NamedTuple):
    """One moment. `marks` stand beside `records`; `chances` are things that may happen once."""

    records: tuple[Record, ...]
    link: int
    worker: Worker
    marks: tuple[Mark, ...]
    chances: tuple[str, ...]


class Move(NamedTuple):
    """One step: what happened, the state after it, whether the run wrote, and what is wrong."""

    label: str
    state: State
    wrote: bool = False
    broken: str = ""


@dataclass(frozen=True)
class Scenario:
    """Where the story begins, and what may happen in it.

    `words` are what people type. `chances` may happen once each: `add l2`, `delete p`, `delete l1`,
    `undelete l1`, `convert`. `refused` is a value that Salesforce does not take. `touches`: people
    also edit other fields, which moves a version and no value. `clocks`: the policy compares stamps
    of both sides. `deaf`: answers get lost while the run goes on; without it only runs die, which
    is the same wherever a run makes one write. `fresh`: Plezi is not always looked at again, if it
    was read within the minute.
    """

    name: str
    records: tuple[Record, ...]
    policy: Policy = Policy.SALESFORCE_WINS
    words: tuple[Value, ...] = WORDS
    chances: tuple[str, ...] = ()
    duplicates: Duplicates = Duplicates.MIRROR
    linked: bool = True
    with_url: bool = False
    touches: bool = True
    deaf: bool = True
    fresh: bool = True
    refused: Value = field(default="", kw_only=True)

    @property
    def clocks(self) -> bool:
        return self.policy is Policy.NEWEST


class Model:
    """All moves from a state."""

    def __init__(
        self, scenario: Scenario, protocol: Protocol = SOUND, *, symmetric: bool = False
    ) -> None:
        self.symmetric = symmetric and not scenario.refused
        self.scenario = scenario
        self.protocol = protocol
        self.links = Links()
        self.bound = bound(scenario.policy, scenario.duplicates, with_url=scenario.with_url)
        self.kinds = tuple(
            kind
            for kind in Kind
            if kind is not Kind.CONTACT
            or "convert" in scenario.chances
            or any(it.kind is kind for it in scenario.records)
        )
        self._memory: dict[tuple[object, ...], int] = {}
        self._decided: dict[int, Plan] = {}
        self._ordered = list(WORDS)

    def start(self) -> State:
        """Return the first state: linked and agreed, or strangers that a first run will meet."""
        records = self.scenario.records
        link = Link(EMAIL)
        marks = tuple(Mark(HEARD if it.value is None else PENDING) for it in records)
        if self.scenario.linked:
            for it in records:
                link = fold(link, it.observed())
            base = {
                it.id: {n: v for n, v in it.observed().values.items() if n != "url"}
                for it in records
            }
            link = replace(link, base=base, dirty=False)
            marks = tuple(Mark(HEARD, it.value) for it in records)
        return self.renumbered(
            State(records, self.links.number(link), IDLE, marks, self.scenario.chances)
        )

    def moves(self, state: State) -> Iterator[Move]:
        """Yield everything that may happen next."""
        yield from self.people(state)
        if state.worker == IDLE:
            for move in self.steps(state._replace(worker=("read", 0))):
                yield move._replace(label=f"a run begins: {move.label}")
            return
        yield Move("the run dies", self.renumbered(state._replace(worker=IDLE)))
        yield from self.steps(state)

    # People

    def people(self, state: State) -> Iterator[Move]:
        """Yield what people may do now: type, touch another field, and each chance that is left."""
        for place, it in enumerate(state.records):
            if it.deleted or it.converted:
                continue
            where = f"{it.kind.side.value.capitalize()} ({it.id})"
            for word in self.scenario.words:
                if word != it.value:
                    said = "clears the field" if word is None else f"types {word}"
                    yield Move(f"somebody {said} in {where}", self._typed(state, place, word))
            if not self.scenario.touches:
                continue
            touched = it._replace(version=it.version + 1, stamp=self._stamp(state))
            after = self.renumbered(_with_record(state, place, touched, state.marks[place]))
            yield Move(f"somebody edits another field in {where}", after)
        for chance in state.chances:
            happened = self._chance(state, chance)
            if happened is not None:
                yield Move(f"somebody does: {chance}", self.renumbered(heard(happened)))

    def _typed(self, state: State, place: int, word: Value) -> State:
        it = state.records[place]
        after = it._replace(value=word, version=it.version + 1, stamp=self._stamp(state))
        mark = state.marks[place]
        unsaid = word is None and mark.kept == UNHEARD  # a blank says nothing to strangers
        fate = HEARD if word == mark.kept or unsaid else PENDING
        return self.renumbered(heard(_with_record(state, place, after, mark.with_fate(fate))))

    def _chance(self, state: State, chance: str) -> State | None:
        verb, _, target = chance.partition(" ")
        left = state._replace(chances=tuple(it for it in state.chances if it != chance))
        found = next((n for n, it in enumerate(state.records) if it.id == target), None)
        if verb == "add":
            kind = Kind.PLEZI_CONTACT if target == "p" else Kind.LEAD
            return (
                None
                if found is not None
                else _added(left, Record(kind, target, "b"), Mark(PENDING))
            )
        if verb == "convert":
            found = next((n for n, it in enumerate(state.records) if it.kind is Kind.LEAD), None)
        if found is None:
            return None
        it = state.records[found]
        moved = it._replace(version=it.version + 1, stamp=self._stamp(state))
        silent = state.marks[found].with_fate(HEARD)
        match verb:
            case "delete" if not it.deleted:
                return _with_record(left, found, moved._replace(deleted=True), silent)
            case "undelete" if it.deleted:
                return _with_record(left, found, moved._replace(deleted=False), silent)
            case "convert" if not it.deleted and not it.converted:
                mark = state.marks[found]
                left = _with_record(left, found, moved._replace(converted=True), silent)
                contact = Record(Kind.CONTACT, "c", it.value, stamp=moved.stamp)
                return heard(_added(left, contact, mark))
        return None

    def _stamp(self, state: State) -> int:
        if not self.scenario.clocks:
            return 0
        known = self.links.spoken(state.link)[1]
        return 1 + max((*(it.stamp for it in state.records), *known), default=0)

    def steps(self, state: State) -> Iterator[Move]:
        """Yield what the run may do next: one move for each way in which a call can go."""
        from tests.simulation.protocol.run import steps  # noqa: PLC0415  # the run knows the model

        return steps(self, state)

    def remembered(self, key: tuple[object, ...], make: Callable[[], Link]) -> int:
        """Return the number of a link that depends on nothing but the key."""
        known = self._memory.get(key)
        if known is None:
            known = self._memory[key] = self.links.number(make())
        return known

    def decided(self, number: int) -> Plan:
        """Return what the protocol decides about a link."""
        known = self._decided.get(number)
        if known is None:
            known = self._decided[number] = self.protocol.decide(
                self.links.link(number), self.bound
            )
        return known

    # Numbering anew

    def renumbered(self, state: State) -> State:
        """Return the same state with versions and stamps from zero, without gaps.

        With `symmetric`, also with the words named in order of appearance: no rule tells one word
        from another.
        """
        spoken = {it.id: {it.version} for it in state.records}
        stamps = {it.stamp for it in state.records}
        for number in (state.link, *_links_in_hand(state.worker)):
            versions, times = self.links.spoken(number)
            for record, version in versions:
                spoken.setdefault(record, set()).add(version)
            stamps.update(times)
        for it in _shown(state.worker):
            spoken[it.id].add(it.version)
            stamps.add(it.stamp)
        moved = tuple(
            (record, old, new)
            for record, known in spoken.items()
            if max(known) >= len(known)
            for new, old in enumerate(sorted(known))
            if old != new
        )
        later: Stamps = ()
        if max(stamps) >= len(stamps):
            later = tuple((old, new) for new, old in enumerate(sorted(stamps)) if old != new)
        if moved or later:
            state = self._renamed(state, moved, later)
        return self._in_order(state) if self.symmetric else state

    def _renamed(self, state: State, versions: Versions, stamps: Stamps) -> State:
        order = {(record, old): new for record, old, new in versions}
        times = dict(stamps)

        def record(it: Record) -> Record:
            return it._replace(
                version=order.get((it.id, it.version), it.version),
                stamp=times.get(it.stamp, it.stamp),
            )

        def link(number: int) -> int:
            return self.links.renamed(number, versions, stamps)

        return _mapped(state, record, link)

    def _in_order(self, state: State) -> State:
        """Return the same state with its words named in the order in which they stand there."""
        said: dict[Value, None] = dict.fromkeys(it.value for it in state.records)
        said.update(dict.fromkeys(mark.kept for mark in state.marks))
        for number in (state.link, *_links_in_hand(state.worker)):
            said.update(dict.fromkeys(self.links.letters(number)))
        spoken = [word for word in said if word in WORDS]
        if spoken == self._ordered[: len(spoken)]:
            return state
        renaming = tuple((str(old), new) for old, new in zip(spoken, WORDS, strict=False))
        words = dict(renaming)
        marks = tuple(Mark(mark.fate, reworded(mark.kept, words)) for mark in state.marks)
        renamed = _mapped(
            state,
            lambda it: it._replace(value=reworded(it.value, words)),
            lambda number: self.links.reworded(number, renaming),
        )
        return renamed._replace(marks=marks)


def _mapped(state: State, record: Callable[[Record], Record], link: Callable[[int], int]) -> State:
    """Return a state with every record and every link in it replaced."""

    def part(it: object) -> object:
        if isinstance(it, LinkNumber):
            return LinkNumber(link(it.number))
        if isinstance(it, tuple):  # answers, each with the records that it showed
            return tuple((*answer[:3], tuple(map(record, answer[3]))) for answer in it)
        return it

    return state._replace(
        records=tuple(map(record, state.records)),
        link=link(state.link),
        worker=tuple(map(part, state.worker)),
    )


class LinkNumber(NamedTuple):
    """A link that a run holds in its hands, by number."""

    number: int


def _links_in_hand(worker: Worker) -> Iterator[int]:
    for part in worker:
        if isinstance(part, LinkNumber):
            yield part.number


def _shown(worker: Worker) -> list[Record]:
    """The records that answers showed, and that a run still holds in its hands."""
    return [
        record
        for part in worker
        if isinstance(part, tuple) and not isinstance(part, LinkNumber)
        for answer in part
        for record in answer[3]
    ]


def _with_record(state: State, place: int, record: Record, mark: Mark) -> State:
    records = (*state.records[:place], record, *state.records[place + 1 :])
    marks = (*state.marks[:place], mark, *state.marks[place + 1 :])
    return state._replace(records=records, marks=marks)


def _added(state: State, record: Record, mark: Mark) -> State:
    both = sorted(
        [*zip(state.records, state.marks, strict=True), (record, mark)], key=lambda it: it[0].id
    )
    return state._replace(
        records=tuple(it for it, _ in both), marks=tuple(mark for _, mark in both)
    )


def heard(state: State) -> State:
    """Return the state after forgetting what was typed and the other side now says too."""
    said = {side: {it.value for it in state.records if it.side is side and it.takes_part}
            for side in Side}  # fmt: skip
    marks = tuple(
        mark.with_fate(HEARD) if mark.fate and it.value in said[it.side.other] else mark
        for it, mark in zip(state.records, state.marks, strict=True)
    )
    return state._replace(marks=marks)


def kept(state: State, words: Mapping[str, Value]) -> State:
    """Return the state after a run has told, or seen agreed, what some records said."""
    marks = tuple(
        Mark(mark.fate, words.get(it.id, mark.kept))
        for it, mark in zip(state.records, state.marks, strict=True)
    )
    return state._replace(marks=marks)


def agreed(state: State, words: Mapping[str, Value]) -> State:
    """Return the state after a run has read one word on both sides, or made it so.

    No two systems are read at one instant. What both were read to say is agreed, even if one of
    them had moved on by then: that later word is a new edit.
    """
    marks = tuple(
        mark.with_fate(HEARD) if it.id in words and words[it.id] == it.value else mark
        for it, mark in zip(state.records, state.marks, strict=True)
    )
    return state._replace(marks=marks)


def value_field(kind: Kind) -> str:
    """Return the modelled field's name on a kind of record."""
    return PLEZI_FIELD if kind is Kind.PLEZI_CONTACT else LEAD_FIELD
