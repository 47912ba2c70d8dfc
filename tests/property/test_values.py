"""Every conversion and comparison accepts every value."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from connector.mapping import (
    Field,
    FieldKind,
    Filter,
    UnusableValue,
    canonical,
    convert,
    is_identical,
    stored_value,
)
from connector.mapping.type_loss import type_loss, value_loss
from connector.mapping.values import (
    LONG_TEXT_CHARACTERS,
    MULTI_PICKLIST_SEPARATOR,
    to_choices,
    to_text,
)
from connector.model import LongText, Side, Value
from tests.property.strategies import SIZES, TEXTS, VALUES, arbitrary

KINDS = st.sampled_from(FieldKind)
SIDES = st.sampled_from(Side)
SCALES = st.sampled_from(SIZES)
FIELDS = arbitrary().map(lambda build: build.field("f"))


@given(KINDS, VALUES, SCALES)
def test_every_value_has_a_canonical_form(kind: FieldKind, value: Value, scale: int | None) -> None:
    form = canonical(kind, value, scale=scale)

    assert hash(form) == hash(canonical(kind, value, scale=scale))
    assert form == canonical(kind, value, scale=scale)


@example(kind=FieldKind.TEXT, value=(";", "\0" * LONG_TEXT_CHARACTERS), scale=None)
@given(KINDS, VALUES, SCALES)
def test_a_value_and_its_stored_form_are_the_same_value(
    kind: FieldKind, value: Value, scale: int | None
) -> None:
    stored = stored_value(value)

    assert canonical(kind, stored, scale=scale) == canonical(kind, value, scale=scale)
    assert is_identical(value, stored)
    assert is_identical(stored, value)
    assert stored_value(stored) is stored or is_identical(stored_value(stored), stored)


@given(VALUES)
def test_a_stored_value_is_small(value: Value) -> None:
    stored = stored_value(value)

    match stored:
        case str():
            assert len(stored) <= LONG_TEXT_CHARACTERS
        case tuple():
            assert sum(map(len, stored)) <= LONG_TEXT_CHARACTERS
            assert len(stored) <= LONG_TEXT_CHARACTERS
        case _:
            assert len(to_text(stored)) <= LONG_TEXT_CHARACTERS


@given(FIELDS, VALUES, SIDES)
def test_every_value_is_converted_or_has_a_named_problem(
    field: Field, value: Value, side: Side
) -> None:
    converted = convert(value, field, side)

    if isinstance(converted, UnusableValue):
        assert converted.field == "f"
        assert converted.detail
        text = to_text(value)
        is_limit = text.lstrip("-").isdigit()  # the detail names the limit, which may be the same
        assert is_limit or len(text) < 6 or text not in converted.detail
    else:
        to_text(converted).encode()


@given(KINDS, VALUES, SIDES)
def test_a_conversion_for_the_same_type_keeps_the_canonical_form(
    kind: FieldKind, value: Value, side: Side
) -> None:
    converted = convert(value, Field("f", kind), side)

    if isinstance(converted, UnusableValue) or _is_lossy(kind, value):
        return
    assert canonical(kind, converted) == canonical(kind, value)


def _is_lossy(kind: FieldKind, value: Value) -> bool:
    """Whether a conversion changes the value, as documented.

    A number with decimals becomes a double, and the choices of a long list are compared as text.
    """
    if kind is FieldKind.NUMBER:
        return not isinstance(convert(value, Field("f", kind), Side.PLEZI), int)
    is_long = len(to_text(value)) > LONG_TEXT_CHARACTERS
    return is_long and kind in (FieldKind.MULTI_PICKLIST, FieldKind.CHECKBOX)


@given(VALUES, FIELDS, SIDES)
def test_the_digest_of_a_text_stays_a_digest(value: Value, field: Field, side: Side) -> None:
    stored = stored_value(value)

    if isinstance(stored, LongText):
        assert convert(stored, field, side) is stored
        assert to_text(stored)


@given(VALUES, VALUES)
def test_identical_values_have_one_canonical_form_in_every_kind(one: Value, other: Value) -> None:
    assert is_identical(one, other) == is_identical(other, one)
    if is_identical(one, other):
        assert all(canonical(kind, one) == canonical(kind, other) for kind in FieldKind)


@given(VALUES)
def test_choices_have_neither_blanks_nor_separators(value: Value) -> None:
    choices = to_choices(value)

    assert all(choice and MULTI_PICKLIST_SEPARATOR not in choice for choice in choices)


@given(st.builds(Filter, st.just("f"), st.sampled_from(["equals", "in"]), TEXTS), VALUES)
def test_a_filter_accepts_or_refuses_every_value(condition: Filter, value: Value) -> None:
    assert condition.accepts(value) in (True, False)


@given(FIELDS, FIELDS)
def test_every_two_fields_can_be_compared(one: Field, other: Field) -> None:
    assert isinstance(type_loss(one, other) + value_loss(one, other), str)
