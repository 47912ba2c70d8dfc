"""The recovery of writes whose response was lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import (
    BoundMapping,
    MappingConfig,
)
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
from connector.planning.excluded_leads import REACHED
from connector.planning.manual_actions import choose_value, is_untyped
from connector.planning.plan import plan_link
from connector.planning.recovery import recover_intent
from tests.unit.connector.unfinished_writes import (
    BOUND,
    KEY,
    PAIRS,
    URL,
    contact,
    in_doubt,
    lead,
)


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
