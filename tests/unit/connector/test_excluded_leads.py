"""The base of a Lead that takes no part while the other records agree on another value."""

from __future__ import annotations

from dataclasses import replace

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
from connector.model import Hold, HoldReason, Link, Observation, RecordKind, Value
from connector.planning.excluded_leads import (
    FOUND,
    OUTDATED,
    SHOWN,
    UNSEEN,
    agree_base,
    agreed_fields,
    invalidate_base,
    note_unseen,
    outdate_base,
    pair_key,
)
from connector.planning.plan import plan_link

FIELDS = {
    RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
    RecordKind.LEAD: Field("Phone", FieldKind.TEXT),
    RecordKind.CONTACT: Field("Phone", FieldKind.TEXT),
}
PAIR = FieldPair("phone", "Phone", Direction.BOTH, contact="Phone")
BOUND = BoundMapping(
    MappingConfig(1, (PAIR,), None, duplicates=DuplicatePolicy.MIRROR),
    (BoundPair(PAIR, FIELDS),),
    (),
)

KEY = "phone>Phone"


def observed(kind: RecordKind, record_id: str, value: Value) -> Observation:
    return Observation(kind, record_id, "a@x.fr", "1", "", 0.0, {FIELDS[kind].name: value})


def planned_without(lead: Value, *, agreed: Value = "3", **changes: object) -> Link:
    """Plan a link of two records with one value and a deleted Lead; all three had agreed on 1."""
    deleted = replace(observed(RecordKind.LEAD, "l", lead), deleted=True)
    link = Link(
        "a@x.fr",
        plezi=observed(RecordKind.PLEZI_CONTACT, "p", agreed),
        salesforce=(observed(RecordKind.CONTACT, "c", agreed), deleted),
        base={"p": {KEY: "1"}, "c": {KEY: "1"}, "l": {KEY: "1"}},
    )
    return plan_link(replace(link, **changes), BOUND, now=0.0).link  # type: ignore[arg-type]


def test_a_lead_with_the_former_value_loses_its_base() -> None:
    assert KEY not in planned_without("1").base.get("l", {})


@pytest.mark.parametrize(("lead", "unseen"), [("2", True), ("3", False), (None, True)])
def test_an_edited_lead_gets_the_agreed_value_as_base_so_that_its_value_stays_an_edit(
    lead: Value, *, unseen: bool
) -> None:
    """A later change back to 1 is an edit too: only this base shows it."""
    marked = {f"{UNSEEN}{KEY}": True} if unseen else {}
    assert planned_without(lead).base["l"] == {KEY: "3", **marked}


@pytest.mark.parametrize("lead", ["2", None])
@pytest.mark.parametrize(
    ("policy", "winner"),
    [
        (ConflictPolicy.PLEZI_WINS, "3"),
        (ConflictPolicy.SALESFORCE_WINS, "lead"),
        (ConflictPolicy.HOLD, ""),
    ],
)
def test_an_edit_and_what_was_agreed_without_it_are_a_conflict_when_the_lead_is_back(
    policy: ConflictPolicy, winner: str, lead: Value
) -> None:
    link = planned_without(lead)
    back = observed(RecordKind.LEAD, "l", lead)
    contact = replace(link.salesforce[0], deleted=True)
    pair = replace(PAIR, policy=policy)
    bound = BoundMapping(MappingConfig(1, (pair,), None), (BoundPair(pair, FIELDS),), ())

    plan = plan_link(replace(link, salesforce=(contact, back)), bound, now=0.0)

    if winner == "3":
        assert [(it.record_id, it.values["Phone"]) for it in plan.writes] == [("l", "3")]
        assert [(it.record_id, it.value) for it in plan.overwritten] == [("l", lead)]
    elif winner == "lead":
        assert [(it.record_id, it.values["phone"]) for it in plan.writes] == [("p", lead)]
        assert [(it.record_id, it.value) for it in plan.overwritten] == [("p", "3")]
    else:
        assert (plan.writes, plan.held) == ((), (pair.key,))
    if plan.writes:
        assert all(it.unseen == {} for it in plan.base_updates)


def bound_by(policy: ConflictPolicy, direction: Direction = Direction.BOTH) -> BoundMapping:
    pair = replace(PAIR, policy=policy, direction=direction)
    config = MappingConfig(1, (pair,), None, duplicates=DuplicatePolicy.MIRROR)
    return BoundMapping(config, (BoundPair(pair, FIELDS),), ())


