"""How many links a second the pure planner decides."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from connector.mapping import DEFAULT_MAPPING, BoundMapping, Field, FieldKind, Schema, bind_mapping
from connector.model import Link, Observation, RecordKind, Values
from connector.planning.plan import plan_link

LINKS = 5_000


def changed_field() -> float:
    """Plan links of which one field of ten changed in Plezi; return plans a second on one core."""
    return _plans_per_second([_link(number, agreed=True) for number in range(LINKS)])


def first_meeting() -> float:
    """Plan links on which nothing was ever agreed, and of which one field differs; as above."""
    return _plans_per_second([_link(number, agreed=False) for number in range(LINKS)])


def _plans_per_second(links: Sequence[Link]) -> float:
    bound = _bound()
    begun = time.perf_counter()
    writes = sum(len(plan_link(link, bound, now=0.0).writes) for link in links)
    seconds = time.perf_counter() - begun
    if writes != len(links):
        raise RuntimeError(f"{writes} writes planned, {len(links)} expected")
    return len(links) / seconds


def _bound() -> BoundMapping:
    lines = DEFAULT_MAPPING.pairs
    schemas: Mapping[RecordKind, Schema] = {
        RecordKind.PLEZI_CONTACT: {it.plezi: Field(it.plezi, FieldKind.TEXT) for it in lines},
        RecordKind.LEAD: {it.salesforce: Field(it.salesforce, FieldKind.TEXT) for it in lines},
        RecordKind.CONTACT: {},
    }
    return bind_mapping(DEFAULT_MAPPING, schemas)


def _link(number: int, *, agreed: bool) -> Link:
    email = f"person{number}@example.com"
    plezi = {line.plezi: f"{line.plezi} {number}" for line in DEFAULT_MAPPING.pairs}
    salesforce = {line.salesforce: f"{line.plezi} {number}" for line in DEFAULT_MAPPING.pairs}
    contact, lead = f"p{number}", f"s{number}"
    changed = {**plezi, "phone": "another"}
    base: Mapping[str, Values] = {contact: plezi, lead: salesforce} if agreed else {}
    return Link(
        email,
        Observation(RecordKind.PLEZI_CONTACT, contact, email, "2", "2026", 0.0, changed),
        (Observation(RecordKind.LEAD, lead, email, "1", "2026", 0.0, salesforce),),
        base,
    )
