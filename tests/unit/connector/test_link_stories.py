"""Stories of one person in which a value was lost, brought back, or cleared by nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import BoundMapping, ConflictPolicy, Direction, FieldKind
from connector.planning.manual_actions import choose_value, pick_primary
from tests.unit.connector.link_stories import Story, bound_with

HOLD, PLEZI_WINS = bound_with(ConflictPolicy.HOLD), bound_with(ConflictPolicy.PLEZI_WINS)
NEWEST, SALESFORCE_WINS = bound_with(), bound_with(ConflictPolicy.SALESFORCE_WINS)


class TestConvertedLead:
    @pytest.mark.parametrize("change", [{"eligible": False}, {"deleted": True}])
    def test_its_last_edit_is_not_sent_again_when_its_contact_leaves(
        self, change: dict[str, bool]
    ) -> None:
        story = Story(HOLD, p="1", l1="1")
        story.run()
        story.type("l1", "2")
        story.convert("l1", "c")
        assert story.run() == {"p": "2"}
        story.type("c", "3")
        assert story.run() == {"p": "3"}

        story.change("c", **change)

        assert story.run() == {}

    def test_its_opt_out_is_not_ticked_again_when_its_contact_leaves(self) -> None:
        story = Story(bound_with(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX))
        story.create("p", value=False)
        story.create("l1", value=False)
        story.run()
        story.type("l1", value=True)
        story.convert("l1", "c")
        assert story.run() == {"p": True}
        story.type("p", value=False)
        story.type("c", value=False)
        assert story.run() == {}

        story.change("c", eligible=False)

        assert story.run() == {}

    def test_its_contact_does_not_undo_what_was_agreed_without_the_lead(self) -> None:
        """The Lead has an edit that the agreement has not seen: both are typed values."""
        story = Story(HOLD, p="1", l1="1", l2="1")
        story.run()
        story.type("l2", "2")
        story.change("l2", email="")
        story.type("p", "3")
        assert story.run() == {"l1": "3"}
        story.change("l2", email="ana@x.fr")
        story.convert("l2", "c")

        assert story.run() == {}
        assert story.held() == {"p": "3", "l1": "3", "c": "2"}

    @pytest.mark.parametrize("typed", [None, "2"])
    def test_its_contact_does_not_bring_back_what_the_others_replaced_without_it(
        self, typed: str | None
    ) -> None:
        story = Story(HOLD, p="1", l1="1", l2="1")
        story.run()
        story.change("l2", email="")
        story.type("p", typed)
        assert story.run() == {"l1": typed}
        story.change("l2", email="ana@x.fr")
        story.convert("l2", "c")
        if typed is not None:
            story.change("l1", deleted=True)

        assert story.run() == {}

    def test_what_is_typed_in_a_blank_custom_field_of_its_contact_names_what_it_replaces(
        self,
    ) -> None:
        """The conversion may have left the field blank: its user did not see Plezi's value."""
        held, newest = (
            Story(bound_with(policy, field="Size__c"), p="1", l1="1")
            for policy in (ConflictPolicy.HOLD, ConflictPolicy.NEWEST)
        )
        for story in (held, newest):
            story.run()
            story.convert("l1", "c")
            story.type("c", None)
            story.type("c", "2")

        assert held.run() == {}
        assert held.link.holds["Size__c"].values == {"p": "1", "c": "2"}
        assert newest.run() == {"p": "2"}
        assert newest.lost == [("p", "1")]

    def test_its_last_edit_in_a_custom_field_is_no_conflict_where_its_contact_has_it_too(
        self,
    ) -> None:
        story = Story(bound_with(ConflictPolicy.HOLD, field="Size__c"), p="1", l1="1")
        story.run()
        story.type("l1", "2")
        story.convert("l1", "c")

        assert story.run() == {"p": "2"}
        assert story.lost == []

    def test_its_last_edit_travels_past_a_new_lead_without_a_value(self) -> None:
        story = Story(PLEZI_WINS, p="1", l1="1")
        story.run()
        story.type("l1", "2")
        story.change("l1", converted=True, successor="c")
        story.create("l2")

        assert story.run() == {"p": "2", "l2": "2"}

    def test_its_last_edit_in_a_one_way_pair_names_what_it_never_showed(self) -> None:
        story = Story(bound_with(ConflictPolicy.NEWEST, Direction.TO_PLEZI), p=None, l1="1")
        story.create("l2")
        assert story.run() == {"p": "1"}
        story.type("l2", "2")
        story.change("l2", converted=True, successor="c")

        assert story.run() == {"p": "2"}
        assert story.lost == [("p", "1")]


