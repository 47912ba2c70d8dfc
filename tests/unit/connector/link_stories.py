"""A story of one person on the planner alone: what users do, and what each run writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
)
from connector.model import Intent, Link, Observation, RecordKind, Value
from connector.planning.observation import apply_observation, mark_deleted
from connector.planning.plan import Plan, plan_link
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes

EMAIL: Final = "ana@x.fr"
MAX_PLANS: Final = 5
"""Plans of a run: a record that is created needs a second one, and none needs many."""


def bound_with(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    kind: FieldKind = FieldKind.TEXT,
    field: str = "Phone",
    attribute: str = "phone",
) -> BoundMapping:
    """Return a mapping of one pair, of a phone or of a checkbox, to a field of Salesforce."""
    pair = FieldPair(attribute, field, direction, policy, contact=field)
    names = {RecordKind.PLEZI_CONTACT: attribute}
    fields = {each: Field(names.get(each, field), kind) for each in RecordKind}
    return BoundMapping(MappingConfig(1, (pair,), None), (BoundPair(pair, fields),), ())


class Story:
    """The records of one person, and the link that the runs leave.

    The first letter of a name says what the record is: `p` a contact of Plezi, `l` a Lead, `c` a
    Contact that takes part. Each action of a user is a minute after the one before.
    """

    def __init__(self, bound: BoundMapping, **values: Value) -> None:
        self.bound = bound
        self.records: dict[str, Observation] = {}
        self.link = Link(EMAIL)
        self.lost: list[tuple[str, Value]] = []
        """The values that gave way, by record, as the journal has them."""
        self._minute = 0
        for name, value in values.items():
            self.create(name, value)

    def create(self, name: str, value: Value = None) -> None:
        """Create a record."""
        kinds = {"p": RecordKind.PLEZI_CONTACT, "l": RecordKind.LEAD, "c": RecordKind.CONTACT}
        kind = kinds[name[0]]
        values = {self.bound.pairs[0].fields[kind].name: value}
        created = self._now()
        self.records[name] = Observation(
            kind, name, EMAIL, created, created, 0.0, values, created=created
        )

    def type(self, name: str, value: Value) -> None:
        """Let a user type a value."""
        known = self.records[name]
        self.change(name, values=dict.fromkeys(known.values, value))

    def change(self, name: str, **changes: object) -> None:
        """Change other properties of a record: `email`, `eligible`, `deleted`, `converted`, ..."""
        now = self._now()
        self.records[name] = replace(self.records[name], modified=now, version=now, **changes)  # type: ignore[arg-type]

    def convert(self, lead: str, contact: str) -> None:
        """Convert a Lead into a new Contact, which has its value."""
        self.create(contact, next(iter(self.records[lead].values.values())))
        self.change(lead, converted=True, successor=contact)

    def run(self, *, refused: Collection[str] = ()) -> dict[str, Value]:
        """Read all records and make them agree; return what was written, by record.

        A record of `refused` refuses its write, and the run ends.
        """
        for record in self.records.values():
            if record.kind is RecordKind.PLEZI_CONTACT and record.deleted:
                self.link = mark_deleted(self.link, record.id)
            else:
                self.link = apply_observation(self.link, record)
        written: dict[str, Value] = {}
        for _ in range(MAX_PLANS):
            plan = plan_link(self.link, self.bound, now=0.0)
            if not plan.writes:
                self.link = plan.link
                return written
            self._carry_out(plan, refused, written)
            if refused:
                return written
        raise AssertionError(f"plans write again and again: {written}")

    def held(self) -> dict[str, Value]:
        """Return the values that are held for review."""
        hold = self.link.holds.get("Phone")
        return {} if hold is None else dict(hold.values)

    def _carry_out(self, plan: Plan, refused: Collection[str], written: dict[str, Value]) -> None:
        intent = Intent("i", "r", 0.0, plan.writes, plan.base_updates, plan.overwritten)
        outcomes = {}
        for write in plan.writes:
            if write.record_id in refused:
                outcomes[write.record_id] = WriteOutcome(write, WriteResult.REJECTED, code="X")
                continue
            self.lost += [
                (it.record_id, it.value)
                for it in plan.overwritten
                if it.record_id == write.record_id
            ]
            [written[write.record_id]] = write.values.values()
            self.type(write.record_id, written[write.record_id])
            outcomes[write.record_id] = WriteOutcome(
                write,
                WriteResult.DONE,
                write.record_id,
                0.0,
                observation=self.records[write.record_id],
            )
        link = replace(plan.link, intent=intent)
        self.link = record_outcomes(link, "i", outcomes, unchanged_since_intent=True, now=0.0)

    def _now(self) -> str:
        self._minute += 1
        return f"2026-01-01T10:{self._minute:02d}:00Z"
