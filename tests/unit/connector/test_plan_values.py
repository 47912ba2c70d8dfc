"""The plan of one link: values that lists translate, that do not fit, and that give way."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    Direction,
    Field,
    FieldKind,
    FieldPair,
)
from connector.model import (
    AgreedValue,
    Hold,
    HoldReason,
    Link,
    MergeRule,
    Overwritten,
    ProblemCode,
    RecordKind,
    Value,
)
from connector.planning.plan import plan_link
from tests.unit.connector.planned_links import (
    BOUND,
    EMAIL,
    NOW,
    PHONE,
    SEGMENT,
    bound_to,
    bound_with,
    observed,
    phone_pair,
    phones,
    planned,
    with_phone,
    written,
)


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
