"""The recovery of writes whose response was lost."""

from __future__ import annotations

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
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Intent,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    RecordKind,
    Value,
    Write,
)
from connector.planning.excluded_leads import OUTDATED, REACHED, UNSEEN
from connector.planning.manual_actions import choose_value, is_untyped
from connector.planning.plan import plan_link
from connector.planning.recovery import Recovery, recover_intent
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes

URL = "https://app.plezi.co/contacts/p"
PAIRS = (
    BoundPair(
        FieldPair("phone", "Phone", Direction.BOTH),
        {
            RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
            RecordKind.LEAD: Field("Phone", FieldKind.TEXT),
        },
    ),
    BoundPair(
        FieldPair("url", "plezi_url__c", Direction.TO_SALESFORCE, enforced=True),
        {
            RecordKind.PLEZI_CONTACT: Field("url", FieldKind.TEXT),
            RecordKind.LEAD: Field("plezi_url__c", FieldKind.TEXT, unique=True),
        },
    ),
)
TITLE = BoundPair(
    FieldPair("function", "Title", Direction.BOTH),
    {
        RecordKind.PLEZI_CONTACT: Field("function", FieldKind.TEXT),
        RecordKind.LEAD: Field("Title", FieldKind.TEXT),
    },
)
"""A pair that only some tests have."""
KEY = "phone>Phone"
BOUND = BoundMapping(
    MappingConfig(0, (*(pair.pair for pair in PAIRS), TITLE.pair), None), (*PAIRS, TITLE), ()
)


def contact(phone: Value) -> Observation:
    return Observation(
        RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": phone, "url": URL}
    )


def lead(record: str, phone: Value, url: Value = None, version: str = "1") -> Observation:
    values = {"Phone": phone, "plezi_url__c": url}
    return Observation(RecordKind.LEAD, record, "a@x.fr", version, "", 1.0, values)


def with_values(observation: Observation, **values: Value) -> Observation:
    return replace(observation, values={**observation.values, **values})


def creation(kind: RecordKind, **values: Value) -> Intent:
    write = Write(kind, "", "a@x.fr", values)
    agreed = {"": AgreedValue(KEY, "Phone", "1"), "p": AgreedValue(KEY, "phone", "1")}
    if kind is RecordKind.PLEZI_CONTACT:
        agreed = {"": AgreedValue(KEY, "phone", "1"), "l1": AgreedValue(KEY, "Phone", "1")}
    return Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({""})),))


@pytest.mark.parametrize("typed", [None, "9"])
def test_a_value_typed_in_a_lead_that_we_created_is_an_edit(typed: Value) -> None:
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    link = Link("a@x.fr", plezi=contact("1"), salesforce=(lead("l1", typed, URL),), intent=intent)

    recovery = recover_intent(link, BOUND, now=0.0)

    assert not recovery.held
    [write] = plan_link(recovery.link, BOUND, now=0.0).writes
    assert (write.kind, dict(write.values)) == (RecordKind.PLEZI_CONTACT, {"phone": typed})


def test_our_lead_is_recognized_next_to_one_that_a_user_created_at_the_same_time() -> None:
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    leads = (lead("l1", "1"), lead("l2", "9", URL))
    link = Link("a@x.fr", plezi=contact("1"), salesforce=leads, intent=intent)

    assert recover_intent(link, BOUND, now=0.0).link.base["l2"] == {KEY: "1"}


@pytest.mark.parametrize("flag", ["converted", "deleted"])
def test_our_lead_is_recognized_after_it_was_converted_or_deleted(flag: str) -> None:
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    ours = replace(lead("l1", "1", URL), **{flag: True})  # type: ignore[arg-type]  # two flags
    link = Link("a@x.fr", plezi=contact("1"), salesforce=(ours,), intent=intent)

    assert recover_intent(link, BOUND, now=0.0).link.base == {
        "p": {KEY: "1"},
        "l1": {KEY: "1"},
    }


def test_a_different_value_in_a_contact_that_has_one_of_ours_is_held() -> None:
    intent = creation(RecordKind.PLEZI_CONTACT, phone="1", function="CMO")
    link = Link(
        "a@x.fr",
        plezi=with_values(contact("9"), function="CMO"),
        salesforce=(with_values(lead("l1", "1"), Title="CMO"),),
        intent=intent,
    )

    recovery = recover_intent(link, BOUND, now=0.0)

    assert recovery.held == ("Phone",)
    writes = plan_link(recovery.link, BOUND, now=0.0).writes
    assert all(not {"phone", "Phone"} & write.values.keys() for write in writes)