def records_of(
    plezi: tuple[Value, dict[str, Value]], *leads: tuple[Value, dict[str, Value]]
) -> Link:
    """Return a link of Plezi's contact and some Leads: the value and the base of each."""
    shown = {f"l{number}": lead for number, lead in enumerate(leads)}
    return Link(
        "a@x.fr",
        plezi=observed(RecordKind.PLEZI_CONTACT, "p", plezi[0]),
        salesforce=tuple(
            replace(observed(RecordKind.LEAD, record, value), modified=f"2026-0{number + 1}")
            for number, (record, (value, _)) in enumerate(shown.items())
        ),
        base={"p": plezi[1], **{record: base for record, (_, base) in shown.items()}},
    )


def written(link: Link, bound: BoundMapping) -> dict[str, Value]:
    """Return the value that is written to each record."""
    plan = plan_link(link, bound, now=0.0)
    return {it.record_id: next(iter(it.values.values())) for it in plan.writes}


@pytest.mark.parametrize(("lead", "expected"), [("1", {"l0": "3"}), ("2", {"p": "2"})])
def test_a_lead_that_is_back_with_its_outdated_value_takes_the_agreed_one(
    lead: Value, expected: dict[str, Value]
) -> None:
    link = records_of(("3", {KEY: "3"}), (lead, {f"{OUTDATED}{KEY}": "1"}))
    assert written(link, bound_by(ConflictPolicy.SALESFORCE_WINS)) == expected


@pytest.mark.parametrize(
    ("agreed", "policy", "expected", "lost"),
    [
        (None, ConflictPolicy.SALESFORCE_WINS, {"p": "2"}, {"p": None}),
        (None, ConflictPolicy.PLEZI_WINS, {"l0": None}, {"l0": "2"}),
        (None, ConflictPolicy.HOLD, {}, {}),
        ("3", ConflictPolicy.SALESFORCE_WINS, {"p": "2"}, {"p": "3"}),
        ("3", ConflictPolicy.PLEZI_WINS, {"l0": "3"}, {"l0": "2"}),
        ("3", ConflictPolicy.HOLD, {}, {}),
    ],
)
def test_what_was_typed_beside_an_agreement_that_did_not_arrive_is_in_conflict_with_it(
    agreed: Value, policy: ConflictPolicy, expected: dict[str, Value], lost: dict[str, Value]
) -> None:
    link = records_of((agreed, {KEY: agreed}), ("2", {f"{OUTDATED}{KEY}": "1"}))

    plan = plan_link(link, bound_by(policy), now=0.0)

    assert written(link, bound_by(policy)) == expected
    assert {it.record_id: it.value for it in plan.overwritten} == lost
    assert bool(plan.link.holds) == (policy is ConflictPolicy.HOLD)


def test_a_record_that_was_not_back_in_time_is_no_part_of_the_conflict() -> None:
    unseen: dict[str, Value] = {KEY: "3", f"{UNSEEN}{KEY}": True}
    typed_back = records_of(("4", {KEY: "3"}), ("3", unseen))
    with_a_new_lead = records_of(("3", {KEY: "3"}), ("2", unseen), ("9", {}))

    assert written(typed_back, bound_by(ConflictPolicy.HOLD)) == {"l0": "4"}
    wins = bound_by(ConflictPolicy.SALESFORCE_WINS)
    assert written(with_a_new_lead, wins) == {"p": "2", "l1": "2"}


def test_an_agreement_tells_which_leads_have_an_edit_that_it_has_not_seen() -> None:
    deleted = replace(observed(RecordKind.LEAD, "l", "2"), deleted=True)
    link = records_of(("1", {KEY: "1"}), ("3", {KEY: "1"}))
    link = replace(
        link, salesforce=(*link.salesforce, deleted), base={**link.base, "l": {KEY: "1"}}
    )

    [update] = plan_link(link, BOUND, now=0.0).base_updates

    assert update.unseen == {"l": KEY}


@pytest.mark.parametrize(("agreed", "expected"), [(None, {}), ("3", {"l1": "3"})])
def test_a_record_that_never_agreed_is_not_cleared_by_an_agreed_blank(
    agreed: Value, expected: dict[str, Value]
) -> None:
    link = records_of((agreed, {KEY: agreed}), (agreed, {KEY: agreed}), ("9", {}))
    one_way = bound_by(ConflictPolicy.NEWEST, Direction.TO_SALESFORCE)
    assert written(link, one_way) == expected


