"""The plan of one link: what is written, what is agreed, and what waits for a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    ValuePair,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    ProblemCode,
    RecentWrite,
    RecordKind,
    SkipReason,
    Value,
    Write,
)
from connector.planning.plan import Plan, plan_link

EMAIL: Final = "a@x.fr"
PHONE: Final = "phone>Phone"
NOW: Final = 100.0
KINDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l1": RecordKind.LEAD,
    "l2": RecordKind.LEAD,
    "c": RecordKind.CONTACT,
}
MODIFIED: Final = {"p": "2026-01", "l1": "2026-02", "l2": "2026-03", "c": "2026-04"}
"""The second Lead was changed after the first, and Plezi before both."""
UNKNOWN: Final = "[unknown]"


def bound_pair(pair: FieldPair, kind: FieldKind = FieldKind.TEXT, **lead: bool) -> BoundPair:
    fields = {
        RecordKind.PLEZI_CONTACT: Field(pair.plezi, kind),
        RecordKind.LEAD: replace(Field(pair.salesforce, kind), **lead),  # type: ignore[arg-type]  # flags
    }
    if pair.contact:
        fields[RecordKind.CONTACT] = Field(pair.contact, kind)
    return BoundPair(pair, fields)


def bound_to(*pairs: BoundPair) -> BoundMapping:
    return BoundMapping(MappingConfig(1, tuple(it.pair for it in pairs), None), pairs, ())


def phone_pair(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    placeholder: str = "",
) -> BoundPair:
    pair = FieldPair("phone", "Phone", direction, policy, contact="Phone", placeholder=placeholder)
    return bound_pair(pair)


def bound_with(
    policy: ConflictPolicy = ConflictPolicy.NEWEST, direction: Direction = Direction.BOTH
) -> BoundMapping:
    return bound_to(phone_pair(policy, direction))


BOUND: Final = bound_with()
HOLDING: Final = bound_with(ConflictPolicy.HOLD)
TITLE: Final = bound_pair(FieldPair("function", "Title", Direction.BOTH))
"""A field that Contacts do not have."""
OPT_OUT: Final = bound_pair(
    FieldPair(
        "optout", "optout__c", Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE, contact="optout__c"
    ),
    FieldKind.CHECKBOX,
)
SEGMENT: Final = bound_pair(
    FieldPair("segment", "Size__c", Direction.BOTH, values=(ValuePair("smb", "Small"),)),
    FieldKind.PICKLIST,
)
"""A pair of lists with a value table of one row."""


def observed(record: str, **values: Value) -> Observation:
    return Observation(KINDS[record], record, EMAIL, f"v-{record}", MODIFIED[record], 0.0, values)


def with_phone(record: str, phone: Value) -> Observation:
    name = "phone" if record == "p" else "Phone"
    return observed(record, **{name: phone})


def phones(
    values: Mapping[str, Value],
    base: Mapping[str, Value] | None = None,
    hold: Hold | None = None,
) -> Link:
    """Return a link of records with these phones, the phones agreed before, and the hold."""
    link = Link(
        EMAIL,
        base={record: {PHONE: value} for record, value in (base or {}).items()},
        holds={} if hold is None else {"Phone": hold},
    )
    for record, value in values.items():
        link = link.with_observation(with_phone(record, value))
    return link


def planned(link: Link, bound: BoundMapping = BOUND) -> Plan:
    return plan_link(link, bound, now=NOW)


def written(plan: Plan) -> dict[str, dict[str, Value]]:
    """Return the values to write, by record id."""
    return {write.record_id: dict(write.values) for write in plan.writes}


def given_way(plan: Plan) -> dict[str, Value]:
    """Return the values that give way, by record id."""
    return {it.record_id: it.value for it in plan.overwritten}


def held(reason: HoldReason, values: Mapping[str, Value], *untyped: str, chosen: str = "") -> Hold:
    """Return a hold that was shown some time ago with these values."""
    return Hold(reason, 1.0, values, chosen, frozenset(untyped), attribute="phone")


def test_a_change_is_written_and_agreed_once_the_write_is_done() -> None:
    link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1"})

    plan = planned(link)

    assert plan.writes == (
        Write(RecordKind.LEAD, "l1", EMAIL, {"Phone": "2"}, {"Phone": "1"}, "v-l1"),
    )
    assert plan.base_updates == (
        BaseUpdate(
            "Phone",
            {"p": AgreedValue(PHONE, "phone", "2"), "l1": AgreedValue(PHONE, "Phone", "2")},
            frozenset({"l1"}),
            MergeRule.CHANGED,
        ),
    )
    assert plan.link is link


def test_a_blank_lead_that_joins_takes_the_value_on_which_the_others_agreed() -> None:
    plan = planned(phones({"p": "1", "l1": "1", "l2": None}, {"p": "1", "l1": "1"}))

    assert written(plan) == {"l2": {"Phone": "1"}}


def test_an_enforced_value_is_written_where_it_differs_although_nothing_was_edited() -> None:
    enforced = FieldPair("phone", "Phone", Direction.TO_SALESFORCE, enforced=True)
    link = phones({"p": "1", "l1": "x"}, {"p": "1", "l1": "x"})

    assert written(planned(link, bound_to(bound_pair(enforced)))) == {"l1": {"Phone": "1"}}


def test_equal_values_are_agreed_without_a_write() -> None:
    plan = planned(phones({"p": "2", "l1": "2"}, {"p": "1", "l1": "1"}))

    assert not plan.writes
    assert plan.link.base == {"p": {PHONE: "2"}, "l1": {PHONE: "2"}}


def test_a_link_of_which_no_record_takes_part_stays_as_it_is() -> None:
    link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1"})
    link = link.with_observation(replace(with_phone("l1", "1"), deleted=True))

    plan = planned(link)

    assert (plan.link, plan.writes) == (link, ())
    assert plan.participants.reason is SkipReason.DELETED_IN_SALESFORCE


def test_an_opt_out_that_cannot_be_read_in_a_deleted_lead_is_a_problem() -> None:
    """Somebody may have ticked it before the Lead was deleted."""
    deleted = replace(observed("l1"), deleted=True, unreadable=frozenset({"optout__c"}))
    base: Mapping[str, Mapping[str, Value]] = {
        record: {"optout>optout__c": False} for record in ("p", "l1")
    }
    link = Link(EMAIL, observed("p", optout=False), (deleted,), base)

    plan = planned(link, bound_to(OPT_OUT))

    assert [(it.pair, it.field) for it in plan.problems] == [("optout__c", "optout__c")]


def test_each_field_that_cannot_be_read_waits_and_all_others_are_written() -> None:
    unreadable = frozenset({"Title", "optout__c"})
    link = Link(
        EMAIL,
        observed("p", phone="2", function="CMO", optout=False),
        (replace(observed("l1", Phone="1"), unreadable=unreadable),),
        {record: {PHONE: "1"} for record in ("p", "l1")},
    )

    plan = planned(link, bound_to(TITLE, OPT_OUT, phone_pair()))

    assert [(it.pair, it.field) for it in plan.problems] == [
        ("Title", "Title"),
        ("optout__c", "optout__c"),
    ]
    assert written(plan) == {"l1": {"Phone": "2"}}


def test_a_pair_without_a_change_does_not_keep_the_next_one_from_being_written() -> None:
    link = Link(
        EMAIL,
        observed("p", phone="2", function="CMO"),
        (observed("l1", Phone="1", Title="CMO"),),
        {record: {PHONE: "1", "function>Title": "CMO"} for record in ("p", "l1")},
    )

    assert written(planned(link, bound_to(TITLE, phone_pair()))) == {"l1": {"Phone": "2"}}


def test_a_field_that_only_plezi_has_is_agreed_with_nobody() -> None:
    """The person is a Contact in Salesforce, and the pair has no field there."""
    link = Link(EMAIL, observed("p", function="CMO"), (observed("c"),))

    plan = planned(link, bound_to(TITLE))

    assert (plan.link, plan.writes) == (link, ())


class TestFirstMeeting:
    def test_the_policy_decides_and_the_meeting_lasts_until_the_write_is_done(self) -> None:
        plan = planned(phones({"p": "1", "l1": "2"}))

        assert written(plan) == {"p": {"phone": "2"}}
        assert given_way(plan) == {"p": "1"}
        assert plan.link.meeting == {PHONE}

    def test_a_meeting_that_was_interrupted_is_still_one(self) -> None:
        """Another field was agreed before, so that the records know each other."""
        link = replace(phones({"p": "1", "l1": "2"}), meeting=frozenset({PHONE}))
        link = replace(link, base={"p": {"function>Title": "CMO"}})

        assert written(planned(link)) == {"p": {"phone": "2"}}

    def test_equal_values_end_the_meeting(self) -> None:
        link = replace(phones({"p": "1", "l1": "1"}), meeting=frozenset({PHONE}))

        assert planned(link).link.meeting == frozenset()

    def test_a_pair_that_is_not_mapped_any_more_has_no_meeting(self) -> None:
        link = replace(phones({"p": "2", "l1": "1"}), meeting=frozenset({PHONE, "function>Title"}))

        assert planned(link).link.meeting == {PHONE}

    def test_known_records_have_no_meeting(self) -> None:
        link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1"})

        assert planned(link).link.meeting == frozenset()

    def test_a_field_that_cannot_be_read_meets_when_it_can_be_read(self) -> None:
        link = phones({"p": "2", "l1": "2"})
        unread = replace(observed("l1"), unreadable=frozenset({"Phone"}))

        assert planned(link.with_observation(unread)).link.meeting == {PHONE}


class TestPairThatIsNewForKnownRecords:
    KNOWN: Final[Mapping[str, Mapping[str, Value]]] = {
        record: {"function>Title": "CMO"} for record in ("p", "l1")
    }

    def link(self, plezi: Value, lead: Value) -> Link:
        return replace(phones({"p": plezi, "l1": lead}), base=self.KNOWN)

    def test_two_different_values_are_held(self) -> None:
        plan = planned(self.link("1", "2"))

        assert not plan.writes
        assert plan.held == ("Phone",)
        assert plan.link.holds == {
            "Phone": Hold(HoldReason.NEVER_AGREED, NOW, {"p": "1", "l1": "2"}, attribute="phone")
        }

    def test_a_blank_is_filled(self) -> None:
        assert written(planned(self.link("1", None))) == {"l1": {"Phone": "1"}}

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            (ConflictPolicy.PLEZI_WINS, {"l1": {"Phone": "1"}}),
            (ConflictPolicy.SALESFORCE_WINS, {"p": {"phone": "2"}}),
        ],
    )
    def test_a_policy_that_names_a_winner_decides(
        self, policy: ConflictPolicy, expected: dict[str, dict[str, Value]]
    ) -> None:
        assert written(planned(self.link("1", "2"), bound_with(policy))) == expected

    def test_a_pair_in_one_direction_is_written(self) -> None:
        one_way = bound_with(direction=Direction.TO_SALESFORCE)

        assert written(planned(self.link("1", "2"), one_way)) == {"l1": {"Phone": "1"}}

    def test_a_choice_is_written(self) -> None:
        hold = held(HoldReason.NEVER_AGREED, {"p": "1", "l1": "2"}, chosen="p")

        plan = planned(replace(self.link("1", "2"), holds={"Phone": hold}))

        assert written(plan) == {"l1": {"Phone": "1"}}
        assert [it.rule for it in plan.overwritten] == [MergeRule.CHOSEN]

    def test_what_is_typed_afterwards_ends_the_hold(self) -> None:
        hold = held(HoldReason.NEVER_AGREED, {"p": "1", "l1": "2"})
        link = replace(self.link("3", "2"), holds={"Phone": hold})

        plan = planned(link)

        assert written(plan) == {"l1": {"Phone": "3"}}
        assert [(it.record_id, it.value, it.rule) for it in plan.overwritten] == [
            ("l1", "2", MergeRule.EDITED)
        ]


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


class TestValueTable:
    KEY: Final = "segment>Size__c"

    def link(self, plezi: Value, lead: Value, hold: Hold | None = None) -> Link:
        return Link(
            EMAIL,
            observed("p", segment=plezi),
            (observed("l1", Size__c=lead),),
            {"p": {self.KEY: "smb"}, "l1": {self.KEY: "Small"}},
            holds={} if hold is None else {"Size__c": hold},
        )

    def bound(self) -> BoundMapping:
        fields = {
            **SEGMENT.fields,
            RecordKind.LEAD: Field("Size__c", FieldKind.PICKLIST, options=("Small", "Large")),
        }
        return bound_to(BoundPair(SEGMENT.pair, fields))

    def test_a_value_without_a_row_is_held(self) -> None:
        plan = planned(self.link("huge", "Small"), self.bound())

        assert not plan.writes
        assert not plan.problems
        assert plan.held == ("Size__c",)
        assert plan.link.holds == {
            "Size__c": Hold(
                HoldReason.UNKNOWN_VALUE,
                NOW,
                {"p": "huge", "l1": "Small"},
                attribute="segment",
            )
        }

    def test_a_value_that_the_table_has_now_is_written(self) -> None:
        hold = Hold(
            HoldReason.UNKNOWN_VALUE, 1.0, {"p": "large", "l1": "Small"}, attribute="segment"
        )

        plan = planned(self.link("large", "Small", hold), self.bound())

        assert written(plan) == {"l1": {"Size__c": "Large"}}
        assert plan.link.holds.keys() == {"Size__c"}  # until the write is done

    @pytest.mark.parametrize(
        ("reason", "kept"),
        [
            (HoldReason.CONFLICT, HoldReason.UNKNOWN_VALUE),
            (HoldReason.IN_DOUBT, HoldReason.IN_DOUBT),
        ],
    )
    def test_the_choice_of_such_a_value_ends(self, reason: HoldReason, kept: HoldReason) -> None:
        hold = Hold(reason, 1.0, {"p": "huge", "l1": "Large"}, chosen="p", attribute="segment")

        plan = planned(self.link("huge", "Large", hold), self.bound())

        assert not plan.writes
        assert plan.link.holds == {"Size__c": replace(hold, reason=kept, chosen="")}

    def test_an_edit_in_a_deleted_lead_stays_one_of_the_value_in_the_names_of_its_list(
        self,
    ) -> None:
        deleted = replace(observed("l2", Size__c="Large"), deleted=True)
        link = self.link("smb", "Mid").with_observation(deleted)
        base = {"p": {self.KEY: "Mid"}, "l1": {self.KEY: "Mid"}, "l2": {self.KEY: "Mid"}}

        [update] = planned(replace(link, base=base), self.bound()).base_updates

        assert update.values["l2"] == AgreedValue(self.KEY, "Size__c", "Small")

    def test_a_lead_that_is_to_be_created_is_not_shown(self) -> None:
        link = Link(EMAIL, observed("p", segment="huge"))

        plan = planned(link, self.bound())

        assert plan.link.holds["Size__c"].values == {"p": "huge"}
        assert plan.link.meeting == {self.KEY}


UNUSABLE: Final = "9" * 30
"""More digits than a number field of Salesforce has."""


def test_each_value_that_does_not_fit_is_a_problem_and_its_first_meeting_is_not_over() -> None:
    pairs = [
        BoundPair(
            FieldPair(name, f"{name}__c", Direction.BOTH),
            {
                RecordKind.PLEZI_CONTACT: Field(name, FieldKind.TEXT),
                RecordKind.LEAD: Field(f"{name}__c", FieldKind.NUMBER, precision=18, scale=0),
            },
        )
        for name in ("score", "age")
    ]
    lead = observed("l1", score__c=None, age__c=None)
    link = Link(EMAIL, observed("p", score=UNUSABLE, age=UNUSABLE), (lead,))

    plan = planned(link, bound_to(*pairs))

    assert not plan.writes
    assert [(it.pair, it.field, it.code) for it in plan.problems] == [
        (f"{name}__c", f"{name}__c", ProblemCode.UNUSABLE_VALUE) for name in ("score", "age")
    ]
    assert plan.link.meeting == {"score>score__c", "age>age__c"}
    assert plan.link.holds == {}


class TestCreation:
    COMPANY: Final = bound_pair(
        FieldPair("company", "Company", Direction.BOTH, placeholder=UNKNOWN)
    )

    def test_a_lead_is_created_with_the_values_of_plezi_and_the_placeholders(self) -> None:
        link = Link(EMAIL, observed("p", phone="1", company=None))

        plan = planned(link, bound_to(phone_pair(), self.COMPANY))

        assert plan.writes == (
            Write(RecordKind.LEAD, NEW_RECORD, EMAIL, {"Phone": "1", "Company": UNKNOWN}),
        )

    def test_a_contact_of_plezi_that_is_created_has_all_values_beside_a_deleted_lead(self) -> None:
        link = phones({"l1": "1"}, {"l1": "1", "l2": "1"})
        link = link.with_observation(replace(with_phone("l2", "1"), deleted=True))

        assert written(planned(link)) == {NEW_RECORD: {"phone": "1"}}

    def test_no_lead_is_created_in_place_of_a_deleted_contact_that_took_part(self) -> None:
        link = phones({"p": "1"}, {"p": "1", "c": "1"})
        link = link.with_observation(replace(with_phone("c", "1"), deleted=True))

        assert written(planned(link)) == {}

    def test_a_value_of_plezi_is_stronger_than_the_placeholder(self) -> None:
        link = Link(EMAIL, observed("p", company="Acme"))

        assert written(planned(link, bound_to(self.COMPANY))) == {NEW_RECORD: {"Company": "Acme"}}

    def test_a_contact_is_created_without_placeholders(self) -> None:
        link = Link(EMAIL, None, (observed("l1", Phone="1", Company=UNKNOWN),))

        plan = planned(link, bound_to(phone_pair(), self.COMPANY))

        assert plan.writes == (Write(RecordKind.PLEZI_CONTACT, NEW_RECORD, EMAIL, {"phone": "1"}),)

    def test_only_a_lead_is_agreed_to_have_the_opt_out_that_it_is_created_without(self) -> None:
        link = Link(EMAIL, None, (observed("l1", Phone="1", optout__c=False),))

        plan = planned(link, bound_to(phone_pair(), OPT_OUT))

        assert [it.pair for it in plan.base_updates] == ["Phone"]

    def test_nothing_is_agreed_with_a_lead_that_is_not_created(self) -> None:
        """Plezi has no value for it."""
        plan = planned(Link(EMAIL, observed("p", optout=False)), bound_to(OPT_OUT))

        assert (plan.writes, plan.base_updates) == ((), ())

    def test_each_opt_out_that_nobody_ticked_is_agreed_with_the_lead_that_is_created(self) -> None:
        """If somebody ticks it in the Lead before a run has read it, that is an edit."""
        calls = FieldPair("nocalls", "nocalls__c", Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE)
        link = Link(EMAIL, observed("p", phone="1", optout=False, nocalls=False))

        plan = planned(link, bound_to(phone_pair(), OPT_OUT, bound_pair(calls, FieldKind.CHECKBOX)))

        assert written(plan) == {NEW_RECORD: {"Phone": "1"}}
        assert plan.base_updates[1:] == tuple(
            BaseUpdate(
                f"{name}__c",
                {NEW_RECORD: AgreedValue(f"{name}>{name}__c", f"{name}__c", None)},
                frozenset({NEW_RECORD}),
                MergeRule.AGREED,
            )
            for name in ("optout", "nocalls")
        )

    def test_an_opt_out_that_is_ticked_is_written_to_the_lead_that_is_created(self) -> None:
        link = Link(EMAIL, observed("p", optout=True))

        plan = planned(link, bound_to(OPT_OUT))

        assert written(plan) == {NEW_RECORD: {"optout__c": True}}
        assert [it.rule for it in plan.base_updates] == [MergeRule.MOST_RESTRICTIVE]

    def test_an_unticked_box_that_is_no_opt_out_is_agreed_with_nobody(self) -> None:
        box = bound_pair(FieldPair("vip", "vip__c", Direction.BOTH), FieldKind.CHECKBOX)
        link = Link(EMAIL, observed("p", phone="1", vip=False))

        plan = planned(link, bound_to(phone_pair(), box))

        assert [it.pair for it in plan.base_updates] == ["Phone"]


class TestValuesThatGiveWay:
    def test_the_edit_of_a_contact_gives_way_to_the_value_that_plezi_gets(self) -> None:
        """A Contact is never written: its value stays there and does not travel."""
        link = phones({"p": "0", "c": "1"}, {"p": "0", "l1": "0", "c": "0"})
        link = link.with_observation(replace(with_phone("l1", "2"), modified="2026-09"))

        plan = planned(link)

        assert written(plan) == {"p": {"phone": "2"}}
        assert plan.overwritten == (
            Overwritten(RecordKind.CONTACT, "c", "Phone", "1", "2", MergeRule.NEWEST),
        )

    def test_what_replaces_the_edit_of_a_contact_is_shown_with_the_names_of_its_list(self) -> None:
        pair = replace(SEGMENT.pair, contact="Size__c")
        fields = {**SEGMENT.fields, RecordKind.CONTACT: Field("Size__c", FieldKind.PICKLIST)}
        key = "segment>Size__c"
        link = Link(
            EMAIL,
            replace(observed("p", segment="smb"), modified="2026-09"),
            (observed("c", Size__c="Large"), observed("l1", Size__c="Mid")),
            {"p": {key: "mid"}, "l1": {key: "Mid"}, "c": {key: "Mid"}},
        )

        plan = planned(link, bound_to(BoundPair(pair, fields)))

        assert written(plan) == {"l1": {"Size__c": "Small"}}
        assert plan.overwritten == (
            Overwritten(RecordKind.CONTACT, "c", "Size__c", "Large", "Small", MergeRule.NEWEST),
        )

    def test_the_journal_has_the_value_that_was_written_in_its_place(self) -> None:
        """Plezi has one decimal, and the Leads have three."""
        pair = FieldPair("score", "Score__c", Direction.BOTH)
        fields = {
            RecordKind.PLEZI_CONTACT: Field("score", FieldKind.NUMBER, scale=1),
            RecordKind.LEAD: Field("Score__c", FieldKind.NUMBER, scale=3),
        }
        link = Link(
            EMAIL,
            observed("p", score=1),
            (observed("l1", Score__c=7), observed("l2", Score__c=12.345)),
            {record: {"score>Score__c": 1} for record in ("p", "l1", "l2")},
        )

        plan = planned(link, bound_to(BoundPair(pair, fields)))

        assert written(plan) == {"p": {"score": 12.3}, "l1": {"Score__c": 12.345}}
        assert plan.overwritten == (
            Overwritten(RecordKind.LEAD, "l1", "Score__c", 7, 12.345, MergeRule.NEWEST),
        )

    def test_the_value_of_a_contact_that_joins_stays_there_and_is_its_base(self) -> None:
        plan = planned(phones({"p": "1", "l1": "1", "c": "x"}, {"p": "1", "l1": "1"}))

        assert not plan.writes
        assert plan.overwritten == (
            Overwritten(RecordKind.CONTACT, "c", "Phone", "x", "1", MergeRule.JOINED),
        )
        assert plan.link.base == {"p": {PHONE: "1"}, "l1": {PHONE: "1"}, "c": {PHONE: "x"}}

    def test_between_leads_it_gives_way_although_plezi_gets_the_field_later(self) -> None:
        """The field cannot be written while the contact of Plezi is created."""
        fields = {
            **phone_pair().fields,
            RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT, creatable=False),
        }

        plan = planned(
            phones({"l1": "1", "l2": "2"}), bound_to(BoundPair(phone_pair().pair, fields))
        )

        assert written(plan) == {"l2": {"Phone": "1"}}
        assert plan.overwritten == (
            Overwritten(RecordKind.LEAD, "l2", "Phone", "2", "1", MergeRule.OLDEST_LEAD),
        )

    def test_a_value_typed_again_after_a_lost_write_is_journaled_as_repeated(self) -> None:
        link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1"})

        plan = plan_link(link, BOUND, now=NOW, repeated={("l1", "Phone")})

        assert plan.overwritten == (
            Overwritten(RecordKind.LEAD, "l1", "Phone", "1", "2", MergeRule.REPEATED),
        )

    def test_a_value_that_gives_way_by_a_rule_is_not_journaled_twice(self) -> None:
        link = phones({"p": "2", "l1": "3"}, {"p": "1", "l1": "1"})
        one_way = bound_with(direction=Direction.TO_SALESFORCE)

        plan = plan_link(link, one_way, now=NOW, repeated={("l1", "Phone")})

        assert plan.overwritten == (
            Overwritten(RecordKind.LEAD, "l1", "Phone", "3", "2", MergeRule.ONE_WAY),
        )

    def test_only_what_is_written_again_is_repeated(self) -> None:
        link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1"})

        plan = plan_link(link, BOUND, now=NOW, repeated={("l1", "Title"), ("p", "phone")})

        assert not plan.overwritten


class TestUndelivered:
    def test_a_value_that_has_reached_one_system_only_travels_whatever_its_base_is(self) -> None:
        link = phones({"p": "1", "l1": "2", "l2": "2"}, {"p": "1", "l1": "2", "l2": "2"})
        waiting = frozenset({("l1", PHONE), ("l2", PHONE)})

        plan = planned(replace(link, undelivered=waiting))

        assert written(plan) == {"p": {"phone": "2"}}
        assert plan.link.undelivered == waiting

    def test_an_agreement_ends_it(self) -> None:
        link = phones({"p": "2", "l1": "2"}, {"p": "1", "l1": "1"})

        plan = planned(replace(link, undelivered=frozenset({("l1", PHONE), ("l1", "other")})))

        assert plan.link.undelivered == {("l1", "other")}


def test_a_deleted_lead_takes_the_value_that_was_agreed_without_it_when_it_comes_back() -> None:
    """Its base ends once the others have agreed on another value."""
    link = phones({"p": "2", "c": "1", "l1": "1"}, {"p": "1", "c": "1", "l1": "1", "l2": "1"})
    link = link.with_observation(replace(with_phone("l2", "1"), deleted=True))

    [update] = planned(link).base_updates

    assert update.required_writes == {"l1"}
    assert update.invalidated == {"l2": PHONE}


def test_a_value_typed_in_a_lead_before_its_deletion_stays_an_edit() -> None:
    link = phones({"p": "2", "l1": "1"}, {"p": "1", "l1": "1", "l2": "1"})
    link = link.with_observation(replace(with_phone("l2", "7"), deleted=True))

    [update] = planned(link).base_updates

    assert update.values["l2"] == AgreedValue(PHONE, "Phone", "2")
    assert not update.invalidated


def e_mails_without_plezi(link_email: str, agreed: str | None) -> Plan:
    """Plan a link that has moved, whose Lead has another e-mail than its Contact."""
    pair = replace(EMAIL_PAIR, policy=ConflictPolicy.SALESFORCE_WINS, contact="Email")
    lead = replace(observed("l1", Email="b@x.fr"), email="b@x.fr", modified="2026-09")
    contact = replace(observed("c", Email="a@x.fr"), email="a@x.fr")
    link = replace(Link(link_email), meeting=frozenset({pair.base_key(RecordKind.LEAD)}))
    key = pair.base_key(RecordKind.LEAD)
    link = replace(link, base={} if agreed is None else {"l1": {key: agreed}})
    return planned(
        link.with_observation(lead).with_observation(contact),
        bound_to(bound_pair(pair, FieldKind.EMAIL)),
    )


@pytest.mark.parametrize("agreed", [None, "z@x.fr", "a@x.fr", "b@x.fr"])
@pytest.mark.parametrize("email", ["a@x.fr", "b@x.fr"])
def test_a_contact_is_created_with_the_e_mail_of_its_link(email: str, agreed: str | None) -> None:
    """Another e-mail would make the contact another person, and the creation never end.

    The Lead may have agreed with a contact that has left the link.
    """
    [creation] = [it for it in e_mails_without_plezi(email, agreed).writes if it.is_create]
    assert creation.values["email"] == email