@pytest.mark.parametrize("typed", [None, "9"])
def test_a_contact_with_none_of_our_values_was_created_by_somebody_else(typed: Value) -> None:
    """A form created it between the crash and the recovery: the records meet for the first time."""
    intent = creation(RecordKind.PLEZI_CONTACT, phone="1", function="CMO")
    link = Link(
        "a@x.fr",
        plezi=with_values(contact(typed), function=None),
        salesforce=(with_values(lead("l1", "1"), Title="CMO"),),
        intent=intent,
    )

    recovery = recover_intent(link, BOUND, now=0.0)

    assert not recovery.held
    assert not recovery.link.base
    plan = plan_link(recovery.link, BOUND, now=0.0)
    filled = {name: it for write in plan.writes for name, it in write.values.items()}
    assert filled["function"] == "CMO"


@pytest.mark.parametrize("typed", ["2", None])
def test_an_edit_that_has_reached_one_side_only_is_still_an_edit(typed: Value) -> None:
    """A clearing too: the other side's old value must not fill it."""
    writes = (
        Write(RecordKind.LEAD, "l2", "a@x.fr", {"Phone": typed}, {"Phone": "1"}, "1"),
        Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": typed}, {"phone": "1"}, "1"),
    )
    values = {
        "p": AgreedValue(KEY, "phone", typed),
        "l1": AgreedValue(KEY, "Phone", typed),
        "l2": AgreedValue(KEY, "Phone", typed),
    }
    intent = Intent("i", "r", 0.0, writes, (BaseUpdate("Phone", values, frozenset({"p", "l2"})),))
    link = Link(
        "a@x.fr",
        plezi=contact("1"),
        salesforce=(lead("l1", typed, URL), lead("l2", typed, version="2")),
        base={"p": {KEY: "1"}, "l1": {KEY: "1"}, "l2": {KEY: "1"}},
        intent=intent,
    )

    after = recover_intent(link, BOUND, now=0.0).link

    reached = {KEY: "1", f"{REACHED}{KEY}": typed}
    assert after.base == {"p": {KEY: "1"}, "l1": reached, "l2": reached}
    assert after.undelivered == {("l1", KEY), ("l2", KEY)}
    held = replace(link, holds={"Phone": Hold(HoldReason.CONFLICT, 0.0, {"p": "1", "l1": "0"})})
    assert recover_intent(held, BOUND, now=0.0).link.holds.keys() == {"Phone"}
    [write] = plan_link(after, BOUND, now=0.0).writes
    assert (write.record_id, dict(write.values)) == ("p", {"phone": typed})

    # Somebody types the former value again in the first Lead, somebody else another one in Plezi.
    typed_again = after.with_observation(replace(lead("l1", "1", URL, version="3"), modified="t2"))
    both = typed_again.with_observation(replace(contact("3"), modified="t1"))
    plan = plan_link(both, BOUND, now=0.0)
    assert {
        (it.record_id, it.values["Phone" if it.record_id != "p" else "phone"]) for it in plan.writes
    } == {
        ("p", "1"),
        ("l2", "1"),
    }
    assert {(it.record_id, it.value) for it in plan.overwritten} == {("p", "3")}


@pytest.mark.parametrize(("phone", "kept"), [("2", False), ("1", True)])
def test_the_base_of_an_excluded_lead_is_removed_once_the_write_arrived(
    phone: str, *, kept: bool
) -> None:
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "1")
    values = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    base_update = BaseUpdate("Phone", values, frozenset({"p"}), invalidated={"l2": KEY})
    link = Link(
        "a@x.fr",
        plezi=contact(phone),
        salesforce=(lead("l1", "2", URL), replace(lead("l2", "1"), deleted=True)),
        base={"p": {KEY: "1"}, "l1": {KEY: "1"}, "l2": {KEY: "1"}},
        intent=Intent("i", "r", 0.0, (write,), (base_update,)),
    )

    after = recover_intent(link, BOUND, now=0.0).link

    assert (KEY in after.base["l2"]) is kept