def test_a_ticked_checkbox_is_no_blank_for_a_record_that_never_agreed() -> None:
    fields = {kind: replace(field, kind=FieldKind.CHECKBOX) for kind, field in FIELDS.items()}
    pair = replace(PAIR, direction=Direction.TO_SALESFORCE)
    bound = BoundMapping(MappingConfig(1, (pair,), None), (BoundPair(pair, fields),), ())
    link = records_of((True, {KEY: True}), (True, {KEY: True}), (False, {}))
    assert written(link, bound) == {"l1": True}


def emails(plezi: Value, lead: Value, **base: Value) -> Link:
    """Return a link of which the contact agreed on an e-mail, and a Lead that never agreed."""
    contact = observed(RecordKind.PLEZI_CONTACT, "p", None)
    new = observed(RecordKind.LEAD, "l", None)
    return Link(
        "ana@x.fr",
        plezi=replace(contact, values={"email": plezi}),
        salesforce=(replace(new, values={"Email": lead}),),
        base={"p": dict(base)},
    )


@pytest.mark.parametrize(
    ("lead", "expected"),
    [("ANA@x.fr", {"l": "bob@x.fr"}), ("other@x.fr", {"p": "other@x.fr"})],
)
def test_a_record_that_was_found_by_the_agreed_e_mail_takes_the_next_one(
    lead: Value, expected: dict[str, Value]
) -> None:
    kinds = {RecordKind.PLEZI_CONTACT: "email", RecordKind.LEAD: "Email"}
    fields = {kind: Field(name, FieldKind.EMAIL) for kind, name in kinds.items()}
    pair = replace(EMAIL_PAIR, policy=ConflictPolicy.SALESFORCE_WINS)
    bound = BoundMapping(MappingConfig(1, (pair,), None), (BoundPair(pair, fields),), ())
    base: dict[str, Value] = {"email>Email": "ana@x.fr"}

    link = emails("bob@x.fr", lead, **base)
    assert written(link, bound) == expected
    if "l" in expected:
        [gone] = plan_link(link, bound, now=0.0).overwritten
        assert (gone.record_id, gone.value) == ("l", lead)


E_MAILS = {
    RecordKind.PLEZI_CONTACT: Field("email", FieldKind.EMAIL),
    RecordKind.LEAD: Field("Email", FieldKind.EMAIL),
    RecordKind.CONTACT: Field("Email", FieldKind.EMAIL),
}


def mapping_of_emails(policy: ConflictPolicy = ConflictPolicy.SALESFORCE_WINS) -> BoundMapping:
    """Return a mapping of the e-mail, in which a Lead beside another one takes no part."""
    pair = replace(EMAIL_PAIR, policy=policy)
    config = MappingConfig(1, (pair,), None, duplicates=DuplicatePolicy.SURVIVOR)
    return BoundMapping(config, (BoundPair(pair, E_MAILS),), ())


def with_email(kind: RecordKind, record_id: str, email: Value) -> Observation:
    record = replace(observed(kind, record_id, None), values={E_MAILS[kind].name: email})
    return replace(record, email=str(email or ""))


def renamed(*others: Observation) -> Link:
    """Return the link of a person whose e-mail was changed in Plezi, and is in the Lead as well."""
    key = "email>Email"
    link = Link(
        "bob@x.fr",
        plezi=with_email(RecordKind.PLEZI_CONTACT, "p", "bob@x.fr"),
        salesforce=(with_email(RecordKind.LEAD, "l", "ana@x.fr"), *others),
        base={"p": {key: "ana@x.fr"}, "l": {key: "ana@x.fr"}},
    )
    plan = plan_link(link, mapping_of_emails(), now=0.0)
    [write] = plan.writes
    assert (write.record_id, write.values) == ("l", {"Email": "bob@x.fr"})
    base = {record: dict(values) for record, values in plan.link.base.items()}
    agree_base(base, "p", key, "bob@x.fr")
    agree_base(base, "l", key, "bob@x.fr")
    done = plan.link.with_observation(with_email(RecordKind.LEAD, "l", "bob@x.fr"))
    return replace(done, base=base)


