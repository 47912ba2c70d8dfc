"""The base of a Lead that takes no part while the other records agree on another value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    Direction,
    DuplicatePolicy,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
)
from connector.model import Hold, HoldReason, Link, Observation, RecordKind, Value
from connector.planning.excluded_leads import OUTDATED
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


@pytest.mark.parametrize("lead", ["2", "3", None])
def test_an_edited_lead_gets_the_agreed_value_as_base_so_that_its_value_stays_an_edit(
    lead: Value,
) -> None:
    """A later change back to 1 is an edit too: only this base shows it."""
    assert planned_without(lead).base["l"] == {KEY: "3"}


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