@pytest.mark.parametrize(
    ("version", "phone", "held"),
    [("1", "1", ()), ("2", "1", ()), ("", "1", ()), ("2", "2", ()), ("2", "3", ("Phone",))],
)
def test_l14_only_a_value_that_is_neither_the_old_nor_the_intended_one_is_in_doubt(
    version: str, phone: str, held: tuple[str, ...]
) -> None:
    """A record whose version moved may have been edited in another field."""
    plezi = Observation(
        RecordKind.PLEZI_CONTACT, "p", "a@x.fr", version, "", 1.0, {"phone": phone, "url": URL}
    )
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "1")
    base_update = BaseUpdate(
        "Phone",
        {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")},
        frozenset({"p"}),
    )
    link = Link(
        "a@x.fr",
        plezi=plezi,
        salesforce=(lead("l1", "2", URL),),
        base={"p": {KEY: "1"}, "l1": {KEY: "1"}},
        intent=Intent("i", "r", 0.0, (write,), (base_update,)),
    )

    assert recover_intent(link, BOUND, now=0.0).held == held


@pytest.mark.parametrize("missing", ["phone", "Phone"])
def test_a_field_that_was_not_read_is_unknown_and_not_treated_as_cleared(
    missing: str,
) -> None:
    plezi, known = contact("1"), lead("l1", "1", URL)
    link = Link(
        "a@x.fr",
        plezi=replace(plezi, values={n: v for n, v in plezi.values.items() if n != missing}),
        salesforce=(
            replace(known, values={n: v for n, v in known.values.items() if n != missing}),
        ),
        base={record: {KEY: "1", "url>plezi_url__c": URL} for record in ("p", "l1")},
    )

    assert plan_link(link, BOUND, now=0.0).writes == ()


def test_a_deleted_lead_cannot_prove_that_our_write_did_not_arrive() -> None:
    """Its observation may be older than the write, and a user may undelete it."""
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, version="1")
    values = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", values, frozenset({"l1"})),))
    base = {"p": {KEY: "1"}, "l1": {KEY: "1"}}
    deleted = replace(lead("l1", "1", URL), deleted=True)
    link = Link("a@x.fr", plezi=contact("1"), salesforce=(deleted,), base=base, intent=intent)

    recovery = recover_intent(link, BOUND, now=0.0)

    assert recovery.held == ("Phone",)
    undeleted = replace(recovery.link, salesforce=(lead("l1", "2", URL, version="3"),))
    assert not plan_link(undeleted, BOUND, now=0.0).writes


def in_doubt(*others: Observation) -> Link:
    """Return a link whose write of "2" to Plezi is in doubt: the contact has "3"."""
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "0")
    agreed = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"p"})),))
    base = {"p": {KEY: "1"}, "l1": {KEY: "1"}}
    return Link("a@x.fr", contact("3"), salesforce=others, base=base, intent=intent)


def test_a_blank_that_nobody_typed_cannot_be_chosen_while_a_write_is_in_doubt() -> None:
    link = in_doubt(lead("l1", "1", URL), lead("l2", None))

    after = plan_link(recover_intent(link, BOUND, now=0.0).link, BOUND, now=0.0).link

    assert {it for it in ("p", "l1", "l2") if is_untyped(after, "Phone", it)} == {"l2"}


def test_a_cleared_value_can_be_chosen_while_a_write_is_in_doubt() -> None:
    link = in_doubt(lead("l1", None, URL))

    after = recover_intent(link, BOUND, now=0.0).link

    assert not is_untyped(after, "Phone", "l1")


def test_a_choice_journals_each_value_that_was_shown_and_gives_way() -> None:
    """The Lead has its base again: a user typed it after the value that the lost write sent."""
    held = recover_intent(in_doubt(lead("l1", "1", URL)), BOUND, now=0.0).link

    plan = plan_link(choose_value(held, "Phone", "p"), BOUND, now=0.0)

    assert [dict(write.values) for write in plan.writes if "Phone" in write.values] == [
        {"Phone": "3"}
    ]
    assert [(it.record_id, it.value, it.rule) for it in plan.overwritten if it.pair == "Phone"] == [
        ("l1", "1", MergeRule.CHOSEN)
    ]


def test_a_blank_that_was_a_value_when_the_write_was_decided_can_be_chosen() -> None:
    """At a first meeting no record has a base: the intent has the value that was cleared since."""
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": "2"}, {"Phone": None}, version="0")
    agreed = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"l1"})),))
    link = Link("a@x.fr", contact(None), salesforce=(lead("l1", "3", URL),), intent=intent)

    after = recover_intent(link, BOUND, now=0.0).link

    assert not is_untyped(after, "Phone", "p")


def test_a_blank_that_replaced_a_value_shown_for_review_can_be_chosen() -> None:
    """The write of the clearing itself is in doubt: the Lead has neither its old value nor none."""
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": None}, {"Phone": "2"}, version="0")
    agreed = {"p": AgreedValue(KEY, "phone", None), "l1": AgreedValue(KEY, "Phone", None)}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"l1"})),))
    shown = Hold(HoldReason.IN_DOUBT, 0.0, {"p": "1", "l1": "2"}, attribute="phone")
    link = Link(
        "a@x.fr",
        contact(None),
        salesforce=(lead("l1", "3", URL),),
        intent=intent,
        holds={"Phone": shown},
    )

    after = recover_intent(link, BOUND, now=0.0).link

    assert not is_untyped(after, "Phone", "p")


