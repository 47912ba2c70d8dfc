"""Bugs in how a run decides, writes and records."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from connector.engine import observe as observing
from connector.engine import reconcile as reconciling
from connector.engine.story import lost_lines
from connector.mapping import BoundLine, Direction
from connector.merge import Rule, Verdict
from connector.model import Change, Intent, Kind, Link, Observation
from connector.plan import Outcome, Result, fold, judging, planning, recording
from local.world.sides import Sides
from tests.simulation.bugs.planting import both, bug, swap


@bug("record before apply", "syncall's order; style 2.4")
def record_before_apply(_sides: Sides) -> AbstractContextManager[object]:
    original = reconciling.Reconciliation._intend

    def intend(self: Any, plans: Any, counts: Any) -> Any:
        intended = original(self, plans, counts)
        after = []
        for each in intended:
            done = {it.record: Outcome(it, Result.DONE, it.record) for it in each.writes}
            intent = each.link.intent
            assert intent is not None
            link = recording.record(each.link, intent.id, done, undisturbed=True, now=0.0)
            self._world.ledger.put([Change(replace(link, intent=None, dirty=False))])
            after.append(each)
        return after

    return swap(reconciling.Reconciliation, "_intend", intend)


@bug("apply without intent", "the classical order; style 2.4")
def apply_without_intent(_sides: Sides) -> AbstractContextManager[object]:
    def intend(self: Any, plans: Any, counts: Any) -> Any:
        now = self._world.clock()
        done = []
        for each in plans:
            self._count_decision(each, counts)
            intent = Intent("none", self._run, now, each.writes, each.settlements)
            done.append(replace(each, link=replace(each.link, intent=intent)))
        lines = [it for each in done for it in lost_lines(each, self._run, now)]
        self._world.journal.write(lines)
        return done

    return swap(reconciling.Reconciliation, "_intend", intend)


@bug("compare with clocks", "Plezi's own connector, Heroku Connect: last writer wins")
def compare_with_clocks(_sides: Sides) -> AbstractContextManager[object]:
    def settle(line: Any, voices: Any) -> Verdict:
        said = {it.record: line.canonical(it.side, it.now) for it in voices}
        settles = {it.record: it.now for it in voices}
        if len(set(said.values())) == 1:
            return Verdict(Rule.AGREED, settles=settles)
        newest = max(voices, key=lambda it: it.modified)
        writes = {
            it.record: line.say(it.kind, newest.now)
            for it in voices
            if it.listens and said[it.record] != said[newest.record]
        }
        return Verdict(Rule.NEWEST, writes, {**settles, **writes})

    return swap(planning, "settle", settle)


@bug("read again at the end", "style 2.4: the last reading swallows an edit")
def read_again(_sides: Sides) -> AbstractContextManager[object]:
    original = reconciling.Reconciliation._record

    def record(self: Any, plans: Any, outcomes: Any, counts: Any) -> None:
        original(self, plans, outcomes, counts)
        links = self._world.ledger.links([each.link.email for each in plans])
        for link in links.values():
            after = link
            for side, client in self._world.clients.items():
                mine = [it for it in link.observations() if it.side is side]
                for seen in client.look_up(mine, [], self._bound.view).seen:
                    after = after.with_observation(seen)
            base = {it.id: dict(it.values) for it in after.observations()}
            self._world.ledger.put([Change(replace(after, base=base, dirty=False))])

    return swap(reconciling.Reconciliation, "_record", record)


@bug("ignore versions and instants", "a page in flight undoes our own write")
def ignore_versions(_sides: Sides) -> AbstractContextManager[object]:
    def careless(link: Link, seen: Observation) -> Link:
        held = link.observation(seen.id)
        seen = replace(seen, version="9") if held is None else replace(seen, version=held.version)
        return fold(link, replace(seen, as_of=1e12))

    return swap(observing, "fold", careless)


@bug("drop on equal stamps", "dlt: a `>` cursor never reads a row saved with the same stamp")
def drop_equal_stamps(_sides: Sides) -> AbstractContextManager[object]:
    def strict(link: Link, seen: Observation) -> Link:
        held = link.observation(seen.id)
        return link if held is not None and seen.version <= held.version else fold(link, seen)

    return swap(observing, "fold", strict)


@bug("write whole records", "Mautic, Segment: every mapped field with every change")
def whole_records(_sides: Sides) -> AbstractContextManager[object]:
    original = planning._state

    def state(role: Any, email: str, values: Any, bound: Any) -> Any:
        write = original(role, email, values, bound)
        if role.seen is None:
            return write
        mine = {
            line.fields[role.kind].name
            for line in bound.lines
            if line.listens(role.kind) and line.writable(role.kind, create=False)
        }
        whole = {name: word for name, word in role.seen.values.items() if name in mine}
        return replace(write, values={**whole, **values})

    return swap(planning, "_state", state)


@bug("ignore the direction", "product P9: one-way fields flow back")
def ignore_direction(_sides: Sides) -> AbstractContextManager[object]:
    return both(
        swap(BoundLine, "listens", lambda _self, kind: kind is not Kind.CONTACT),
        swap(Direction, "speaks", lambda *_: True),
    )


@bug("lose without a word", "rotor: the other write is silently lost")
def silent_loss(_sides: Sides) -> AbstractContextManager[object]:
    return swap(reconciling, "lost_lines", lambda *_: [])


@bug("settle doubt by the policy", "style 2.4: four steps")
def doubt_by_policy(_sides: Sides) -> AbstractContextManager[object]:
    return swap(judging, "_doubtful", lambda *_: set())