class TestPartlyWritten:
    def test_a_blank_contact_clears_nothing_after_a_refused_write(self) -> None:
        story = Story(NEWEST, p=None, l1="1", l2=None, c=None)
        assert story.run(refused=["p"]) == {"l2": "1"}

        assert story.run() == {"p": "1"}

    def test_an_edit_that_plezi_refused_wins_where_its_lead_is_gone(self) -> None:
        """It replaced a value that its author saw: Plezi does not meet the other Lead first."""
        story = Story(PLEZI_WINS, p="1", l1="1", l2=None)
        story.run()
        story.create("l3")
        story.type("l1", "3")
        story.run(refused=["p"])
        story.change("l1", email="")
        story.change("l2", email="")

        assert story.run() == {"p": "3"}

    def test_a_contact_whose_edit_has_reached_a_lead_only_may_be_typed_back(self) -> None:
        """Its former value is an edit then: Plezi, and the Lead, have another one."""
        story = Story(NEWEST, p="1", l1="1", c="1")
        story.run()
        story.type("c", "2")
        assert story.run(refused=["p"]) == {"l1": "2"}
        story.type("p", "2")
        story.type("c", "1")

        assert story.run() == {"p": "1", "l1": "1"}

    def test_only_records_with_the_value_wait_for_the_system_that_refused_it(self) -> None:
        """The Contact has a value of its own: its next edit in another field sends nothing here."""
        story = Story(SALESFORCE_WINS, p="1", l1="1", l2="1")
        story.run()
        story.create("c", "2")
        story.run()
        story.type("l1", "3")
        assert story.run(refused=["p"]) == {"l2": "3"}

        assert {record for record, _ in story.link.undelivered} == {"l1", "l2"}
        assert story.run() == {"p": "3"}

    @pytest.mark.parametrize("before", [None, "0"])
    def test_a_correction_of_a_value_that_plezi_refused_replaces_it_everywhere(
        self, before: str | None
    ) -> None:
        """Who corrected it could see it."""
        story = Story(NEWEST, p=before, l1=before, l2=before)
        story.run()
        story.type("l1", "1")
        assert story.run(refused=["p"]) == {"l2": "1"}
        story.type("l2", "2")

        assert story.run() == {"p": "2", "l1": "2"}

    def test_a_hold_ends_with_an_agreement_that_one_lead_refused(self) -> None:
        """What is cleared later was typed by somebody who saw the new value."""
        story = Story(HOLD, p=None, l1="1", l2="2")
        story.run()
        story.type("l1", "3")
        assert story.run(refused=["l2"]) == {"p": "3"}

        story.type("p", None)

        assert story.run() == {"l1": None, "l2": None}

    def test_an_edit_that_gave_way_does_not_come_back_from_a_lead_that_refused_the_other(
        self,
    ) -> None:
        story = Story(PLEZI_WINS, p="1", l1="1", l2="1")
        story.run()
        story.type("l1", "2")
        story.type("p", "3")
        assert story.run(refused=["l1"]) == {"l2": "3"}

        story.bound = HOLD

        assert story.run() == {"l1": "3"}

    def test_a_lead_that_refused_a_clearing_does_not_undo_it(self) -> None:
        story = Story(HOLD, p=None, l1="1", l2="2", l3="3")
        story.run()
        story.type("p", "4")
        assert story.run(refused=["l3"]) == {"l1": "4", "l2": "4"}
        story.type("p", None)

        assert story.run() == {"l1": None, "l2": None, "l3": None}


