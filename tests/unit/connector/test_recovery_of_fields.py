"""The recovery of a write of several fields: each is recovered by itself."""

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
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Intent,
    Link,
    MergeRule,
    Observation,
    RecordKind,
    Value,
    Write,
)
from connector.planning.excluded_leads import OUTDATED, REACHED, UNSEEN
from connector.planning.manual_actions import is_untyped
from connector.planning.plan import plan_link
from connector.planning.recovery import Recovery, recover_intent
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from tests.unit.connector.unfinished_writes import (
    BOUND,
    KEY,
    PAIRS,
    TITLE,
    URL,
    contact,
    creation,
    in_doubt,
    lead,
    two_leads,
    unfinished,
    with_values,
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


def test_a_choice_between_the_values_of_a_hold_stays_though_an_edit_had_ended_it() -> None:
    """A process ended before it wrote the edit, and the user took it back: an admin chose then."""
    chosen = Hold(HoldReason.CONFLICT, 0.0, {"p": "2", "l1": "1"}, chosen="l1")
    write = Write(RecordKind.LEAD, "l1", "a@x.fr", {"Phone": "5"}, {"Phone": "1"}, "1")
    agreed = {"p": AgreedValue(KEY, "phone", "5"), "l1": AgreedValue(KEY, "Phone", "5")}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"l1"})),))
    link = Link("a@x.fr", contact("2"), (lead("l1", "1", URL),), intent=intent)

    after = recover_intent(replace(link, holds={"Phone": chosen}), BOUND, now=0.0).link

    assert after.holds == {"Phone": chosen}
    assert [dict(it.values) for it in plan_link(after, BOUND, now=0.0).writes] == [{"phone": "1"}]


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
