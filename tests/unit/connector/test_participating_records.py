"""The records of a person that take part: which send, which receive, which are created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import DuplicatePolicy, MappingConfig
from connector.model import (
    NEW_RECORD,
    Hold,
    HoldReason,
    Link,
    Observation,
    RecordKind,
    SkipReason,
    Value,
)
from connector.planning.excluded_leads import UNSEEN
from connector.planning.participating_records import (
    Match,
    Participant,
    Participants,
    leaving_records,
    select_participants,
)

EMAIL: Final = "a@x.fr"
OTHER: Final = "b@x.fr"
MAPPING: Final = MappingConfig(1, (), None)


def record(kind: RecordKind, name: str, email: str = EMAIL) -> Observation:
    return Observation(kind, name, email, "1", "", 0.0, {})


PLEZI: Final = record(RecordKind.PLEZI_CONTACT, "p")
LEAD: Final = record(RecordKind.LEAD, "l1")
SECOND: Final = record(RecordKind.LEAD, "l2")
CONTACT: Final = record(RecordKind.CONTACT, "c")


def link_of(*records: Observation) -> Link:
    link = Link(EMAIL)
    for each in records:
        link = link.with_observation(each)
    return link


def select(link: Link, mapping: MappingConfig = MAPPING) -> Participants:
    return select_participants(link, mapping)


def rights(found: Participants) -> dict[str, tuple[bool, bool]]:
    """Return by record id whether a record sends, and whether it receives."""
    return {it.record_id: (it.can_send, it.can_receive) for it in found.members}


SENDS_AND_RECEIVES: Final = (True, True)
ONLY_SENDS: Final = (True, False)
ONLY_RECEIVES: Final = (False, True)


def test_a_contact_of_plezi_and_a_lead_send_and_receive() -> None:
    found = select(link_of(PLEZI, LEAD))

    assert rights(found) == {"p": SENDS_AND_RECEIVES, "l1": SENDS_AND_RECEIVES}
    assert found.match is Match.MATCHED


def test_records_that_agreed_before_are_linked() -> None:
    link = replace(link_of(PLEZI, LEAD), base={"p": {"phone>Phone": "1"}})

    assert select(link).match is Match.LINKED


def test_a_contact_of_salesforce_is_never_written_so_that_plezi_has_nobody_to_send_to() -> None:
    found = select(link_of(PLEZI, CONTACT))

    assert rights(found) == {"p": ONLY_RECEIVES, "c": ONLY_SENDS}


def test_beside_a_lead_a_contact_of_salesforce_sends_too() -> None:
    found = select(link_of(PLEZI, LEAD, CONTACT))

    assert rights(found) == {
        "p": SENDS_AND_RECEIVES,
        "l1": SENDS_AND_RECEIVES,
        "c": ONLY_SENDS,
    }


@pytest.mark.parametrize("flag", ["deleted", "converted"])
def test_a_record_that_is_gone_takes_no_part(flag: str) -> None:
    gone = replace(SECOND, **{flag: True})  # type: ignore[arg-type]  # two flags

    assert set(rights(select(link_of(PLEZI, LEAD, gone)))) == {"p", "l1"}


@pytest.mark.parametrize("other", [SECOND, CONTACT])
@pytest.mark.parametrize("outside", ["filter", "email"])
def test_a_record_outside_the_filter_or_without_an_email_takes_no_part(
    other: Observation, outside: str
) -> None:
    left = replace(other, eligible=False) if outside == "filter" else replace(other, email="")

    assert set(rights(select(link_of(PLEZI, LEAD, left)))) == {"p", "l1"}


def test_no_record_of_an_email_that_too_many_records_have_takes_part() -> None:
    found = select(replace(link_of(PLEZI, LEAD), shared=True))

    assert found == Participants(Match.AMBIGUOUS, reason=SkipReason.SHARED_EMAIL)


class TestSeveralLeads:
    LINK: Final = link_of(PLEZI, LEAD, SECOND)

    def test_mirror_keeps_all_of_them_equal(self) -> None:
        assert set(rights(select(self.LINK))) == {"p", "l1", "l2"}

    def test_hold_waits_until_an_admin_picks_the_primary_lead(self) -> None:
        mapping = replace(MAPPING, duplicates=DuplicatePolicy.HOLD)

        assert select(self.LINK, mapping) == Participants(
            Match.AMBIGUOUS, reason=SkipReason.SEVERAL_LEADS
        )
        picked = replace(self.LINK, primary_lead="l2")
        assert set(rights(select(picked, mapping))) == {"p", "l2"}

    def test_hold_does_not_concern_a_single_lead(self) -> None:
        mapping = replace(MAPPING, duplicates=DuplicatePolicy.HOLD)

        assert set(rights(select(link_of(PLEZI, LEAD), mapping))) == {"p", "l1"}

    @pytest.mark.parametrize(("linked", "expected"), [("l2", "l2"), ("l1", "l1"), ("p", "l1")])
    def test_only_the_linked_one_takes_part_else_the_one_with_the_lowest_id(
        self, linked: str, expected: str
    ) -> None:
        mapping = replace(MAPPING, duplicates=DuplicatePolicy.SURVIVOR)
        link = replace(self.LINK, base={linked: {"phone>Phone": "1"}})

        assert set(rights(select(link, mapping))) == {"p", expected}

    def test_the_mark_of_a_conflict_makes_no_lead_the_linked_one(self) -> None:
        mapping = replace(MAPPING, duplicates=DuplicatePolicy.SURVIVOR)
        agreed: dict[str, Value] = {"phone>Phone": "1"}
        marked = {**agreed, f"{UNSEEN}phone>Phone": True}
        link = replace(self.LINK, base={"l1": agreed, "l2": marked})

        assert set(rights(select(link, mapping))) == {"p", "l1"}

    def test_the_primary_lead_is_the_only_one_with_every_policy(self) -> None:
        assert set(rights(select(replace(self.LINK, primary_lead="l2")))) == {"p", "l2"}

    def test_a_primary_lead_that_is_gone_decides_nothing(self) -> None:
        gone = replace(record(RecordKind.LEAD, "l3"), deleted=True)
        link = replace(self.LINK.with_observation(gone), primary_lead="l3")

        assert set(rights(select(link))) == {"p", "l1", "l2"}


class TestCreation:
    def test_the_contact_of_a_new_lead_is_created_in_plezi(self) -> None:
        found = select(link_of(LEAD))

        assert found.match is Match.NEW
        assert rights(found) == {NEW_RECORD: ONLY_RECEIVES, "l1": SENDS_AND_RECEIVES}
        assert found.members[0].kind is RecordKind.PLEZI_CONTACT

    def test_the_lead_of_a_new_contact_is_created(self) -> None:
        found = select(link_of(PLEZI))

        assert found.match is Match.NEW
        assert rights(found) == {"p": SENDS_AND_RECEIVES, NEW_RECORD: ONLY_RECEIVES}
        assert found.members[1].kind is RecordKind.LEAD

    @pytest.mark.parametrize("changes", [{"deleted": True}, {"eligible": False}, {"email": ""}])
    def test_a_contact_that_takes_no_part_in_plezi_any_more_is_not_created_again(
        self, changes: Mapping[str, bool]
    ) -> None:
        left = replace(PLEZI, **changes)  # type: ignore[arg-type]  # the fields of three cases

        assert select(link_of(left, LEAD)) == Participants(
            Match.NONE, reason=SkipReason.DELETED_IN_PLEZI
        )

    def test_a_person_without_any_record_that_takes_part_is_left_out(self) -> None:
        gone = replace(LEAD, deleted=True)

        assert select(link_of(gone)) == Participants(Match.NONE, reason=SkipReason.NO_PARTICIPANT)

    @pytest.mark.parametrize(
        ("left", "reason"),
        [
            (replace(LEAD, converted=True), SkipReason.CONVERTED),
            (replace(LEAD, deleted=True), SkipReason.DELETED_IN_SALESFORCE),
            (replace(LEAD, eligible=False), SkipReason.FILTERED_OUT),
            (replace(LEAD, email=""), SkipReason.EMAIL_CLEARED),
            (replace(CONTACT, eligible=False), SkipReason.IS_A_CONTACT),
        ],
    )
    def test_no_lead_is_created_in_place_of_a_record_that_takes_no_part(
        self, left: Observation, reason: SkipReason
    ) -> None:
        assert select(link_of(PLEZI, left)) == Participants(Match.NONE, reason=reason)

    def test_a_lead_is_created_beside_a_contact_where_the_setting_allows_it(self) -> None:
        link = link_of(PLEZI, replace(CONTACT, eligible=False))
        mapping = replace(MAPPING, create_lead_beside_contact=True)

        assert rights(select(link, mapping)) == {
            "p": SENDS_AND_RECEIVES,
            NEW_RECORD: ONLY_RECEIVES,
        }

    @pytest.mark.parametrize("flag", ["deleted", "converted"])
    def test_a_contact_of_salesforce_that_is_gone_does_not_prevent_a_lead(self, flag: str) -> None:
        gone = replace(CONTACT, **{flag: True})  # type: ignore[arg-type]  # two flags

        assert select(link_of(PLEZI, gone)).match is Match.NEW


def held_email(
    link: Link, reason: HoldReason = HoldReason.EMAIL_TAKEN, *, chosen: str = ""
) -> Link:
    """Return a link whose new e-mail is held with the addresses that its records have now."""
    values = {it.id: it.email for it in link.observations()}
    return replace(link, holds={"Email": Hold(reason, 0.0, values, chosen)})


class TestNewEmailOfAnotherPerson:
    """What was typed with the new e-mail may be about the other person."""

    def test_a_lead_with_it_takes_no_part_until_it_is_decided(self) -> None:
        link = held_email(link_of(PLEZI, LEAD, replace(SECOND, email=OTHER)))

        assert leaving_records(link) == {"l2"}
        assert set(rights(select(link))) == {"p", "l1"}

    def test_no_lead_is_created_for_the_only_one_that_has_it(self) -> None:
        link = held_email(link_of(PLEZI, replace(LEAD, email=OTHER)))

        assert select(link) == Participants(Match.NONE, reason=SkipReason.NO_PARTICIPANT)

    def test_a_contact_of_salesforce_with_it_takes_no_part(self) -> None:
        link = held_email(link_of(PLEZI, LEAD, replace(CONTACT, email=OTHER)))

        assert set(rights(select(link))) == {"p", "l1"}

    def test_nobody_takes_part_if_the_contact_in_plezi_has_it(self) -> None:
        link = held_email(link_of(replace(PLEZI, email=OTHER), LEAD))

        assert select(link) == Participants(Match.NONE, reason=SkipReason.NO_PARTICIPANT)

    def test_records_that_agree_on_it_stay(self) -> None:
        link = held_email(link_of(replace(PLEZI, email=OTHER), replace(LEAD, email=OTHER)))

        assert leaving_records(link) == frozenset()
        assert set(rights(select(link))) == {"p", "l1"}

    def test_a_record_without_an_email_does_not_leave(self) -> None:
        assert leaving_records(held_email(link_of(PLEZI, replace(LEAD, email="")))) == frozenset()

    def test_a_record_that_is_gone_does_not_leave(self) -> None:
        gone = replace(LEAD, email=OTHER, deleted=True)

        assert leaving_records(held_email(link_of(PLEZI, gone))) == frozenset()

    def test_a_record_whose_email_is_only_in_use_stays(self) -> None:
        link = held_email(link_of(PLEZI, replace(LEAD, email=OTHER)), HoldReason.EMAIL_IN_USE)

        assert leaving_records(link) == frozenset()

    def test_a_decision_brings_the_record_back(self) -> None:
        link = held_email(link_of(PLEZI, replace(LEAD, email=OTHER)), chosen="p")

        assert leaving_records(link) == frozenset()

    def test_a_decision_ends_with_what_is_typed_afterwards(self) -> None:
        link = held_email(link_of(PLEZI, replace(LEAD, email=OTHER)), chosen="p")
        typed = link.with_observation(replace(LEAD, email="c@x.fr"))

        assert leaving_records(typed) == {"l1"}

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            ("", Participants(Match.NONE, reason=SkipReason.EMAIL_HELD)),
            (
                "p",
                Participants(
                    Match.NEW,
                    (
                        Participant(
                            RecordKind.PLEZI_CONTACT,
                            replace(PLEZI, email=OTHER),
                            can_send=True,
                            can_receive=True,
                        ),
                        Participant(RecordKind.LEAD, None, can_send=False, can_receive=True),
                    ),
                ),
            ),
        ],
    )
    def test_a_contact_without_a_lead_gets_one_after_the_decision_only(
        self, chosen: str, expected: Participants
    ) -> None:
        """Without its e-mail, the new Lead would be nobody's."""
        link = held_email(link_of(replace(PLEZI, email=OTHER)), chosen=chosen)

        assert select(link) == expected

    def test_a_contact_whose_email_is_only_in_use_gets_a_lead(self) -> None:
        link = held_email(link_of(PLEZI), HoldReason.EMAIL_IN_USE)

        assert select(link).match is Match.NEW


def test_a_record_takes_part_in_all_pairs_or_in_those_that_it_sends_at_its_end() -> None:
    always = Participant(RecordKind.LEAD, LEAD, can_send=True, can_receive=True)
    once = replace(always, can_receive=False, only=frozenset({"Phone"}))

    assert [always.takes_part_in(key) for key in ("Phone", "Title")] == [True, True]
    assert [once.takes_part_in(key) for key in ("Phone", "Title")] == [True, False]
