"""Links of one person with a phone, a mapping for it, and what the plan of one shows."""

from __future__ import annotations

from collections.abc import Mapping
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
    ValuePair,
)
from connector.model import (
    Hold,
    HoldReason,
    Link,
    Observation,
    RecordKind,
    Value,
)
from connector.planning.plan import Plan, plan_link

EMAIL: Final = "a@x.fr"
PHONE: Final = "phone>Phone"
NOW: Final = 100.0
KINDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l1": RecordKind.LEAD,
    "l2": RecordKind.LEAD,
    "c": RecordKind.CONTACT,
}
MODIFIED: Final = {"p": "2026-01", "l1": "2026-02", "l2": "2026-03", "c": "2026-04"}
"""The second Lead was changed after the first, and Plezi before both."""
UNKNOWN: Final = "[unknown]"


def bound_pair(pair: FieldPair, kind: FieldKind = FieldKind.TEXT, **lead: bool) -> BoundPair:
    fields = {
        RecordKind.PLEZI_CONTACT: Field(pair.plezi, kind),
        RecordKind.LEAD: replace(Field(pair.salesforce, kind), **lead),  # type: ignore[arg-type]  # flags
    }
    if pair.contact:
        fields[RecordKind.CONTACT] = Field(pair.contact, kind)
    return BoundPair(pair, fields)


def bound_to(*pairs: BoundPair) -> BoundMapping:
    return BoundMapping(MappingConfig(1, tuple(it.pair for it in pairs), None), pairs, ())


def phone_pair(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    placeholder: str = "",
) -> BoundPair:
    pair = FieldPair("phone", "Phone", direction, policy, contact="Phone", placeholder=placeholder)
    return bound_pair(pair)


def bound_with(
    policy: ConflictPolicy = ConflictPolicy.NEWEST, direction: Direction = Direction.BOTH
) -> BoundMapping:
    return bound_to(phone_pair(policy, direction))


BOUND: Final = bound_with()
HOLDING: Final = bound_with(ConflictPolicy.HOLD)
TITLE: Final = bound_pair(FieldPair("function", "Title", Direction.BOTH))
"""A field that Contacts do not have."""
OPT_OUT: Final = bound_pair(
    FieldPair(
        "optout", "optout__c", Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE, contact="optout__c"
    ),
    FieldKind.CHECKBOX,
)
SEGMENT: Final = bound_pair(
    FieldPair("segment", "Size__c", Direction.BOTH, values=(ValuePair("smb", "Small"),)),
    FieldKind.PICKLIST,
)
"""A pair of lists with a value table of one row."""


def observed(record: str, **values: Value) -> Observation:
    return Observation(KINDS[record], record, EMAIL, f"v-{record}", MODIFIED[record], 0.0, values)


def with_phone(record: str, phone: Value) -> Observation:
    name = "phone" if record == "p" else "Phone"
    return observed(record, **{name: phone})


def phones(
    values: Mapping[str, Value],
    base: Mapping[str, Value] | None = None,
    hold: Hold | None = None,
) -> Link:
    """Return a link of records with these phones, the phones agreed before, and the hold."""
    link = Link(
        EMAIL,
        base={record: {PHONE: value} for record, value in (base or {}).items()},
        holds={} if hold is None else {"Phone": hold},
    )
    for record, value in values.items():
        link = link.with_observation(with_phone(record, value))
    return link


def planned(link: Link, bound: BoundMapping = BOUND) -> Plan:
    return plan_link(link, bound, now=NOW)


def written(plan: Plan) -> dict[str, dict[str, Value]]:
    """Return the values to write, by record id."""
    return {write.record_id: dict(write.values) for write in plan.writes}


def given_way(plan: Plan) -> dict[str, Value]:
    """Return the values that give way, by record id."""
    return {it.record_id: it.value for it in plan.overwritten}


def held(reason: HoldReason, values: Mapping[str, Value], *untyped: str, chosen: str = "") -> Hold:
    """Return a hold that was shown some time ago with these values."""
    return Hold(reason, 1.0, values, chosen, frozenset(untyped), attribute="phone")
