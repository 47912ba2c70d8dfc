"""Unchanged field pairs are skipped without a merge, and no decision differs because of that."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.mapping import (
    BoundMapping,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    bind_mapping,
)
from connector.model import Hold, HoldReason, Link, Observation, RecordKind, Value
from connector.planning import field_merge as merge
from connector.planning import plan as planning
from connector.planning.plan import plan_link

KINDS = st.sampled_from(
    [FieldKind.TEXT, FieldKind.CHECKBOX, FieldKind.NUMBER, FieldKind.PHONE, FieldKind.PICKLIST]
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from([1, 1.0, True, "1", "yes"]),
    st.sampled_from([None, "", "[unknown]"]),
    st.sampled_from(["a", "A", " a", "Zoe\u0308", "Zo\xeb", False]),
)
PAIR_COUNT = 3
BOTH = Direction.BOTH


@st.composite
def mappings(draw: st.DrawFn) -> BoundMapping:
    schemas: dict[RecordKind, dict[str, Field]] = {kind: {} for kind in RecordKind}
    pairs = []
    for number in range(PAIR_COUNT):
        name = f"f{number}"
        pairs.append(
            FieldPair(
                name,
                name,
                draw(st.sampled_from(Direction)),
                contact=draw(st.sampled_from(["", name])),
                policy=draw(st.sampled_from(ConflictPolicy)),
                placeholder=draw(st.sampled_from(["", "[unknown]"])),
                enforced=draw(st.booleans()),
            )
        )
        for kind in RecordKind:
            schemas[kind][name] = Field(name, draw(KINDS), unique=draw(st.booleans()))
    duplicates = draw(st.sampled_from(DuplicatePolicy))
    return bind_mapping(MappingConfig(1, tuple(pairs), None, duplicates=duplicates), schemas)


@st.composite
def links(draw: st.DrawFn) -> Link:
    """A link of up to four records with equal or different values, each with or without a base."""
    common = {f"f{number}": draw(VALUES) for number in range(PAIR_COUNT)}
    base: dict[str, dict[str, Value]] = {}

    def record(kind: RecordKind, name: str) -> Observation:
        own = draw(st.dictionaries(st.sampled_from(sorted(common)), VALUES, max_size=1))
        values = {**common, **own}
        if draw(st.booleans()):
            old = draw(st.dictionaries(st.sampled_from(sorted(common)), VALUES, max_size=1))
            agreed = {**values, **old}
            base[name] = {f"{field}>{field}": value for field, value in agreed.items()}
        modified = draw(st.sampled_from(["2026-01", "2026-02"]))
        return Observation(kind, name, "ana@example.com", "1", modified, 0.0, values)

    plezi = record(RecordKind.PLEZI_CONTACT, "p") if draw(st.booleans()) else None
    leads = [record(RecordKind.LEAD, f"l{number}") for number in range(draw(st.integers(0, 2)))]
    contacts = [record(RecordKind.CONTACT, "c")] if draw(st.booleans()) else []
    reasons = st.sampled_from([HoldReason.CONFLICT, HoldReason.IN_DOUBT])
    held = draw(st.dictionaries(st.sampled_from(sorted(common)), reasons, max_size=1))
    holds = {key: Hold(reason, 0.0, {"p": draw(VALUES)}) for key, reason in held.items()}
    return Link("ana@example.com", plezi, (*contacts, *leads), base, holds=holds)


def all_pairs(_: Link, bound: BoundMapping, __: Any) -> set[str]:
    return {pair.key for pair in bound.pairs}


@given(links(), mappings())
@settings(max_examples=300)
def test_a_plan_is_the_same_as_if_every_pair_were_merged(link: Link, bound: BoundMapping) -> None:
    fast = plan_link(link, bound, now=1.0)
    with patch.object(planning, "changed_pairs", all_pairs):
        slow = plan_link(link, bound, now=1.0)

    # Compared as text, because 1, 1.0 and True are equal in Python but are different values here.
    assert repr(fast) == repr(slow)


@given(links(), mappings())
@settings(max_examples=100)
def test_a_plan_is_the_same_if_all_canonical_forms_are_computed(
    link: Link, bound: BoundMapping
) -> None:
    fast = plan_link(link, bound, now=1.0)
    with patch.object(merge, "is_identical", lambda *_: False):
        slow = plan_link(link, bound, now=1.0)

    assert repr(fast) == repr(slow)


def agreed_link(
    pair: FieldPair, base: Value, plezi: Value, kind: FieldKind = FieldKind.TEXT
) -> tuple[Link, BoundMapping]:
    """Two records that agreed on a value; the Lead still has it, Plezi has the given value."""
    schemas = {
        RecordKind.PLEZI_CONTACT: {pair.plezi: Field(pair.plezi, kind)},
        RecordKind.LEAD: {pair.salesforce: Field(pair.salesforce, kind)},
        RecordKind.CONTACT: {},
    }
    email = "ana@example.com"
    contact = Observation(
        RecordKind.PLEZI_CONTACT, "p", email, "1", "2026", 0.0, {pair.plezi: plezi}
    )
    lead = Observation(RecordKind.LEAD, "l", email, "1", "2026", 0.0, {pair.salesforce: base})
    agreed = {record: {pair.base_key(RecordKind.LEAD): base} for record in ("p", "l")}
    return Link(email, contact, (lead,), agreed), bind_mapping(
        MappingConfig(1, (pair,), None), schemas
    )


@pytest.mark.parametrize(
    "pair", [FieldPair("phone", "Phone", BOTH), FieldPair("u", "U", BOTH, enforced=True)]
)
def test_a_link_whose_records_agree_needs_no_merge(pair: FieldPair) -> None:
    link, bound = agreed_link(pair, "1", "1")

    with patch.object(planning, "resolve") as resolve:
        planned = plan_link(link, bound, now=1.0)

    assert not resolve.called
    assert planned.link is link


def test_a_ticked_box_is_not_the_number_1() -> None:
    link, bound = agreed_link(FieldPair("n", "N", BOTH), 1, True, FieldKind.NUMBER)

    assert plan_link(link, bound, now=1.0).writes


def test_the_placeholder_is_a_value_in_plezi_and_a_blank_in_salesforce() -> None:
    pair = FieldPair("n", "N", BOTH, policy=ConflictPolicy.FILL_BLANK, placeholder="[unknown]")
    link, bound = agreed_link(pair, "[unknown]", "[unknown]")

    assert plan_link(link, bound, now=1.0).writes
