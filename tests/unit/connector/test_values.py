"""Equality of values, their conversion for the other side, and e-mail addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clean_text import canonical_email, is_email_address
from connector.mapping import Field, FieldKind, canonical, convert
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
def test_equal_values_have_the_same_canonical_form(
    kind: FieldKind, one: Value, other: Value
) -> None:
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
def test_different_values_have_different_canonical_forms(
    kind: FieldKind, one: Value, other: Value
) -> None:
    assert canonical(kind, one) != canonical(kind, other)


@pytest.mark.parametrize(
    ("value", "kind", "side", "converted"),
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
def test_a_value_is_converted_for_the_field_of_the_other_side(
    value: Value, kind: FieldKind, side: Side, converted: Value
) -> None:
    assert convert(value, Field("f", kind, options=("SMB",)), side) == converted


def test_an_option_gets_the_spelling_of_the_other_side() -> None:
    field = Field("segment__c", K.PICKLIST, options=("smb", "mid"))

    assert convert("SMB", field, Side.SALESFORCE) == "smb"


ANY_VALUE = st.one_of(st.none(), st.text(), st.booleans(), st.integers(), st.tuples(st.text()))


@given(st.sampled_from(FieldKind), ANY_VALUE, st.sampled_from(Side))
def test_a_conversion_does_not_change_the_canonical_form(
    kind: FieldKind, value: Value, side: Side
) -> None:
    converted = convert(value, Field("f", kind), side)

    assert canonical(kind, converted) == canonical(kind, value)


@given(st.text())
def test_a_canonical_email_is_stable(text: str) -> None:
    assert canonical_email(canonical_email(text)) == canonical_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "ana@example.com",
        "ana.lopez+news@mail.example.co.uk",
        "o'neil@example.com",
        "zo\xe9@ex\xe4mple.fr",
        "a" * 242 + "@example.com",
    ],
)
def test_an_email_address_is_accepted(text: str) -> None:
    assert is_email_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody",
        "@example.com",
        "ana@",
        "ana@localhost",
        "ana@example.",
        "ana@.com",
        "ana@example..com",
        "ana@x@example.com",
        "ana@example.com, bob@example.com",
        "ana@example.com;bob@example.com",
        "Ana <ana@example.com>",
        '"ana lopez"@example.com',
        "ana lopez@example.com",
        "ana@example.com\n",
        "ana\x00@example.com",
        "ana\x7f@example.com",
        "ana\u200b@example.com",
        "ana\ud800@example.com",
        "a" * 243 + "@example.com",
    ],
)
def test_a_text_that_is_not_one_email_address_is_refused(text: str) -> None:
    assert not is_email_address(text)