class TestHeld:
    def test_what_is_typed_after_a_hold_showed_an_agreement_replaces_it(self) -> None:
        """The Lead refused the agreed value, and was edited: both were shown then."""
        story = Story(HOLD, p="1", l1=None, l2=None)
        assert story.run(refused=["l2"]) == {"l1": "1"}
        story.type("l2", "2")
        assert story.run() == {}
        assert story.held() == {"p": "1", "l1": "1", "l2": "2"}
        story.bound = PLEZI_WINS
        story.type("l2", "3")

        assert story.run() == {"p": "3", "l1": "3"}

    def test_a_lead_that_a_hold_does_not_show_is_no_edit_that_the_choice_replaces(self) -> None:
        """It agreed with a contact that was deleted: it meets the new one for the first time."""
        story = Story(HOLD, p="1", l1="1")
        story.run()
        story.change("l1", email="")
        story.change("p", deleted=True)
        story.run()
        story.create("p2", "3")
        story.create("l2", "2")
        story.run()
        story.link = choose_value(story.link, "Phone", "p2")
        story.change("l1", email="ana@x.fr")
        story.change("l2", deleted=True)

        assert story.run() == {}
        assert story.held() == {"p2": "3", "l1": "1"}

    def test_a_clearing_stays_typed_while_its_hold_goes_on(self) -> None:
        story = Story(HOLD, p="1", l1="2")
        story.run()
        story.type("p", None)
        story.type("l1", "3")
        story.run()
        story.create("l2")

        for _ in range(2):
            assert story.run() == {}
        assert story.link.holds["Phone"].untyped == {"l2"}

    @pytest.mark.parametrize(("record", "is_over"), [("p", True), ("l1", False)])
    def test_a_hold_ends_with_the_contact_in_plezi_and_waits_for_a_lead_that_may_come_back(
        self, record: str, *, is_over: bool
    ) -> None:
        """No decision could have an effect without the contact."""
        story = Story(HOLD, p="0", l1="0")
        story.run()
        story.type("p", "1")
        story.type("l1", "2")
        story.run()
        known = story.link.base
        story.change(record, deleted=True)

        assert story.run() == {}
        assert story.held() == ({} if is_over else {"p": "1", "l1": "2"})
        assert story.link.base == known

    def test_what_is_typed_in_a_contact_after_a_hold_showed_it_is_an_edit(self) -> None:
        story = Story(HOLD, p="1", l1="2", c="3")
        story.run()
        story.change("c", eligible=False)
        story.type("l1", "1")
        story.run()
        story.type("c", "4")
        story.change("c", eligible=True)

        assert story.run() == {}
        assert story.held() == {"p": "1", "l1": "1", "c": "4"}

    def test_a_lead_that_was_shown_does_not_undo_the_clearing_that_ended_the_hold(self) -> None:
        story = Story(HOLD, p="1", l1=None, l2="2")
        story.run()
        story.change("l2", email="")
        story.type("p", None)
        story.run()
        story.change("l2", email="ana@x.fr")

        assert story.run() == {"l2": None}
        assert story.lost == [("l2", "2")]

    def test_a_lead_that_was_shown_does_not_undo_a_clearing_by_somebody_who_saw_it(self) -> None:
        story = Story(HOLD, p="1", l1="2", l2="3")
        story.run()
        story.link = pick_primary(story.link, "l2")
        story.type("p", None)
        assert story.run() == {"l2": None}
        story.change("l2", email="")

        assert story.run() == {"l1": None}

    def test_a_lead_that_was_shown_fills_blanks_that_nobody_typed(self) -> None:
        story = Story(HOLD, l1="1", l2="2", l3=None, p=None)
        story.run()
        story.link = pick_primary(story.link, "l3")
        story.run()
        story.change("l2", deleted=True)
        story.change("l3", deleted=True)

        assert story.run() == {"p": "1"}


