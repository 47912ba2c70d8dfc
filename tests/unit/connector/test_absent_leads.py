"""What becomes of what a Lead agreed to that is away while the others agree on something else."""

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
from connector.planning.plan import plan_link

FIELDS = {
    RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
    RecordKind.LEAD: Field("Phone", FieldKind.TEXT),
    RecordKind.CONTACT: Field("Phone", FieldKind.TEXT),
}
LINE = FieldPair("phone", "Phone", Direction.BOTH, contact="Phone")
BOUND = BoundMapping(
    MappingConfig(1, (LINE,), None, duplicates=DuplicatePolicy.MIRROR),
    (BoundPair(LINE, FIELDS),),
    (),
)


def says(kind: RecordKind, record: str, word: Value) -> Observation:
    return Observation(kind, record, "a@x.fr", "1", "", 0.0, {FIELDS[kind].name: word})


def agreed_without(lead: Value, *, word: Value = "3", **changes: object) -> Link:
    """Plan for two that say one word, beside a deleted Lead; all three had agreed on 1."""
    away = replace(says(RecordKind.LEAD, "l", lead), deleted=True)
    link = Link(
        "a@x.fr",
        plezi=says(RecordKind.PLEZI_CONTACT, "p", word),
        salesforce=(says(RecordKind.CONTACT, "c", word), away),
        base={"p": {"phone": "1"}, "c": {"Phone": "1"}, "l": {"Phone": "1"}},
    )
    return plan_link(replace(link, **changes), BOUND, now=0.0).link  # type: ignore[arg-type]


def test_it_has_agreed_to_nothing_where_it_still_says_what_was() -> None:
    assert "Phone" not in agreed_without("1").base.get("l", {})


@pytest.mark.parametrize("lead", ["2", "3", None])
def test_its_edit_stays_one_against_what_it_missed_and_so_does_what_is_typed_over_it(
    lead: Value,
) -> None:
    """Back to 1 is an edit too: only by what it missed is that seen."""
    assert agreed_without(lead).base["l"] == {"Phone": "3"}


def test_what_all_had_agreed_on_already_ends_nothing() -> None:
    assert agreed_without("1", word="1").base["l"] == {"Phone": "1"}


def test_nobody_knows_what_it_agreed_to_while_a_write_is_in_doubt() -> None:
    hold = Hold(HoldReason.IN_DOUBT, 0.0, {"p": "1", "c": "1"})
    after = agreed_without("2", word="1", holds={"Phone": hold})
    assert not after.holds
    assert "l" not in after.base


def test_a_converted_lead_keeps_it_for_its_contact() -> None:
    link = agreed_without("1")
    gone = replace(says(RecordKind.LEAD, "l", "1"), converted=True)
    others = tuple(it for it in link.salesforce if it.id != "l")
    after = agreed_without("1", salesforce=(*others, gone))
    assert after.base["l"] == {"Phone": "1"}
