"""The plan of one link: what is written, what is agreed, and what is created."""

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
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Link,
    MergeRule,
    RecordKind,
    SkipReason,
    Value,
    Write,
)
from connector.planning.plan import Plan
from tests.unit.connector.planned_links import (
    EMAIL,
    NOW,
    OPT_OUT,
    PHONE,
    TITLE,
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