class TestContactWithItsOwnValue:
    def test_it_does_not_fill_a_new_lead_after_the_others_cleared_theirs(self) -> None:
        story = Story(NEWEST, p="1", l1="1", c="1")
        story.run()
        story.type("l1", None)
        assert story.run() == {"p": None}
        story.change("l1", email="")
        story.create("l2")

        assert story.run() == {}

    def test_it_reaches_plezi_where_no_lead_is_left(self) -> None:
        """The other Contact continues a Lead that refused what Plezi has."""
        story = Story(HOLD, p=None, l1=None, l2="1")
        assert story.run(refused=["l1"]) == {"p": "1"}
        story.change("l2", email="")
        story.convert("l1", "c1")
        story.create("c2", "2")

        assert story.run() == {"p": "2"}
        assert story.lost == [("p", "1")]

    def test_its_clearing_clears_nothing_beside_another_contact_with_that_value(self) -> None:
        story = Story(NEWEST, p="1", l1="1", c1="1", c2="1")
        story.run()
        story.change("c1", eligible=False)
        story.change("c2", eligible=False)
        story.type("l1", "2")
        assert story.run() == {"p": "2"}
        story.change("c1", eligible=True)
        story.change("c2", eligible=True)
        assert story.run() == {}
        story.type("c1", None)

        assert story.run() == {}

    def test_its_clearing_clears_nothing_else_when_a_new_lead_joins(self) -> None:
        story = Story(PLEZI_WINS, p="1", l1="1")
        story.run()
        story.create("c", "2")
        story.run()
        story.type("c", None)
        assert story.run() == {}
        story.create("l3")

        assert story.run() == {"l3": "1"}

    def test_its_edit_does_not_hide_what_was_agreed_without_a_lead(self) -> None:
        story = Story(NEWEST, p="1", l1="1", l3="1")
        story.run()
        story.create("c", "2")
        story.run()
        story.change("l1", email="")
        story.type("p", "3")
        assert story.run() == {"l3": "3"}
        story.type("c", "4")
        story.change("l1", email="ana@x.fr")
        story.type("l1", "5")
        story.run()

        assert ("p", "3") in story.lost

    def test_it_is_no_edit_when_the_contact_is_back_after_another_agreement(self) -> None:
        story = Story(NEWEST, p="1", l1="1", l2="1", c="1")
        story.run()
        story.change("c", eligible=False)
        story.change("l1", email="")
        story.type("l1", "2")
        story.type("p", "3")
        assert story.run() == {"l2": "3"}
        story.change("l1", email="ana@x.fr")
        story.change("c", eligible=True)

        assert "1" not in story.run().values()

    def test_a_clearing_in_a_lead_that_is_back_is_an_edit_beside_a_blank_contact(self) -> None:
        story = Story(PLEZI_WINS, p="1", l1="1", l2="1")
        story.run()
        story.create("c")
        story.run()
        story.link = pick_primary(story.link, "l1")
        story.type("p", "2")
        assert story.run() == {"l1": "2"}
        story.type("l2", None)
        story.change("l1", deleted=True)
        story.run()

        assert ("l2", None) in story.lost


class TestContactThatIsCreatedAgain:
    def test_its_blank_does_not_clear_a_lead_that_took_no_part(self) -> None:
        story = Story(NEWEST, p="1", l1="1")
        story.run()
        story.change("l1", email="")
        story.change("p", deleted=True)
        story.run()
        story.create("p2")
        story.create("l2")
        story.run()
        story.change("l1", email="ana@x.fr")

        assert story.run() == {"p2": "1", "l2": "1"}

    @pytest.mark.parametrize("typed", ["2", None])
    def test_an_edit_replaces_what_it_was_typed_over_also_in_a_record_that_changed_later(
        self, typed: str | None
    ) -> None:
        story = Story(NEWEST, p="1", l1="1", l2="1")
        story.run()
        story.change("p", deleted=True)
        story.run()
        story.create("p2")
        story.type("l1", typed)
        story.convert("l2", "c")

        assert "1" not in story.run().values()

    def test_a_lead_that_missed_an_agreement_meets_it_for_the_first_time(self) -> None:
        story = Story(NEWEST, p="1", l1="1", l2="1")
        story.run()
        story.change("l1", email="")
        story.type("p", "2")
        assert story.run() == {"l2": "2"}
        story.change("l2", deleted=True)
        story.change("p", deleted=True)
        story.run()
        story.create("p2")
        story.change("l1", email="ana@x.fr")

        assert story.run() == {"p2": "1"}

    def test_a_lead_of_a_one_way_pair_that_took_no_part_sends_its_value_to_it(self) -> None:
        story = Story(bound_with(PLEZI_WINS.pairs[0].pair.policy, Direction.TO_PLEZI), p=None)
        story.create("l1", "1")
        story.create("l3", "1")
        assert story.run() == {"p": "1"}
        story.change("l3", email="")
        story.type("l1", None)
        story.change("p", deleted=True)
        story.run()
        story.create("p2")
        story.run()
        story.change("l3", email="ana@x.fr")
        story.change("l1", deleted=True)

        assert story.run() == {"p2": "1"}

    def test_a_lead_that_missed_a_clearing_is_cleared_beside_it(self) -> None:
        story = Story(HOLD, p="1", l1="1", l2="1")
        story.run()
        story.change("l2", email="")
        story.type("p", None)
        assert story.run() == {"l1": None}
        story.change("p", deleted=True)
        story.run()
        story.create("p2")
        story.change("l2", email="ana@x.fr")

        assert story.run() == {"l2": None}
        assert story.lost[-1] == ("l2", "1")


