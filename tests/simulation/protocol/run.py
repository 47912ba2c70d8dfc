"""The steps of one run, as `connector.sync` takes them.

All decisions are the connector's own functions (see `decisions`). This module models the code
around them: one step between two effects that outlive a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from connector.model import Link, RecordKind, Side
from connector.planning.plan import Plan
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from tests.simulation.protocol.agreement import (
    RecordValues,
    agreed_across_sides,
    agreed_by_all,
    agreed_in_other_pair,
    agreed_without_contacts,
    is_unproven_creation,
    observed_values,
    overwritten_without_conflict,
    unseen_attribute,
)
from tests.simulation.protocol.canonical import State
from tests.simulation.protocol.decisions import INTENT, Decisions
from tests.simulation.protocol.holds import choice_of, unfounded_choice, unfounded_hold
from tests.simulation.protocol.interning import LinkInterner
from tests.simulation.protocol.records import SIDE_NAMES, URL_FIELD, Record, base_key, bound_mapping
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.system_states import SystemState, SystemStateInterner
from tests.simulation.protocol.systems import Systems
from tests.simulation.protocol.variants import Protocol
from tests.simulation.protocol.workers import Response, Stage, Worker, WorkerInterner

MAX_PASSES: Final = 3
"""As in the resolve phase: a record that was created first needs a second pass."""


class Step(NamedTuple):
    """One step: its label, the state after it, whether the run wrote, and the violation."""

    label: str
    state: State
    wrote: bool = False
    violation: str = ""


class Agreements(NamedTuple):
    """The agreements that a run observes when it stores a link, as values by record id."""

    across_sides: RecordValues
    by_all: RecordValues
    without_contacts: RecordValues
    of_contacts: RecordValues
    in_other_pair: RecordValues


class Run:
    """The possible next steps of a run, from each of its stages."""

    def __init__(
        self, scenario: Scenario, protocol: Protocol, systems: SystemStateInterner
    ) -> None:
        self._scenario = scenario
        self._protocol = protocol
        self._kinds = scenario.kinds
        self._writes = Systems(scenario, protocol)
        self._systems = systems
        self.links = LinkInterner(keeps_meeting=scenario.compares_stamps)
        self.workers = WorkerInterner(self.links)
        self.idle = self.workers.number(Worker())
        self.started = self.workers.number(Worker(Stage.READ))
        self._of_mapping: dict[tuple[str, bool], Decisions] = {}
        self._decisions = self._decisions_of(scenario.records[0])
        self._agreements: dict[tuple[int, int], Agreements] = {}

    def steps(self, state: State) -> Iterator[Step]:
        """Yield the possible next steps of the run; the first one is the step without a fault.

        Two effects are one step only if no crash between them makes a difference: a read and the
        put that stores it, the last read and the intent that rests on it.
        """
        system, link, number = state
        self._decisions = self._decisions_of(self._systems.objects[system].records[0])
        worker = self.workers.objects[number]
        match worker.stage:
            case Stage.READ:
                yield self._read(system, link, worker.number)
            case Stage.LOAD:
                yield from self._load(system, link, worker.number)
            case Stage.REFRESH:
                yield self._intend(system, link, worker)
            case Stage.APPLY | Stage.REST:
                yield from self._apply(system, link, worker)
            case Stage.RECORD:
                yield self._record(system, link, worker)

    def _decisions_of(self, record: Record) -> Decisions:
        """Return the decisions by the mapping that a record is read with."""
        key = (record.attribute, record.is_mapped)
        found = self._of_mapping.get(key)
        if found is None:
            bound = bound_mapping(
                self._scenario.policy,
                self._scenario.duplicates,
                with_url=self._scenario.with_url,
                attribute=record.attribute,
                is_mapped=record.is_mapped,
            )
            found = self._of_mapping[key] = Decisions(self.links, self._protocol, bound)
        return found

    def _at(self, worker: Worker) -> int:
        return self.workers.number(worker)

    def _read(self, system: int, link: int, number: int) -> Step:
        """Read one kind of record, and store the observations."""
        kind = self._kinds[number]
        page = self._systems.pages(system).by_kind[kind]
        if kind is RecordKind.PLEZI_CONTACT:
            page = tuple(it for it in page if not it.deleted)  # Plezi does not list deleted ones

        after = self._decisions.after_page(link, page)
        label = f"the run reads {SIDE_NAMES[kind.side]} ({kind.value})"
        if number + 1 < len(self._kinds):
            return Step(label, (system, after, self._at(Worker(Stage.READ, number + 1))))
        if self.links.objects[after].dirty:
            return Step(label, (system, after, self._at(Worker(Stage.LOAD, 1))))
        return Step(f"{label}; nothing changed, and it ends", (system, after, self.idle))

    def _load(self, system: int, link: int, passes: int) -> Iterator[Step]:
        stored = self.links.objects[link]
        if not stored.dirty or passes > MAX_PASSES:
            yield Step("the run ends", (system, link, self.idle))
            return
        plan = self._decisions.stored_plan(link)
        if stored.intent is None and not plan.writes:
            yield self._store_without_writes(system, link, plan)
            return
        refreshed = self._refresh(system, Side.PLEZI, link)
        after = (system, link, self._at(Worker(Stage.REFRESH, passes, refreshed)))
        yield Step("the run finds work and reads the Plezi contact again", after)
        creates = any(it.is_create and it.side is Side.PLEZI for it in plan.writes)
        if self._scenario.recent_read and stored.intent is None and not creates:
            after = (system, link, self._at(Worker(Stage.REFRESH, passes, link)))
            yield Step("the run finds work and uses the recent read of the Plezi contact", after)

    def _store_without_writes(self, system: int, link: int, plan: Plan) -> Step:
        """Store the agreements and holds if there is nothing to write."""
        stored = self.links.number(replace(plan.link, dirty=False, quarantine=None))
        system = self._journal_overwritten(system, plan)
        left = {it.record_id: it.value for it in plan.overwritten if it.pair != URL_FIELD}
        system = self._changed(system, lambda it: it.with_agreed(left)) if left else system
        after = self._observe_agreements(system, stored, link)
        after = self._without_old_choice(after, stored)
        label = "the run stores agreements and holds, and ends"
        return Step(label, (after, stored, self.idle), violation=self._unfounded_hold(system, plan))

    def _unfounded_hold(self, system: int, plan: Plan) -> str:
        changes = self._scenario.mapping_changes
        return unfounded_hold(plan, self._systems.objects[system], mapping_changes=changes)

    def _refresh(self, system: int, side: Side, link: int) -> int:
        records = self._systems.pages(system).by_side[side]
        return self._decisions.after_refresh(link, side, records)

    def _intend(self, system: int, link: int, worker: Worker) -> Step:
        """Read Salesforce again, decide, journal the overwritten values, and store the intent."""
        if worker.is_outdated:
            again = self._at(Worker(Stage.LOAD, worker.number + 1))
            return Step("the ledger refuses the run's old link", (system, link, again))
        held = self._refresh(system, Side.SALESFORCE, worker.held)
        if is_unproven_creation(self.links.objects[held]):
            system = self._changed(system, SystemState.with_first_meeting)
        if attribute := unseen_attribute(self.links.objects[held]):
            system = self._changed(system, lambda it: it.without_agreement(attribute))
        decision = self._decisions.decision(held)
        if isinstance(decision, Plan):
            return self._store_without_writes(system, link, decision)
        plan, intended, side = decision
        violation = self._unfounded_hold(system, plan) or unfounded_choice(
            plan, self._systems.objects[system]
        )
        if plan.overwritten and not violation:
            violation = overwritten_without_conflict(plan, self._systems.objects[system])
        system = self._journal_overwritten(system, plan)
        stored, effect = link, "decides what to write"
        if self._protocol.records_first:
            stored, effect = self._recorded_as_done(plan, intended), "records the base"
        elif self._protocol.stores_intent:
            stored, effect = intended, "stores its intent"
        if self._protocol.stores_intent:
            system = self._observe_agreements(system, intended, link)
        after = (system, stored, self._at(Worker(Stage.APPLY, worker.number, intended, side)))
        label = f"the run reads Salesforce again and {effect}"
        return Step(label, after, violation=violation)

    def _recorded_as_done(self, plan: Plan, intended: int) -> int:
        """Return the link as if every write of the plan was done."""
        done = {
            write.record_id: WriteOutcome(write, WriteResult.DONE, write.record_id)
            for write in plan.writes
        }
        link = self.links.objects[intended]
        return self.links.number(
            record_outcomes(link, INTENT, done, unchanged_since_intent=True, now=0.0)
        )

    def _journal_overwritten(self, system: int, plan: Plan) -> int:
        """Return the system state after the journal stored the overwritten values."""
        entries = [(it.record_id, it.value) for it in plan.overwritten if it.pair != URL_FIELD]
        return self._changed(system, lambda it: it.with_journaled(entries)) if entries else system

    def _observe_agreements(self, system: int, link: int, before: int) -> int:
        """Return the system state after a run stored the values that it read on both sides."""
        found = self._agreements.get((link, before))
        if found is None:
            now = self.links.objects[link]
            observed = observed_values(now, self._decisions.bound)
            found = self._agreements[link, before] = Agreements(
                agreed_across_sides(observed, now),
                agreed_by_all(observed, now, self.links.objects[before]),
                *agreed_without_contacts(observed, now),
                agreed_in_other_pair(now, self.links.objects[before]),
            )
        across_sides, by_all, without_contacts, of_contacts, in_other_pair = found
        if in_other_pair:
            system = self._changed(system, lambda it: it.with_other_agreed(in_other_pair))
        if not across_sides and not by_all and not without_contacts:
            return system

        def agree(it: SystemState) -> SystemState:
            it = it.with_delivered(across_sides).with_delivered(by_all).with_agreed(by_all)
            if without_contacts and it.has_agreed(of_contacts):
                return it.with_agreed(without_contacts)
            return it

        return self._changed(system, agree)

    def _apply(self, system: int, link: int, worker: Worker) -> Iterator[Step]:
        """Send the writes to one side, or the rest of those that were refused.

        The request or the response may be lost.
        """
        intent = self.links.objects[worker.held].intent
        side = worker.side
        assert intent is not None
        assert side is not None
        more = side is Side.SALESFORCE and any(it.side is Side.PLEZI for it in intent.writes)
        is_rest = worker.stage is Stage.REST
        writes = [it for it in intent.writes if it.side is side]
        if is_rest:
            writes = self._decisions.rest_of(intent, worker.responses)

        def after_responses(system_after: int, responses: tuple[Response, ...]) -> State:
            stage, next_side = (Stage.APPLY, Side.PLEZI) if more else (Stage.RECORD, None)
            received = (*worker.responses, *responses)
            if is_rest:
                received = _with_rest(worker.responses, responses)
            held, stored = worker.held, link
            if not is_rest and (rest := self._decisions.rest_of(intent, responses)):
                stage, next_side = Stage.REST, side
                held = self._decisions.with_smaller_creation(worker.held, rest)
                stored = held if link == worker.held else link
            after = worker._replace(stage=stage, side=next_side, held=held, responses=received)
            return system_after, stored, self._at(after)

        sent, responses, violation = self._writes.send(
            self._systems.objects[system], intent, writes
        )
        after = self._systems.number(sent)
        wrote = any(it.result is WriteResult.DONE for it in responses)
        name = SIDE_NAMES[side] + (" without the refused field" if is_rest else "")
        yield Step(f"the run writes to {name}", after_responses(after, responses), wrote, violation)
        if not self._scenario.lost_responses:
            return
        lost = tuple(Response(it.record_id, WriteResult.UNKNOWN, it.record_id) for it in writes)
        label = f"the run writes to {name}; the response is lost"
        yield Step(label, after_responses(after, lost), wrote, violation)
        yield Step(f"the run's request to {name} is lost", after_responses(system, lost))

    def _record(self, system: int, link: int, worker: Worker) -> Step:
        """Record the outcomes of the writes."""
        number = self._decisions.after_record(worker, link)
        if self._protocol.records_last_read:
            after = _with_last_read(self._systems.objects[system], self.links.objects[number])
            number = self.links.number(after)
        if self._protocol.records_first:
            number = link
        wrote = any(it.result is WriteResult.DONE for it in worker.responses)
        again = wrote and worker.number < MAX_PASSES
        onward = self._at(Worker(Stage.LOAD, worker.number + 1)) if again else self.idle
        system = self._without_old_choice(system, number)
        return Step("the run records the outcomes", (system, number, onward))

    def after_choice(self, link: int, record: str) -> int | None:
        """Return the stored link after an admin's choice; None if it is refused."""
        return self._decisions.after_choice(link, record)

    def _without_old_choice(self, system: int, stored: int) -> int:
        """Return the system state without a choice that the stored link does not have any more."""
        if self._systems.objects[system].choice is None or choice_of(self.links.objects[stored]):
            return system
        return self._changed(system, lambda it: it._replace(choice=None))

    def _changed(self, system: int, change: Callable[[SystemState], SystemState]) -> int:
        return self._systems.number(change(self._systems.objects[system]))


def _with_rest(refused: Sequence[Response], responses: Iterable[Response]) -> tuple[Response, ...]:
    """Return the responses to writes that were refused, with those to the rest of them."""
    rest = {it.target: it for it in responses}
    return tuple(
        rest[it.target]._replace(refused=it.refused) if it.target in rest else it for it in refused
    )


def _with_last_read(system: SystemState, link: Link) -> Link:
    """Return the link with the current values of both sides as its base."""
    base = {}
    for it in system.records:
        if it.is_participant and it.id in link.record_ids:
            link = link.with_observation(it.observation())
            base[it.id] = {**link.base.get(it.id, {}), base_key(it.kind): it.value}
    return replace(link, base=base, dirty=False)
