"""How many links a second the pure planner decides."""

from __future__ import annotations

import time
from collections.abc import Mapping

from connector.mapping import DEFAULT_MAPPING, Field, FieldKind, Schema, bind
from connector.model import Kind, Link, Observation
from connector.plan import plan

LINKS = 5_000


def plans_per_second() -> float:
    """Plan links of which one field of ten changed in Plezi; return plans a second on one core."""
    schemas: Mapping[Kind, Schema] = {
        Kind.PLEZI_CONTACT: {
            line.plezi: Field(line.plezi, FieldKind.TEXT) for line in DEFAULT_MAPPING.lines
        },
        Kind.LEAD: {
            line.salesforce: Field(line.salesforce, FieldKind.TEXT)
            for line in DEFAULT_MAPPING.lines
        },
        Kind.CONTACT: {},
    }
    bound = bind(DEFAULT_MAPPING, schemas)
    links = [_link(number) for number in range(LINKS)]
    begun = time.perf_counter()
    writes = sum(len(plan(link, bound, now=0.0).writes) for link in links)
    seconds = time.perf_counter() - begun
    if writes != LINKS:
        raise RuntimeError(f"{writes} writes planned, {LINKS} expected")
    return LINKS / seconds


def _link(number: int) -> Link:
    email = f"person{number}@example.com"
    plezi = {line.plezi: f"{line.plezi} {number}" for line in DEFAULT_MAPPING.lines}
    salesforce = {line.salesforce: f"{line.plezi} {number}" for line in DEFAULT_MAPPING.lines}
    contact, lead = f"p{number}", f"s{number}"
    changed = {**plezi, "phone": "another"}
    return Link(
        email,
        Observation(Kind.PLEZI_CONTACT, contact, email, "2", "2026", 0.0, changed),
        (Observation(Kind.LEAD, lead, email, "1", "2026", 0.0, salesforce),),
        {contact: plezi, lead: salesforce},
    )
