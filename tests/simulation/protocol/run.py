"""The steps of one run, as `connector.engine` takes them.

Everything that decides is the connector's own (see `decisions`). What is modelled here is the shell
around it, one step between two things that outlive a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from connector.model import Link, RecordKind, Side
from connector.planning.outcome import WriteOutcome, WriteResult, record_outcomes
from connector.planning.plan import Plan
from tests.simulation.protocol.agreement import (
    Words,
    agreed_beside,
    agreed_by_all,
    said_across,
    said_by,
    unopposed,
)
from tests.simulation.protocol.canonical import State
from tests.simulation.protocol.decisions import Decisions
from tests.simulation.protocol.numbered import Links
from tests.simulation.protocol.records import NAMES, URL_FIELD, bound, value_field
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import SystemState, SystemStates
from tests.simulation.protocol.systems import Systems
from tests.simulation.protocol.weaker import Protocol
from tests.simulation.protocol.workers import (
    APPLY,
    LOAD,
    LOOK,
    READ,
    RECORD,
    Answer,
    Worker,
    Workers,
)

PASSES: Final = 3
"""As the engine: a record that was created first needs a second look."""


class Move(NamedTuple):
    """One step: what happened, the state after it, whether the run wrote, and what is wrong."""

    label: str
    state: State
    wrote: bool = False
    broken: str = ""


class Run:
    """What a run may do next, wherever it stands."""

    def __init__(self, scenario: Scenario, protocol: Protocol, worlds: SystemStates) -> None:
        self._scenario = scenario
        self._protocol = protocol
        self._bound = bound(scenario.policy, scenario.duplicates, with_url=scenario.with_url)
        self._kinds = scenario.kinds
        self._systems = Systems(scenario, protocol)
        self._worlds = worlds
        self.links = Links()
        self.workers = Workers(self.links)
        self.idle = self.workers.number(Worker())
        self.begun = self.workers.number(Worker(READ))
        self._decisions = Decisions(self.links, protocol, self._bound)
        self._pairs: dict[tuple[int, int], tuple[Words, Words, Words, Words]] = {}

    def steps(self, state: State) -> Iterator[Move]:
        """Yield what the run may do next; the first one is where nothing fails.

        Two things that touch the world stand in one step only where nothing can tell the
        difference: a reading and the put that keeps it, the last look and the intent that rests on
        it.
        """
        world, link, number = state
        worker = self.workers.things[number]
        match worker.stage:
            case "read":
                yield self._read(world, link, worker.number)
            case "load":
                yield from self._load(world, link, worker.number)
            case "look":
                yield self._intend(world, link, worker)
            case "apply":
                yield from self._apply(world, link, worker)
            case "record":
                yield self._record(world, link, worker)

    def _at(self, worker: Worker) -> int:
        return self.workers.number(worker)

    def _read(self, world: int, link: int, number: int) -> Move:
        """Read one kind of record, and keep what was read."""
        kind = self._kinds[number]
        page = self._worlds.pages(world).kinds[kind]
        if kind is RecordKind.PLEZI_CONTACT:
            page = tuple(it for it in page if not it.deleted)  # Plezi lists no graves

        after = self._decisions.folded(link, page)
        label = f"the run reads {NAMES[kind.side]} ({kind.value})"
        if number + 1 < len(self._kinds):
            return Move(label, (world, after, self._at(Worker(READ, number + 1))))
        if self.links.things[after].dirty:
            return Move(label, (world, after, self._at(Worker(LOAD, 1))))
        return Move(f"{label}; nothing to do", (world, after, self.idle))

    def _load(self, world: int, link: int, passes: int) -> Iterator[Move]:
        stored = self.links.things[link]
        if not stored.dirty or passes > PASSES:
            yield Move("the run ends", (world, link, self.idle))
            return
        first = self._decisions.first(link)
        if stored.intent is None and not first.writes:
            yield self._keep(world, link, first)
            return
        looked = self._look(world, Side.PLEZI, link)
        after = (world, link, self._at(Worker(LOOK, passes, looked)))
        yield Move("the run finds work and looks again at Plezi", after)
        creates = any(it.is_create and it.side is Side.PLEZI for it in first.writes)
        if self._scenario.fresh and stored.intent is None and not creates:
            after = (world, link, self._at(Worker(LOOK, passes, link)))
            yield Move("the run finds work; Plezi was read just now", after)

    def _keep(self, world: int, link: int, planned: Plan) -> Move:
        """Keep what was adopted where nothing is to be written."""
        kept = self.links.number(replace(planned.link, dirty=False, quarantine=None))
        world = self._lose(world, planned)
        rests = {it.record_id: it.value for it in planned.overwritten if it.pair != URL_FIELD}
        world = self._changed(world, lambda it: it.kept(rests)) if rests else world
        after = self._read_together(world, kept, link)
        return Move("the run keeps what is agreed or held, and ends", (after, kept, self.idle))

    def _look(self, world: int, side: Side, held: int) -> int:
        return self._decisions.looked(held, side, self._worlds.pages(world).sides[side])

    def _intend(self, world: int, link: int, worker: Worker) -> Move:
        """Decide on a last look at Salesforce, journal the losers, and store the decision."""
        decided = self._decisions.decided(self._look(world, Side.SALESFORCE, worker.held))
        if isinstance(decided, Plan):
            return self._keep(world, link, decided)
        planned, mine, side = decided
        broken = unopposed(planned, self._worlds.things[world]) if planned.overwritten else ""
        world = self._lose(world, planned)
        stored = link
        if self._protocol.records_first:
            done = {
                it.record_id: WriteOutcome(it, WriteResult.DONE, it.record_id)
                for it in planned.writes
            }
            certain = record_outcomes(
                self.links.things[mine], "i", done, unchanged_since_intent=True, now=0.0
            )
            stored = self.links.number(certain)
        elif self._protocol.intends:
            stored = mine
        if self._protocol.intends:
            world = self._read_together(world, mine, link)
        after = (world, stored, self._at(Worker(APPLY, worker.number, mine, side)))
        label = "the run looks again at Salesforce, and writes down what it will do"
        return Move(label, after, broken=broken)

    def _lose(self, world: int, planned: Plan) -> int:
        """Return the world after the journal has named those who give way."""
        lost = [(it.record_id, it.value) for it in planned.overwritten if it.pair != URL_FIELD]
        return self._changed(world, lambda it: it.journalled(lost)) if lost else world

    def _read_together(self, world: int, link: int, before: int) -> int:
        """Return the world after a run has kept what both sides were read to say."""
        known = self._pairs.get((link, before))
        if known is None:
            now, then = self.links.things[link], self.links.things[before]
            said = said_by(now, self._bound)
            everywhere = agreed_by_all(said, now, then)
            known = (said_across(said, now), everywhere, *agreed_beside(said, now))
            self._pairs[link, before] = known
        across, everywhere, among_told, beside = known
        if not across and not everywhere and not among_told:
            return world

        def agree(it: SystemState) -> SystemState:
            it = it.agreed(across).agreed(everywhere).kept(everywhere)
            return it.kept(among_told) if among_told and it.keeps(beside) else it

        return self._changed(world, agree)

    def _apply(self, world: int, link: int, worker: Worker) -> Iterator[Move]:
        """Send the writes of one side; the answer may be lost, before or after they are done."""
        intent = self.links.things[worker.held].intent
        side = worker.side
        assert intent is not None
        assert side is not None
        writes = [it for it in intent.writes if it.side is side]
        more = side is Side.SALESFORCE and len(writes) < len(intent.writes)

        def onward(now: int, answers: tuple[Answer, ...]) -> State:
            stage = (APPLY, Side.PLEZI) if more else (RECORD, None)
            heard = (*worker.answers, *answers)
            after = Worker(stage[0], worker.number, worker.held, stage[1], heard)
            return now, link, self._at(after)

        sent, answers, broken = self._systems.send(self._worlds.things[world], intent, writes)
        after = self._worlds.number(sent)
        wrote = any(it.result is WriteResult.DONE for it in answers)
        where = NAMES[side]
        yield Move(f"the run writes to {where}", onward(after, answers), wrote, broken)
        if not self._scenario.deaf:
            return
        deaf = tuple(Answer(it.record_id, WriteResult.UNKNOWN, it.record_id) for it in writes)
        unheard = f"the run writes to {where}, and the answer is lost"
        yield Move(unheard, onward(after, deaf), wrote, broken)
        yield Move(f"the run's call to {where} never arrives", onward(world, deaf))

    def _record(self, world: int, link: int, worker: Worker) -> Move:
        """Record what the writes answered."""
        number = self._decisions.recorded(worker)
        if self._protocol.reads_again:
            after = _read_again(self._worlds.things[world], self.links.things[number])
            number = self.links.number(after)
        if self._protocol.records_first:
            number = link
        wrote = any(it.result is WriteResult.DONE for it in worker.answers)
        again = wrote and worker.number < PASSES
        onward = self._at(Worker(LOAD, worker.number + 1)) if again else self.idle
        return Move("the run records what it was answered", (world, number, onward))

    def _changed(self, world: int, change: Callable[[SystemState], SystemState]) -> int:
        return self._worlds.number(change(self._worlds.things[world]))


def _read_again(world: SystemState, link: Link) -> Link:
    """Make the base of what is there now, as a last reading would."""
    base = {}
    for it in world.records:
        if it.takes_part and it.id in link.record_ids:
            link = link.with_observation(it.observed())
            base[it.id] = {**link.base.get(it.id, {}), value_field(it.kind): it.value}
    return replace(link, base=base, dirty=False)
