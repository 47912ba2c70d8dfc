"""A Contact is never written to: beside a Lead it may keep a value that the others do not have."""

from __future__ import annotations

import pytest

from connector.mapping import BoundPair, ConflictPolicy, Direction, Field, FieldKind, FieldPair
from connector.model import MergeRule, RecordKind, Value
from connector.planning.field_merge import FieldValue, NoBase, resolve
from tests.unit.connector.link_stories import Story, bound_with

AGREED, OWN = "101", "102"
"""What Plezi and the Lead agreed on, and what the Contact had when it joined them."""


def pair(policy: ConflictPolicy = ConflictPolicy.NEWEST) -> BoundPair:
    fields = {kind: Field("phone", FieldKind.TEXT) for kind in RecordKind}
    return BoundPair(FieldPair("phone", "Phone", Direction.BOTH, policy), fields)


def values(contact: Value, *, own: Value = OWN, plezi: Value = AGREED) -> list[FieldValue]:
    return [
        FieldValue(kind, record, value, base, "2026-01", can_send=True, can_receive=can_receive)
        for kind, record, value, base, can_receive in (
            (RecordKind.PLEZI_CONTACT, "plezi", plezi, AGREED, True),
            (RecordKind.LEAD, "lead", AGREED, AGREED, True),
            (RecordKind.CONTACT, "contact", contact, own, False),
        )
    ]


def test_an_edit_of_a_contact_replaces_a_value_that_it_never_showed_with_a_journal_line() -> None:
    resolution = resolve(pair(), values("103"))

    assert resolution.writes == {"plezi": "103", "lead": "103"}
    assert resolution.overwritten == {"plezi": AGREED, "lead": AGREED}
    assert resolution.rule is MergeRule.CONTACT_WINS


def test_with_the_policy_to_hold_an_admin_decides_on_a_value_that_the_contact_never_showed() -> (
    None
):
    assert resolve(pair(ConflictPolicy.HOLD), values("103")).is_held
    assert resolve(pair(ConflictPolicy.HOLD), values("103", own=AGREED)).writes == {
        "plezi": "103",
        "lead": "103",
    }


def test_an_edit_of_a_value_that_all_records_had_is_a_change_like_any_other() -> None:
    resolution = resolve(pair(), values("103", own=AGREED))

    assert resolution.writes == {"plezi": "103", "lead": "103"}
    assert (resolution.overwritten, resolution.rule) == ({}, MergeRule.CHANGED)


def test_a_clearing_of_what_only_the_contact_had_clears_nothing_else() -> None:
    resolution = resolve(pair(), values(None))

    assert (resolution.writes, resolution.overwritten) == ({}, {})


def test_a_clearing_of_what_all_records_had_travels() -> None:
    resolution = resolve(pair(), values(None, own=AGREED))

    assert resolution.writes == {"plezi": None, "lead": None}


@pytest.mark.parametrize("contact", [OWN, None])
def test_an_edit_in_plezi_travels_past_a_contact_that_keeps_or_cleared_its_own_value(
    contact: Value,
) -> None:
    resolution = resolve(pair(), values(contact, plezi="104"))

    assert resolution.writes == {"lead": "104"}


def with_a_new_lead(contact: Value, *, first_lead: bool) -> list[FieldValue]:
    plezi, lead, own = values(contact, own=contact)
    new = FieldValue(
        RecordKind.LEAD, "new", "105", NoBase.NO_BASE, "2026-02", can_send=True, can_receive=True
    )
    return [plezi, *([lead] if first_lead else []), own, new]


@pytest.mark.parametrize("contact", [OWN, None])
def test_a_lead_created_in_place_of_a_deleted_one_meets_plezi_for_the_first_time(
    contact: Value,
) -> None:
    """What the Contact has of its own, or does not have, is no agreement with Plezi."""
    resolution = resolve(pair(), with_a_new_lead(contact, first_lead=False))

    assert resolution.rule is MergeRule.NEWEST
    assert resolution.writes == {"plezi": "105"}
    held = resolve(pair(ConflictPolicy.HOLD), with_a_new_lead(contact, first_lead=False))
    assert held.is_held


def test_a_second_lead_takes_what_the_first_one_agreed_on() -> None:
    resolution = resolve(pair(), with_a_new_lead(OWN, first_lead=True))

    assert resolution.rule is MergeRule.JOINED
    assert resolution.writes == {"new": AGREED}


@pytest.mark.parametrize("policy", [ConflictPolicy.NEWEST, ConflictPolicy.HOLD])
def test_so_does_an_edit_on_the_sending_side_of_a_one_way_pair(policy: ConflictPolicy) -> None:
    """A Lead of it is never written to either: it never showed what another Lead had."""
    fields = {kind: Field("phone", FieldKind.TEXT) for kind in RecordKind}
    one_way = BoundPair(FieldPair("phone", "Phone", Direction.TO_PLEZI, policy), fields)
    shown: list[tuple[RecordKind, str, Value, Value]] = [
        (RecordKind.PLEZI_CONTACT, "plezi", AGREED, AGREED),
        (RecordKind.LEAD, "other", AGREED, AGREED),
        (RecordKind.LEAD, "typed", "107", None),
    ]
    typed = [
        FieldValue(kind, record, value, base, "", can_send=is_lead, can_receive=not is_lead)
        for kind, record, value, base in shown
        for is_lead in [kind is RecordKind.LEAD]
    ]

    resolution = resolve(one_way, typed)

    if policy is ConflictPolicy.HOLD:
        assert resolution.is_held
    else:
        assert (resolution.rule, resolution.writes) == (MergeRule.ONE_WAY, {"plezi": "107"})
        assert resolution.overwritten == {"plezi": AGREED, "other": AGREED}


def test_an_edit_of_a_contact_that_has_left_the_filter_counts_when_it_is_back() -> None:
    """Nothing is read of it until then, so that the others agree without it."""
    story = Story(bound_with(ConflictPolicy.PLEZI_WINS), p="1", l1="1", c1="1")
    story.run()
    story.type("c1", "2")
    edited = story.records["c1"]
    story.change("c1", eligible=False, values={})
    story.type("p", "3")
    assert story.run() == {"l1": "3"}
    story.change("c1", eligible=True, values=edited.values)

    assert story.run() == {"p": "2", "l1": "2"}
    assert sorted(story.lost) == [("l1", "3"), ("p", "3")]