def test_a_lead_beside_the_primary_one_takes_the_e_mail_that_was_typed_while_it_took_no_part() -> (
    None
):
    link = renamed(with_email(RecordKind.LEAD, "l2", "Ana@x.fr"))
    assert link.base["l2"] == {f"{FOUND}email>Email": "Ana@x.fr"}
    assert agreed_fields(link, "l2") == 0  # it agreed on nothing

    alone = link.with_observation(with_email(RecordKind.LEAD, "l", None))
    assert written(alone, mapping_of_emails()) == {"l2": "bob@x.fr"}
    [gone] = plan_link(alone, mapping_of_emails(), now=0.0).overwritten
    assert (gone.record_id, gone.value) == ("l2", "Ana@x.fr")

    typed = alone.with_observation(with_email(RecordKind.LEAD, "l2", "cleo@x.fr"))
    assert written(typed, mapping_of_emails()) == {"p": "cleo@x.fr"}
    assert written(typed, mapping_of_emails(ConflictPolicy.PLEZI_WINS)) == {"l2": "bob@x.fr"}


def test_an_address_that_is_typed_as_the_agreed_one_takes_the_next_one_too() -> None:
    """The Lead beside the primary one was noted at the first change of the address."""
    link = renamed(with_email(RecordKind.LEAD, "l2", "ana@x.fr"))
    equal = link.with_observation(with_email(RecordKind.LEAD, "l2", "bob@x.fr"))
    again = with_email(RecordKind.PLEZI_CONTACT, "p", "cleo@x.fr")
    plan = plan_link(equal.with_observation(again), mapping_of_emails(), now=0.0)
    assert plan.link.base["l2"] == {f"{FOUND}email>Email": "bob@x.fr"}


def test_a_contact_outside_the_filter_takes_no_e_mail_back() -> None:
    contact = with_email(RecordKind.CONTACT, "c", "ana@x.fr")
    link = renamed(replace(contact, eligible=False))
    without_lead = link.with_observation(with_email(RecordKind.LEAD, "l", None))
    joined = without_lead.with_observation(contact)
    assert written(joined, mapping_of_emails()) == {}


@pytest.mark.parametrize("address", ["other@x.fr", None])
def test_only_a_record_that_was_found_by_the_address_is_noted(address: Value) -> None:
    link = renamed(with_email(RecordKind.LEAD, "l2", address))
    assert "l2" not in link.base


@pytest.mark.parametrize(
    ("plezi", "duplicates", "known"),
    [
        ("ana@x.fr", DuplicatePolicy.SURVIVOR, {}),
        ("bob@x.fr", DuplicatePolicy.MIRROR, {}),
        ("bob@x.fr", DuplicatePolicy.SURVIVOR, {f"{OUTDATED}email>Email": "former@x.fr"}),
    ],
    ids=["the address stays", "it takes part", "it agreed once"],
)
def test_no_address_is_noted_where(
    plezi: str, duplicates: DuplicatePolicy, known: dict[str, Value]
) -> None:
    key = "email>Email"
    link = Link(
        plezi,
        plezi=with_email(RecordKind.PLEZI_CONTACT, "p", plezi),
        salesforce=tuple(with_email(RecordKind.LEAD, it, "ana@x.fr") for it in ("l", "l2")),
        base={"p": {key: "ana@x.fr"}, "l": {key: "old@x.fr"}, "l2": known},
    )
    bound = mapping_of_emails()
    bound = replace(bound, config=replace(bound.config, duplicates=duplicates))
    assert plan_link(link, bound, now=0.0).link.base.get("l2", {}) == known


def test_an_agreement_ends_the_conflict_with_an_edit() -> None:
    base: dict[str, dict[str, Value]] = {"l": {KEY: "3"}}
    note_unseen(base, {"l": KEY, "unknown": KEY})
    assert base == {"l": {KEY: "3", f"{UNSEEN}{KEY}": True}}
    assert {pair_key(key) for key in base["l"]} == {KEY}

    agreed, outdated, invalid = ({"l": dict(base["l"])} for _ in range(3))
    agree_base(agreed, "l", KEY, "2")
    outdate_base(outdated, {"l": KEY})
    invalidate_base(invalid, {"l": KEY})
    assert agreed == {"l": {KEY: "2"}}
    assert outdated == {"l": {f"{OUTDATED}{KEY}": "3"}}
    assert invalid == {"l": {}}


def test_an_agreement_on_the_former_value_changes_no_base() -> None:
    assert planned_without("1", agreed="1").base["l"] == {KEY: "1"}


def test_the_base_of_an_excluded_lead_is_removed_after_a_write_in_doubt() -> None:
    hold = Hold(HoldReason.IN_DOUBT, 0.0, {"p": "1", "c": "1"})
    after = planned_without("2", agreed="1", holds={"Phone": hold})
    assert not after.holds
    assert "l" not in after.base


