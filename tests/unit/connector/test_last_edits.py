"""What was typed in a record of Salesforce just before it left the person."""

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
    DuplicatePolicy,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import Hold, HoldReason, Link, Observation, RecordKind, SkipReason, Value
from connector.planning.plan import Plan, plan_link

EMAIL: Final = "a@x.fr"
KINDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l1": RecordKind.LEAD,
    "l2": RecordKind.LEAD,
    "c": RecordKind.CONTACT,
}


def bound_pair(pair: FieldPair, kind: FieldKind = FieldKind.TEXT, **lead: bool) -> BoundPair:
    fields = {
        RecordKind.PLEZI_CONTACT: Field(pair.plezi, kind),
        RecordKind.LEAD: replace(Field(pair.salesforce, kind), **lead),  # type: ignore[arg-type]  # flags
    }
    if pair.contact:
        fields[RecordKind.CONTACT] = Field(pair.contact, kind)
    return BoundPair(pair, fields)


def phone_pair(
    policy: ConflictPolicy = ConflictPolicy.NEWEST, direction: Direction = Direction.BOTH
) -> BoundPair:
    return bound_pair(FieldPair("phone", "Phone", direction, policy, contact="Phone"))


def opt_out_pair(direction: Direction = Direction.BOTH) -> BoundPair:
    policy = ConflictPolicy.MOST_RESTRICTIVE
    pair = FieldPair("optout", "optout__c", direction, policy, contact="optout__c")
    return bound_pair(pair, FieldKind.CHECKBOX)


def bound_to(
    *pairs: BoundPair, duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
) -> BoundMapping:
    config = MappingConfig(1, tuple(it.pair for it in pairs), None, duplicates=duplicates)
    return BoundMapping(config, pairs, ())


PHONE: Final = phone_pair()
OPT_OUT: Final = opt_out_pair()
BOUND: Final = bound_to(PHONE, OPT_OUT)
PHONE_KEY: Final = "phone>Phone"
OPT_OUT_KEY: Final = "optout>optout__c"


def observed(
    record: str, phone: Value = "1", *, ticked: Value = False, modified: str = ""
) -> Observation:
    """Return a record with a phone, and with its opt-out ticked or not."""
    kind = KINDS[record]
    values: Mapping[str, Value] = (
        {"phone": phone, "optout": ticked}
        if kind is RecordKind.PLEZI_CONTACT
        else {"Phone": phone, "optout__c": ticked}
    )
    return Observation(kind, record, EMAIL, "1", modified, 0.0, values)


def link_of(*records: Observation, agreed: str = "p l1 l2 c", phone: Value = "1") -> Link:
    """Return a link whose records agreed on a phone, and on an opt-out that is not ticked."""
    link = Link(EMAIL)
    for each in records:
        link = link.with_observation(each)
    known = link.record_ids & set(agreed.split())
    base = {it: {PHONE_KEY: phone, OPT_OUT_KEY: False} for it in known}
    return replace(link, base=base)


def planned(link: Link, bound: BoundMapping = BOUND) -> Plan:
    return plan_link(link, bound, now=0.0)


def written(link: Link, bound: BoundMapping = BOUND) -> dict[str, dict[str, Value]]:
    """Return the values to write, by record id."""
    return {write.record_id: dict(write.values) for write in planned(link, bound).writes}


PLEZI: Final = observed("p")


