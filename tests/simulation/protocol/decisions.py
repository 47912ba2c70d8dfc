"""The transitions of a link in a run, each computed once.

All of them are the connector's own functions: `apply_observation`, `apply_fresh_read`,
`mark_deleted`, `recover_intent` and `plan_link` (by the protocol), and `record_outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import NamedTuple

from connector.mapping import BoundMapping
from connector.model import Intent, Link, Side, Write
from connector.planning.manual_actions import choose_value, is_untyped
from connector.planning.observation import apply_fresh_read, apply_observation, mark_deleted
from connector.planning.plan import Plan
from connector.planning.refused_fields import combined, remaining_write, with_smaller_creation
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from tests.simulation.protocol.interning import LinkInterner
from tests.simulation.protocol.records import LEAD_FIELD, Record
from tests.simulation.protocol.variants import Protocol
from tests.simulation.protocol.workers import Response, Worker

INTENT, RUN = "i", "r"
"""The id of every intent and of every run; no rule compares them across links."""


class Decision(NamedTuple):
    """A plan with writes, the number of the link with its intent, and the side written first."""

    plan: Plan
    link: int
    side: Side


class Decisions:
    """Links after each step of a run, by the number of the link before it."""

    def __init__(self, links: LinkInterner, protocol: Protocol, bound: BoundMapping) -> None:
        self._links = links
        self._protocol = protocol
        self.bound = bound
        self._known: dict[Hashable, int] = {}
        self._stored_plans: dict[int, Plan] = {}
        self._decisions: dict[int, Decision | Plan] = {}

    def after_page(self, number: int, page: tuple[Record, ...]) -> int:
        """Return the link after a run stored a page of one kind of record."""

        def apply_page() -> Link:
            link = self._links.objects[number]
            for record in page:
                link = apply_observation(link, record.observation())
            return link

        return self._cached(("page", number, page), apply_page)

    def stored_plan(self, number: int) -> Plan:
        """Return the plan of a link as it is stored, which shows whether there is work."""
        plan = self._stored_plans.get(number)
        if plan is None:
            link = self._links.objects[number]
            plan = self._stored_plans[number] = self._protocol.plan(link, self.bound)
        return plan

    def after_refresh(self, number: int, side: Side, records: tuple[Record, ...]) -> int:
        """Return the link after a read of one side by id and e-mail; missing ids are deleted."""

        def refresh() -> Link:
            link = self._links.objects[number]
            known = {it.id for it in link.observations() if it.side is side}
            existing = [record for record in records if not record.deleted]
            for record in existing:
                link = apply_fresh_read(link, record.observation())
            for deleted in sorted(known - {record.id for record in existing}):
                link = mark_deleted(link, deleted)
            return link

        return self._cached(("refresh", number, side, records), refresh)

    def decision(self, number: int) -> Decision | Plan:
        """Return the protocol's decision about a link: a plan only if there is nothing to write."""
        decision = self._decisions.get(number)
        if decision is None:
            plan = self._protocol.decide(self._links.objects[number], self.bound)
            decision = self._with_intent(plan) if plan.writes else plan
            self._decisions[number] = decision
        return decision

    def _with_intent(self, plan: Plan) -> Decision:
        intent = Intent(INTENT, RUN, 0.0, plan.writes, plan.base_updates)
        link = self._links.number(replace(plan.link, intent=intent, dirty=True))
        sides = {write.side for write in plan.writes}
        return Decision(plan, link, Side.SALESFORCE if Side.SALESFORCE in sides else Side.PLEZI)

    def after_choice(self, number: int, record: str) -> int | None:
        """Return the link after an admin chose the value of a record; None if that is refused."""
        link = self._links.objects[number]
        if self._protocol.refuses_untyped and is_untyped(link, LEAD_FIELD, record):
            return None
        return self._links.number(choose_value(link, LEAD_FIELD, record))

    def rest_of(self, intent: Intent, responses: Iterable[Response]) -> list[Write]:
        """Return what is sent at once of the writes that were refused by the names of fields."""
        if not self._protocol.sends_rest:
            return []
        writes = {it.record_id: it for it in intent.writes}
        rests = (self._rest(writes[it.target], it) for it in responses if it.refused)
        return [it for it in rests if it is not None]

    def _rest(self, write: Write, response: Response) -> Write | None:
        if write.is_create and not write.values.keys() & set(response.refused):
            return write  # the smaller creation is stored
        outcome = WriteOutcome(write, response.result, fields=response.refused)
        return remaining_write(outcome, self.bound)

    def with_smaller_creation(self, number: int, writes: Iterable[Write]) -> int:
        """Return the link whose intent has the smaller creation among some writes, if there is one.

        A protocol that does not store it has the same link.
        """
        link = self._links.objects[number]
        for write in writes:
            if write.is_create and self._protocol.stores_smaller:
                link = with_smaller_creation(link, write)
        return self._links.number(link)

    def after_record(self, worker: Worker, stored: int) -> int:
        """Return the link after the outcomes of its intent are recorded.

        If the stored link changed since the intent, the outcomes are recorded on it.
        """
        number = stored if worker.is_outdated else worker.held
        key = ("record", number, worker.responses, worker.is_outdated)
        return self._cached(key, lambda: self._recorded(worker, number))

    def _recorded(self, worker: Worker, number: int) -> Link:
        link = self._links.objects[number]
        writes = {it.record_id: it for it in link.intent.writes} if link.intent is not None else {}
        outcomes = {}
        for target, result, record_id, record, refused in worker.responses:
            write = writes[target]
            created = write.is_create and result is WriteResult.DONE
            observation = record.observation() if record is not None else None
            if observation is not None and created and write.side is Side.SALESFORCE:
                # The response to a creation in Salesforce contains the id only.
                observation = replace(observation, version="", modified="")
            first = WriteOutcome(write, WriteResult.REJECTED, fields=refused)
            rest = remaining_write(first, self.bound) if refused else None
            outcomes[target] = WriteOutcome(
                rest or write, result, record_id, 0.0, created=created, observation=observation
            )
            if refused:
                outcomes[target] = combined(first, outcomes[target])
        unchanged = not worker.is_outdated
        after = record_outcomes(link, INTENT, outcomes, unchanged_since_intent=unchanged, now=0.0)
        if after.quarantine is not None:  # no rule depends on the number of tries
            after = replace(after, quarantine=replace(after.quarantine, tries=1))
        if after.intent is not None:  # recovery treats a lost response and a crash alike
            return replace(after, intent=replace(after.intent, in_doubt=False))
        return after

    def _cached(self, key: Hashable, make: Callable[[], Link]) -> int:
        """Return the number of a link that depends on the key only."""
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._links.number(make())
        return number
