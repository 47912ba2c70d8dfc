"""The value table of a pair: total, and a value that travels there and back is the same."""

from __future__ import annotations

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from connector.mapping import BoundPair, Direction, Field, FieldKind, FieldPair, UnusableValue
from connector.mapping.value_table import (
    ValuePair,
    ValueTable,
    folded,
    suggest_rows,
    unmatched_values,
)
from connector.mapping.value_table_rules import check_value_table
from connector.mapping.values import to_text
from connector.model import ProblemCode, RecordKind, Side, Value
from tests.property.strategies import TEXTS, VALUES

FEW_NAMES = st.sampled_from(("a", "A", "b", "c"))
NAMES = st.one_of(FEW_NAMES, FEW_NAMES, TEXTS)
"""Few names, so that rows, lists and values meet; and any text."""
ROWS = st.lists(st.builds(ValuePair, NAMES, NAMES), max_size=6).map(tuple)
UNIQUE_ROWS = st.lists(
    st.builds(ValuePair, NAMES, NAMES),
    max_size=3,
    unique_by=(lambda row: folded(row.plezi), lambda row: folded(row.salesforce)),
).map(tuple)
LISTS = st.one_of(st.just(()), st.lists(NAMES, max_size=6).map(tuple))
LIST_KINDS = st.sampled_from([FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST])
ONE_VALUE = st.one_of(
    FEW_NAMES, FEW_NAMES, st.lists(FEW_NAMES, max_size=3).map(tuple), NAMES, VALUES
)


@st.composite
def bound_pairs(draw: st.DrawFn) -> BoundPair:
    """A pair of two lists with a table that a save accepts."""
    kind = draw(LIST_KINDS)
    fields = {
        RecordKind.PLEZI_CONTACT: Field("p", kind, options=draw(LISTS)),
        RecordKind.LEAD: Field("s", kind, options=draw(LISTS)),
    }
    direction = draw(st.sampled_from([it for it in Direction if it is not Direction.OFF]))
    pair = FieldPair("p", "s", direction, values=draw(UNIQUE_ROWS))
    issues = check_value_table(pair, fields[RecordKind.PLEZI_CONTACT], fields[RecordKind.LEAD])
    assume(not any(issue.blocks for issue in issues))
    return BoundPair(pair, fields)


LISTS_WITHOUT_OPTIONS = BoundPair(
    FieldPair("p", "s", Direction.BOTH),
    {
        RecordKind.PLEZI_CONTACT: Field("p", FieldKind.MULTI_PICKLIST),
        RecordKind.LEAD: Field("s", FieldKind.MULTI_PICKLIST),
    },
)
RECEIVERS = {Side.PLEZI: RecordKind.LEAD, Side.SALESFORCE: RecordKind.PLEZI_CONTACT}
"""The kind of record that a value of a side is written to."""


@given(bound_pairs(), ONE_VALUE, st.sampled_from(Side))
def test_every_value_is_compared_and_converted(pair: BoundPair, value: Value, side: Side) -> None:
    assert hash(pair.canonical(side, value)) == hash(pair.canonical(side, value))
    converted = pair.convert(RECEIVERS[side], value, side)
    if isinstance(converted, UnusableValue):
        assert converted.code in (ProblemCode.UNKNOWN_VALUE, ProblemCode.UNUSABLE_VALUE)


@settings(
    max_examples=max(400, settings().max_examples)
)  # few examples have a value that two rows claim
@given(bound_pairs(), ONE_VALUE, st.sampled_from(Side))
def test_a_value_that_was_written_is_equal_on_both_sides(
    pair: BoundPair, value: Value, side: Side
) -> None:
    """Else the next run would write it again, and again."""
    assume(pair.pair.direction.can_send(side))
    converted = pair.convert(RECEIVERS[side], value, side)
    assume(not isinstance(converted, UnusableValue))
    assert not isinstance(converted, UnusableValue)

    assert pair.canonical(side.other, converted) == pair.canonical(side, value)


@settings(
    max_examples=max(400, settings().max_examples)
)  # few examples have a value that two rows claim
@example(pair=LISTS_WITHOUT_OPTIONS, value=("0", ";" * 2000), side=Side.PLEZI)
@given(bound_pairs(), ONE_VALUE, st.sampled_from(Side))
def test_a_value_that_travels_there_and_back_is_the_same(
    pair: BoundPair, value: Value, side: Side
) -> None:
    assume(pair.pair.direction is Direction.BOTH)
    there = pair.convert(RECEIVERS[side], value, side)
    assume(not isinstance(there, UnusableValue))
    assert not isinstance(there, UnusableValue)

    back = pair.convert(RECEIVERS[side.other], there, side.other)

    if isinstance(back, UnusableValue):  # the list of its own side lacks the value
        assert pair.fields[RECEIVERS[side.other]].options
    else:
        assert pair.canonical(side, back) == pair.canonical(side, value)
        if isinstance(value, str) and pair.kind is FieldKind.PICKLIST:
            assert folded(to_text(back)) == folded(value)


@given(ROWS, st.sampled_from(Direction), NAMES, st.sampled_from(Side))
def test_a_table_translates_every_value_or_says_that_nothing_stands_for_it(
    rows: tuple[ValuePair, ...], direction: Direction, value: str, side: Side
) -> None:
    known = ValueTable(rows, is_two_way=direction is Direction.BOTH).translate(value, side)

    in_table = [row.of(side.other) for row in rows if folded(row.of(side)) == folded(value)]
    assert known == in_table[0] if in_table else known in (None, value)


@given(ROWS, LISTS, LISTS)
def test_a_suggested_row_has_two_values_of_the_lists_that_have_none(
    rows: tuple[ValuePair, ...], plezi: tuple[str, ...], salesforce: tuple[str, ...]
) -> None:
    suggested = suggest_rows(rows, plezi, salesforce)

    free_plezi, free_salesforce = unmatched_values(rows, plezi, salesforce)
    assert {row.plezi for row in suggested} <= set(free_plezi)
    assert {row.salesforce for row in suggested} <= set(free_salesforce)
    assert len({row.plezi for row in suggested}) == len(suggested)
    assert len({row.salesforce for row in suggested}) == len(suggested)
