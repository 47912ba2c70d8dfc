"""The number of links that the planner plans a second."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from connector.mapping import DEFAULT_MAPPING, BoundMapping, Field, FieldKind, Schema, bind_mapping
from connector.model import Link, Observation, RecordKind, Values
from connector.planning.plan import plan_link

LINKS = 5_000
KINDS: Final[Mapping[str, FieldKind]] = {
    "email": FieldKind.EMAIL,
    "phone": FieldKind.PHONE,
    "mobile": FieldKind.PHONE,
}
"""The kinds of the attributes that are not compared as text."""


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
        RecordKind.PLEZI_CONTACT: {pair.plezi: _field(pair.plezi, pair.plezi) for pair in pairs},
        RecordKind.LEAD: {pair.salesforce: _field(pair.salesforce, pair.plezi) for pair in pairs},
        RecordKind.CONTACT: {},
    }
    return bind_mapping(DEFAULT_MAPPING, schemas)


def _field(name: str, attribute: str) -> Field:
    return Field(name, KINDS.get(attribute, FieldKind.TEXT))


def _link(number: int, *, has_base: bool) -> Link:
    """Return a link whose phone numbers are spelled differently on each side, and one differs."""
    email = f"person{number}@example.com"
    plezi = {pair.plezi: f"{pair.plezi} {number}" for pair in DEFAULT_MAPPING.pairs}
    plezi |= {"email": email, "phone": _phone(1, number, " "), "mobile": _phone(6, number, " ")}
    salesforce = {pair.salesforce: plezi[pair.plezi] for pair in DEFAULT_MAPPING.pairs}
    salesforce |= {"Phone": _phone(1, number, "."), "MobilePhone": _phone(6, number, ".")}
    contact, lead = f"p{number}", f"s{number}"
    changed = {**plezi, "phone": _phone(2, number, " ")}
    keys = {pair: pair.base_key(RecordKind.LEAD) for pair in DEFAULT_MAPPING.pairs}
    agreed: Mapping[str, Values] = {
        contact: {key: plezi[pair.plezi] for pair, key in keys.items()},
        lead: {key: salesforce[pair.salesforce] for pair, key in keys.items()},
    }
    base = agreed if has_base else {}
    return Link(
        email,
        Observation(RecordKind.PLEZI_CONTACT, contact, email, "2", "2026", 0.0, changed),
        (Observation(RecordKind.LEAD, lead, email, "1", "2026", 0.0, salesforce),),
        base,
    )


def _phone(area: int, number: int, separator: str) -> str:
    """Return a French number, as 01 23 00 12 34, with a separator between each two digits."""
    digits = f"0{area}23{number:06d}"
    return separator.join(digits[start : start + 2] for start in range(0, len(digits), 2))