def test_a_lead_loses_its_base_when_the_others_clear_the_value() -> None:
    assert KEY not in planned_without("1", agreed=None).base.get("l", {})


def test_a_lead_loses_its_base_when_the_others_meet_a_contact_that_was_created_again() -> None:
    base = {"c": {KEY: "1"}, "l": {KEY: "1"}}

    assert KEY not in planned_without("1", base=base).base.get("l", {})


def test_a_lead_whose_field_was_not_read_loses_its_base() -> None:
    """Nothing shows that somebody typed in it."""
    unread = replace(observed(RecordKind.LEAD, "l", None), deleted=True, values={})
    contact = observed(RecordKind.CONTACT, "c", "3")

    assert KEY not in planned_without("1", salesforce=(contact, unread)).base.get("l", {})


def test_a_lead_with_the_agreed_value_does_not_keep_the_base_of_another_one() -> None:
    contact = observed(RecordKind.CONTACT, "c", "3")
    leads = [replace(observed(RecordKind.LEAD, it, "1"), deleted=True) for it in ("k", "l")]
    base = {"p": {KEY: "1"}, "c": {KEY: "1"}, "k": {KEY: "3"}, "l": {KEY: "1"}}

    after = planned_without("1", base=base, salesforce=(contact, *leads)).base

    assert after["k"] == {KEY: "3"}
    assert KEY not in after.get("l", {})


@pytest.mark.parametrize(
    ("base", "agreed", "after"),
    [
        ("[unknown]", None, {KEY: "[unknown]"}),
        ("[unknown]", "3", {f"{OUTDATED}{KEY}": "[unknown]"}),
        (None, "3", {f"{OUTDATED}{KEY}": None}),
    ],
)
def test_a_placeholder_in_an_excluded_lead_is_a_blank_that_nobody_typed(
    base: Value, agreed: Value, after: dict[str, Value]
) -> None:
    pair = replace(PAIR, placeholder="[unknown]")
    bound = replace(BOUND, pairs=(BoundPair(pair, FIELDS),))
    deleted = replace(observed(RecordKind.LEAD, "l", "[unknown]"), deleted=True)
    link = Link(
        "a@x.fr",
        plezi=observed(RecordKind.PLEZI_CONTACT, "p", agreed),
        salesforce=(observed(RecordKind.CONTACT, "c", agreed), deleted),
        base={"p": {KEY: "1"}, "c": {KEY: "1"}, "l": {KEY: base}},
    )

    assert plan_link(link, bound, now=0.0).link.base.get("l", {}) == after


def test_a_converted_lead_keeps_its_base_for_its_contact() -> None:
    link = planned_without("1")
    converted = replace(observed(RecordKind.LEAD, "l", "1"), converted=True)
    others = tuple(record for record in link.salesforce if record.id != "l")
    after = planned_without("1", salesforce=(*others, converted))
    assert after.base["l"] == {KEY: "1"}


# A Lead that a hold has shown, and that takes no part when the hold ends or goes on without it


def shown_link(lead: Value, *, plezi: Value = None, others: Value = "2") -> Link:
    """Return a link whose Lead was deleted after a hold had shown it; another Lead is left."""
    deleted = replace(observed(RecordKind.LEAD, "l", lead), deleted=True)
    return Link(
        "a@x.fr",
        plezi=observed(RecordKind.PLEZI_CONTACT, "p", plezi),
        salesforce=(observed(RecordKind.LEAD, "k", others), deleted),
        holds={PAIR.key: Hold(HoldReason.CONFLICT, 0.0, {"p": None, "k": "2", "l": "1"})},
        meeting=frozenset({KEY}),
    )


def with_lead_back(link: Link, lead: Value, agreed: Value, bound: BoundMapping) -> dict[str, Value]:
    """Return the writes when the Lead is back, and all others agreed on a value without it."""
    base = {**link.base, "p": {KEY: agreed}, "k": {KEY: agreed}}
    others = [observed(RecordKind.LEAD, "k", agreed), observed(RecordKind.LEAD, "l", lead)]
    plezi = observed(RecordKind.PLEZI_CONTACT, "p", agreed)
    back = replace(link, plezi=plezi, salesforce=tuple(others), base=base, holds={})
    return written(back, bound)


