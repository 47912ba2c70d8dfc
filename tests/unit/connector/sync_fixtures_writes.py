"""A write stage and a unit between two systems in memory, links with an edit, and their writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from connector.mapping import BoundMapping
from connector.model import Counts, Intent, JournalKind, Link, RecordKind, RunKind, Write
from connector.planning.plan import Plan, plan_link
from connector.sync.change_limits import Limit
from connector.sync.isolation import Isolation
from connector.sync.resolve_unit import UnitResolver, UnitResult
from connector.sync.write_stage import StageResult, WriteStage
from tests.unit.connector.sync_fixtures import (
    BOUND,
    CONTACT,
    EMAIL,
    LEAD,
    RUN,
    SyncSetup,
    agreed,
    contact,
    lead,
    never,
)
from tests.unit.connector.sync_fixtures_stores import NOW


class Stage:
    """A write stage between two systems: plans are intended, then carried out."""

    def __init__(self, bound: BoundMapping = BOUND, *, listed: bool = True, **parts: Any) -> None:
        self.sync = SyncSetup(**parts)
        self.sync.request()
        self.bound = bound
        self.isolation = Isolation(self.sync.context, RUN)
        self.counts = Counts()
        self.plans: list[Plan] = []
        self.stage = WriteStage(self.sync.context, bound, RUN, self.isolation, listed=listed)

    def intend(self, link: Link, bound: BoundMapping | None = None, **changes: Any) -> Plan:
        """Store a link with the intent of its plan, as the unit does."""
        self.sync.hold(link)
        stored = self.sync.link(link.email)
        plan = replace(plan_link(stored, bound or self.bound, now=NOW), **changes)
        intent = Intent(
            f"id-{link.email}", RUN, NOW, plan.writes, plan.base_updates, plan.overwritten
        )
        self.sync.store(replace(plan.link, intent=intent, dirty=True), listed=True)
        self.sync.ledger.saves.clear()
        plan = replace(plan, link=self.sync.link(link.email))
        self.plans.append(plan)
        return plan

    def work(self, out_of_time: Callable[[], bool] = never) -> StageResult:
        """Carry out the plans."""
        return self.stage.carry_out(self.plans, self.counts, out_of_time)

    def link(self, email: str = EMAIL) -> Link:
        return self.sync.link(email)

    @property
    def numbers(self) -> dict[tuple[str, str], int]:
        """The counts that are not zero."""
        return {name: number for name, number in self.counts.numbers.items() if number}

    def entries(self, *kinds: JournalKind) -> list[tuple[JournalKind, str, str, Any, str]]:
        """Return kind, record, field, new value and rule of the entries in the journal."""
        return [
            (it.kind, it.record_id, it.field, it.after, it.rule)
            for it in self.sync.journal.entries()
            if not kinds or it.kind in kinds
        ]


def edited(email: str = EMAIL, *, plezi: Any = "1", salesforce: Any = "1") -> Link:
    """Return a link that agreed on the phone 1; its records have these phones now."""
    records = (
        contact(email, plezi, version="2" if plezi != "1" else "1"),
        lead(email, salesforce, version="2" if salesforce != "1" else "1"),
    )
    return agreed(email, "1", *records, dirty=True)


TO_LEAD: Final = edited(plezi="2")
TO_CONTACT: Final = edited(salesforce="2")
NEW: Final = Link(EMAIL, plezi=contact(EMAIL), dirty=True)
"""A contact for which a Lead is created."""


def fresh(link: Link, as_of: float = NOW) -> Link:
    """Return a link whose records were read at a time."""
    for record in tuple(link.observations()):
        link = link.with_observation(replace(record, as_of=as_of))
    return link


def busy(email: str) -> Link:
    """Return a link on which another worker works at this moment."""
    return agreed(email, intent=Intent("id-0", "run-0", NOW, (), ()), dirty=True)


def write_to(kind: RecordKind, record: str) -> Write:
    """Return the write of the phone 2 in place of 1."""
    name = "phone" if kind is RecordKind.PLEZI_CONTACT else "Phone"
    return Write(kind, record, EMAIL, {name: "2"}, {name: "1"}, "1")


PLEZI_WRITE: Final = write_to(RecordKind.PLEZI_CONTACT, CONTACT)
LEAD_WRITE: Final = write_to(RecordKind.LEAD, LEAD)


def intended(*writes: Write, age: float = 999.0, in_doubt: bool = False) -> Intent:
    """Return the intent of these writes by another run, some seconds ago."""
    return Intent("id-0", "run-0", NOW - age, writes, (), in_doubt=in_doubt)


class Unit:
    """A unit of links between two systems."""

    def __init__(
        self,
        *links: Link,
        bound: BoundMapping = BOUND,
        kind: RunKind = RunKind.CHANGES,
        emails: tuple[str, ...] = (),
        listed: bool = True,
        limit: Limit = Limit.RUN,
        planner: Any = None,
        **parts: Any,
    ) -> None:
        is_dry_run = parts.pop("is_dry_run", False)
        self.sync = SyncSetup(**parts)
        self.sync.read_all(at=NOW)
        self.sync.request(kind, emails=emails)
        self.sync.hold(*links)
        self.sync.ledger.saves.clear()
        context = replace(self.sync.context, is_dry_run=is_dry_run)
        self.isolation = Isolation(context, RUN)
        self.unit = UnitResolver(
            context,
            bound,
            self.sync.run(),
            self.isolation,
            listed=listed,
            limit=limit,
            planner=planner,
        )

    def resolve(self, *emails: str, with_plezi: bool = True) -> UnitResult:
        """Load, plan and resolve links, clean ones too."""
        links = self.unit.load(emails or (EMAIL,), include_clean=True)
        return self.unit.resolve(links, self.unit.plan(links), never, with_plezi=with_plezi)

    def link(self, email: str = EMAIL) -> Link:
        return self.sync.link(email)

    def entries(self) -> list[tuple[JournalKind, str, str, Any, Any, str]]:
        """Return kind, record, field, values before and after, and rule of all entries."""
        return [
            (it.kind, it.record_id, it.field, it.before, it.after, it.rule)
            for it in self.sync.journal.entries()
        ]