class TestConvertedLead:
    def test_what_was_typed_just_before_reaches_plezi(self) -> None:
        """Its Contact is not flagged, so that no run reads the edit there."""
        lead = replace(observed("l1", "2"), converted=True, successor="c")
        contact = replace(observed("c", "2"), eligible=False)

        plan = planned(link_of(PLEZI, lead, contact, agreed="p l1"))

        assert [(it.record_id, dict(it.values)) for it in plan.writes] == [("p", {"phone": "2"})]
        assert plan.link.meeting == frozenset()  # the records know each other

    def test_it_is_never_written(self) -> None:
        lead = replace(observed("l1", "2", modified="2026-01"), converted=True)
        plezi = observed("p", "3", modified="2026-02")

        assert written(link_of(plezi, lead)) == {}

    def test_against_an_edit_in_plezi_the_policy_decides(self) -> None:
        lead = replace(observed("l1", "2"), converted=True)
        link = link_of(observed("p", "3"), lead)

        assert written(link, bound_to(phone_pair(ConflictPolicy.PLEZI_WINS))) == {}
        assert written(link, bound_to(phone_pair(ConflictPolicy.SALESFORCE_WINS))) == {
            "p": {"phone": "2"}
        }

    def test_a_new_lead_beside_it_meets_plezi_for_the_first_time(self) -> None:
        """The agreement of the Lead that left is none of the new one: the policy decides."""
        lead = replace(observed("l1", "2", modified="2026-01"), converted=True)
        link = link_of(PLEZI, lead, observed("l2", "3", modified="2026-02"), agreed="p l1")

        held = planned(link, bound_to(phone_pair(ConflictPolicy.HOLD)))
        newest = planned(link, bound_to(PHONE))

        assert (held.writes, held.held) == ((), ("Phone",))
        assert [dict(it.values) for it in newest.writes] == [{"phone": "3"}]
        lost = {(it.record_id, it.value) for it in newest.overwritten}
        assert lost == {("p", "1"), ("l1", "2")}

    def test_a_contact_that_continues_has_the_value_itself(self) -> None:
        """The Contact was edited after the conversion: this is the newer edit."""
        lead = replace(observed("l1", "2"), converted=True, successor="c")

        plan = planned(link_of(PLEZI, lead, observed("c", "3"), agreed="p l1"))

        assert [dict(write.values) for write in plan.writes] == [{"phone": "3"}]
        assert not [it for it in plan.overwritten if it.record_id == "l1"]

    def test_an_edit_of_a_field_that_contacts_do_not_have_travels_beside_the_contact(
        self,
    ) -> None:
        pair = bound_pair(FieldPair("phone", "Phone", Direction.BOTH))
        lead = replace(observed("l1", "2"), converted=True, successor="c")

        link = link_of(PLEZI, lead, observed("c", "9"), agreed="p l1")

        assert written(link, bound_to(pair)) == {"p": {"phone": "2"}}

    def test_an_edit_ends_with_a_lead_that_was_deleted_after_its_conversion(self) -> None:
        lead = replace(observed("l1", "2"), converted=True, deleted=True)

        assert written(link_of(PLEZI, lead)) == {}

    def test_a_value_that_was_agreed_is_no_edit(self) -> None:
        lead = replace(observed("l1", "1"), converted=True)

        assert written(link_of(observed("p", "3"), lead)) == {}

    def test_a_placeholder_in_place_of_a_blank_is_no_edit(self) -> None:
        pair = FieldPair("phone", "Phone", Direction.BOTH, placeholder="[unknown]")
        lead = replace(observed("l1", "[unknown]"), converted=True)
        link = link_of(observed("p", "3"), lead, phone=None)

        assert planned(link, bound_to(bound_pair(pair))).link is link

    def test_a_field_that_was_not_read_is_no_edit(self) -> None:
        lead = replace(observed("l1"), converted=True, values={"optout__c": False})

        assert written(link_of(PLEZI, lead)) == {}

    def test_a_field_of_it_that_was_not_read_holds_up_no_other_record(self) -> None:
        left = replace(observed("l1"), converted=True, values={"optout__c": False})

        assert written(link_of(observed("p", "3"), left, observed("l2"))) == {"l2": {"Phone": "3"}}

    def test_of_two_edits_the_newest_wins_and_the_other_is_journaled(self) -> None:
        first = replace(observed("l1", "2", modified="2026-01"), converted=True)
        second = replace(observed("l2", "3", modified="2026-02"), converted=True)

        plan = planned(link_of(PLEZI, first, second))

        assert [dict(write.values) for write in plan.writes] == [{"phone": "3"}]
        assert [(it.record_id, it.value) for it in plan.overwritten] == [("l1", "2")]

    def test_a_lead_that_never_agreed_sends_nothing(self) -> None:
        lead = replace(observed("l1", "2"), converted=True)

        assert written(link_of(PLEZI, lead, agreed="p")) == {}

    def test_a_lead_whose_first_meeting_is_not_over_sends_its_value(self) -> None:
        """Another field was agreed already, and the phone still waits."""
        lead = replace(observed("l1", "2"), converted=True)
        link = link_of(observed("p", None), lead)
        base = {record: {OPT_OUT_KEY: False} for record in ("p", "l1")}
        link = replace(link, base=base)

        assert written(link) == {}
        assert written(replace(link, meeting=frozenset({PHONE_KEY}))) == {"p": {"phone": "2"}}

    def test_its_email_stays_in_salesforce(self) -> None:
        """It says who the person is."""
        key = EMAIL_PAIR.base_key(RecordKind.LEAD)
        values: Mapping[str, Value] = {"Email": "b@x.fr"}
        lead = Observation(RecordKind.LEAD, "l1", EMAIL, "1", "", 0.0, values, converted=True)
        plezi = replace(PLEZI, values={"email": EMAIL})
        link = Link(EMAIL, plezi, (lead,), {it: {key: EMAIL} for it in ("p", "l1")})

        assert written(link, bound_to(bound_pair(EMAIL_PAIR, FieldKind.EMAIL))) == {}

    def test_a_value_that_is_unique_in_the_org_stays_in_the_lead(self) -> None:
        pair = bound_pair(FieldPair("phone", "Phone", Direction.BOTH), unique=True)
        lead = replace(observed("l1", "2"), converted=True)

        assert written(link_of(PLEZI, lead), bound_to(pair)) == {}

    def test_a_pair_that_does_not_send_from_salesforce_sends_no_last_edit(self) -> None:
        pair = phone_pair(direction=Direction.TO_SALESFORCE)
        lead = replace(observed("l1", "2"), converted=True)

        assert written(link_of(PLEZI, lead), bound_to(pair)) == {}


