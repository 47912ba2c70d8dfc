"""Lines at rest are passed over without a merge, and no decision is another one for that."""

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
WORDS: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from([1, 1.0, True, "1", "yes"]),
    st.sampled_from([None, "", "[unknown]"]),
    st.sampled_from(["a", "A", " a", "Zoe\u0308", "Zo\xeb", False]),
)
LINES = 3
BOTH = Direction.BOTH


@st.composite
def mappings(draw: st.DrawFn) -> BoundMapping:
    schemas: dict[RecordKind, dict[str, Field]] = {kind: {} for kind in RecordKind}
    lines = []
    for number in range(LINES):
        name = f"f{number}"
        lines.append(
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
    return bind_mapping(MappingConfig(1, tuple(lines), None, duplicates=duplicates), schemas)


@st.composite
def links(draw: st.DrawFn) -> Link:
    """One person, said alike or not by up to four records, of which any may have agreed before."""
    common = {f"f{number}": draw(WORDS) for number in range(LINES)}
    base: dict[str, dict[str, Value]] = {}

    def record(kind: RecordKind, name: str) -> Observation:
        own = draw(st.dictionaries(st.sampled_from(sorted(common)), WORDS, max_size=1))
        said = {**common, **own}
        if draw(st.booleans()):
            old = draw(st.dictionaries(st.sampled_from(sorted(common)), WORDS, max_size=1))
            base[name] = {**said, **old}
        modified = draw(st.sampled_from(["2026-01", "2026-02"]))
        return Observation(kind, name, "ana@example.com", "1", modified, 0.0, said)

    plezi = record(RecordKind.PLEZI_CONTACT, "p") if draw(st.booleans()) else None
    leads = [record(RecordKind.LEAD, f"l{number}") for number in range(draw(st.integers(0, 2)))]
    contacts = [record(RecordKind.CONTACT, "c")] if draw(st.booleans()) else []
    reasons = st.sampled_from([HoldReason.CONFLICT, HoldReason.IN_DOUBT])
    held = draw(st.dictionaries(st.sampled_from(sorted(common)), reasons, max_size=1))
    holds = {key: Hold(reason, 0.0, {"p": draw(WORDS)}) for key, reason in held.items()}
    return Link("ana@example.com", plezi, (*contacts, *leads), base, holds=holds)


def every_line(_: Link, bound: BoundMapping, __: Any) -> set[str]:
    return {line.key for line in bound.pairs}


@given(links(), mappings())
@settings(max_examples=300)
def test_a_plan_is_the_same_as_if_every_line_had_been_merged(
    link: Link, bound: BoundMapping
) -> None:
    quickly = plan_link(link, bound, now=1.0)
    with patch.object(planning, "changed_pairs", every_line):
        slowly = plan_link(link, bound, now=1.0)

    # As text, for 1, 1.0 and True are equal in Python and not here.
    assert repr(quickly) == repr(slowly)


@given(links(), mappings())
@settings(max_examples=100)
def test_a_change_is_the_same_whether_or_not_canonical_forms_were_needed(
    link: Link, bound: BoundMapping
) -> None:
    quickly = plan_link(link, bound, now=1.0)
    with patch.object(merge, "is_identical", lambda *_: False):
        slowly = plan_link(link, bound, now=1.0)

    assert repr(quickly) == repr(slowly)


def person(
    line: FieldPair, base: Value, plezi: Value, kind: FieldKind = FieldKind.TEXT
) -> tuple[Link, BoundMapping]:
    """Two records that agreed on a value; the Lead still says it, Plezi says what is given."""
    schemas = {
        RecordKind.PLEZI_CONTACT: {line.plezi: Field(line.plezi, kind)},
        RecordKind.LEAD: {line.salesforce: Field(line.salesforce, kind)},
        RecordKind.CONTACT: {},
    }
    email = "ana@example.com"
    contact = Observation(
        RecordKind.PLEZI_CONTACT, "p", email, "1", "2026", 0.0, {line.plezi: plezi}
    )
    lead = Observation(RecordKind.LEAD, "l", email, "1", "2026", 0.0, {line.salesforce: base})
    agreed = {"p": {line.plezi: base}, "l": {line.salesforce: base}}
    return Link(email, contact, (lead,), agreed), bind_mapping(
        MappingConfig(1, (line,), None), schemas
    )


@pytest.mark.parametrize(
    "line", [FieldPair("phone", "Phone", BOTH), FieldPair("u", "U", BOTH, enforced=True)]
)
def test_a_person_on_whom_all_agree_costs_no_merge(line: FieldPair) -> None:
    link, bound = person(line, "1", "1")

    with patch.object(planning, "resolve") as settle:
        planned = plan_link(link, bound, now=1.0)

    assert not settle.called
    assert planned.link is link


def test_a_ticked_box_is_not_the_number_1() -> None:
    link, bound = person(FieldPair("n", "N", BOTH), 1, True, FieldKind.NUMBER)

    assert plan_link(link, bound, now=1.0).writes


def test_the_placeholder_is_a_word_in_plezi_only() -> None:
    line = FieldPair("n", "N", BOTH, policy=ConflictPolicy.FILL_BLANK, placeholder="[unknown]")
    link, bound = person(line, "[unknown]", "[unknown]")

    assert plan_link(link, bound, now=1.0).writes