def test_a_value_that_waits_in_a_lead_without_a_part_has_arrived_when_the_others_agree_on_it() -> (
    None
):
    story = Story(SALESFORCE_WINS, l1=None, l2="1", p=None)
    assert story.run(refused=["p"]) == {"l1": "1"}
    story.link = pick_primary(story.link, "l1")
    assert story.run() == {"p": "1"}
    story.type("p", "2")
    story.change("l1", email="")

    assert story.run() == {"l2": "2"}


@pytest.mark.parametrize(
    ("bound", "written", "lost"),
    [
        (PLEZI_WINS, {"l1": "2"}, [("l1", "9")]),
        (SALESFORCE_WINS, {"p": "9"}, [("p", "2")]),
        (HOLD, {}, []),
    ],
)
def test_an_edit_of_the_winner_from_before_a_merge_is_in_conflict_with_what_the_others_agreed_on(
    bound: BoundMapping, written: dict[str, str], lost: list[tuple[str, str]]
) -> None:
    story = Story(bound, p="1", l1="1", l2="1")
    story.run()
    story.link = pick_primary(story.link, "l2")
    story.type("p", "2")
    assert story.run() == {"l2": "2"}
    story.type("l1", "9")
    assert story.run() == {}
    story.change("l2", deleted=True, successor="l1")

    assert story.run() == written
    assert story.lost == lost
    assert bool(story.held()) is not bool(written)


def test_a_value_that_waits_has_arrived_when_a_user_types_it_in_the_other_system_too() -> None:
    story = Story(SALESFORCE_WINS, l1=None, l2="1", p=None)
    assert story.run(refused=["p"]) == {"l1": "1"}
    story.link = pick_primary(story.link, "l1")
    story.type("p", "1")
    assert story.run() == {}

    assert not story.link.undelivered


def test_what_is_typed_over_a_value_that_waits_is_an_edit_of_it_when_the_lead_is_back() -> None:
    story = Story(PLEZI_WINS, p="1", l1="1", l2="1")
    story.run()
    story.type("l2", "2")
    assert story.run(refused=["p"]) == {"l1": "2"}
    story.type("l2", "3")
    story.change("l2", email="")
    assert story.run() == {"p": "2"}
    story.change("l2", email="ana@x.fr")

    assert story.run() == {"p": "3", "l1": "3"}


@pytest.mark.parametrize("fills", [True, False])
def test_the_winner_of_a_merge_that_keeps_its_former_value_takes_the_agreed_one(
    *, fills: bool
) -> None:
    story = Story(PLEZI_WINS, p="1", l1="1", l2="1")
    story.run()
    story.link = pick_primary(story.link, "l2")
    story.type("p", "2")
    assert story.run() == {"l2": "2"}
    story.change("l2", deleted=True, successor="l1")

    if fills:
        story.type("l1", "2")

    assert story.run() == ({} if fills else {"l1": "2"})


def test_an_opt_out_that_was_agreed_before_is_not_sent_again_by_a_lead_beside_the_primary() -> None:
    story = Story(bound_with(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX))
    story.create("p", value=False)
    story.create("l1", value=True)
    story.create("l2", value=False)
    assert story.run() == {"p": True, "l2": True}
    story.link = pick_primary(story.link, "l2")
    story.type("p", value=False)
    story.type("l2", value=False)

    for _ in range(2):
        story.link = replace(story.link, dirty=True)
        assert story.run() == {}


def test_what_is_typed_after_a_hold_wins_over_a_lead_that_the_hold_had_shown_before() -> None:
    story = Story(HOLD, p="1", l1="2")
    story.run()
    story.create("l2", "3")
    story.change("l1", deleted=True)
    story.run()
    story.type("p", None)
    story.change("l1", deleted=False)
    story.bound = SALESFORCE_WINS

    assert story.run() == {"l1": None, "l2": None}
    assert story.lost == [("l1", "2"), ("l2", "3")]


