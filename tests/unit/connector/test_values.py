"""When two values are the same, and how one is said on the other side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import Field, FieldKind, canonical, canonical_email, convert
from connector.model import Side, Value

K = FieldKind


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (K.TEXT, "  Zoë\r\n", "Zoe\u0308"),
        (K.TEXT, "", None),
        (K.TEXT, "a\x00b", "ab"),
        (K.EMAIL, "A@B.FR", "a@b.fr"),
        (K.PHONE, "+33 1 23 45", "0033-1.23.45"),
        (K.NUMBER, 25, "25.0"),
        (K.NUMBER, "0", 0.0),
        (K.CHECKBOX, None, False),
        (K.CHECKBOX, "yes", True),
        (K.DATE, "2026-03-01", "2026-03-01T00:00:00.000Z"),
        (K.DATETIME, "2026-03-01T10:00:00.000+0000", "2026-03-01T11:00:00.123+01:00"),
        (K.PICKLIST, "SMB", "smb"),
        (K.MULTI_PICKLIST, "b;a", ("A", "B")),
        (K.MULTI_PICKLIST, (), None),
    ],
)
def test_these_are_the_same(kind: FieldKind, one: Value, other: Value) -> None:
    assert canonical(kind, one) == canonical(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (K.TEXT, "Ana", "ana"),
        (K.PHONE, "+33 1 23", "+33 1 24"),
        (K.NUMBER, "n/a", 0),
        (K.NUMBER, 0, None),
        (K.DATE, "2026-03-01", "2026-03-02"),
        (K.MULTI_PICKLIST, "a;b", "a"),
        (K.TEXT, "NULL", None),
        (K.TEXT, "NA", None),
    ],
)
def test_these_are_different(kind: FieldKind, one: Value, other: Value) -> None:
    assert canonical(kind, one) != canonical(kind, other)


@pytest.mark.parametrize(
    ("value", "kind", "side", "said"),
    [
        (25, K.TEXT, Side.SALESFORCE, "25"),
        ("25", K.NUMBER, Side.PLEZI, 25),
        ("", K.TEXT, Side.SALESFORCE, None),
        (("a", "b"), K.MULTI_PICKLIST, Side.SALESFORCE, "a;b"),
        ("a;b", K.MULTI_PICKLIST, Side.PLEZI, ("a", "b")),
        (None, K.CHECKBOX, Side.SALESFORCE, False),
        ("a; b", K.TEXT, Side.PLEZI, "a; b"),
        ("not a number", K.NUMBER, Side.SALESFORCE, "not a number"),
    ],
)
def test_a_value_is_said_in_the_other_side_s_words(
    value: Value, kind: FieldKind, side: Side, said: Value
) -> None:
    assert convert(value, Field("f", kind, options=("SMB",)), side) == said


def test_an_option_is_said_as_the_other_side_spells_it() -> None:
    field = Field("segment__c", K.PICKLIST, options=("smb", "mid"))

    assert convert("SMB", field, Side.SALESFORCE) == "smb"


ANYTHING = st.one_of(st.none(), st.text(), st.booleans(), st.integers(), st.tuples(st.text()))


@given(st.sampled_from(FieldKind), ANYTHING, st.sampled_from(Side))
def test_saying_a_value_on_the_other_side_does_not_change_it(
    kind: FieldKind, value: Value, side: Side
) -> None:
    said = convert(value, Field("f", kind), side)

    assert canonical(kind, said) == canonical(kind, value)


@given(st.text())
def test_an_identity_is_the_same_when_taken_twice(text: str) -> None:
    assert canonical_email(canonical_email(text)) == canonical_email(text)
