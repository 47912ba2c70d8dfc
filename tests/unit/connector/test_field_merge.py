"""The decision table of the three-way merge, and its properties for any values."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import BoundPair, ConflictPolicy, Direction, Field, FieldKind, FieldPair
from connector.model import MergeRule, RecordKind, Value
from connector.planning.field_merge import (
    FieldValue,
    NoBase,
    differs_without_base,
    is_untyped,
    resolve,
)

NO_BASE = NoBase.NO_BASE
VALUES = st.sampled_from([None, "a", "b", "c"])


def bound_pair(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    kind: FieldKind = FieldKind.TEXT,
    *,
    placeholder: str = "",
    enforced: bool = False,
) -> BoundPair:
    pair = FieldPair(
        "phone", "Phone", direction, policy=policy, placeholder=placeholder, enforced=enforced
    )
    return BoundPair(
        pair,
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


def test_a_contact_that_joins_with_a_clearing_is_reported() -> None:
    values = [
        replace(it, cleared=it.kind is RecordKind.CONTACT)
        for it in contact_and_lead(None, NO_BASE, lead="a")
    ]
    assert dict(resolve(bound_pair(), values).overwritten) == {"c": None}


UNKNOWN = "[unknown]"
"""The placeholder of a pair: it counts as blank in Salesforce."""


def plezi_contact(value: Value, base: Value | NoBase, modified: str = "2026-01") -> FieldValue:
    return FieldValue(
        RecordKind.PLEZI_CONTACT, "p", value, base, modified, can_send=True, can_receive=True
    )


def lead(
    record: str,
    value: Value,
    base: Value | NoBase,
    modified: str = "2026-02",
    *,
    created: str = "",
) -> FieldValue:
    return FieldValue(
        RecordKind.LEAD,
        record,
        value,
        base,
        modified,
        can_send=True,
        can_receive=True,
        created=created,
    )


def salesforce_contact(value: Value, base: Value | NoBase) -> FieldValue:
    return FieldValue(
        RecordKind.CONTACT, "c", value, base, "2026-02", can_send=True, can_receive=False
    )


def test_salesforce_wins_a_conflict_of_two_edits_at_the_same_time() -> None:
    values = [plezi_contact("b", "a", "2026-02"), lead("l", "c", "a", "2026-02")]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NEWEST, {"p": "c"})


@pytest.mark.parametrize(
    ("policy", "written"),
    [
        (ConflictPolicy.SALESFORCE_WINS, {"p": "d", "l1": "d"}),
        (ConflictPolicy.PLEZI_WINS, {"l1": "b", "l2": "b"}),
    ],
)
def test_the_newest_record_wins_within_the_side_that_wins(
    policy: ConflictPolicy, written: dict[str, Value]
) -> None:
    values = [
        plezi_contact("b", "a", "2026-09"),
        lead("l1", "c", "a", "2026-02"),
        lead("l2", "d", "a", "2026-03"),
    ]

    resolution = resolve(bound_pair(policy), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule(policy.value), written)


def test_the_value_of_an_enforced_pair_is_written_again_where_salesforce_has_another_one() -> None:
    enforced = bound_pair(direction=Direction.TO_SALESFORCE, enforced=True)

    resolution = resolve(enforced, field_values("a", "a", "x", Direction.TO_SALESFORCE))

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.ENFORCED, {"salesforce": "a"})
    assert dict(resolution.overwritten) == {"salesforce": "x"}


def test_an_enforced_pair_sends_no_blank() -> None:
    enforced = bound_pair(direction=Direction.TO_SALESFORCE, enforced=True)

    resolution = resolve(enforced, field_values("a", None, "a", Direction.TO_SALESFORCE))

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NO_CHANGE, {})


def test_a_change_over_an_edit_on_the_receiving_side_is_one_way() -> None:
    one_way = Direction.TO_SALESFORCE

    resolution = resolve(bound_pair(direction=one_way), field_values("a", "b", "x", one_way))

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.ONE_WAY, {"salesforce": "b"})
    assert dict(resolution.overwritten) == {"salesforce": "x"}


def test_a_change_that_overwrites_nothing_is_only_a_change_in_a_one_way_pair_too() -> None:
    one_way = Direction.TO_SALESFORCE

    resolution = resolve(bound_pair(direction=one_way), field_values("a", "b", "a", one_way))

    assert (resolution.rule, dict(resolution.overwritten)) == (MergeRule.CHANGED, {})


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ([plezi_contact("b", "a"), salesforce_contact("a", "a")], MergeRule.CHANGED),
        ([plezi_contact("a", "a"), salesforce_contact("b", "a")], MergeRule.CONTACT_WINS),
    ],
)
def test_a_change_over_the_value_of_a_lead_that_joins_names_a_contact_that_keeps_its_value(
    changed: list[FieldValue], rule: MergeRule
) -> None:
    resolution = resolve(bound_pair(), [*changed, lead("l", "x", NO_BASE)])

    assert resolution.rule is rule
    assert dict(resolution.overwritten) == {"l": "x"}
    assert resolution.writes["l"] == "b"


@pytest.mark.parametrize(("kind", "filled"), [(FieldKind.TEXT, "b"), (FieldKind.CHECKBOX, True)])
@pytest.mark.parametrize("base", [NO_BASE, None])
def test_fill_blank_fills_a_blank_or_an_unticked_checkbox(
    base: Value | NoBase, kind: FieldKind, filled: Value
) -> None:
    blank = False if kind is FieldKind.CHECKBOX else None
    pair = bound_pair(ConflictPolicy.FILL_BLANK, kind=kind)

    resolution = resolve(pair, field_values(base, filled, blank))

    assert (resolution.rule, dict(resolution.writes)) == (
        MergeRule.FILL_BLANK,
        {"salesforce": filled},
    )


def test_a_ticked_opt_out_names_its_rule() -> None:
    optout = bound_pair(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    assert resolve(optout, field_values(True, False, True)).rule is MergeRule.MOST_RESTRICTIVE


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z", "l2"),
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "l1"),
        ("", "2026-01-01T00:00:00Z", "l2"),
        ("", "", "l1"),
    ],
)
def test_of_several_leads_that_meet_for_the_first_time_the_one_created_first_wins(
    first: str, second: str, winner: str
) -> None:
    """A time of creation that is not known is the last; the ids decide between such Leads."""
    values = [
        plezi_contact(None, NO_BASE),
        lead("l1", "l1", NO_BASE, "2026-01", created=first),
        lead("l2", "l2", NO_BASE, "2026-01", created=second),
    ]

    resolution = resolve(bound_pair(), values)

    other = "l1" if winner == "l2" else "l2"
    assert (resolution.rule, dict(resolution.writes)) == (
        MergeRule.OLDEST_LEAD,
        {"p": winner, other: winner},
    )
    assert dict(resolution.overwritten) == {other: other}


@pytest.mark.parametrize(
    ("typed", "winner", "rule"),
    [
        ({"l2"}, "l2", MergeRule.CHANGED),
        ({"l1"}, "l1", MergeRule.CHANGED),
        ({"l1", "l2"}, "l1", MergeRule.OLDEST_LEAD),
    ],
)
def test_of_leads_that_meet_in_a_new_pair_the_one_that_was_edited_in_the_former_pair_wins(
    typed: set[str], winner: str, rule: MergeRule
) -> None:
    values = [
        plezi_contact(None, NO_BASE),
        replace(
            lead("l1", "l1", NO_BASE, "2026-01", created="2026-01-01T00:00:00Z"),
            typed="l1" in typed,
        ),
        replace(
            lead("l2", "l2", NO_BASE, "2026-01", created="2026-01-02T00:00:00Z"),
            typed="l2" in typed,
        ),
    ]

    resolution = resolve(bound_pair(), values)

    other = "l1" if winner == "l2" else "l2"
    assert (resolution.rule, dict(resolution.writes)) == (rule, {"p": winner, other: winner})
    assert dict(resolution.overwritten) == {other: other}


def test_the_policy_decides_between_plezi_and_the_lead_created_first() -> None:
    values = [
        plezi_contact("b", NO_BASE, "2026-02"),
        lead("l1", "c", NO_BASE, "2026-01", created="2026-01-01T00:00:00Z"),
        lead("l2", "d", NO_BASE, "2026-03", created="2026-01-02T00:00:00Z"),
    ]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (
        MergeRule.NEWEST,
        {"l1": "b", "l2": "b"},
    )


def test_a_converted_lead_is_not_the_first_one_and_meets_a_new_lead_by_the_policy() -> None:
    converted = lead("l1", "c", NO_BASE, "2026-01", created="2026-01-01T00:00:00Z")
    values = [
        plezi_contact(None, NO_BASE),
        replace(converted, can_receive=False, left=True),
        lead("l2", "d", NO_BASE, "2026-03", created="2026-01-02T00:00:00Z"),
    ]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NEWEST, {"p": "d"})
    assert dict(resolution.overwritten) == {"l1": "c"}


def test_a_lead_in_place_of_a_deleted_one_meets_plezi_for_the_first_time() -> None:
    """What Plezi agreed with the former Lead is no agreement with the new one."""
    values = [plezi_contact("a", "a", "2026-03"), lead("l", "b", NO_BASE, "2026-02")]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NEWEST, {"l": "a"})
    assert dict(resolution.overwritten) == {"l": "b"}


def test_a_value_that_was_cleared_before_its_lead_was_replaced_is_still_an_edit() -> None:
    values = [plezi_contact(None, "a", "2026-03"), lead("l", "b", NO_BASE, "2026-02")]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NEWEST, {"l": None})


def test_leads_meet_a_contact_that_was_created_again_for_the_first_time() -> None:
    """The Lead created first decides between them, whatever they agreed with the former contact."""
    values = [
        plezi_contact(None, NO_BASE),
        lead("l1", "c", "c", "2026-01", created="2026-01-01T00:00:00Z"),
        lead("l2", "d", "d", "2026-03", created="2026-01-02T00:00:00Z"),
    ]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (
        MergeRule.OLDEST_LEAD,
        {"p": "c", "l2": "c"},
    )


@pytest.mark.parametrize("agreed", [None, "a"])
def test_a_lead_that_joins_with_the_agreed_value_agrees_beside_a_contact_with_another_one(
    agreed: str | None,
) -> None:
    values = [
        plezi_contact(agreed, agreed),
        lead("l1", agreed, agreed),
        lead("l2", agreed, NO_BASE),
        FieldValue(RecordKind.CONTACT, "c", "c", "c", "", can_send=True, can_receive=False),
    ]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.JOINED, {})
    assert dict(resolution.new_base or {}) == {"l2": agreed}


def test_a_lead_that_joins_ticks_a_checkbox_that_the_others_agreed_not_to_tick() -> None:
    checkbox = bound_pair(kind=FieldKind.CHECKBOX)
    values = [plezi_contact(False, False), lead("l1", False, False), lead("l2", True, NO_BASE)]

    resolution = resolve(checkbox, values)

    assert (resolution.rule, dict(resolution.writes)) == (
        MergeRule.CHANGED,
        {"p": True, "l1": True},
    )


def test_a_lead_that_joins_has_the_agreed_value_as_its_base() -> None:
    values = [plezi_contact("a", "a"), lead("l1", "a", "a"), lead("l2", "x", NO_BASE)]

    resolution = resolve(bound_pair(), values)

    assert (resolution.new_base or {})["l2"] == "a"


def test_an_edit_of_a_value_that_was_shown_for_review_travels_from_a_lead_that_never_agreed() -> (
    None
):
    values = [
        replace(plezi_contact("a", "a"), shown="a"),
        replace(lead("l1", "a", "a"), shown="a"),
        replace(lead("l2", "y", NO_BASE), shown="x"),
    ]

    resolution = resolve(bound_pair(), values)

    assert (resolution.rule, dict(resolution.writes)) == (
        MergeRule.EDITED,
        {"p": "y", "l1": "y"},
    )
    assert dict(resolution.overwritten) == {"p": "a", "l1": "a"}


def test_a_value_that_has_reached_one_system_only_travels_from_a_lead_that_never_agreed() -> None:
    values = [
        plezi_contact("a", "a"),
        lead("l1", "a", "a"),
        replace(lead("l2", "y", NO_BASE), waits=True),
    ]

    assert dict(resolve(bound_pair(), values).writes) == {"p": "y", "l1": "y"}


def test_a_value_that_the_other_field_cannot_hold_is_written_nowhere() -> None:
    pair = BoundPair(
        FieldPair("size", "Size__c", Direction.BOTH),
        {
            RecordKind.PLEZI_CONTACT: Field("size", FieldKind.TEXT),
            RecordKind.LEAD: Field("Size__c", FieldKind.NUMBER, precision=18, scale=0),
        },
    )

    resolution = resolve(pair, field_values("1", "9" * 30, "1"))

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.NO_CHANGE, {})
    assert resolution.new_base is None
    assert {kind: it.field for kind, it in resolution.unusable.items()} == {
        RecordKind.LEAD: "Size__c"
    }


@pytest.mark.parametrize(
    ("base", "value"),
    [(NO_BASE, UNKNOWN), (None, UNKNOWN), (UNKNOWN, UNKNOWN), (UNKNOWN, None)],
)
def test_a_placeholder_is_no_value_of_a_user(base: Value | NoBase, value: Value) -> None:
    """A value of Plezi replaces it without a conflict, and no entry of the journal names it."""
    plezi_base = NO_BASE if base is NO_BASE else None
    values = [plezi_contact("b", plezi_base, "2026-01"), lead("l", value, base, "2026-02")]

    resolution = resolve(bound_pair(placeholder=UNKNOWN), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.CHANGED, {"l": "b"})
    assert dict(resolution.overwritten) == {}


def test_a_placeholder_that_a_user_types_clears_the_value_and_equals_a_blank() -> None:
    values = [
        plezi_contact("a", "a"),
        lead("l1", UNKNOWN, "a"),
        lead("l2", None, "a"),
        salesforce_contact(UNKNOWN, "a"),
    ]

    resolution = resolve(bound_pair(placeholder=UNKNOWN), values)

    assert (resolution.rule, dict(resolution.writes)) == (MergeRule.CHANGED, {"p": None})
    assert dict(resolution.overwritten) == {}


@pytest.mark.parametrize(
    ("base", "value", "nobody_typed_it"),
    [
        (NO_BASE, None, True),
        (NO_BASE, UNKNOWN, True),
        (None, UNKNOWN, True),
        (UNKNOWN, None, True),
        ("a", None, False),
        (NO_BASE, "a", False),
        (None, "a", False),
        ("a", "a", False),
    ],
)
def test_only_a_blank_that_was_never_a_value_is_untyped(
    base: Value | NoBase, value: Value, *, nobody_typed_it: bool
) -> None:
    pair = bound_pair(placeholder=UNKNOWN)

    assert is_untyped(pair, lead("l", value, base)) is nobody_typed_it


@pytest.mark.parametrize(
    ("plezi", "salesforce", "base", "differs"),
    [
        ("b", "c", NO_BASE, True),
        ("b", None, NO_BASE, False),
        (None, "c", NO_BASE, False),
        ("b", UNKNOWN, NO_BASE, False),
        ("b", "c", "a", False),
    ],
)
def test_sides_that_never_agreed_differ_if_both_have_a_value(
    plezi: Value, salesforce: Value, base: Value | NoBase, *, differs: bool
) -> None:
    pair = bound_pair(placeholder=UNKNOWN)

    assert differs_without_base(pair, field_values(base, plezi, salesforce)) is differs
