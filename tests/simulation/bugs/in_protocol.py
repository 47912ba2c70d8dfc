"""Bugs in how a run decides, writes and records."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from connector.mapping import BoundPair, Direction
from connector.model import Intent, Link, LinkChange, MergeRule, Observation, RecordKind
from connector.planning import outcome as recording
from connector.planning import plan as planning
from connector.planning import recovery as judging
from connector.planning.field_merge import Resolution
from connector.planning.observation import apply_observation
from connector.planning.outcome import WriteOutcome, WriteResult
from connector.sync import read_phase as observing
from connector.sync import resolve_phase as reconciling
from connector.sync.journal_entries import overwritten_entries
from local.world.both_sides import BothSides
from tests.simulation.bugs.planting import both, bug, swap


@bug("record before apply", "syncall's order; style 2.4")
def record_before_apply(_sides: BothSides) -> AbstractContextManager[object]:
    original = reconciling.ResolvePhase._intend

    def intend(self: Any, plans: Any, counts: Any) -> Any:
        intended = original(self, plans, counts)
        after = []
        for each in intended:
            done = {
                it.record_id: WriteOutcome(it, WriteResult.DONE, it.record_id) for it in each.writes
            }
            intent = each.link.intent
            assert intent is not None
            link = recording.record_outcomes(
                each.link, intent.id, done, unchanged_since_intent=True, now=0.0
            )
            self._world.ledger.save_links([LinkChange(replace(link, intent=None, dirty=False))])
            after.append(each)
        return after

    return swap(reconciling.ResolvePhase, "_intend", intend)


@bug("apply without intent", "the classical order; style 2.4")
def apply_without_intent(_sides: BothSides) -> AbstractContextManager[object]:
    def intend(self: Any, plans: Any, counts: Any) -> Any:
        now = self._world.clock()
        done = []
        for each in plans:
            self._count_decision(each, counts)
            intent = Intent("none", self._run, now, each.writes, each.base_updates)
            done.append(replace(each, link=replace(each.link, intent=intent)))
        lines = [it for each in done for it in overwritten_entries(each, self._run, now)]
        self._world.journal.write(lines)
        return done

    return swap(reconciling.ResolvePhase, "_intend", intend)


@bug("compare with clocks", "Plezi's own connector, Heroku Connect: last writer wins")
def compare_with_clocks(_sides: BothSides) -> AbstractContextManager[object]:
    def settle(line: Any, voices: Any) -> Resolution:
        said = {it.record_id: line.canonical(it.side, it.value) for it in voices}
        settles = {it.record_id: it.value for it in voices}
        if len(set(said.values())) == 1:
            return Resolution(MergeRule.AGREED, new_base=settles)
        newest = max(voices, key=lambda it: it.modified)
        writes = {
            it.record_id: line.convert(it.kind, newest.value)
            for it in voices
            if it.can_receive and said[it.record_id] != said[newest.record_id]
        }
        return Resolution(MergeRule.NEWEST, writes, {**settles, **writes})

    return swap(planning, "resolve", settle)


@bug("read again at the end", "style 2.4: the last reading swallows an edit")
def read_again(_sides: BothSides) -> AbstractContextManager[object]:
    original = reconciling.ResolvePhase._record

    def record(self: Any, plans: Any, outcomes: Any, counts: Any) -> None:
        original(self, plans, outcomes, counts)
        links = self._world.ledger.load_links([each.link.email for each in plans])
        for link in links.values():
            after = link
            for side, client in self._world.clients.items():
                mine = [it for it in link.observations() if it.side is side]
                for seen in client.look_up(mine, [], self._bound.read_scope).observations:
                    after = after.with_observation(seen)
            base = {it.id: dict(it.values) for it in after.observations()}
            self._world.ledger.save_links([LinkChange(replace(after, base=base, dirty=False))])

    return swap(reconciling.ResolvePhase, "_record", record)


@bug("ignore versions and instants", "a page in flight undoes our own write")
def ignore_versions(_sides: BothSides) -> AbstractContextManager[object]:
    def careless(link: Link, seen: Observation) -> Link:
        held = link.observation(seen.id)
        seen = replace(seen, version="9") if held is None else replace(seen, version=held.version)
        return apply_observation(link, replace(seen, as_of=1e12))

    return swap(observing, "apply_observation", careless)


@bug("drop on equal stamps", "dlt: a `>` cursor never reads a row saved with the same stamp")
def drop_equal_stamps(_sides: BothSides) -> AbstractContextManager[object]:
    def strict(link: Link, seen: Observation) -> Link:
        held = link.observation(seen.id)
        return (
            link
            if held is not None and seen.version <= held.version
            else apply_observation(link, seen)
        )

    return swap(observing, "apply_observation", strict)


@bug("write whole records", "Mautic, Segment: every mapped field with every change")
def whole_records(_sides: BothSides) -> AbstractContextManager[object]:
    original = planning._build_write

    def state(role: Any, email: str, values: Any, bound: Any) -> Any:
        write = original(role, email, values, bound)
        if role.observation is None:
            return write
        mine = {
            line.fields[role.kind].name
            for line in bound.pairs
            if line.can_receive(role.kind) and line.is_writable(role.kind, create=False)
        }
        whole = {name: word for name, word in role.observation.values.items() if name in mine}
        return replace(write, values={**whole, **values})

    return swap(planning, "_build_write", state)


@bug("ignore the direction", "product P9: one-way fields flow back")
def ignore_direction(_sides: BothSides) -> AbstractContextManager[object]:
    return both(
        swap(BoundPair, "can_receive", lambda _self, kind: kind is not RecordKind.CONTACT),
        swap(Direction, "can_send", lambda *_: True),
    )


@bug("lose without a word", "rotor: the other write is silently lost")
def silent_loss(_sides: BothSides) -> AbstractContextManager[object]:
    return swap(reconciling, "overwritten_entries", lambda *_: [])


@bug("settle doubt by the policy", "style 2.4: four steps")
def doubt_by_policy(_sides: BothSides) -> AbstractContextManager[object]:
    return swap(judging, "_doubtful_pairs", lambda *_: set())
