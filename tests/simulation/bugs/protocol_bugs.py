"""Bugs in how a run decides, writes and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from connector.mapping import BoundMapping, BoundPair, Direction
from connector.model import (
    Counts,
    Intent,
    JournalEntry,
    Link,
    LinkChange,
    MergeRule,
    Observation,
    RecordKind,
    Values,
    Write,
)
from connector.planning import plan as planning
from connector.planning import recovery
from connector.planning.field_merge import FieldValue, Resolution, resolve
from connector.planning.observation import apply_observation
from connector.planning.participating_records import Participant
from connector.planning.plan import Plan
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from connector.sync import journal_entries, link_batch, resolve_unit
from connector.sync.resolve_unit import UnitResolver, UnitResult
from connector.sync.write_stage import StageResult, WriteStage
from local.world.both_sides import BothSides
from tests.simulation.bugs.planting import bug, replace_function, together


@bug("base recorded before the write", "syncall")
def record_before_write(_sides: BothSides) -> AbstractContextManager[object]:
    store_intents = UnitResolver._intend

    def record_first(
        self: UnitResolver, plans: Sequence[Plan], counts: Counts, result: UnitResult
    ) -> list[Plan]:
        intended = store_intents(self, plans, counts, result)
        for plan in intended:
            done = {
                write.record_id: WriteOutcome(write, WriteResult.DONE, write.record_id)
                for write in plan.writes
            }
            intent = plan.link.intent
            assert intent is not None
            link = record_outcomes(plan.link, intent.id, done, unchanged_since_intent=True, now=0.0)
            link = replace(link, intent=None, dirty=False)
            self._context.links.save_links([LinkChange(link)], listed=self._listed)
        return intended

    return replace_function(UnitResolver, store_intents, record_first)


@bug("write without a stored intent", "most tools: write, then record")
def write_without_intent(_sides: BothSides) -> AbstractContextManager[object]:
    def intend_nothing(
        self: UnitResolver, plans: Sequence[Plan], counts: Counts, _result: UnitResult
    ) -> list[Plan]:
        now = self._context.clock()
        unstored = []
        for plan in plans:
            self._count_plan(plan, counts)
            intent = Intent("none", self._run_id, now, plan.writes, plan.base_updates)
            unstored.append(replace(plan, link=replace(plan.link, intent=intent)))
        return unstored

    return replace_function(UnitResolver, UnitResolver._intend, intend_nothing)


@bug("newest timestamp wins", "Plezi's own connector, Heroku Connect: last writer wins")
def newest_wins(_sides: BothSides) -> AbstractContextManager[object]:
    def resolve_by_timestamp(pair: BoundPair, values: Sequence[FieldValue]) -> Resolution:
        current = {it.record_id: it.value for it in values}
        canonical = {it.record_id: pair.canonical(it.side, it.value) for it in values}
        if len(set(canonical.values())) == 1:
            return Resolution(MergeRule.AGREED, new_base=current)
        newest = max(values, key=lambda it: it.modified)
        writes = {
            it.record_id: pair.convert_or_keep(it.kind, newest.value, newest.side)
            for it in values
            if it.can_receive and canonical[it.record_id] != canonical[newest.record_id]
        }
        return Resolution(MergeRule.NEWEST, writes, {**current, **writes})

    return replace_function(planning, resolve, resolve_by_timestamp)


@bug("base recorded from a final read", "an edit between write and read counts as agreed")
def base_from_final_read(_sides: BothSides) -> AbstractContextManager[object]:
    record = WriteStage._record

    def read_and_record(
        self: WriteStage,
        plans: Sequence[Plan],
        outcomes: Mapping[str, dict[str, WriteOutcome]],
        counts: Counts,
        result: StageResult,
    ) -> None:
        record(self, plans, outcomes, counts, result)
        store, fields = self._context.links, self._bound.fields_of
        for link in store.load_links([plan.link.email for plan in plans]).values():
            after = link
            for side, client in self._context.clients.items():
                known = [it for it in link.observations() if it.side is side]
                for read in client.look_up(known, [], self._bound.read_scope).observations:
                    after = after.with_observation(read)
            base = {
                it.id: {key: it.values.get(name) for _, name, key in fields[it.kind]}
                for it in after.observations()
            }
            agreed = LinkChange(replace(after, base=base, dirty=False))
            store.save_links([agreed], listed=self._listed)

    return replace_function(WriteStage, record, read_and_record)


@bug("stale page accepted", "a page read before our own write reverts the write")
def stale_page_accepted(_sides: BothSides) -> AbstractContextManager[object]:
    def apply_any(link: Link, observation: Observation) -> Link:
        stored = link.observation(observation.id)
        version = "9" if stored is None else stored.version
        return apply_observation(link, replace(observation, version=version, as_of=1e12))

    return replace_function(link_batch, apply_observation, apply_any)


@bug("change with an equal timestamp dropped", "dlt: a `>` cursor skips rows of the same stamp")
def equal_timestamp_dropped(_sides: BothSides) -> AbstractContextManager[object]:
    def apply_newer(link: Link, observation: Observation) -> Link:
        stored = link.observation(observation.id)
        if stored is not None and observation.version <= stored.version:
            return link
        return apply_observation(link, observation)

    return replace_function(link_batch, apply_observation, apply_newer)


@bug("whole records written", "Mautic, Segment: each change writes every mapped field")
def whole_records(_sides: BothSides) -> AbstractContextManager[object]:
    build_write = planning.build_write

    def build_whole_write(
        participant: Participant, email: str, values: Values, bound: BoundMapping
    ) -> Write:
        write = build_write(participant, email, values, bound)
        if participant.observation is None:
            return write
        kind = participant.kind
        writable = {
            pair.fields[kind].name
            for pair in bound.pairs
            if pair.can_receive(kind) and pair.is_writable(kind, create=False)
        }
        current = participant.observation.values
        unchanged = {name: value for name, value in current.items() if name in writable}
        return replace(write, values={**unchanged, **values})

    return replace_function(planning, build_write, build_whole_write)


@bug("direction ignored", "one-way fields are synchronized in both directions")
def direction_ignored(_sides: BothSides) -> AbstractContextManager[object]:
    return together(
        replace_function(
            BoundPair,
            BoundPair.can_receive,
            lambda _pair, kind: kind is not RecordKind.CONTACT,
        ),
        replace_function(Direction, Direction.can_send, lambda *_: True),
    )


@bug("overwritten value not journaled", "Rotor: the other edit is lost silently")
def overwritten_not_journaled(_sides: BothSides) -> AbstractContextManager[object]:
    def nothing_overwritten(*_: object) -> list[JournalEntry]:
        return []

    return together(
        replace_function(journal_entries, journal_entries.overwritten_entries, nothing_overwritten),
        replace_function(resolve_unit, journal_entries.overwritten_entries, nothing_overwritten),
    )


@bug("uncertain write resolved by policy", "an edit after a lost response is overwritten")
def uncertain_by_policy(_sides: BothSides) -> AbstractContextManager[object]:
    return replace_function(recovery, recovery._fields_in_doubt, lambda *_: {})