def test_a_pair_that_was_removed_while_its_write_was_unfinished_meets_for_the_first_time() -> None:
    """Its field was not read, so nothing tells whether the write arrived."""
    without_phone = BoundMapping(MappingConfig(0, (PAIRS[1].pair,), None), (PAIRS[1],), ())
    link = in_doubt(lead("l1", "2", URL))
    base = {record: {**values, "url>plezi_url__c": URL} for record, values in link.base.items()}
    unread = replace(link, base=base, plezi=replace(contact("1"), values={"url": URL}))

    recovered = recover_intent(unread, without_phone, now=0.0).link
    again = plan_link(replace(recovered, plezi=contact("1")), BOUND, now=0.0)

    assert not [write for write in again.writes if {"phone", "Phone"} & write.values.keys()]
    assert again.link.holds["Phone"].reason is HoldReason.NEVER_AGREED


def test_a_value_that_gave_way_to_a_write_of_a_removed_pair_is_journaled_as_in_doubt() -> None:
    """Found by the random workload: the worker was killed after the write, the pair was removed."""
    without_phone = BoundMapping(MappingConfig(0, (PAIRS[1].pair,), None), (PAIRS[1],), ())
    link = in_doubt(lead("l1", "2", URL))
    assert link.intent is not None
    typed = Overwritten(RecordKind.PLEZI_CONTACT, "p", "Phone", "1", "2", MergeRule.ONE_WAY)
    unread = replace(
        link,
        intent=replace(link.intent, overwritten=(typed,)),
        plezi=replace(contact("2"), values={"url": URL}),
    )

    recovery = recover_intent(unread, without_phone, now=0.0)

    assert recovery.overwritten == (replace(typed, rule=MergeRule.IN_DOUBT),)


def test_a_pair_whose_write_was_recorded_keeps_its_agreement_while_another_is_in_doubt() -> None:
    """The intent in doubt has only the writes whose response was lost."""
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"plezi_url__c": URL}, {"plezi_url__c": None})
    agreed = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"p"})),))
    base = {"p": {KEY: "2"}, "l1": {KEY: "2"}}
    link = Link("a@x.fr", contact("2"), (lead("l1", "2"),), base=base, intent=intent)

    assert recover_intent(link, BOUND, now=0.0).link.base == base


OPT_OUT = BoundPair(
    FieldPair("optout", "optout__c", Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE),
    {
        RecordKind.PLEZI_CONTACT: Field("optout", FieldKind.CHECKBOX),
        RecordKind.LEAD: Field("optout__c", FieldKind.CHECKBOX),
    },
)


def unfinished(phone: Value, *, version: str = "1") -> Link:
    """Return a link whose write of the phone 2 over 1 to Plezi had no response."""
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "1")
    agreed = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    typed = Overwritten(RecordKind.PLEZI_CONTACT, "p", "Phone", "1", "2", MergeRule.NEWEST)
    update = BaseUpdate("Phone", agreed, frozenset({"p"}))
    return Link(
        "a@x.fr",
        replace(contact(phone), version=version),
        (lead("l1", "2", URL),),
        {"p": {KEY: "1"}, "l1": {KEY: "1"}},
        meeting=frozenset({KEY, "function>Title"}),
        intent=Intent("i", "r", 0.0, (write,), (update,), (typed,), in_doubt=True),
        holds={"Phone": Hold(HoldReason.CONFLICT, 0.0, {"p": "1", "l1": "2"}, chosen="l1")},
        unanswered=2,
        unanswered_run="r",
    )


def test_a_link_without_an_intent_has_nothing_to_recover() -> None:
    link = Link("a@x.fr", contact("1"))

    assert recover_intent(link, BOUND, now=9.0) == Recovery(link)


def test_a_write_that_arrived_is_adopted_as_if_its_response_had_been_received() -> None:
    link = unfinished("2", version="2")
    assert link.intent is not None

    recovery = recover_intent(link, BOUND, now=9.0)

    assert recovery == Recovery(
        replace(
            link,
            base={"p": {KEY: "2"}, "l1": {KEY: "2"}},
            meeting=frozenset({"function>Title"}),
            intent=None,
            holds={},
            unanswered=0,
            unanswered_run="",
            dirty=True,
        ),
        delivered=("p",),
        written={"p": link.intent.writes[0]},
        overwritten=link.intent.overwritten,
    )


@pytest.mark.parametrize(("version", "repeated"), [("1", set()), ("2", {("p", "phone")})])
def test_a_write_that_did_not_arrive_is_planned_again(
    version: str, repeated: set[tuple[str, str]]
) -> None:
    """In a record that has changed since, a user may have typed the old value again."""
    link = unfinished("1", version=version)

    recovery = recover_intent(link, BOUND, now=9.0)

    assert recovery == Recovery(
        replace(link, intent=None, dirty=True), repeated=frozenset(repeated)
    )


