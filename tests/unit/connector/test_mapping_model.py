"""The directions of a pair, the filters, and the name of a pair in the base of a record."""

from __future__ import annotations

from typing import Final

import pytest

from connector.mapping import ConflictPolicy, Direction, FieldPair, Filter, Operator, ValuePair
from connector.model import RecordKind, Side, Value

EQUALS, NOT_EQUALS, IN = Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN
PAIR: Final = FieldPair("phone", "Phone", Direction.TO_PLEZI, contact="HomePhone")


@pytest.mark.parametrize(
    ("direction", "sends", "receives"),
    [
        (Direction.BOTH, set(Side), set(Side)),
        (Direction.TO_PLEZI, {Side.SALESFORCE}, {Side.PLEZI}),
        (Direction.TO_SALESFORCE, {Side.PLEZI}, {Side.SALESFORCE}),
        (Direction.OFF, set(), set()),
    ],
)
def test_each_direction_has_its_sources_and_targets(
    direction: Direction, sends: set[Side], receives: set[Side]
) -> None:
    assert {side for side in Side if direction.can_send(side)} == sends
    assert {side for side in Side if direction.can_receive(side)} == receives


@pytest.mark.parametrize(
    ("operator", "wanted", "accepted", "refused"),
    [
        (EQUALS, "yes", (True, "yes", "YES", " yes ", "1", 1, "oui", "true"), (False, None, "y")),
        (EQUALS, "oui", (True, "Yes"), (False, "non")),
        (EQUALS, "1", (True, 1.0, "oui"), (False, 0, "2")),
        (EQUALS, "True", (True, "yes"), (False, "")),
        (EQUALS, "no", (False, "No", "0", 0, "false"), (True, None, "", "non")),
        (EQUALS, "0", (False, "no"), (True, "1")),
        (EQUALS, "", (None, "", " "), (False, "no")),
        (EQUALS, "Straße", ("STRASSE",), ("Strase",)),
        (IN, "hot, Warm ,oui", ("HOT", "warm", True), ("cold", "hot, warm", None)),
        (NOT_EQUALS, "hot, no", ("warm", True, None), ("Hot", False, "0")),
    ],
)
def test_a_filter_accepts_a_value_in_each_of_its_spellings(
    operator: Operator, wanted: str, accepted: tuple[Value, ...], refused: tuple[Value, ...]
) -> None:
    condition = Filter("Rating", operator, wanted)

    assert [value for value in (*accepted, *refused) if condition.accepts(value)] == [*accepted]


def test_the_base_of_a_contact_names_the_field_of_the_contact() -> None:
    assert {kind: PAIR.base_key(kind) for kind in RecordKind} == {
        RecordKind.PLEZI_CONTACT: "phone>Phone",
        RecordKind.LEAD: "phone>Phone",
        RecordKind.CONTACT: "phone>HomePhone",
    }


def test_a_pair_is_made_of_its_properties_and_has_the_name_of_its_salesforce_field() -> None:
    pair = FieldPair(
        "phone",
        "Phone",
        Direction.BOTH,
        ConflictPolicy.HOLD,
        "HomePhone",
        "[unknown]",
        locked=True,
        enforced=True,
        values=(ValuePair("a", "b"),),
    )

    assert FieldPair(**pair.properties()) == pair
    assert pair.key == "Phone"