def test_what_is_typed_in_a_lead_after_a_hold_showed_it_is_an_edit_when_the_lead_is_back() -> None:
    plan = plan_link(shown_link("1"), BOUND, now=0.0)

    assert [(it.record_id, it.values["phone"]) for it in plan.writes] == [("p", "2")]
    assert plan.link.base["l"] == {f"{SHOWN}{KEY}": "1"}
    for policy in ConflictPolicy:
        if policy is not ConflictPolicy.FILL_BLANK:
            typed = with_lead_back(plan.link, "9", "2", bound_by(policy))
            assert typed == {"p": "9", "k": "9"}, policy


@pytest.mark.parametrize(("lead", "expected"), [("1", {"l": "2"}), ("2", {})])
def test_a_lead_that_is_back_as_a_hold_showed_it_joins_like_a_new_one(
    lead: Value, expected: dict[str, Value]
) -> None:
    link = plan_link(shown_link("1"), BOUND, now=0.0).link
    assert with_lead_back(link, lead, "2", bound_by(ConflictPolicy.SALESFORCE_WINS)) == expected
    alone = replace(link, base={"l": link.base["l"]}, holds={})
    never_agreed = replace(alone, salesforce=(observed(RecordKind.LEAD, "l", "1"),))
    with_plezi = replace(never_agreed, plezi=observed(RecordKind.PLEZI_CONTACT, "p", "5"))
    assert written(with_plezi, bound_by(ConflictPolicy.SALESFORCE_WINS)) == {"p": "1"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (ConflictPolicy.PLEZI_WINS, {"l": "3"}),
        (ConflictPolicy.SALESFORCE_WINS, {"p": "9", "k": "9"}),
        (ConflictPolicy.HOLD, {}),
    ],
)
def test_it_is_in_conflict_with_an_agreed_value_that_the_hold_did_not_show(
    policy: ConflictPolicy, expected: dict[str, Value]
) -> None:
    plan = plan_link(shown_link("1", plezi="3", others="3"), BOUND, now=0.0)
    assert plan.link.base["l"] == {f"{SHOWN}{KEY}": "1", f"{UNSEEN}{KEY}": True}
    assert with_lead_back(plan.link, "9", "3", bound_by(policy)) == expected


def test_it_is_in_conflict_with_what_is_agreed_after_the_hold() -> None:
    link = plan_link(shown_link("1"), BOUND, now=0.0).link
    agreed = replace(link, base={**link.base, "p": {KEY: "2"}, "k": {KEY: "2"}}, holds={})
    plezi = observed(RecordKind.PLEZI_CONTACT, "p", "3")

    [update] = plan_link(replace(agreed, plezi=plezi), BOUND, now=0.0).base_updates

    assert update.unseen == {"l": KEY}


def test_only_leads_that_take_no_part_and_never_agreed_are_noted_as_shown() -> None:
    link = shown_link("1")
    converted = replace(link.salesforce[1], deleted=False, converted=True, successor="c")
    repointed = {PAIR.key: replace(link.holds[PAIR.key], attribute="mobile")}
    for other in (
        replace(link, salesforce=(link.salesforce[0], converted)),
        replace(link, base={"l": {KEY: "1"}}),
        replace(link, holds=repointed),
        replace(link, holds={PAIR.key: Hold(HoldReason.CONFLICT, 0.0, {"p": None, "k": "2"})}),
    ):
        base = plan_link(other, BOUND, now=0.0).link.base
        assert f"{SHOWN}{KEY}" not in base.get("l", {})
        assert "k" not in base


def test_what_a_hold_showed_is_kept_where_the_hold_goes_on_without_the_lead() -> None:
    hold = Hold(HoldReason.CONFLICT, 0.0, {"p": "7", "k": "2", "l": "1"})
    link = replace(shown_link("1", plezi="7"), holds={PAIR.key: hold})

    after = plan_link(link, bound_by(ConflictPolicy.HOLD), now=0.0).link

    assert after.holds[PAIR.key].values == {"p": "7", "k": "2"}
    assert after.base["l"] == {f"{SHOWN}{KEY}": "1"}


def test_an_agreement_ends_what_a_hold_showed() -> None:
    base: dict[str, dict[str, Value]] = {"l": {f"{SHOWN}{KEY}": "1"}}
    note_unseen(base, {"l": KEY})
    assert base == {"l": {f"{SHOWN}{KEY}": "1", f"{UNSEEN}{KEY}": True}}
    assert {pair_key(key) for key in base["l"]} == {KEY}
    invalid = {"l": dict(base["l"])}
    invalidate_base(invalid, {"l": KEY})
    assert invalid == {"l": {}}
    agree_base(base, "l", KEY, "2")
    assert base == {"l": {KEY: "2"}}