def test_a_value_in_doubt_is_held_with_all_values_and_journaled() -> None:
    link = unfinished("3", version="2")
    assert link.intent is not None

    recovery = recover_intent(link, BOUND, now=9.0)

    held = Hold(HoldReason.IN_DOUBT, 9.0, {"p": "3", "l1": "2"}, attribute="phone")
    [typed] = link.intent.overwritten
    assert recovery == Recovery(
        replace(link, intent=None, holds={"Phone": held}, dirty=True),
        held=("Phone",),
        overwritten=(replace(typed, rule=MergeRule.IN_DOUBT),),
    )


def test_the_edit_of_a_lead_that_takes_no_part_is_in_conflict_once_the_write_arrived() -> None:
    link = unfinished("2")
    assert link.intent is not None
    [update] = link.intent.base_updates
    values = {**update.values, "l2": AgreedValue(KEY, "Phone", "2")}
    unseen = replace(update, values=values, unseen={"l2": KEY})
    deleted = replace(lead("l2", "3"), deleted=True)
    intent = replace(link.intent, base_updates=(unseen,))

    recovery = recover_intent(
        replace(link.with_observation(deleted), intent=intent), BOUND, now=9.0
    )

    assert recovery.link.base["l2"] == {KEY: "2", f"{UNSEEN}{KEY}": True}


def test_a_value_in_a_record_that_is_gone_is_journaled_as_in_doubt() -> None:
    """A user deleted the contact after the write, and created another one."""
    link = unfinished("2")
    other = replace(contact("3"), id="p2")

    recovery = recover_intent(replace(link, plezi=other), BOUND, now=9.0)

    assert link.intent is not None
    [typed] = link.intent.overwritten
    assert recovery.overwritten == (replace(typed, rule=MergeRule.IN_DOUBT),)
    assert (recovery.held, recovery.written) == ((), {})


TITLES = BaseUpdate(
    "Title",
    {
        "p": AgreedValue("function>Title", "function", "CMO"),
        "l1": AgreedValue("function>Title", "Title", "CMO"),
    },
    frozenset({"p"}),
)


