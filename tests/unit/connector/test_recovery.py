"""What is believed of a write whose answer nobody heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
)
from connector.model import BaseUpdate, Intent, Link, Observation, RecordKind, Value, Write
from connector.planning.plan import plan_link
from connector.planning.recovery import recover_intent

URL = "https://app.plezi.co/contacts/p"
LINES = (
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
BOUND = BoundMapping(MappingConfig(0, tuple(it.pair for it in LINES), None), LINES, ())


def person(phone: Value) -> Observation:
    return Observation(
        RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": phone, "url": URL}
    )


def lead(record: str, phone: Value, url: Value = None, version: str = "1") -> Observation:
    values = {"Phone": phone, "plezi_url__c": url}
    return Observation(RecordKind.LEAD, record, "a@x.fr", version, "", 1.0, values)


def creation(kind: RecordKind, **values: Value) -> Intent:
    write = Write(kind, "", "a@x.fr", values)
    words = {"": ("Phone", "1"), "p": ("phone", "1")}
    if kind is RecordKind.PLEZI_CONTACT:
        words = {"": ("phone", "1"), "l1": ("Phone", "1")}
    return Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", words, frozenset({""})),))


@pytest.mark.parametrize("cleared", [None, "9"])
def test_what_was_typed_in_a_lead_that_we_created_is_an_edit(cleared: Value) -> None:
    made = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    link = Link("a@x.fr", plezi=person("1"), salesforce=(lead("l1", cleared, URL),), intent=made)

    judged = recover_intent(link, BOUND, now=0.0)

    assert not judged.held
    [write] = plan_link(judged.link, BOUND, now=0.0).writes
    assert (write.kind, dict(write.values)) == (RecordKind.PLEZI_CONTACT, {"phone": cleared})


def test_our_lead_is_known_beside_one_that_somebody_made_at_the_same_time() -> None:
    made = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    leads = (lead("l1", "1"), lead("l2", "9", URL))
    link = Link("a@x.fr", plezi=person("1"), salesforce=leads, intent=made)

    assert recover_intent(link, BOUND, now=0.0).link.base["l2"] == {"Phone": "1"}


@pytest.mark.parametrize("gone", ["converted", "deleted"])
def test_our_lead_is_known_though_it_was_converted_or_deleted_since(gone: str) -> None:
    made = creation(RecordKind.LEAD, Phone="1", plezi_url__c=URL)
    ours = replace(lead("l1", "1", URL), **{gone: True})  # type: ignore[arg-type]  # two flags
    link = Link("a@x.fr", plezi=person("1"), salesforce=(ours,), intent=made)

    assert recover_intent(link, BOUND, now=0.0).link.base == {
        "p": {"phone": "1"},
        "l1": {"Phone": "1"},
    }


def test_what_differs_in_a_contact_that_may_be_ours_is_held() -> None:
    made = creation(RecordKind.PLEZI_CONTACT, phone="1")
    link = Link("a@x.fr", plezi=person(None), salesforce=(lead("l1", "1"),), intent=made)

    judged = recover_intent(link, BOUND, now=0.0)

    assert judged.held == ("Phone",)
    writes = plan_link(judged.link, BOUND, now=0.0).writes
    assert all("phone" not in it.values and "Phone" not in it.values for it in writes)


def test_of_two_writes_of_which_one_arrived_the_other_record_takes_the_value_later() -> None:
    writes = (
        Write(RecordKind.LEAD, "l2", "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, "1"),
        Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "1"),
    )
    words = {"p": ("phone", "2"), "l1": ("Phone", "2"), "l2": ("Phone", "2")}
    intent = Intent("i", "r", 0.0, writes, (BaseUpdate("Phone", words, frozenset({"p", "l2"})),))
    link = Link(
        "a@x.fr",
        plezi=person("1"),
        salesforce=(lead("l1", "2", URL), lead("l2", "2", version="2")),
        base={"p": {"phone": "1"}, "l1": {"Phone": "1"}, "l2": {"Phone": "1"}},
        intent=intent,
    )

    after = recover_intent(link, BOUND, now=0.0).link

    assert after.base == {"p": {}, "l1": {"Phone": "2"}, "l2": {"Phone": "2"}}
    [write] = plan_link(after, BOUND, now=0.0).writes
    assert (write.record_id, dict(write.values)) == ("p", {"phone": "2"})


@pytest.mark.parametrize(("says", "kept"), [("2", False), ("1", True)])
def test_who_was_left_behind_has_agreed_to_nothing_once_the_write_arrived(
    says: str, *, kept: bool
) -> None:
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "1")
    words = {"p": ("phone", "2"), "l1": ("Phone", "2")}
    settlement = BaseUpdate("Phone", words, frozenset({"p"}), invalidated={"l2": "Phone"})
    link = Link(
        "a@x.fr",
        plezi=person(says),
        salesforce=(lead("l1", "2", URL), replace(lead("l2", "1"), deleted=True)),
        base={"p": {"phone": "1"}, "l1": {"Phone": "1"}, "l2": {"Phone": "1"}},
        intent=Intent("i", "r", 0.0, (write,), (settlement,)),
    )

    after = recover_intent(link, BOUND, now=0.0).link

    assert ("Phone" in after.base["l2"]) is kept


@pytest.mark.parametrize(("version", "held"), [("1", ()), ("", ("Phone",))])
def test_a_side_without_versions_cannot_show_that_nobody_moved(
    version: str, held: tuple[str, ...]
) -> None:
    """Somebody may have typed the old word again after our write arrived."""
    contact = Observation(
        RecordKind.PLEZI_CONTACT, "p", "a@x.fr", version, "", 1.0, {"phone": "1", "url": URL}
    )
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, version)
    settlement = BaseUpdate("Phone", {"p": ("phone", "2"), "l1": ("Phone", "2")}, frozenset({"p"}))
    link = Link(
        "a@x.fr",
        plezi=contact,
        salesforce=(lead("l1", "2", URL),),
        base={"p": {"phone": "1"}, "l1": {"Phone": "1"}},
        intent=Intent("i", "r", 0.0, (write,), (settlement,)),
    )

    assert recover_intent(link, BOUND, now=0.0).held == held


@pytest.mark.parametrize("without", ["phone", "Phone"])
def test_a_field_that_was_not_read_is_unknown_and_never_taken_for_a_cleared_one(
    without: str,
) -> None:
    contact, known = person("1"), lead("l1", "1", URL)
    link = Link(
        "a@x.fr",
        plezi=replace(contact, values={n: v for n, v in contact.values.items() if n != without}),
        salesforce=(
            replace(known, values={n: v for n, v in known.values.items() if n != without}),
        ),
        base={"p": {"phone": "1", "url": URL}, "l1": {"Phone": "1", "plezi_url__c": URL}},
    )

    assert plan_link(link, BOUND, now=0.0).writes == ()


def test_a_lead_that_is_gone_cannot_show_that_our_write_never_arrived() -> None:
    """What is held of it may be older than that write, and somebody may undelete it."""
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, version="1")
    words = {"p": ("phone", "2"), "l1": ("Phone", "2")}
    told = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", words, frozenset({"l1"})),))
    base = {"p": {"phone": "1"}, "l1": {"Phone": "1"}}
    gone = replace(lead("l1", "1", URL), deleted=True)
    link = Link("a@x.fr", plezi=person("1"), salesforce=(gone,), base=base, intent=told)

    judged = recover_intent(link, BOUND, now=0.0)

    assert judged.held == ("Phone",)
    back = replace(judged.link, salesforce=(lead("l1", "2", URL, version="3"),))
    assert not plan_link(back, BOUND, now=0.0).writes
