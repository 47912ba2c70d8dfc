"""What is lost between two field types, in the words that an admin reads."""

from __future__ import annotations

import pytest

from connector.mapping import Field, FieldKind
from connector.mapping.type_loss import type_loss, value_loss

K = FieldKind
COMPARED = tuple(kind for kind in FieldKind if kind is not K.UNSUPPORTED)
WITHOUT_LOSS: dict[FieldKind, set[FieldKind]] = {
    K.TEXT: {K.TEXT, K.PHONE, K.PICKLIST, K.MULTI_PICKLIST},
    K.EMAIL: {K.TEXT, K.EMAIL, K.PICKLIST, K.MULTI_PICKLIST},
    K.PHONE: {K.TEXT, K.PHONE, K.PICKLIST, K.MULTI_PICKLIST},
    K.NUMBER: {K.TEXT, K.NUMBER, K.PHONE},
    K.CHECKBOX: {K.TEXT, K.CHECKBOX},
    K.DATE: {K.TEXT, K.DATE, K.DATETIME},
    K.DATETIME: {K.TEXT, K.DATETIME},
    K.TIME: {K.TEXT, K.TIME},
    K.PICKLIST: {K.TEXT, K.PICKLIST, K.MULTI_PICKLIST},
    K.MULTI_PICKLIST: {K.TEXT, K.MULTI_PICKLIST},
}
"""The kinds that hold every value of a kind, if no list is restricted."""


@pytest.mark.parametrize("source", COMPARED)
def test_values_of_a_kind_fit_into_the_same_kind_and_a_few_others(source: FieldKind) -> None:
    without_loss = {it for it in COMPARED if not type_loss(Field("a", source), Field("b", it))}

    assert without_loss == WITHOUT_LOSS[source]


ODD = Field("odd", K.UNSUPPORTED, refusal="it is odd", remedy="choose another")
LIST = Field("list", K.PICKLIST, restricted=True)
SEVERAL = Field("several", K.MULTI_PICKLIST, restricted=True)
TEXT = Field("note", K.TEXT)


@pytest.mark.parametrize(
    ("source", "target", "loss"),
    [
        (ODD, TEXT, "it is odd; choose another"),
        (TEXT, ODD, "it is odd; choose another"),
        (
            Field("other", K.UNSUPPORTED),
            ODD,
            "the type of other is not supported",
        ),
        (
            Field("a", K.DATETIME),
            Field("b", K.DATE),
            "the time of day would be lost",
        ),
        (SEVERAL, LIST, "all choices but one would be lost"),
        (
            Field("a", K.PHONE),
            Field("b", K.NUMBER),
            "leading zeros and the prefix + would be lost",
        ),
        (TEXT, LIST, "list accepts only the values of its list, and note any text"),
        (
            Field("a", K.EMAIL),
            SEVERAL,
            "several accepts only the values of its list, and a any text",
        ),
        (LIST, SEVERAL, ""),
        (LIST, LIST, ""),
        (TEXT, Field("b", K.EMAIL), "a text is not always an email"),
        (Field("a", K.EMAIL), Field("b", K.NUMBER), "an email is not always a number"),
        (SEVERAL, Field("b", K.DATE), "a multi-picklist is not always a date"),
        (Field("a", K.TIME), SEVERAL, "a time is not always a multi-picklist"),
    ],
)
def test_a_loss_between_two_types_is_named(source: Field, target: Field, loss: str) -> None:
    assert type_loss(source, target) == loss


def options(count: int) -> tuple[str, ...]:
    return tuple(f"v{number}" for number in range(1, count + 1))


def picklist(*values: str, kind: FieldKind = K.PICKLIST, restricted: bool = True) -> Field:
    return Field("f", kind, options=values, restricted=restricted)


def text(length: int | None, kind: FieldKind = K.TEXT) -> Field:
    return Field("f", kind, length=length)


def number(scale: int | None, kind: FieldKind = K.NUMBER) -> Field:
    return Field("f", kind, scale=scale)


@pytest.mark.parametrize(
    ("source", "target", "loss"),
    [
        (picklist("One", " two "), picklist("TWO", "one"), ""),
        (picklist("one", "two"), picklist("one"), "its list lacks two"),
        (picklist(*options(5)), picklist("a"), "its list lacks v1, v2, v3, v4, v5"),
        (picklist(*options(6)), picklist("a"), "its list lacks v1, v2, v3, v4, v5 and 1 more"),
        (picklist(*options(9)), picklist("v9"), "its list lacks v1, v2, v3, v4, v5 and 3 more"),
        (picklist("one"), picklist("two", restricted=False), ""),
        (picklist("one"), picklist("two", kind=K.MULTI_PICKLIST), "its list lacks one"),
        (picklist("one", kind=K.MULTI_PICKLIST), picklist("two"), "its list lacks one"),
        (picklist("one"), picklist("two", kind=K.TEXT), ""),
        (picklist("one", kind=K.TEXT), picklist("two"), ""),
        (text(80), text(40), "it holds 40 characters, and the other side 80"),
        (text(80, K.PICKLIST), text(40), "it holds 40 characters, and the other side 80"),
        (text(80), text(40, K.EMAIL), "it holds 40 characters, and the other side 80"),
        (text(80), text(40, K.PHONE), "it holds 40 characters, and the other side 80"),
        (text(80), text(40, K.PICKLIST), ""),
        (text(40), text(40), ""),
        (text(40), text(80), ""),
        (text(None), text(40), ""),
        (text(80), text(None), ""),
        (text(80), text(0), ""),
        (number(3), number(2), "it stores 2 decimals, and the other side may have more"),
        (number(None), number(2), "it stores 2 decimals, and the other side may have more"),
        (number(1), number(0), "it stores 0 decimals, and the other side may have more"),
        (number(2), number(2), ""),
        (number(1), number(2), ""),
        (number(3), number(None), ""),
        (number(3), number(2, K.TEXT), ""),
        (number(3, K.TEXT), number(2), ""),
    ],
)
def test_a_value_that_the_other_field_cannot_hold_is_named(
    source: Field, target: Field, loss: str
) -> None:
    assert value_loss(source, target) == loss


def test_a_value_is_looked_up_by_what_stands_for_it_in_the_value_table() -> None:
    names = {"client": "Customer", "partner": "Ally"}
    source = picklist("client", "partner", "other")

    loss = value_loss(source, picklist("customer", "other"), names.get)

    assert loss == "its list lacks partner, other"
