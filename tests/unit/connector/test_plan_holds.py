"""The plan of one link: what is held for a decision, and what ends a hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import (
    ConflictPolicy,
    Direction,
    FieldKind,
    FieldPair,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    Hold,
    HoldReason,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    RecentWrite,
    RecordKind,
    Value,
)
from tests.unit.connector.planned_links import (
    BOUND,
    EMAIL,
    HOLDING,
    NOW,
    PHONE,
    UNKNOWN,
    bound_pair,
    bound_to,
    bound_with,
    given_way,
    held,
    observed,
    phone_pair,
    phones,
    planned,
    with_phone,
    written,
)

CONFLICT: Final = held(HoldReason.CONFLICT, {"p": "1", "l1": "2"})
"""The hold of a conflict between the phone 1 in Plezi and 2 in the Lead."""
AGREED: Final[Mapping[str, Value]] = {"p": "0", "l1": "0"}


class TestHeldConflict:
    def test_a_conflict_is_held_with_its_values_and_journaled_once(self) -> None:
        plan = planned(phones({"p": "1", "l1": "2"}, AGREED), HOLDING)

        assert not plan.writes
        assert plan.held == ("Phone",)
        assert plan.link.holds == {"Phone": replace(CONFLICT, since=NOW)}
        again = planned(plan.link, HOLDING)
        assert again.held == ()
        assert again.link is plan.link

    def test_other_values_are_journaled_again_and_wait_since_the_first_time(self) -> None:
        """Both sides were edited again."""
        link = phones({"p": "3", "l1": "4"}, AGREED, CONFLICT)

        plan = planned(link, HOLDING)

        assert plan.held == ("Phone",)
        assert plan.link.holds == {"Phone": replace(CONFLICT, values={"p": "3", "l1": "4"})}

    def test_an_edit_of_one_side_ends_it_when_it_is_written(self) -> None:
        link = phones({"p": "1", "l1": "3"}, AGREED, CONFLICT)

        plan = planned(link, HOLDING)

        assert written(plan) == {"p": {"phone": "3"}}
        assert [(it.record_id, it.value, it.rule) for it in plan.overwritten] == [
            ("p", "1", MergeRule.EDITED)
        ]
        assert plan.link.holds == {"Phone": CONFLICT}

    def test_equal_values_end_it(self) -> None:
        link = phones({"p": "2", "l1": "2"}, AGREED, CONFLICT)

        plan = planned(link, HOLDING)

        assert plan.link.holds == {}
        assert plan.link.base == {"p": {PHONE: "2"}, "l1": {PHONE: "2"}}

    def test_a_value_that_equals_the_last_agreement_is_still_one_of_the_conflict(self) -> None:
        link = phones({"p": "1", "l1": "2"}, {"p": "1", "l1": "1"}, CONFLICT)

        plan = planned(link, HOLDING)

        assert plan.link is link
        assert not plan.writes

    def test_a_policy_that_was_chosen_later_decides_between_the_values_that_were_typed(
        self,
    ) -> None:
        """The blank of the Lead that was changed last was typed by nobody."""
        hold = held(HoldReason.CONFLICT, {"p": "1", "l1": "2", "l2": None}, "l2")
        link = phones({"p": "1", "l1": "2", "l2": None}, {"p": "1", "l1": "1"}, hold)

        plan = planned(link, BOUND)

        assert written(plan) == {"p": {"phone": "2"}, "l2": {"Phone": "2"}}
        assert [(it.record_id, it.value, it.rule) for it in plan.overwritten] == [
            ("p", "1", MergeRule.NEWEST)
        ]
        assert plan.link.holds.keys() == {"Phone"}  # until the writes are done

    def test_an_edit_of_a_record_that_was_not_shown_is_an_edit_too(self) -> None:
        agreed = {"p": "0", "l1": "0", "l2": "0"}
        link = phones({"p": "3", "l1": "2", "l2": "4"}, agreed, CONFLICT)

        plan = planned(link, HOLDING)

        assert not plan.writes
        assert plan.link.holds["Phone"].values == {"p": "3", "l1": "2", "l2": "4"}

    def test_a_choice_is_written_over_every_value_that_was_shown(self) -> None:
        hold = replace(CONFLICT, chosen="p")

        plan = planned(phones({"p": "1", "l1": "2"}, AGREED, hold), HOLDING)

        assert written(plan) == {"l1": {"Phone": "1"}}
        assert plan.overwritten == (
            Overwritten(RecordKind.LEAD, "l1", "Phone", "2", "1", MergeRule.CHOSEN),
        )

    def test_a_choice_does_not_journal_a_blank_that_nobody_typed(self) -> None:
        hold = held(HoldReason.CONFLICT, {"p": "1", "l1": "2", "l2": None}, "l2", chosen="p")

        plan = planned(phones({"p": "1", "l1": "2", "l2": None}, AGREED, hold), HOLDING)

        assert written(plan) == {"l1": {"Phone": "1"}, "l2": {"Phone": "1"}}
        assert given_way(plan) == {"l1": "2"}

    def test_a_choice_over_a_contact_is_journaled_and_written_nowhere(self) -> None:
        """The Contact keeps its value; a Lead in the recycle bin keeps what it agreed on."""
        hold = held(HoldReason.CONFLICT, {"p": "1", "c": "7"}, chosen="p")
        link = phones({"p": "1", "c": "7"}, {"p": "1", "c": "1", "l2": "1"}, hold)
        link = link.with_observation(replace(with_phone("l2", "1"), deleted=True))

        plan = planned(link, HOLDING)

        assert not plan.writes
        assert plan.overwritten == (
            Overwritten(RecordKind.CONTACT, "c", "Phone", "7", "1", MergeRule.CHOSEN),
        )
        assert plan.link.holds == {}
        assert plan.link.base == {"p": {PHONE: "1"}, "c": {PHONE: "7"}, "l2": {PHONE: "1"}}

    @pytest.mark.parametrize("values", [{"p": "3", "l1": "2"}, {"p": "1", "l1": "2", "l2": "4"}])
    def test_under_a_policy_that_leaves_two_values_it_stays_with_those_of_today(
        self, values: dict[str, Value]
    ) -> None:
        plan = planned(phones(values, AGREED, CONFLICT), bound_with(ConflictPolicy.FILL_BLANK))

        assert not plan.writes
        assert plan.held == ("Phone",)
        assert plan.link.holds == {"Phone": replace(CONFLICT, values=values)}

    def test_a_choice_is_void_when_a_value_was_edited_after_it_was_shown(self) -> None:
        link = phones({"p": "1", "l1": "3"}, AGREED, replace(CONFLICT, chosen="p"))

        assert written(planned(link, HOLDING)) == {"p": {"phone": "3"}}

    def test_it_ends_when_one_of_its_records_left_and_no_conflict_is_left(self) -> None:
        """The Lead was converted; its Contact has the value that Plezi agreed on with it."""
        link = phones({"p": "1", "c": "5"}, {"p": "1", "c": "5"}, CONFLICT)
        link = link.with_observation(replace(with_phone("l1", "2"), converted=True))

        plan = planned(link, HOLDING)

        assert not plan.writes
        assert plan.link.holds == {}

    def test_the_hold_of_another_attribute_for_the_same_field_is_dropped(self) -> None:
        hold = replace(CONFLICT, attribute="mobile", values={"p": "7", "l1": "2"})
        link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1"}, hold)

        plan = planned(link, HOLDING)

        assert plan.link.holds == {}
        assert [it.rule for it in plan.base_updates] == [MergeRule.CHANGED]

    def test_a_blank_that_nobody_typed_is_noted(self) -> None:
        """The second Lead never had a phone, and the first one was cleared."""
        link = phones({"p": "1", "l1": None, "l2": None}, AGREED)

        plan = planned(link, HOLDING)

        assert plan.link.holds["Phone"].untyped == {"l2"}

    def test_a_blank_in_place_of_a_value_that_was_shown_was_typed(self) -> None:
        """At a first meeting no base tells that the value was cleared."""
        hold = held(HoldReason.CONFLICT, {"p": "1", "l1": "2"})
        link = phones({"p": "3", "l1": None}, hold=hold)

        plan = planned(link, HOLDING)

        assert plan.link.holds["Phone"].values == {"p": "3", "l1": None}
        assert plan.link.holds["Phone"].untyped == frozenset()

    def test_a_blank_in_place_of_a_placeholder_that_was_shown_was_typed_by_nobody(self) -> None:
        hold = held(HoldReason.CONFLICT, {"p": "1", "l1": UNKNOWN, "l2": "2"}, "l1")
        link = phones({"p": "3", "l1": None, "l2": "4"}, {"p": "0", "l2": "0"}, hold)

        plan = planned(link, bound_to(phone_pair(ConflictPolicy.HOLD, placeholder=UNKNOWN)))

        assert plan.link.holds["Phone"].values == {"p": "3", "l1": None, "l2": "4"}
        assert plan.link.holds["Phone"].untyped == {"l1"}


IN_DOUBT: Final = held(HoldReason.IN_DOUBT, {"p": "1", "l1": "2"})


class TestHeldInDoubt:
    @pytest.mark.parametrize("policy", [ConflictPolicy.NEWEST, ConflictPolicy.PLEZI_WINS])
    def test_no_policy_ends_it(self, policy: ConflictPolicy) -> None:
        link = phones({"p": "1", "l1": "2"}, AGREED, IN_DOUBT)

        plan = planned(link, bound_with(policy))

        assert plan.link is link
        assert not plan.writes

    def test_a_record_that_joins_is_shown_with_the_same_reason(self) -> None:
        link = phones({"p": "1", "l1": "2", "l2": "4"}, AGREED, IN_DOUBT)

        plan = planned(link)

        assert not plan.writes
        assert plan.held == ("Phone",)
        assert plan.link.holds == {
            "Phone": replace(IN_DOUBT, values={"p": "1", "l1": "2", "l2": "4"})
        }

    def test_a_new_edit_ends_it_and_journals_each_other_value(self) -> None:
        """The value of a record that was not shown may be an edit, and does not travel."""
        link = phones({"p": "3", "l1": "2", "l2": "4"}, {**AGREED, "l2": "0"}, IN_DOUBT)

        plan = planned(link)

        assert written(plan) == {"l1": {"Phone": "3"}, "l2": {"Phone": "3"}}
        assert given_way(plan) == {"l1": "2", "l2": "4"}

    def test_a_blank_that_nobody_typed_is_not_journaled(self) -> None:
        hold = held(HoldReason.IN_DOUBT, {"p": "1", "l1": "2", "l2": None}, "l2")
        link = phones({"p": "3", "l1": "2", "l2": None}, AGREED, hold)

        plan = planned(link)

        assert written(plan) == {"l1": {"Phone": "3"}, "l2": {"Phone": "3"}}
        assert given_way(plan) == {"l1": "2"}

    def test_two_edits_after_it_are_decided_by_the_policy(self) -> None:
        link = phones({"p": "3", "l1": "4"}, AGREED, IN_DOUBT)

        plan = planned(link)

        assert written(plan) == {"p": {"phone": "4"}}
        assert given_way(plan) == {"p": "3"}


def with_email(record: str, email: str) -> Observation:
    name = EMAIL_PAIR.plezi if record == "p" else EMAIL_PAIR.salesforce
    return replace(observed(record, **{name: email}), email=email)


class TestHeldIdentity:
    BOUND: Final = bound_to(bound_pair(EMAIL_PAIR, FieldKind.EMAIL))
    KEY: Final = EMAIL_PAIR.base_key(RecordKind.LEAD)

    def link(self, reason: HoldReason, plezi: str, lead: str) -> Link:
        """Return a link whose contact or Lead has a new e-mail, which is held."""
        hold = Hold(reason, 1.0, {"p": "b@x.fr", "l1": EMAIL})
        return Link(
            EMAIL,
            with_email("p", plezi),
            (with_email("l1", lead),),
            {record: {self.KEY: EMAIL} for record in ("p", "l1")},
            holds={"Email": hold},
        )

    def test_an_email_of_another_person_is_written_nowhere(self) -> None:
        link = self.link(HoldReason.EMAIL_TAKEN, "b@x.fr", EMAIL)

        plan = planned(link, self.BOUND)

        assert not plan.writes
        assert plan.link.holds == link.holds

    def test_records_that_agree_on_their_former_email_end_it(self) -> None:
        link = self.link(HoldReason.EMAIL_TAKEN, EMAIL, EMAIL)

        assert planned(link, self.BOUND).link.holds == {}

    def test_an_email_that_is_in_use_is_tried_again(self) -> None:
        link = self.link(HoldReason.EMAIL_IN_USE, "b@x.fr", EMAIL)

        assert written(planned(link, self.BOUND)) == {"l1": {"Email": "b@x.fr"}}

    def test_records_that_stay_and_agree_do_not_end_it_for_the_one_that_leaves(self) -> None:
        """The second Lead has the e-mail of another person, and waits for a decision."""
        link = self.link(HoldReason.EMAIL_TAKEN, EMAIL, EMAIL)
        link = link.with_observation(with_email("l2", "b@x.fr"))

        assert planned(link, self.BOUND).link.holds == link.holds

    def test_it_does_not_keep_the_hold_of_another_field(self) -> None:
        link = phones({"p": "1", "l1": "1"}, AGREED, CONFLICT)
        link = link.with_observation(replace(with_phone("l2", "9"), email="b@x.fr"))
        taken = Hold(HoldReason.EMAIL_TAKEN, 1.0, {"p": EMAIL, "l1": EMAIL, "l2": "b@x.fr"})

        plan = planned(replace(link, holds={**link.holds, "Email": taken}))

        assert plan.link.holds == {"Email": taken}

    def test_a_record_that_left_does_not_end_it(self) -> None:
        """Whether the e-mail is free depends on the other person, and not on the Lead."""
        link = self.link(HoldReason.EMAIL_IN_USE, EMAIL, EMAIL)
        contact = replace(with_email("c", "c@x.fr"), email=EMAIL)
        link = link.with_observation(replace(with_email("l1", EMAIL), converted=True))
        link = link.with_observation(contact)
        link = replace(link, base={**link.base, "c": {self.KEY: "c@x.fr"}})

        plan = planned(link, self.BOUND)

        assert not plan.writes
        assert plan.link.holds == link.holds


def undone(*values: tuple[str, bool], record: str = "l1") -> dict[str, tuple[RecentWrite, ...]]:
    """Return the writes of today to a record: the value, and whether it replaced a former one."""
    return {"Phone": tuple(RecentWrite(record, value, NOW, after) for value, after in values)}


class TestWriteLoop:
    LINK: Final = phones({"p": "1", "l1": "9"}, {"p": "0", "l1": "9"})
    """Plezi's phone is written to a Lead in which somebody replaced the former one by 9."""

    def test_a_value_that_was_undone_twice_today_is_held(self) -> None:
        link = replace(self.LINK, recent_writes=undone(("1", False), ("1", True)))

        plan = planned(link)

        assert not plan.writes
        assert plan.link.holds["Phone"].reason is HoldReason.WRITE_LOOP

    def test_a_value_that_was_undone_once_is_written_and_counted(self) -> None:
        link = replace(self.LINK, recent_writes=undone(("1", False)))

        plan = planned(link)

        assert written(plan) == {"l1": {"Phone": "1"}}
        assert [it.after_undo for it in plan.base_updates] == [frozenset({"l1"})]

    @pytest.mark.parametrize(
        ("wrote", "shown"),
        [("01 23 45 67 89", "+33 1 23 45 67 89"), (UNKNOWN, None), ("", UNKNOWN)],
    )
    def test_another_form_of_the_value_that_we_wrote_is_not_counted(
        self, wrote: str, shown: Value
    ) -> None:
        """The system reformats it, or shows our placeholder as a blank."""
        link = phones({"p": "1", "l1": shown}, {"p": "0", "l1": shown})
        link = replace(link, recent_writes=undone((wrote, False)))

        pair = FieldPair("phone", "Phone", Direction.BOTH, placeholder=UNKNOWN)

        plan = planned(link, bound_to(bound_pair(pair, FieldKind.PHONE)))

        assert [it.after_undo for it in plan.base_updates] == [frozenset()]

    def test_what_was_undone_more_than_a_day_ago_does_not_count(self) -> None:
        [first, second] = undone(("1", False), ("1", True))["Phone"]
        yesterday = replace(first, at=NOW - 86_400.0)
        link = replace(self.LINK, recent_writes={"Phone": (yesterday, second)})

        assert written(planned(link)) == {"l1": {"Phone": "1"}}

    def test_a_value_that_nobody_replaced_is_not_counted(self) -> None:
        link = replace(self.LINK, recent_writes=undone(("9", False)))

        assert [it.after_undo for it in planned(link).base_updates] == [frozenset()]

    def test_it_is_found_in_plezi_too(self) -> None:
        link = phones({"p": "9", "l1": "1"}, {"p": "9", "l1": "0"})
        link = replace(link, recent_writes=undone(("1", False), ("1", True), record="p"))

        assert planned(link).link.holds["Phone"].reason is HoldReason.WRITE_LOOP

    def test_a_pair_in_one_direction_has_none(self) -> None:
        """What is typed on the receiving side never travels."""
        link = replace(self.LINK, recent_writes=undone(("1", False), ("1", True)))
        one_way = bound_with(direction=Direction.TO_SALESFORCE)

        assert written(planned(link, one_way)) == {"l1": {"Phone": "1"}}

    def test_an_enforced_pair_has_one_although_it_is_one_way(self) -> None:
        link = replace(self.LINK, recent_writes=undone(("1", False), ("1", True)))
        enforced = FieldPair("phone", "Phone", Direction.TO_SALESFORCE, enforced=True)

        plan = planned(link, bound_to(bound_pair(enforced)))

        assert plan.link.holds["Phone"].reason is HoldReason.WRITE_LOOP

    def test_the_next_edit_ends_the_hold(self) -> None:
        hold = held(HoldReason.WRITE_LOOP, {"p": "1", "l1": "9"})
        link = phones({"p": "2", "l1": "9"}, {"p": "0", "l1": "9"}, hold)

        assert written(planned(link)) == {"l1": {"Phone": "2"}}