class TestOptOutBeforeTheEnd:
    @pytest.mark.parametrize(
        ("record", "changes"),
        [
            ("l1", {"deleted": True}),
            ("l1", {"eligible": False}),
            ("l1", {"email": ""}),
            ("c", {"eligible": False}),
            ("c", {"email": ""}),
        ],
    )
    def test_it_reaches_plezi_and_other_edits_end_with_the_record(
        self, record: str, changes: Mapping[str, bool]
    ) -> None:
        left = replace(observed(record, "2", ticked=True), **changes)  # type: ignore[arg-type]  # the cases

        assert written(link_of(PLEZI, left)) == {"p": {"optout": True}}

    def test_it_reaches_plezi_beside_records_that_take_part(self) -> None:
        left = replace(observed("l2", "2", ticked=True), deleted=True)

        assert written(link_of(PLEZI, observed("l1"), left)) == {
            "p": {"optout": True},
            "l1": {"optout__c": True},
        }

    def test_it_reaches_plezi_from_a_lead_beside_the_primary_one(self) -> None:
        link = link_of(PLEZI, observed("l1"), observed("l2", "2", ticked=True), agreed="p l1")

        assert written(replace(link, primary_lead="l1")) == {
            "p": {"optout": True},
            "l1": {"optout__c": True},
        }

    def test_a_record_of_a_user_that_no_run_has_read_keeps_it_for_itself(self) -> None:
        left = replace(observed("l2", ticked=True), deleted=True)

        assert written(link_of(PLEZI, observed("l1"), left, agreed="p l1")) == {}

    def test_another_field_that_cannot_be_read_there_is_no_problem(self) -> None:
        """What was typed in it ends with the record."""
        values = {"optout__c": True}
        left = replace(observed("l1"), deleted=True, values=values, unreadable=frozenset({"Phone"}))

        plan = planned(link_of(PLEZI, left))

        assert [dict(write.values) for write in plan.writes] == [{"optout": True}]
        assert plan.problems == ()

    def test_it_travels_once(self) -> None:
        """The person asked for e-mails again, in Plezi."""
        left = replace(observed("l1", ticked=True), deleted=True)
        link = link_of(PLEZI, left)
        agreed: dict[str, Value] = {PHONE_KEY: "1", OPT_OUT_KEY: True}

        assert written(replace(link, base={"p": agreed, "l1": agreed})) == {}

    def test_a_contact_that_is_not_in_plezi_is_not_created_for_it(self) -> None:
        left = replace(observed("l1", ticked=True), deleted=True)

        assert planned(link_of(left)).participants.reason is SkipReason.NO_PARTICIPANT
        assert written(link_of(replace(PLEZI, deleted=True), left)) == {}

    def test_a_person_of_whom_a_lead_must_be_picked_first_waits(self) -> None:
        left = replace(observed("c", ticked=True), deleted=True)
        link = link_of(PLEZI, observed("l1"), observed("l2"), left)
        holding = bound_to(PHONE, OPT_OUT, duplicates=DuplicatePolicy.HOLD)

        assert written(link, holding) == {}
        assert planned(link, holding).participants.reason is SkipReason.SEVERAL_LEADS

    def test_a_record_whose_new_email_is_another_persons_sends_nothing(self) -> None:
        """The opt-out may be that of the other person."""
        hold = Hold(HoldReason.EMAIL_TAKEN, 0.0, {"p": EMAIL, "l1": EMAIL, "l2": "b@x.fr"})
        leaving = replace(observed("l2", ticked=True), email="b@x.fr")
        link = link_of(PLEZI, observed("l1"), leaving)

        assert written(replace(link, holds={"Email": hold})) == {}

    def test_the_winner_of_a_merge_that_lacks_it_gets_it_too(self) -> None:
        left = replace(observed("l2", ticked=True), deleted=True, successor="l1")

        assert written(link_of(PLEZI, observed("l1"), left)) == {
            "p": {"optout": True},
            "l1": {"optout__c": True},
        }


