"""A clearing is a value that somebody typed: where a value fills it, the journal names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import ConflictPolicy, Direction, FieldKind
from connector.model import NO_VALUES, Link, Observation, RecordKind, Value
from connector.planning.manual_actions import is_untyped, pick_primary
from tests.unit.connector.link_stories import Story, bound_with

NEWEST: Final = bound_with()
HOLD: Final = bound_with(ConflictPolicy.HOLD)
LEAD: Final = Observation(
    RecordKind.LEAD, "l", "ana@x.fr", "1", "", 1.0, {"Phone": "1", "Count": 0, "Optout": True}
)


def cleared_after(*values: Value) -> frozenset[str]:
    """Return the cleared fields of a Lead after readings of its phone, one after another."""
    link = Link("ana@x.fr")
    for value in values:
        link = link.with_observation(replace(LEAD, values={"Phone": value}))
    return link.salesforce[0].cleared


def test_a_field_that_had_a_value_and_has_none_now_was_cleared() -> None:
    assert cleared_after("1", None) == {"Phone"}
    assert cleared_after("1", None, "") == {"Phone"}
    assert cleared_after("1", "2") == frozenset()
    assert cleared_after("1", None, "2") == frozenset()


def test_a_field_that_never_had_a_value_was_not_cleared() -> None:
    assert cleared_after(None) == frozenset()
    assert cleared_after("", None) == frozenset()


def test_an_unticked_checkbox_is_a_clearing_and_the_number_zero_is_a_value() -> None:
    link = Link("ana@x.fr").with_observation(replace(LEAD, values={"Count": 1, "Optout": True}))

    after = link.with_observation(replace(LEAD, values={"Count": 0, "Optout": False}))

    assert after.salesforce[0].cleared == {"Optout"}


def test_a_clearing_is_known_while_its_field_is_not_read() -> None:
    link = Link("ana@x.fr").with_observation(LEAD)
    link = link.with_observation(replace(LEAD, values={**LEAD.values, "Phone": None}))

    link = link.with_observation(replace(LEAD, values=NO_VALUES))

    assert link.salesforce[0].cleared == {"Phone"}


def test_a_clearing_of_what_a_hold_showed_is_journaled_when_it_is_filled() -> None:
    story = Story(HOLD, p1="1", l1="2", l2="3")
    story.run()
    story.type("l2", None)
    story.type("p1", "4")
    story.run()
    assert story.held() == {"p1": "4", "l1": "2", "l2": None}
    story.change("p1", deleted=True)
    story.run()
    story.create("p2", None)

    assert story.run() == {"p2": "2", "l2": "2"}
    assert story.lost == [("l2", None)]


def test_what_was_never_filled_is_no_clearing() -> None:
    story = Story(NEWEST, p="1", l1=None)

    assert story.run() == {"l1": "1"}
    assert story.lost == []


def test_an_edit_of_an_agreed_blank_needs_no_line() -> None:
    story = Story(NEWEST, p="1", l1="1")
    story.run()
    story.type("l1", None)
    assert story.run() == {"p": None}
    story.type("p", "2")

    assert story.run() == {"l1": "2"}
    assert story.lost == []


def unsent_edit_of_a_deleted_contact(story: Story) -> Story:
    """Let users edit a blank Contact, and clear the others while it is deleted."""
    story.run()
    story.type("c1", "2")
    story.type("l1", None)
    story.change("c1", deleted=True)
    assert story.run() == {"p": None}
    story.change("c1", deleted=False)
    return story


def test_a_contact_that_comes_back_fills_a_clearing_with_a_line() -> None:
    story = unsent_edit_of_a_deleted_contact(Story(NEWEST, p="1", l1="1", c1=None))

    assert story.run() == {"p": "2", "l1": "2"}
    assert sorted(story.lost) == [("l1", None), ("p", None)]


def test_a_contact_that_comes_back_fills_no_clearing_that_the_policy_holds() -> None:
    story = unsent_edit_of_a_deleted_contact(Story(HOLD, p="1", l1="1", c1=None))

    assert story.run() == {}
    assert story.held() == {"p": None, "l1": None, "c1": "2"}
    assert not any(is_untyped(story.link, "Phone", it) for it in story.held())


@pytest.mark.parametrize(
    ("direction", "kind", "receiver", "sender"),
    [
        (Direction.BOTH, FieldKind.TEXT, "p", "c"),
        (Direction.BOTH, FieldKind.TEXT, "p", "l"),
        (Direction.TO_SALESFORCE, FieldKind.TEXT, "l", "p"),
        (Direction.TO_PLEZI, FieldKind.TEXT, "p", "l"),
        (Direction.TO_SALESFORCE, FieldKind.CHECKBOX, "l", "p"),
    ],
)
@pytest.mark.parametrize("policy", [ConflictPolicy.NEWEST, ConflictPolicy.HOLD])
def test_what_is_typed_over_an_agreed_blank_is_an_ordinary_edit(
    policy: ConflictPolicy, direction: Direction, kind: FieldKind, receiver: str, sender: str
) -> None:
    """Its author saw the blank, and often made it: no line, and no hold."""
    first, blank, second = ("1", None, "2") if kind is FieldKind.TEXT else (True, False, True)
    story = Story(bound_with(policy, direction, kind), **{receiver: first, sender: first})
    story.run()
    story.type(sender, blank)
    assert story.run() == {receiver: blank}
    story.type(sender, second)

    assert story.run() == {receiver: second}
    assert story.lost == []


def test_an_edit_of_a_lead_beside_the_primary_one_fills_a_clearing_with_a_line() -> None:
    """It took no part when Plezi was cleared, and was edited then."""
    story = Story(bound_with(direction=Direction.TO_PLEZI), p="1", l1="1", l3=None)
    story.run()
    story.type("p", None)
    story.type("l1", "3")
    story.link = pick_primary(story.link, "l3")
    story.run()
    story.change("l3", eligible=False)

    assert story.run() == {"p": "3"}
    assert story.lost == [("p", None)]


def test_a_blank_on_which_a_record_agreed_in_another_pair_is_no_clearing_of_this_one() -> None:
    story = Story(NEWEST, p="1", l1="1")
    story.run()
    story.type("l1", None)
    story.run()
    story.bound = bound_with(attribute="mobile")
    story.records["p"] = replace(story.records["p"], values={"mobile": "7"})

    assert story.run() == {"l1": "7"}
    assert story.lost == []


def test_a_lead_that_was_cleared_after_a_hold_does_not_win_over_the_edit_of_the_first_one() -> None:
    story = Story(HOLD, p="1", l1="2", l2="3")
    story.run()
    story.bound = NEWEST
    story.type("l2", None)
    story.type("l1", "4")

    assert story.run() == {"p": "4", "l2": "4"}
    assert sorted(story.lost) == [("l2", None), ("p", "1")]


def test_a_clearing_in_the_sending_system_holds_nothing_beside_a_new_record() -> None:
    """No other value fills it: it is sent."""
    story = Story(bound_with(ConflictPolicy.HOLD, Direction.TO_PLEZI), p="1", l2="1")
    story.run()
    story.create("l1", "2")
    story.type("l2", None)

    assert story.run() == {"p": None}
    assert story.held() == {}


def test_a_merge_clears_nothing_because_its_winner_was_cleared_before() -> None:
    story = Story(NEWEST, p="1", l1="1")
    story.create("l2", "9")
    story.change("l2", eligible=False)
    story.run()
    story.type("l2", None)
    story.run()
    story.change("l1", deleted=True, successor="l2")
    story.change("l2", eligible=True)

    assert story.run() == {"l2": "1"}


def test_a_cleared_value_can_be_chosen_though_it_was_never_agreed_on() -> None:
    story = Story(HOLD, p="1", l1="2", l2="3")
    story.change("l2", email="")
    story.run()
    story.change("l2", email="ana@x.fr")
    story.type("l2", None)
    story.run()

    assert story.held() == {"p": "1", "l1": "2", "l2": None}
    assert not is_untyped(story.link, "Phone", "l2")


@pytest.mark.parametrize("value", ["2", None])
def test_a_blank_that_was_never_filled_cannot_be_chosen(value: Value) -> None:
    story = Story(HOLD, p="1", l1="2", l2=value)
    story.run()

    assert is_untyped(story.link, "Phone", "l2") is (value is None)
