"""What a run makes of a link: every step from one link to the next, worked out once.

All of it is the connector's own: `apply_observation`, `refreshed`, `forget`, `recover_intent`, `plan` and `record_outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import NamedTuple

from connector.mapping import BoundMapping
from connector.model import Intent, Link, Side
from connector.planning.observation import apply_fresh_read, apply_observation, mark_deleted
from connector.planning.outcome import WriteOutcome, WriteResult, record_outcomes
from connector.planning.plan import Plan, plan_link
from tests.simulation.protocol.numbered import Links
from tests.simulation.protocol.records import Record
from tests.simulation.protocol.weaker import Protocol
from tests.simulation.protocol.workers import Worker


class Decision(NamedTuple):
    """What was decided about a link, and the link with its intent, by number."""

    planned: Plan
    mine: int
    side: Side


class Decisions:
    """Links after links, by number."""

    def __init__(self, links: Links, protocol: Protocol, mapping: BoundMapping) -> None:
        self._links = links
        self._protocol = protocol
        self._bound = mapping
        self._known: dict[Hashable, int] = {}
        self._firsts: dict[int, Plan] = {}
        self._decided: dict[int, Decision | Plan] = {}

    def folded(self, link: int, page: tuple[Record, ...]) -> int:
        """Return the link after a page of one kind of record was read."""

        def folded() -> Link:
            after = self._links.things[link]
            for it in page:
                after = apply_observation(after, it.observed())
            return after

        return self._remembered(("fold", link, page), folded)

    def first(self, link: int) -> Plan:
        """Return the plan of a link as it is stored, which tells whether there is work."""
        known = self._firsts.get(link)
        if known is None:
            known = self._firsts[link] = plan_link(self._links.things[link], self._bound, now=0.0)
        return known

    def looked(self, held: int, side: Side, seen: tuple[Record, ...]) -> int:
        """Read again, by id and by e-mail; what is not there any more is gone for certain."""

        def looked() -> Link:
            link = self._links.things[held]
            known = {it.id for it in link.observations() if it.side is side}
            alive = [it for it in seen if not it.deleted]
            for it in alive:
                link = apply_fresh_read(link, it.observed())
            for gone in sorted(known - {it.id for it in alive}):
                link = mark_deleted(link, gone)
            return link

        return self._remembered(("look", held, side, seen), looked)

    def decided(self, held: int) -> Decision | Plan:
        """Return what the protocol decides about a link: a plan where nothing is to be written."""
        known = self._decided.get(held)
        if known is None:
            planned = self._protocol.decide(self._links.things[held], self._bound)
            known = self._decided[held] = self._decision(planned) if planned.writes else planned
        return known

    def _decision(self, planned: Plan) -> Decision:
        intent = Intent("i", "r", 0.0, planned.writes, planned.base_updates)
        mine = self._links.number(replace(planned.link, intent=intent, dirty=True))
        sides = {it.side for it in planned.writes}
        return Decision(planned, mine, Side.SALESFORCE if Side.SALESFORCE in sides else Side.PLEZI)

    def recorded(self, worker: Worker) -> int:
        """Return the link after its intent was carried out, with the answers that were heard."""
        key = ("record", worker.held, worker.answers)
        return self._remembered(key, lambda: self._recorded(worker))

    def _recorded(self, worker: Worker) -> Link:
        link = self._links.things[worker.held]
        writes = {it.record_id: it for it in link.intent.writes} if link.intent is not None else {}
        outcomes = {}
        for about, result, told, shown in worker.answers:
            write = writes[about]
            created = write.is_create and result is WriteResult.DONE
            seen = shown.observed() if shown is not None else None
            if seen is not None and created and write.side is Side.SALESFORCE:
                seen = replace(seen, version="", modified="")  # its answer shows only the id
            outcomes[about] = WriteOutcome(
                write, result, told, 0.0, created=created, observation=seen
            )
        after = record_outcomes(link, "i", outcomes, unchanged_since_intent=True, now=0.0)
        if after.quarantine is not None:  # how often it was tried decides nothing
            after = replace(after, quarantine=replace(after.quarantine, tries=1))
        if after.intent is not None:  # in doubt or of a dead run: it is judged all the same
            return replace(after, intent=replace(after.intent, in_doubt=False))
        return after

    def _remembered(self, key: Hashable, make: Callable[[], Link]) -> int:
        """Return the number of a link that depends on nothing but the key."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._links.number(make())
        return known