class TestFillBlank:
    BOUND: Final = bound_to(phone_pair(ConflictPolicy.FILL_BLANK))

    def link(self, plezi: Value, lead: Value = None) -> Link:
        """Return a link with two converted Leads; the second one was changed last."""
        first = replace(observed("l1", "2", modified="2026-01"), converted=True)
        second = replace(observed("l2", "3", modified="2026-02"), converted=True)
        contact = observed("c", lead)
        return link_of(observed("p", plezi), first, second, contact, phone=None)

    def test_the_record_that_left_last_fills_a_blank(self) -> None:
        """Two values would count as a choice, and nobody's blank would be filled."""
        assert written(self.link(None), self.BOUND) == {"p": {"phone": "3"}}

    def test_of_several_records_the_last_one_that_has_a_value_fills_it(self) -> None:
        blank = replace(observed("l2", None, modified="2026-02"), converted=True)

        assert written(self.link(None).with_observation(blank), self.BOUND) == {"p": {"phone": "2"}}

    def test_a_placeholder_is_no_value(self) -> None:
        pair = FieldPair(
            "phone", "Phone", Direction.BOTH, ConflictPolicy.FILL_BLANK, placeholder="[unknown]"
        )
        left = replace(observed("l1", "2"), converted=True)
        link = link_of(observed("p", None), left, observed("l2", "[unknown]"), phone=None)

        assert written(link, bound_to(bound_pair(pair))) == {
            "p": {"phone": "2"},
            "l2": {"Phone": "2"},
        }

    def test_a_value_of_anybody_else_is_left(self) -> None:
        assert written(self.link("9"), self.BOUND) == {}
        assert written(self.link(None, "9"), self.BOUND) == {"p": {"phone": "9"}}


