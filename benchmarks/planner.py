"""The number of links that the planner plans a second."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from connector.mapping import DEFAULT_MAPPING, BoundMapping, Field, FieldKind, Schema, bind_mapping
from connector.model import Link, Observation, RecordKind, Values
from connector.planning.plan import plan_link

LINKS = 5_000


def changed_field() -> float:
    """Plan links with one of ten fields changed in Plezi; return plans a second on one core."""
    return _plans_per_second([_link(number, has_base=True) for number in range(LINKS)])


def first_match() -> float:
    """Plan links without a base and with one different field; return plans a second on one core."""
    return _plans_per_second([_link(number, has_base=False) for number in range(LINKS)])


def _plans_per_second(links: Sequence[Link]) -> float:
    bound = _bound()
    start = time.perf_counter()
    writes = sum(len(plan_link(link, bound, now=0.0).writes) for link in links)
    seconds = time.perf_counter() - start
    if writes != len(links):
        raise RuntimeError(f"{writes} writes planned, {len(links)} expected")
    return len(links) / seconds


def _bound() -> BoundMapping:
    pairs = DEFAULT_MAPPING.pairs
    schemas: Mapping[RecordKind, Schema] = {
        RecordKind.PLEZI_CONTACT: {pair.plezi: Field(pair.plezi, FieldKind.TEXT) for pair in pairs},
        RecordKind.LEAD: {
            pair.salesforce: Field(pair.salesforce, FieldKind.TEXT) for pair in pairs
        },
        RecordKind.CONTACT: {},
    }
    return bind_mapping(DEFAULT_MAPPING, schemas)


def _link(number: int, *, has_base: bool) -> Link:
    email = f"person{number}@example.com"
    plezi = {pair.plezi: f"{pair.plezi} {number}" for pair in DEFAULT_MAPPING.pairs}
    salesforce = {pair.salesforce: f"{pair.plezi} {number}" for pair in DEFAULT_MAPPING.pairs}
    contact, lead = f"p{number}", f"s{number}"
    changed = {**plezi, "phone": "another"}
    agreed = {
        pair.base_key(RecordKind.LEAD): f"{pair.plezi} {number}" for pair in DEFAULT_MAPPING.pairs
    }
    base: Mapping[str, Values] = {contact: agreed, lead: agreed} if has_base else {}
    return Link(
        email,
        Observation(RecordKind.PLEZI_CONTACT, contact, email, "2", "2026", 0.0, changed),
        (Observation(RecordKind.LEAD, lead, email, "1", "2026", 0.0, salesforce),),
        base,
    )