def with_function(phone: str, function: str, *, title_first: bool = False) -> Link:
    """Return a link whose write of a phone and a function to Plezi had no response."""
    values: dict[str, Value] = {"phone": "2", "function": "CMO"}
    before: dict[str, Value] = {"phone": "1", "function": "CEO"}
    link = unfinished("2")
    assert link.intent is not None
    updates = (*link.intent.base_updates, TITLES)
    intent = replace(
        link.intent,
        writes=(Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", values, before, "1"),),
        base_updates=updates[::-1] if title_first else updates,
    )
    seen = replace(with_values(contact(phone), function=function), version="2")
    return replace(link, plezi=seen, intent=intent)


@pytest.mark.parametrize("title_first", [False, True])
def test_each_field_of_a_write_is_recovered_by_itself(*, title_first: bool) -> None:
    """The phone arrived, and the function did not."""
    link = with_function("2", "CEO", title_first=title_first)
    assert link.intent is not None

    recovery = recover_intent(link, BOUND, now=9.0)

    assert recovery.delivered == ()
    assert recovery.written == {"p": replace(link.intent.writes[0], values={"phone": "2"})}
    assert recovery.repeated == {("p", "function")}
    assert recovery.link.base == {"p": {KEY: "2"}, "l1": {KEY: "2"}}
    assert recovery.link.meeting == {"function>Title"}
    assert recovery.link.unanswered == link.unanswered


def test_the_first_meeting_of_every_field_that_arrived_is_over() -> None:
    recovery = recover_intent(with_function("2", "CMO"), BOUND, now=9.0)

    assert recovery.delivered == ("p",)
    assert recovery.link.meeting == frozenset()


def test_every_field_in_doubt_is_held_whatever_the_others_show() -> None:
    names = [f"n{number}" for number in range(8)]
    pairs = tuple(
        BoundPair(
            FieldPair(name, name, Direction.BOTH),
            {
                kind: Field(name, FieldKind.TEXT)
                for kind in (RecordKind.PLEZI_CONTACT, RecordKind.LEAD)
            },
        )
        for name in names
    )
    bound = BoundMapping(MappingConfig(0, tuple(pair.pair for pair in pairs), None), pairs, ())
    in_doubt_names = names[::2]
    seen: dict[str, Value] = {
        name: "typed" if name in in_doubt_names else "before" for name in names
    }
    write = Write(
        RecordKind.PLEZI_CONTACT,
        "p",
        "a@x.fr",
        dict.fromkeys(names, "intended"),
        dict.fromkeys(names, "before"),
        "1",
    )
    plezi = Observation(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "2", "", 1.0, seen)
    updates = tuple(BaseUpdate(name, {}, frozenset({"p"})) for name in names)
    link = Link("a@x.fr", plezi, intent=Intent("i", "r", 0.0, (write,), updates))

    assert recover_intent(link, bound, now=0.0).held == tuple(in_doubt_names)


def test_a_field_in_doubt_that_has_another_pair_now_is_not_held() -> None:
    """No Lead or Contact has a value in that pair: no decision could end its hold."""
    link = unfinished("typed", version="2")
    assert recover_intent(link, BOUND, now=0.0).held == ("Phone",)
    phone, *others = PAIRS
    moved = replace(
        phone,
        pair=replace(phone.pair, salesforce="Fax"),
        fields={**phone.fields, RecordKind.LEAD: Field("Fax", FieldKind.TEXT)},
    )
    pairs = (moved, *others)
    bound = BoundMapping(MappingConfig(1, tuple(it.pair for it in pairs), None), pairs, ())
    recovery = recover_intent(link, bound, now=0.0)
    assert recovery.held == ()
    assert "Fax" not in recovery.link.holds
    assert [it.rule for it in recovery.overwritten] == [MergeRule.IN_DOUBT]


def test_a_field_that_the_record_does_not_show_is_neither_held_nor_repeated() -> None:
    """What the write would replace may be gone: it is journaled."""
    link = unfinished("1", version="2")
    assert link.intent is not None
    assert link.plezi is not None
    unread = replace(link, plezi=replace(link.plezi, values={"url": URL}))

    recovery = recover_intent(unread, BOUND, now=9.0)

    assert (recovery.held, recovery.repeated) == ((), frozenset())
    assert [it.rule for it in recovery.overwritten] == [MergeRule.IN_DOUBT]
    assert recovery.link.base == link.base


UNKNOWN = "[unknown]"
WITH_PLACEHOLDER = BoundPair(replace(PAIRS[0].pair, placeholder=UNKNOWN), PAIRS[0].fields)
PLACEHOLDERS = BoundMapping(BOUND.config, (WITH_PLACEHOLDER, PAIRS[1], TITLE), ())


@pytest.mark.parametrize(
    ("value", "base", "nobody_typed_it"),
    [
        (None, None, True),
        (UNKNOWN, None, True),
        (None, UNKNOWN, True),
        ("5", None, False),
        (None, "5", False),
    ],
)
def test_only_a_blank_that_was_never_a_value_cannot_be_chosen_while_a_write_is_in_doubt(
    value: Value, base: Value, *, nobody_typed_it: bool
) -> None:
    link = in_doubt(lead("l1", "1", URL), lead("l2", value))
    link = replace(link, base={**link.base, "l2": {KEY: base}})

    after = recover_intent(link, PLACEHOLDERS, now=0.0).link

    assert is_untyped(after, "Phone", "l2") is nobody_typed_it


def test_a_clearing_that_arrived_as_the_placeholder_is_adopted() -> None:
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": UNKNOWN}, {"Phone": "1"}, "1")
    agreed = {"p": AgreedValue(KEY, "phone", None), "l1": AgreedValue(KEY, "Phone", UNKNOWN)}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"l1"})),))
    link = Link("a@x.fr", contact(None), (lead("l1", UNKNOWN, URL),), intent=intent)

    recovery = recover_intent(link, PLACEHOLDERS, now=0.0)

    assert recovery.delivered == ("l1",)
    assert recovery.link.base == {"p": {KEY: None}, "l1": {KEY: UNKNOWN}}


def test_a_placeholder_that_any_new_lead_has_proves_nothing() -> None:
    intent = creation(RecordKind.LEAD, Phone=UNKNOWN, Title="CMO")
    other = with_values(lead("l1", UNKNOWN), Title="CEO")
    link = Link("a@x.fr", plezi=contact(None), salesforce=(other,), intent=intent)

    assert not recover_intent(link, PLACEHOLDERS, now=0.0).held


def test_a_creation_with_our_proof_arrived_completely() -> None:
    """The page address is what only we write: the phone was typed later."""
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    link = Link("a@x.fr", plezi=contact("1"), salesforce=(lead("l1", "9", URL),), intent=intent)

    recovery = recover_intent(link, BOUND, now=0.0)

    assert recovery.delivered == ("l1",)
    assert recovery.written == {"l1": intent.writes[0]}
    assert recovery.link.base == {"p": {KEY: "1"}, "l1": {KEY: "1"}}


def test_a_lead_without_the_page_address_is_somebody_elses() -> None:
    """It has our phone nevertheless: the records meet for the first time."""
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    link = Link("a@x.fr", plezi=contact("1"), salesforce=(lead("l1", "1"),), intent=intent)

    assert recover_intent(link, BOUND, now=0.0) == Recovery(replace(link, intent=None, dirty=True))