class TestUnreadableOptOut:
    """It may have been ticked just before the end: only a person can find that out."""

    def unread(self, record: str, **changes: object) -> Observation:
        values = {"Phone": "1"}
        known = replace(observed(record), values=values, unreadable=frozenset({"optout__c"}))
        return replace(known, **changes)  # type: ignore[arg-type]  # the flags of the tests

    def problems(self, link: Link, bound: BoundMapping = BOUND) -> list[str]:
        return [it.field for it in planned(link, bound).problems]

    @pytest.mark.parametrize("record", ["l1", "c"])
    def test_it_is_a_problem_in_a_record_that_takes_no_part(self, record: str) -> None:
        assert self.problems(link_of(PLEZI, self.unread(record, eligible=False))) == ["optout__c"]

    def test_it_holds_up_no_other_record(self) -> None:
        link = link_of(observed("p", "2"), observed("l1"), self.unread("l2", deleted=True))

        assert self.problems(link) == ["optout__c"]
        assert written(link) == {"l1": {"Phone": "2"}}

    def test_it_is_none_if_plezi_has_it_ticked(self) -> None:
        link = link_of(observed("p", ticked=True), self.unread("l1", deleted=True))

        assert self.problems(link) == []

    def test_it_is_none_in_a_pair_that_does_not_send_from_salesforce(self) -> None:
        bound = bound_to(PHONE, opt_out_pair(Direction.TO_SALESFORCE))

        assert self.problems(link_of(PLEZI, self.unread("l1", deleted=True)), bound) == []

    def test_it_is_none_in_a_record_that_never_took_part(self) -> None:
        link = link_of(PLEZI, self.unread("l1", deleted=True), agreed="p")

        assert self.problems(link) == []

    def test_it_is_a_problem_in_a_lead_beside_the_primary_one(self) -> None:
        link = link_of(PLEZI, observed("l1"), self.unread("l2"), agreed="p l1")

        assert self.problems(replace(link, primary_lead="l1")) == ["optout__c"]

    def test_it_is_none_where_plezi_takes_no_part(self) -> None:
        left = self.unread("l1", deleted=True)

        assert self.problems(link_of(left)) == []
        assert self.problems(link_of(replace(PLEZI, deleted=True), left)) == []

    def test_it_is_none_in_a_record_whose_new_email_is_another_persons(self) -> None:
        hold = Hold(HoldReason.EMAIL_TAKEN, 0.0, {"p": EMAIL, "l1": EMAIL, "l2": "b@x.fr"})
        link = link_of(PLEZI, observed("l1"), self.unread("l2", email="b@x.fr"))

        assert self.problems(replace(link, holds={"Email": hold})) == []

    def test_it_is_none_in_a_converted_lead_whose_contact_can_be_read(self) -> None:
        """The Contact has what the Lead had."""
        lead = self.unread("l1", converted=True, successor="c")
        contact = observed("c", ticked=True)

        assert self.problems(link_of(PLEZI, lead, contact, agreed="p l1")) == []


class TestCreation:
    """The contact of Plezi is created after a Lead of the person has left."""

    LEFT: Final = replace(observed("l1", "2", ticked=True), converted=True)

    @staticmethod
    def link_of(lead: Observation, *, is_weighed: bool = True) -> Link:
        """Return a link of a Lead whose first meeting is not over, and of a flagged Contact."""
        link = link_of(lead, observed("c", "3"), agreed="")
        meeting = frozenset({PHONE_KEY, OPT_OUT_KEY} if is_weighed else ())
        return replace(link, base={"l1": {"mobile>MobilePhone": None}}, meeting=meeting)

    def test_an_opt_out_that_was_ticked_in_the_lead_is_created_with_the_contact(self) -> None:
        for lead in (self.LEFT, replace(self.LEFT, converted=False, deleted=True)):
            [write] = planned(self.link_of(lead)).writes
            assert write.is_create
            assert write.values["optout"] is True

    def test_what_no_first_meeting_weighs_is_not_sent(self) -> None:
        [write] = planned(self.link_of(self.LEFT, is_weighed=False)).writes
        assert write.values.get("optout") in (None, False)

    def test_an_opt_out_that_cannot_be_read_is_listed_and_the_contact_is_created(self) -> None:
        values = {"Phone": "2"}
        unread = replace(self.LEFT, values=values, unreadable=frozenset({"optout__c"}))
        plan = planned(self.link_of(unread))
        assert [it.is_create for it in plan.writes] == [True]
        assert [it.field for it in plan.problems] == ["optout__c"]
