"""The decision table of the three-way merge, and its properties for any values."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import BoundPair, ConflictPolicy, Direction, Field, FieldKind, FieldPair
from connector.model import MergeRule, RecordKind, Value
from connector.planning.field_merge import FieldValue, NoBase, resolve

NO_BASE = NoBase.NO_BASE
VALUES = st.sampled_from([None, "a", "b", "c"])


def bound_pair(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    kind: FieldKind = FieldKind.TEXT,
) -> BoundPair:
    return BoundPair(
        FieldPair("phone", "Phone", direction, policy=policy),
        {
            RecordKind.PLEZI_CONTACT: Field("phone", kind),
            RecordKind.LEAD: Field("Phone", kind),
        },
    )


def field_values(
    base: Value | NoBase,
    plezi: Value,
    salesforce: Value,
    direction: Direction = Direction.BOTH,
    *,
    newer: str = "salesforce",
) -> list[FieldValue]:
    return [
        FieldValue(
            kind,
            record,
            value,
            base,
            "2026-02" if record == newer else "2026-01",
            can_send=direction.can_send(kind.side),
            can_receive=direction.can_receive(kind.side),
        )
        for kind, record, value in (
            (RecordKind.PLEZI_CONTACT, "plezi", plezi),
            (RecordKind.LEAD, "salesforce", salesforce),
        )
    ]


@pytest.mark.parametrize(
    ("base", "plezi", "salesforce", "rule", "writes"),
    [
        ("a", "a", "a", MergeRule.AGREED, {}),
        ("a", "b", "a", MergeRule.CHANGED, {"salesforce": "b"}),
        ("a", "a", "b", MergeRule.CHANGED, {"plezi": "b"}),
        ("a", "b", "b", MergeRule.AGREED, {}),
        ("a", "b", "c", MergeRule.NEWEST, {"plezi": "c"}),
        ("a", None, "a", MergeRule.CHANGED, {"salesforce": None}),
        ("a", None, "b", MergeRule.NEWEST, {"plezi": "b"}),
        (NO_BASE, "b", None, MergeRule.CHANGED, {"salesforce": "b"}),
        (NO_BASE, None, "b", MergeRule.CHANGED, {"plezi": "b"}),
        (NO_BASE, "b", "c", MergeRule.NEWEST, {"plezi": "c"}),
        (NO_BASE, None, None, MergeRule.AGREED, {}),
    ],
)
def test_each_row_of_the_decision_table(
    base: Value | NoBase, plezi: Value, salesforce: Value, rule: MergeRule, writes: dict[str, Value]
) -> None:
    resolution = resolve(bound_pair(), field_values(base, plezi, salesforce))

    assert (resolution.rule, dict(resolution.writes)) == (rule, writes)


@pytest.mark.parametrize(
    ("policy", "newer", "writes"),
    [
        (ConflictPolicy.NEWEST, "plezi", {"salesforce": "b"}),
        (ConflictPolicy.NEWEST, "salesforce", {"plezi": "c"}),
        (ConflictPolicy.PLEZI_WINS, "salesforce", {"salesforce": "b"}),
        (ConflictPolicy.SALESFORCE_WINS, "plezi", {"plezi": "c"}),
        (ConflictPolicy.FILL_BLANK, "plezi", {}),
        (ConflictPolicy.HOLD, "plezi", {}),
    ],
)
def test_a_conflict_goes_to_the_winner_of_the_policy(
    policy: ConflictPolicy, newer: str, writes: dict[str, Value]
) -> None:
    resolution = resolve(bound_pair(policy), field_values("a", "b", "c", newer=newer))

    assert dict(resolution.writes) == writes
    assert resolution.is_held == (policy is ConflictPolicy.HOLD)


def test_the_overwritten_value_of_a_conflict_is_reported() -> None:
    resolution = resolve(bound_pair(), field_values("a", "b", "c"))

    assert dict(resolution.overwritten) == {"plezi": "b"}


def test_an_edit_on_the_receiving_side_of_a_one_way_pair_is_left_unchanged() -> None:
    one_way = Direction.TO_SALESFORCE

    resolution = resolve(bound_pair(direction=one_way), field_values("a", "a", "x", one_way))

    assert resolution.rule is MergeRule.NO_CHANGE


def test_an_opt_out_is_never_undone() -> None:
    optout = bound_pair(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    resolution = resolve(optout, field_values(True, False, True))

    assert dict(resolution.writes) == {"plezi": True}


def test_an_opt_out_with_an_unknown_text_is_held() -> None:
    optout = bound_pair(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    resolution = resolve(optout, field_values(False, "perhaps", False))

    assert resolution.is_held


def test_a_lead_that_joins_takes_the_agreed_value_and_its_own_value_is_reported() -> None:
    agreed = field_values("a", "a", "a")
    new_lead = FieldValue(
        RecordKind.LEAD, "second", "x", NO_BASE, "2026-09", can_send=True, can_receive=True
    )

    resolution = resolve(bound_pair(), [*agreed, new_lead])

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.JOINED, {"second": "a"})
    assert dict(resolution.overwritten) == {"second": "x"}


@given(st.one_of(VALUES, st.just(NO_BASE)), VALUES, VALUES, st.sampled_from(ConflictPolicy))
def test_the_order_of_the_values_does_not_matter(
    base: Value | NoBase, plezi: Value, salesforce: Value, policy: ConflictPolicy
) -> None:
    resolutions = [
        resolve(bound_pair(policy), order)
        for order in itertools.permutations(field_values(base, plezi, salesforce))
    ]

    assert len({repr((v.rule, sorted(v.writes.items()), v.overwritten)) for v in resolutions}) == 1


@given(st.one_of(VALUES, st.just(NO_BASE)), VALUES, VALUES, st.sampled_from(list(ConflictPolicy)))
def test_a_second_merge_after_the_writes_changes_nothing(
    base: Value | NoBase, plezi: Value, salesforce: Value, policy: ConflictPolicy
) -> None:
    before = field_values(base, plezi, salesforce)
    resolution = resolve(bound_pair(policy), before)
    if resolution.new_base is None:
        return
    after = [
        FieldValue(
            v.kind,
            v.record_id,
            resolution.writes.get(v.record_id, v.value),
            resolution.new_base[v.record_id],
            v.modified,
            can_send=True,
            can_receive=True,
        )
        for v in before
    ]

    assert not resolve(bound_pair(policy), after).writes


def test_a_contact_with_another_value_does_not_prevent_a_new_lead_from_joining() -> None:
    values = [
        FieldValue(RecordKind.PLEZI_CONTACT, "p", "1", "1", "", can_send=True, can_receive=True),
        FieldValue(RecordKind.LEAD, "l1", "1", "1", "", can_send=True, can_receive=True),
        FieldValue(RecordKind.CONTACT, "c", "2", "2", "", can_send=True, can_receive=False),
        FieldValue(RecordKind.LEAD, "l2", "3", NO_BASE, "", can_send=True, can_receive=True),
    ]

    resolution = resolve(bound_pair(ConflictPolicy.NEWEST), values)

    assert (resolution.rule, resolution.writes, resolution.overwritten) == (
        MergeRule.JOINED,
        {"l2": "1"},
        {"l2": "3"},
    )


def contact_and_lead(contact: Value, base: Value | NoBase, lead: Value = "b") -> list[FieldValue]:
    """A Contact with a value and a base, next to a Plezi contact with `a` and its Lead."""
    return [
        FieldValue(
            RecordKind.PLEZI_CONTACT, "p", "a", "a", "2026-01", can_send=True, can_receive=True
        ),
        FieldValue(RecordKind.LEAD, "l", lead, "a", "2026-03", can_send=True, can_receive=True),
        FieldValue(
            RecordKind.CONTACT, "c", contact, base, "2026-02", can_send=True, can_receive=False
        ),
    ]


def test_a_contact_whose_edit_gives_way_is_reported_although_it_is_not_written_to() -> None:
    resolution = resolve(bound_pair(), contact_and_lead("c", "a"))

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NEWEST, {"p": "b"})
    assert dict(resolution.overwritten) == {"c": "c"}


def test_an_agreed_value_without_a_receiver_is_no_problem() -> None:
    plezi, _, contact = contact_and_lead("\ud800", "\ud800")
    values = [replace(plezi, can_send=False), contact]

    resolution = resolve(bound_pair(direction=Direction.TO_PLEZI), values)

    assert resolution.rule is MergeRule.NO_CHANGE
    assert resolution.unusable == {}


def test_a_contact_that_joins_with_another_value_is_reported() -> None:
    resolution = resolve(bound_pair(), contact_and_lead("c", NO_BASE, lead="a"))

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.JOINED, {})
    assert dict(resolution.overwritten) == dict(resolution.new_base or {}) == {"c": "c"}


def test_a_contact_and_a_lead_that_join_together_are_both_reported() -> None:
    second = FieldValue(
        RecordKind.LEAD, "l2", "d", NO_BASE, "2026-04", can_send=True, can_receive=True
    )

    resolution = resolve(bound_pair(), [*contact_and_lead("c", NO_BASE, lead="a"), second])

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.JOINED, {"l2": "a"})
    assert dict(resolution.overwritten) == {"l2": "d", "c": "c"}
    assert (resolution.new_base or {})["c"] == "c"


@pytest.mark.parametrize("value", ["a", None])
def test_a_contact_that_joins_with_the_same_value_or_a_blank_is_not_reported(value: Value) -> None:
    assert not resolve(bound_pair(), contact_and_lead(value, NO_BASE, lead="a")).overwritten
