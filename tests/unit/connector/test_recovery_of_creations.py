"""The recovery of a creation whose response was lost: what proves that it arrived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    Field,
    FieldKind,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Link,
    MergeRule,
    RecordKind,
    Value,
)
from connector.planning.plan import plan_link
from connector.planning.recovery import Recovery, recover_intent
from tests.unit.connector.unfinished_writes import (
    BOUND,
    KEY,
    OPT_OUT,
    URL,
    contact,
    creation,
    lead,
    with_values,
)


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
