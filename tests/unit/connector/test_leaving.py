"""What becomes of what a Lead agreed to that is away while the others agree on something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import (
    BoundLine,
    BoundMapping,
    Direction,
    Duplicates,
    Field,
    FieldKind,
    FieldMapping,
    Line,
)
from connector.model import Hold, Kind, Link, Observation, Value
from connector.plan import plan
from connector.plan.planning import IN_DOUBT

FIELDS = {
    Kind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
    Kind.LEAD: Field("Phone", FieldKind.TEXT),
    Kind.CONTACT: Field("Phone", FieldKind.TEXT),
}
LINE = Line("phone", "Phone", Direction.BOTH, contact="Phone")
BOUND = BoundMapping(
    FieldMapping(1, (LINE,), None, duplicates=Duplicates.MIRROR), (BoundLine(LINE, FIELDS),), ()
)


def says(kind: Kind, record: str, word: Value) -> Observation:
    return Observation(kind, record, "a@x.fr", "1", "", 0.0, {FIELDS[kind].name: word})


def agreed_without(lead: Value, *, word: Value = "3", **changes: object) -> Link:
    """Plan for two that say one word, beside a deleted Lead; all three had agreed on 1."""
    away = replace(says(Kind.LEAD, "l", lead), deleted=True)
    link = Link(
        "a@x.fr",
        plezi=says(Kind.PLEZI_CONTACT, "p", word),
        salesforce=(says(Kind.CONTACT, "c", word), away),
        base={"p": {"phone": "1"}, "c": {"Phone": "1"}, "l": {"Phone": "1"}},
    )
    return plan(replace(link, **changes), BOUND, now=0.0).link  # type: ignore[arg-type]


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
    hold = Hold(IN_DOUBT, 0.0, {"p": "1", "c": "1"})
    after = agreed_without("2", word="1", holds={"Phone": hold})
    assert not after.holds
    assert "l" not in after.base


def test_a_converted_lead_keeps_it_for_its_contact() -> None:
    link = agreed_without("1")
    gone = replace(says(Kind.LEAD, "l", "1"), converted=True)
    others = tuple(it for it in link.salesforce if it.id != "l")
    after = agreed_without("1", salesforce=(*others, gone))
    assert after.base["l"] == {"Phone": "1"}