def test_a_lead_that_was_edited_after_a_hold_had_shown_it_wins_over_what_was_shown_with_it() -> (
    None
):
    story = Story(HOLD, p="1", l1="2", l2="3")
    story.run()
    story.type("l1", "4")
    story.link = pick_primary(story.link, "l2")
    story.run()
    story.change("l2", eligible=False)
    story.bound = PLEZI_WINS

    assert story.run() == {"p": "4"}
    assert story.lost == [("p", "1")]


def test_a_blank_contact_clears_no_lead_that_is_back_when_plezi_has_a_new_contact() -> None:
    story = Story(PLEZI_WINS, p1=None, l1="1", l2=None, c=None)
    story.run()
    story.link = pick_primary(story.link, "l1")
    story.type("l1", "2")
    story.run()
    story.change("p1", deleted=True)
    story.create("p2")
    story.change("l1", deleted=True)

    assert story.run() == {"p2": "1"}


def test_a_contact_that_is_cleared_of_its_own_value_clears_no_new_contact_in_plezi() -> None:
    story = Story(HOLD, p1="1", l1="1")
    story.run()
    story.create("c", "2")
    story.run()
    story.type("c", None)
    story.run()
    story.change("p1", deleted=True)
    story.create("p2", "3")
    story.run()
    story.change("l1", email="")

    assert story.run() == {}


def test_an_edit_of_a_lead_that_joined_with_the_agreed_value_travels_beside_a_contact() -> None:
    story = Story(NEWEST, p="1", l1="1")
    story.run()
    story.create("c", "2")
    story.create("l2", "1")
    story.run()
    story.type("l2", "3")

    assert story.run() == {"p": "3", "l1": "3"}


def test_an_edit_outside_a_hold_is_in_conflict_with_what_the_hold_shows_since() -> None:
    story = Story(HOLD, p="1", l1="2", l2=None)
    story.run()
    story.type("p", "3")
    story.type("l1", "4")
    story.change("l2", email="")
    story.run()
    story.change("l2", email="ana@x.fr")
    story.type("l2", "5")

    assert story.run() == {}
    assert story.held() == {"p": "3", "l1": "4", "l2": "5"}


def test_what_a_hold_showed_before_the_others_agreed_is_in_conflict_with_a_later_hold() -> None:
    story = Story(HOLD, p1="1", l1="2", l2=None)
    story.run()
    story.change("l1", email="")
    assert story.run() == {"l2": "1"}
    story.change("p1", deleted=True)
    story.create("p2", "3")
    story.run()
    story.type("p2", "4")
    story.change("l1", email="ana@x.fr")

    assert story.run() == {}
    assert story.held() == {"p2": "4", "l1": "2", "l2": "1"}


def test_the_value_of_a_new_lead_that_one_of_a_hold_was_merged_into_is_in_conflict() -> None:
    story = Story(HOLD, p=None, l3="1", c1="2")
    story.run()
    story.change("l3", email="")
    assert story.run() == {"p": "2"}
    story.create("l1", "3")
    story.change("l3", deleted=True, successor="l1")

    assert story.run() == {}
    assert story.held() == {"p": "2", "l1": "3", "c1": "2"}


def test_an_edit_wins_over_the_value_that_a_new_lead_has_refused_to_join_with() -> None:
    """Both systems had agreed on that value before the Leads joined: it waits nowhere."""
    story = Story(SALESFORCE_WINS, p="1", l0="1")
    story.run()
    story.create("l1", "2")
    story.create("l2", None)
    assert story.run(refused=["l2"]) == {"l1": "1"}
    story.type("p", "3")

    assert story.run() == {"l0": "3", "l1": "3", "l2": "3"}


def test_a_value_that_waited_in_two_leads_gives_way_in_both() -> None:
    story = Story(NEWEST, l1="1", l2=None)
    assert story.run(refused=["", "p"]) == {"l2": "1"}
    story.change("l2", email="")
    story.create("p", "2")
    assert story.run() == {"l1": "2"}
    story.change("l2", email="ana@x.fr")

    assert story.run() == {"l2": "2"}
    assert story.lost[-1] == ("l2", "1")


def test_a_clearing_that_gave_way_is_journaled_when_its_lead_takes_the_value_it_had_refused() -> (
    None
):
    story = Story(NEWEST, p="1", l1="1", l2="1")
    story.run()
    story.type("l1", None)
    story.type("l2", "2")
    assert story.run(refused=["l1"]) == {"p": "2"}
    assert story.lost == []

    assert story.run() == {"l1": "2"}
    assert story.lost == [("l1", None)]
