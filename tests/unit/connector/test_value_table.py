"""The value table of a field pair: what stands for a value, and which rows are suggested."""

from __future__ import annotations

import pytest

from connector.mapping import ValuePair
from connector.mapping.value_table import ValueTable, folded, suggest_rows, unmatched_values
from connector.model import Side

CLIENT = ValuePair("Client", "Customer")
ROWS = (CLIENT, ValuePair("Partner", "Ally"), ValuePair(" client", "Buyer"))


def test_a_row_is_shown_in_one_line_and_has_a_value_for_each_side() -> None:
    assert str(CLIENT) == "Client = Customer"
    assert [CLIENT.of(side) for side in (Side.PLEZI, Side.SALESFORCE)] == ["Client", "Customer"]


@pytest.mark.parametrize(
    ("value", "source", "is_two_way", "known"),
    [
        ("CLIENT ", Side.PLEZI, True, "Customer"),
        ("customer", Side.SALESFORCE, True, "Client"),
        ("Buyer", Side.SALESFORCE, True, " client"),
        ("Other", Side.PLEZI, True, "Other"),
        ("Ally", Side.PLEZI, True, None),
        ("partner", Side.SALESFORCE, True, None),
        ("Ally", Side.PLEZI, False, "Ally"),
        ("partner", Side.SALESFORCE, False, "partner"),
        ("", Side.PLEZI, True, ""),
    ],
)
def test_a_value_without_a_row_is_its_own_name_unless_another_value_has_it(
    value: str, source: Side, known: str | None, *, is_two_way: bool
) -> None:
    assert ValueTable(ROWS, is_two_way=is_two_way).translate(value, source) == known


def test_names_are_compared_clean_and_in_lower_case() -> None:
    assert folded(" Stra\xdfe\r\n") == folded("STRASSE") == "strasse"
    assert folded("Zoe\u0308") == "zo\xeb"


@pytest.mark.parametrize(
    ("rows", "plezi", "salesforce", "unmatched"),
    [
        ((), ("a", "B", "c"), ("b", "d"), (("a", "c"), ("d",))),
        ((ValuePair("A", "d"),), ("a", "c"), ("D", "e"), (("c",), ("e",))),
        ((ValuePair("a", "x"),), ("a", "b"), ("a", "b"), ((), ("a",))),
        ((ValuePair("x", "b"),), ("a", "b"), ("a", "b"), (("b",), ())),
    ],
)
def test_a_value_is_matched_by_its_row_or_by_a_free_value_of_the_same_name(
    rows: tuple[ValuePair, ...],
    plezi: tuple[str, ...],
    salesforce: tuple[str, ...],
    unmatched: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    assert unmatched_values(rows, plezi, salesforce) == unmatched


@pytest.mark.parametrize(
    ("plezi", "salesforce", "suggested"),
    [
        (("Prospect",), ("Prospects",), [("Prospect", "Prospects")]),
        (("Mid-Market",), ("mid market",), [("Mid-Market", "mid market")]),
        (("Mid-Market",), ("mid/market", "mid market"), [("Mid-Market", "mid/market")]),
        (("abcd",), ("abxy",), []),
        (("abcdef",), ("abcdxy",), [("abcdef", "abcdxy")]),
        (("---",), ("--",), []),
        (("a-b-c-d",), ("a/b/c/d",), [("a-b-c-d", "a/b/c/d")]),
        (("---", "Lead"), ("Leads",), [("Lead", "Leads")]),
        (("Lead", "Leads"), ("Leadz",), [("Lead", "Leadz")]),
        (("Leads", "Wins"), ("Winz", "Leadz"), [("Leads", "Leadz"), ("Wins", "Winz")]),
        (("colour",), ("colr", "color"), [("colour", "color")]),
        (("Client",), ("Clients",), []),
    ],
)
def test_a_similar_free_value_is_suggested_once(
    plezi: tuple[str, ...], salesforce: tuple[str, ...], suggested: list[tuple[str, str]]
) -> None:
    rows = suggest_rows((CLIENT,), plezi, salesforce)

    assert rows == tuple(ValuePair(*row) for row in suggested)