def test_a_creation_that_left_no_record_did_not_arrive() -> None:
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    link = Link("a@x.fr", plezi=contact("1"), intent=intent)

    assert recover_intent(link, BOUND, now=0.0) == Recovery(replace(link, intent=None, dirty=True))


def test_a_contact_with_our_values_is_the_one_that_we_created() -> None:
    intent = creation(RecordKind.PLEZI_CONTACT, phone="1", email="a@x.fr")
    plezi = replace(contact("1"), values={"phone": "1", "email": "a@x.fr"})
    email = BoundPair(
        EMAIL_PAIR,
        {
            RecordKind.PLEZI_CONTACT: Field("email", FieldKind.EMAIL),
            RecordKind.LEAD: Field("Email", FieldKind.EMAIL),
        },
    )
    bound = BoundMapping(BOUND.config, (*BOUND.pairs, email), ())
    link = Link("a@x.fr", plezi=plezi, salesforce=(lead("l1", "1"),), intent=intent)

    recovery = recover_intent(link, bound, now=0.0)

    assert recovery.delivered == ("p",)
    assert recovery.link.base == {"p": {KEY: "1"}, "l1": {KEY: "1"}}

    # Every contact of this person has the e-mail: it alone proves nothing.
    other = replace(plezi, values={"phone": "9", "email": "a@x.fr"})
    assert recover_intent(replace(link, plezi=other), bound, now=0.0) == Recovery(
        replace(link, plezi=other, intent=None, dirty=True)
    )


def test_an_unticked_box_that_any_new_contact_has_proves_nothing() -> None:
    intent = creation(RecordKind.PLEZI_CONTACT, phone="1", optout=False)
    plezi = replace(contact("9"), values={"phone": "9", "optout": False})
    bound = BoundMapping(BOUND.config, (*BOUND.pairs, OPT_OUT), ())
    link = Link("a@x.fr", plezi=plezi, salesforce=(lead("l1", "1"),), intent=intent)

    assert not recover_intent(link, bound, now=0.0).held


@pytest.mark.parametrize(("url", "is_ours"), [(URL, True), (None, False)])
def test_a_lead_that_arrived_has_the_opt_out_that_it_was_created_without(
    url: Value, *, is_ours: bool
) -> None:
    """An opt-out that is ticked there before a run reads the Lead is an edit then."""
    key = "optout>optout__c"
    unsent = BaseUpdate(
        "optout__c",
        {"": AgreedValue(key, "optout__c", None)},
        frozenset({""}),
        rule=MergeRule.AGREED,
    )
    intent = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    intent = replace(intent, base_updates=(*intent.base_updates, unsent))
    link = Link("a@x.fr", plezi=contact("1"), salesforce=(lead("l1", "1", url),), intent=intent)

    base = recover_intent(link, BOUND, now=0.0).link.base

    assert base.get("l1", {}) == ({KEY: "1", key: None} if is_ours else {})


