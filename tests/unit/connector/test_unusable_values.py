"""A value that the other side cannot hold: its field stays as it is, all other fields travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
)
from connector.model import (
    Hold,
    HoldReason,
    Intent,
    Link,
    Observation,
    ProblemCode,
    Quarantine,
    RecordKind,
    Side,
    Value,
    Values,
)
from connector.planning.field_problem import quarantine_for
from connector.planning.observation import apply_observation
from connector.planning.plan import Plan, plan_link
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes

UNUSABLE = "9" * 30


def bound(policy: ConflictPolicy = ConflictPolicy.NEWEST, placeholder: str = "") -> BoundMapping:
    pairs = (
        BoundPair(
            FieldPair("score", "score__c", Direction.BOTH, policy=policy, placeholder=placeholder),
            {
                RecordKind.PLEZI_CONTACT: Field("score", FieldKind.TEXT),
                RecordKind.LEAD: Field("score__c", FieldKind.NUMBER, precision=18, scale=0),
            },
        ),
        BoundPair(
            FieldPair("phone", "Phone", Direction.BOTH),
            {
                RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
                RecordKind.LEAD: Field("Phone", FieldKind.TEXT),
            },
        ),
    )
    return BoundMapping(MappingConfig(0, tuple(pair.pair for pair in pairs), None), pairs, ())


def contact(score: Value, phone: Value = "1") -> Observation:
    return Observation(
        RecordKind.PLEZI_CONTACT,
        "p",
        "a@x.fr",
        "1",
        "2026-02",
        1.0,
        {"score": score, "phone": phone},
    )


def lead(score: Value, phone: Value = None) -> Observation:
    values = {"score__c": score, "Phone": phone}
    return Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "2026-01", 1.0, values)


FIRST_MEETING = Link("a@x.fr", plezi=contact(UNUSABLE), salesforce=(lead(7),))
LINKED = replace(
    FIRST_MEETING,
    base={
        "p": {"score>score__c": 7, "phone>Phone": None},
        "l": {"score>score__c": 7, "phone>Phone": None},
    },
)


def applied(plan: Plan) -> Link:
    """Return the link after all writes of a plan were done."""
    intent = Intent("i", "r", 0.0, plan.writes, plan.base_updates)
    outcomes = {
        write.record_id: WriteOutcome(write, WriteResult.DONE, record_id=write.record_id)
        for write in plan.writes
    }
    link = replace(plan.link, intent=intent)
    return record_outcomes(
        link, "i", outcomes, unchanged_since_intent=True, now=5.0, problems=plan.problems
    )


@pytest.mark.parametrize("link", [FIRST_MEETING, LINKED])
def test_the_field_stays_as_it_is_and_all_others_travel(link: Link) -> None:
    plan = plan_link(link, bound(), now=0.0)

    (write,) = plan.writes
    assert (write.record_id, dict(write.values)) == ("l", {"Phone": "1"})
    assert [update.pair for update in plan.base_updates] == ["Phone"]
    assert plan.link.holds == {}
    (problem,) = plan.problems
    assert (problem.pair, problem.side, problem.field) == ("score__c", Side.SALESFORCE, "score__c")
    assert problem.code is ProblemCode.UNUSABLE_VALUE
    assert problem.remedy.startswith("correct score in Plezi")


def unread(record: Observation, name: str) -> Observation:
    """Return a record whose response has an object in a field."""
    values = {key: value for key, value in record.values.items() if key != name}
    return replace(record, values=values, unreadable=frozenset({name}))


UNREAD_CONTACT = (unread(contact(7), "score"), lead(7, "old"))
UNREAD_LEAD = (contact(7), unread(lead(7, "old"), "score__c"))


@pytest.mark.parametrize(("plezi", "salesforce"), [UNREAD_CONTACT, UNREAD_LEAD])
@pytest.mark.parametrize("base", [{}, LINKED.base])
def test_a_field_that_cannot_be_read_waits_and_all_others_travel(
    plezi: Observation, salesforce: Observation, base: Mapping[str, Values]
) -> None:
    link = Link("a@x.fr", plezi=plezi, salesforce=(salesforce,), base=base)

    plan = plan_link(link, bound(), now=0.0)

    (write,) = plan.writes
    assert (write.record_id, dict(write.values)) == ("l", {"Phone": "1"})
    (problem,) = plan.problems
    side, name = (Side.PLEZI, "score") if plezi.unreadable else (Side.SALESFORCE, "score__c")
    assert (problem.pair, problem.side, problem.field) == ("score__c", side, name)
    assert (
        problem.remedy
        == f"correct {name} in {side.value.capitalize()}, or take it out of the mapping"
    )


def test_a_new_lead_is_created_without_the_field_that_cannot_be_read() -> None:
    link = Link("a@x.fr", plezi=unread(contact(7), "score"))

    plan = plan_link(link, bound(), now=0.0)

    (write,) = plan.writes
    assert (write.is_create, dict(write.values)) == (True, {"Phone": "1"})
    assert [problem.field for problem in plan.problems] == ["score"]


def test_a_field_that_can_be_read_again_meets_for_the_first_time() -> None:
    link = Link("a@x.fr", plezi=unread(contact(7), "score"), salesforce=(lead(None, "1"),))
    waiting = applied(plan_link(link, bound(), now=0.0))
    read = apply_observation(waiting, replace(contact(7), as_of=5.0))

    plan = plan_link(read, bound(), now=9.0)

    (write,) = plan.writes
    assert dict(write.values) == {"score__c": 7}
    assert plan.problems == ()
    assert quarantine_for(plan.problems, read, now=9.0) is None


def test_a_value_that_becomes_unreadable_is_no_echo() -> None:
    known = Link("a@x.fr", plezi=replace(contact(7), values={"phone": "1"}), dirty=False)

    seen = apply_observation(known, replace(unread(contact(7), "score"), as_of=5.0))

    assert seen.dirty


@pytest.mark.parametrize("link", [FIRST_MEETING, LINKED])
def test_the_same_link_has_the_same_problem_and_no_write_again(link: Link) -> None:
    first = plan_link(link, bound(), now=0.0)
    after = applied(first)
    second = plan_link(after, bound(), now=9.0)

    assert second.problems == first.problems
    assert (second.writes, second.base_updates, second.held) == ((), (), ())
    assert second.link is after


def test_a_corrected_value_travels() -> None:
    link = applied(plan_link(LINKED, bound(), now=0.0))

    plan = plan_link(link.with_observation(contact("8")), bound(), now=9.0)

    assert [dict(write.values) for write in plan.writes] == [{"score__c": 8}]
    assert plan.problems == ()


def test_a_usable_value_that_wins_replaces_the_unusable_one() -> None:
    link = replace(LINKED, salesforce=(replace(lead(8), modified="2026-03"),))

    plan = plan_link(link, bound(), now=0.0)

    assert {write.record_id: dict(write.values) for write in plan.writes} == {
        "p": {"score": "8"},
        "l": {"Phone": "1"},
    }
    assert plan.problems == ()


def test_a_new_lead_is_created_without_the_field() -> None:
    link = Link("a@x.fr", plezi=contact(UNUSABLE))

    plan = plan_link(link, bound(placeholder="0"), now=0.0)

    assert [dict(write.values) for write in plan.writes] == [{"score__c": "0", "Phone": "1"}]
    assert [problem.field for problem in plan.problems] == ["score__c"]


def test_a_chosen_value_that_is_unusable_keeps_the_hold() -> None:
    shown: dict[str, Value] = {"p": UNUSABLE, "l": 7}
    hold = Hold(HoldReason.CONFLICT, 1.0, shown, chosen="p")

    plan = plan_link(replace(LINKED, holds={"score__c": hold}), bound(), now=0.0)

    assert plan.link.holds == {"score__c": hold}
    assert [problem.pair for problem in plan.problems] == ["score__c"]


def test_a_record_that_is_not_created_yet_is_never_the_chosen_one() -> None:
    leads = (lead(7), replace(lead(8), id="l2"))
    link = Link("a@x.fr", salesforce=leads)
    hold_policy = bound(ConflictPolicy.HOLD)

    held = plan_link(link, hold_policy, now=0.0)
    again = plan_link(held.link, hold_policy, now=1.0)

    assert held.held == ("score__c",)
    assert set(held.link.holds["score__c"].values) == {"", "l", "l2"}
    assert all("score__c" not in write.values for write in again.writes)
    assert again.link.holds == held.link.holds


@pytest.mark.parametrize(
    "policy", [ConflictPolicy.FILL_BLANK, ConflictPolicy.PLEZI_WINS, ConflictPolicy.NEWEST]
)
def test_each_policy_that_would_write_the_value_names_the_problem(policy: ConflictPolicy) -> None:
    link = replace(FIRST_MEETING, salesforce=(lead(None),))

    plan = plan_link(link, bound(policy), now=0.0)

    assert [problem.pair for problem in plan.problems] == ["score__c"]
    assert all("score__c" not in write.values for write in plan.writes)


def test_the_link_is_in_quarantine_with_the_field_and_the_remedy() -> None:
    link = applied(plan_link(LINKED, bound(), now=0.0))

    assert link.quarantine == Quarantine(
        Side.SALESFORCE,
        "unusable_value",
        "score__c cannot hold the value, it has 30 digits before the decimal point, and the limit "
        "is 18: correct score in Plezi, or map it to a field that can hold the value",
        ("score__c",),
        5.0,
    )
    assert not link.dirty


def test_the_same_problem_is_not_booked_again() -> None:
    link = applied(plan_link(LINKED, bound(), now=0.0))
    problems = plan_link(link, bound(), now=9.0).problems

    assert quarantine_for(problems, link, now=9.0) is link.quarantine
    assert quarantine_for((), link, now=9.0) is None


def test_a_refusal_of_a_side_is_shown_first() -> None:
    plan = plan_link(LINKED, bound(), now=0.0)
    refused = WriteOutcome(plan.writes[0], WriteResult.REJECTED, code="CODE", fields=("Phone",))
    link = replace(plan.link, intent=Intent("i", "r", 0.0, plan.writes, plan.base_updates))

    after = record_outcomes(
        link, "i", {"l": refused}, unchanged_since_intent=True, now=5.0, problems=plan.problems
    )

    assert after.quarantine is not None
    assert after.quarantine.code == "CODE"