def two_leads(first: str, second: str) -> Link:
    """Return a link whose writes of the phone 2 over 1 to two Leads had no response."""
    writes = tuple(
        Write(RecordKind.LEAD, record, "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, "1")
        for record in ("l1", "l2")
    )
    agreed = {
        "p": AgreedValue(KEY, "phone", "2"),
        "l1": AgreedValue(KEY, "Phone", "2"),
        "l2": AgreedValue(KEY, "Phone", "2"),
    }
    update = BaseUpdate("Phone", agreed, frozenset({"l1", "l2"}))
    return Link(
        "a@x.fr",
        contact("2"),
        (lead("l1", first, URL), lead("l2", second)),
        {record: {KEY: "1"} for record in ("p", "l1", "l2")},
        intent=Intent("i", "r", 0.0, writes, (update,)),
        holds={"Phone": Hold(HoldReason.CONFLICT, 0.0, {"p": "2", "l1": "1"}, chosen="p")},
    )


@pytest.mark.parametrize("former", [{KEY: "1"}, {}, None])
def test_a_lead_that_a_write_did_not_reach_takes_the_agreed_value_later(
    former: dict[str, Value] | None,
) -> None:
    """What it had before is outdated."""
    link = two_leads("2", "1")
    base = {record: values for record, values in link.base.items() if record != "l2"}
    link = replace(link, base=base if former is None else {**base, "l2": former})

    recovery = recover_intent(link, BOUND, now=0.0)

    assert recovery.delivered == ("l1",)
    assert {record: it for record, it in recovery.link.base.items() if it} == {
        "p": {KEY: "2"},
        "l1": {KEY: "2"},
        "l2": {f"{OUTDATED}{KEY}": "1"},
    }
    assert not recovery.link.holds


def test_a_decision_is_carried_out_when_each_of_its_writes_arrived() -> None:
    recovery = recover_intent(two_leads("2", "2"), BOUND, now=0.0)

    assert recovery.delivered == ("l1", "l2")
    assert "Fax" not in recovery.link.holds


def test_what_is_typed_in_a_lead_that_was_written_before_a_lost_creation_is_an_edit() -> None:
    """The second Lead got the phone of the first one; the creation in Plezi had no response."""
    create = Write(RecordKind.PLEZI_CONTACT, "", "a@x.fr", {"phone": "2"})
    to_lead = Write(RecordKind.LEAD, "l2", "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, "1")
    agreed = {
        "": AgreedValue(KEY, "phone", "2"),
        "l1": AgreedValue(KEY, "Phone", "2"),
        "l2": AgreedValue(KEY, "Phone", "2"),
    }
    update = BaseUpdate("Phone", agreed, frozenset({"", "l2"}))
    intent = Intent("i", "r", 0.0, (create, to_lead), (update,))
    link = Link("a@x.fr", salesforce=(lead("l1", "2"), lead("l2", "1")), intent=intent)
    outcomes = {
        "": WriteOutcome(create, WriteResult.UNKNOWN),
        "l2": WriteOutcome(to_lead, WriteResult.DONE, "l2", 2.0),
    }
    link = record_outcomes(link, "i", outcomes, unchanged_since_intent=True, now=2.0)
    link = replace(link, plezi=contact("2")).with_observation(lead("l2", "9", URL))

    recovery = recover_intent(link, BOUND, now=3.0)

    assert recovery.link.base == {record: {KEY: "2"} for record in ("p", "l1", "l2")}
    plan = plan_link(recovery.link, BOUND, now=3.0)
    phones = {it.record_id: it.values.get("phone", it.values.get("Phone")) for it in plan.writes}
    assert phones == {"p": "9", "l1": "9"}


@pytest.mark.parametrize("title_first", [False, True])
def test_a_value_that_has_reached_one_system_only_is_no_agreement_and_stops_no_other(
    *, title_first: bool
) -> None:
    """The phone of the first Lead has reached the second one, and not Plezi."""
    link = with_function("1", "CMO", title_first=title_first)
    assert link.intent is not None
    to_lead = Write(RecordKind.LEAD, "l2", "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, "1")
    phones = {
        "p": AgreedValue(KEY, "phone", "2"),
        "l1": AgreedValue(KEY, "Phone", "2"),
        "l2": AgreedValue(KEY, "Phone", "2"),
    }
    phone = BaseUpdate("Phone", phones, frozenset({"p", "l2"}))
    intent = replace(
        link.intent,
        writes=(*link.intent.writes, to_lead),
        base_updates=(TITLES, phone) if title_first else (phone, TITLES),
    )
    waiting = frozenset({("l1", "mobile>MobilePhone")})
    link = replace(
        link,
        salesforce=(lead("l1", "2", URL), lead("l2", "2", version="2")),
        intent=intent,
        undelivered=waiting,
    )

    after = recover_intent(link, BOUND, now=0.0).link

    assert after.undelivered == {*waiting, ("l1", KEY), ("l2", KEY)}
    assert after.base == {
        "p": {KEY: "1", "function>Title": "CMO"},
        "l1": {KEY: "1", "function>Title": "CMO", f"{REACHED}{KEY}": "2"},
        "l2": {f"{REACHED}{KEY}": "2"},
    }


def test_a_value_of_a_hold_that_is_typed_again_after_an_edit_had_ended_it_is_an_edit() -> None:
    """The Lead has again what the write had replaced: the later of the two edits wins."""
    hold = Hold(HoldReason.CONFLICT, 0.0, {"p": "2", "l1": "1"})
    writes = (
        Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": "5"}, {"Phone": "4"}, "1"),
        Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"function": "CEO"}, {"function": ""}, "1"),
    )
    agreed = {"p": AgreedValue(KEY, "phone", "5"), "l1": AgreedValue(KEY, "Phone", "5")}
    update = BaseUpdate("Phone", agreed, frozenset({"l1"}))
    link = Link(
        "a@x.fr",
        replace(contact("2"), modified="t2"),
        (replace(lead("l1", "4", URL, version="2"), modified="t1"),),
        intent=Intent("i", "r", 0.0, writes, (update,)),
        holds={"Phone": hold},
    )

    recovery = recover_intent(link, BOUND, now=0.0)

    plan = plan_link(recovery.link, BOUND, now=0.0, repeated=recovery.repeated)
    assert [(it.record_id, dict(it.values)) for it in plan.writes] == [("l1", {"Phone": "2"})]
