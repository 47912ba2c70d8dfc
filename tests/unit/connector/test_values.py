"""Equality of values, their conversion for the other side, and e-mail addresses."""

from __future__ import annotations

import math
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clean_text import canonical_email, is_email_address
from connector.mapping import (
    Field,
    FieldKind,
    UnusableValue,
    canonical,
    convert,
    have_same_values,
    is_identical,
    stored_value,
    stored_values,
)
from connector.mapping.values import LONG_TEXT_CHARACTERS, RESPELLED, to_choices, to_text
from connector.model import LongText, ProblemCode, Side, Value, Values

K = FieldKind


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (K.TEXT, "  Zoë\r\n", "Zoe\u0308"),
        (K.TEXT, "", None),
        (K.TEXT, "a\x00b", "ab"),
        (K.EMAIL, "A@B.FR", "a@b.fr"),
        (K.EMAIL, " Zoe\u0308@B.FR\u00a0", "zo\u00eb@b.fr"),
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

    several = Field("segments__c", K.MULTI_PICKLIST, options=("smb", "mid"))
    assert convert(("SMB", "Mid", "other"), several, Side.SALESFORCE) == "smb;mid;other"
    assert convert("SMB;other", several, Side.PLEZI) == ("smb", "other")


HUGE = 10**5_000
"""Larger than the integers that CPython converts to text by default (4,300 digits)."""
LONE_SURROGATE = "a\ud800"
EARLY = "0001-01-01T00:00:00+01:00"


@pytest.mark.parametrize(
    ("value", "kind", "detail"),
    [
        ("9" * 30, K.NUMBER, "30 digits before the decimal point"),
        (int("9" * 400), K.NUMBER, "400 digits before"),
        pytest.param(HUGE, K.NUMBER, "5001 digits", id="huge"),
        ("1e999999", K.NUMBER, "1000000 digits"),
        ("-1e999999", K.NUMBER, "1000000 digits"),
        (math.nan, K.NUMBER, "not a finite number"),
        (-math.inf, K.NUMBER, "not a finite number"),
        ("sNaN", K.NUMBER, "not a finite number"),
        (EARLY, K.DATETIME, "before 1 or after 9999"),
        ("9999-12-31T23:59:59-01:00", K.DATETIME, "before 1 or after 9999"),
        ("1699-12-31T23:59:59Z", K.DATETIME, "1700 to 4000"),
        ("4001-01-01", K.DATE, "1700 to 4000"),
        ("0001-01-01", K.DATE, "1700 to 4000"),
        (LONE_SURROGATE, K.TEXT, "lone surrogate"),
        (("a", LONE_SURROGATE), K.MULTI_PICKLIST, "lone surrogate"),
        (LONE_SURROGATE, K.CHECKBOX, "lone surrogate"),
    ],
)
def test_a_value_that_a_salesforce_field_cannot_hold_is_a_named_problem(
    value: Value, kind: FieldKind, detail: str
) -> None:
    unusable = convert(value, Field("score__c", kind), Side.SALESFORCE)

    assert isinstance(unusable, UnusableValue)
    assert (unusable.field, unusable.code) == ("score__c", ProblemCode.UNUSABLE_VALUE)
    assert detail in unusable.detail


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1e999999", K.NUMBER),
        (math.inf, K.NUMBER),
        (EARLY, K.DATETIME),
        (LONE_SURROGATE, K.TEXT),
    ],
)
def test_a_value_that_json_cannot_hold_is_a_named_problem_in_plezi_too(
    value: Value, kind: FieldKind
) -> None:
    assert isinstance(convert(value, Field("score", kind), Side.PLEZI), UnusableValue)


@pytest.mark.parametrize(
    ("text", "fits"),
    [("99.94", True), ("100", False), ("-100", False), ("0.0001", True), ("0e999999", True)],
)
def test_a_number_must_fit_the_digits_of_the_salesforce_field(text: str, *, fits: bool) -> None:
    field = Field("score__c", K.NUMBER, precision=3, scale=1)

    assert isinstance(convert(text, field, Side.SALESFORCE), UnusableValue) is not fits


def test_the_edges_of_what_salesforce_holds_are_converted() -> None:
    assert convert("9" * 18, Field("f", K.NUMBER), Side.SALESFORCE) == int("9" * 18)
    assert convert("1700-01-01", Field("f", K.DATE), Side.SALESFORCE) == "1700-01-01"
    assert convert("4000-12-31", Field("f", K.DATE), Side.SALESFORCE) == "4000-12-31"
    assert convert("0800-01-01T00:00:00Z", Field("f", K.DATETIME), Side.PLEZI) == (
        "0800-01-01T00:00:00.000Z"
    )


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (K.NUMBER, "9" * 30, "9" * 29 + "8"),
        (K.NUMBER, "1e999999", "2e999999"),
        (K.NUMBER, math.nan, 0),
        (K.NUMBER, math.inf, -math.inf),
        pytest.param(K.NUMBER, HUGE, HUGE + 1, id="huge"),
        (K.NUMBER, "1" + "0" * 5_000, "1"),
        (K.DATETIME, EARLY, "0001-01-01T00:00:00Z"),
        (K.DATE, "2026-03-01", "2026-03-01?"),
        (K.TEXT, LONE_SURROGATE, "a"),
        (K.TEXT, "a" * 5_000, "a" * 4_999 + "b"),
        (K.CHECKBOX, "yes" + " " * 5_000 + "x", True),
    ],
)
def test_a_value_that_does_not_fit_its_kind_equals_no_other_value(
    kind: FieldKind, one: Value, other: Value
) -> None:
    assert canonical(kind, one, scale=2) != canonical(kind, other, scale=2)


def test_numbers_of_any_size_are_compared_by_value() -> None:
    assert canonical(K.NUMBER, "1" + "0" * 450) == canonical(K.NUMBER, "1e450")
    assert canonical(K.NUMBER, "1e450", scale=10**30) == canonical(K.NUMBER, "10e449", scale=2)
    assert canonical(K.NUMBER, "1e-999999", scale=2) == canonical(K.NUMBER, 0)


LONG = "Zoe\u0308 " * 1_000


@pytest.mark.parametrize("kind", FieldKind)
@pytest.mark.parametrize(
    "value", [LONG, ("abc",) * 1_000, pytest.param(HUGE, id="huge"), "9" * 5_000]
)
def test_a_long_value_and_its_digest_have_one_canonical_form(kind: FieldKind, value: Value) -> None:
    stored = stored_value(value)

    assert isinstance(stored, LongText)
    assert canonical(kind, value) == canonical(kind, stored) == stored
    assert is_identical(value, stored)
    assert is_identical(stored, value)


def test_a_digest_is_of_the_cleaned_text() -> None:
    stored = stored_value(LONG)

    assert isinstance(stored, LongText)
    assert stored.length == len("Zo\xeb " * 1_000) - 1
    assert stored_value("\r\n" + "Zo\xeb " * 1_000) == stored


@pytest.mark.parametrize("value", ["a" * 1_000, ("a", "b"), "\x00" * 5_000 + "a", ("",) * 5_000])
def test_a_value_that_is_short_once_it_is_cleaned_is_not_a_digest(value: Value) -> None:
    stored = stored_value(value)

    assert not isinstance(stored, LongText)
    assert canonical(K.TEXT, stored) == canonical(K.TEXT, value)
    assert len(str(stored)) < 1_100


def test_the_digest_of_a_text_is_converted_to_itself() -> None:
    digest = LongText(5_000, "ab")

    assert all(convert(digest, Field("f", kind), side) is digest for kind in K for side in Side)


def test_values_without_a_long_text_are_stored_as_they_are() -> None:
    values: Values = {"phone": "1", "score": 3}

    assert stored_values(values) is values
    assert stored_values({**values, "notes": LONG}) == {**values, "notes": stored_value(LONG)}


@pytest.mark.parametrize(
    ("one", "other", "identical"),
    [(1, 1.0, True), (1, True, False), (1, "1", False), (0, False, False), (None, "", False)],
)
def test_identical_values_have_the_same_meaning_without_a_kind(
    one: Value, other: Value, *, identical: bool
) -> None:
    assert is_identical(one, other) is identical


def test_a_number_that_is_not_a_number_is_identical_to_itself() -> None:
    assert is_identical(math.nan, float("nan"))


ANY_VALUE = st.one_of(st.none(), st.text(), st.booleans(), st.integers(), st.tuples(st.text()))


@given(st.sampled_from(FieldKind), ANY_VALUE, st.sampled_from(Side))
def test_a_conversion_does_not_change_the_canonical_form(
    kind: FieldKind, value: Value, side: Side
) -> None:
    converted = convert(value, Field("f", kind), side)

    if not isinstance(converted, UnusableValue):
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


@given(st.one_of(st.text(), st.text("hHjJwW\u0331\u030c\u030a\u0130\u1e9e\u03a3A@. ")))
def test_l6_the_canonical_form_of_an_email_is_the_one_of_itself(text: str) -> None:
    email = canonical_email(text)

    assert canonical_email(email) == email
    assert canonical(K.EMAIL, text) == (email or None)


@pytest.mark.parametrize("text", ["mailto:a@b.fr", "a@b.fr.", "a@b:25.fr"])
def test_l6_what_is_written_around_an_address_is_no_address(text: str) -> None:
    assert not is_email_address(text)
    assert canonical_email(text) == text


@pytest.mark.parametrize(
    ("number", "scale", "rounded"),
    [
        (12.345, 2, 12.35),
        (-12.345, 2, -12.35),
        ("0.125", 2, 0.13),
        (2.5, 0, 3),
        (99.996, 2, 100),
        (12.345, None, 12.345),
        ("1e30", 2, None),
    ],
)
def test_l6_a_number_is_rounded_as_salesforce_does_it(
    number: float | str, scale: int | None, rounded: float | None
) -> None:
    field = Field("f", K.NUMBER, scale=scale, precision=8)
    converted = convert(number, field, Side.SALESFORCE)

    if rounded is None:
        assert isinstance(converted, UnusableValue)
        return
    assert converted == rounded
    assert canonical(K.NUMBER, number, scale=scale) == canonical(K.NUMBER, rounded, scale=scale)


def test_l6_a_number_that_rounding_makes_too_long_is_a_named_problem() -> None:
    field = Field("f", K.NUMBER, scale=2, precision=4)

    assert convert("99.994", field, Side.SALESFORCE) == 99.99
    assert isinstance(convert("99.995", field, Side.SALESFORCE), UnusableValue)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("kind", "short", "expected", "long"),
    [
        pytest.param(K.MULTI_PICKLIST, ";;", (), ";" * 1001, id="separators only"),
        pytest.param(K.MULTI_PICKLIST, "a;;b", ("a", "b"), f"a{';' * 1000}b", id="repeated"),
        pytest.param(K.MULTI_PICKLIST, "red;b", ("Red", "b"), f"red;{'b' * 1000}", id="other case"),
        pytest.param(K.NUMBER, "007", 7, f"{'0' * 1000}7", id="leading zeros"),
    ],
)
def test_a_long_value_that_would_be_respelled_is_named_and_not_written_again_and_again(
    kind: FieldKind, short: str, expected: Value, long: str, side: Side
) -> None:
    """A long value is compared by its digest: another spelling of it would never be equal."""
    field = Field("f", kind, options=("Red",) if kind is K.MULTI_PICKLIST else ())
    converted = convert(short, field, side)
    assert not isinstance(converted, UnusableValue)
    assert to_choices(converted) == to_choices(expected)

    assert convert(long, field, side) == UnusableValue("f", RESPELLED)


def test_a_long_list_that_is_spelled_as_its_field_has_it_is_written() -> None:
    field = Field("f", K.MULTI_PICKLIST, options=("Red",))
    choices = ("Red", "b" * LONG_TEXT_CHARACTERS)

    assert convert(choices, field, Side.SALESFORCE) == ";".join(choices)
    assert convert(";".join(choices), field, Side.PLEZI) == choices


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" a\r\nb ", "a\nb"),
        (True, "true"),
        (False, "false"),
        ((" a ", "\x00", "b"), "a;b"),
        ((), ""),
        (LongText(5_000, "ab"), "sha256:ab"),
        (25.0, "25"),
        (-0.5, "-0.5"),
        (1e22, "1" + "0" * 22),
        (math.inf, "inf"),
        (7, "7"),
        pytest.param(-HUGE, "-1" + "0" * 5_000, id="huge"),
    ],
)
def test_a_value_has_the_text_that_a_user_would_type(value: Value, text: str) -> None:
    assert to_text(value) == text


def digest(text: str) -> LongText:
    return LongText(len(text), sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a" * 1_000, "a" * 1_000),
        ("a" * 1_001, digest("a" * 1_001)),
        (" " * 1_000, " " * 1_000),
        (" " * 1_000 + "a", "a"),
        (" " + "a" * 1_000, "a" * 1_000),
        ("\ud800" * 1_001, digest("\ud800" * 1_001)),
        (("a" * 998, ""), ("a" * 998, "")),
        (("a" * 999, ""), ("a" * 999,)),
        (("a" * 499, " ", "b" * 500), ("a" * 499, "b" * 500)),
        (("a" * 500, "b" * 500), digest("a" * 500 + ";" + "b" * 500)),
        (10**999, 10**999),
        (10**1_000, digest("1" + "0" * 1_000)),
        (1, 1),
        (None, None),
    ],
)
def test_a_value_of_more_than_1000_characters_is_stored_as_its_length_and_digest(
    value: Value, stored: Value
) -> None:
    assert stored_value(value) == stored


@pytest.mark.parametrize("kind", [K.TEXT, K.PICKLIST, K.NUMBER, K.CHECKBOX])
def test_a_value_of_1000_characters_is_compared_whole(kind: FieldKind) -> None:
    assert canonical(kind, "a" * 1_000) == "a" * 1_000
    assert canonical(kind, "a" * 1_001) == digest("a" * 1_001)


@pytest.mark.parametrize(
    ("one", "other", "identical"),
    [
        (math.nan, 1.0, False),
        (1.0, math.nan, False),
        (math.nan, 1, False),
        (True, True, True),
        (True, 1, False),
        ("a" * 1_001, digest("a" * 1_001), True),
        (("a", "b"), "a;b", False),
        (None, None, True),
    ],
)
def test_two_values_are_identical_or_not_whichever_comes_first(
    one: Value, other: Value, *, identical: bool
) -> None:
    assert is_identical(one, other) is identical
    assert is_identical(other, one) is identical


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": None}, {"b": None, "a": 1.0}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, False),
        ({"a": "x" * 1_001}, {"a": digest("x" * 1_001)}, True),
        ({}, {}, True),
    ],
)
def test_two_records_are_the_same_by_their_names_and_values(
    one: Values, other: Values, *, same: bool
) -> None:
    assert have_same_values(one, other) is same


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        (K.TEXT, " Ana ", "Ana"),
        (K.EMAIL, " ANA@B.FR", "ana@b.fr"),
        (K.PHONE, "01 23 45 67 89", "+33123456789"),
        (K.NUMBER, "12.345", "12.35"),
        (K.NUMBER, "n/a", "n/a"),
        (K.CHECKBOX, "Perhaps", "Perhaps"),
        (K.DATE, "2026-03-01T23:30:00Z", "2026-03-01"),
        (K.DATE, "March", "March"),
        (K.DATETIME, "2026-03-01T12:30:15.9+01:00", "2026-03-01T11:30:15.000Z"),
        (K.DATETIME, "Noon", "Noon"),
        (K.TIME, "12:30", "12:30:00.000"),
        (K.TIME, "12:30:15.123456Z", "12:30:15.123"),
        (K.TIME, "Noon", "Noon"),
        (K.PICKLIST, "Stra\xdfe", "strasse"),
        (K.MULTI_PICKLIST, "b; ;A;B", ("a", "b")),
        (K.MULTI_PICKLIST, ";", None),
        (K.UNSUPPORTED, "Ana", "ana"),
    ],
)
def test_each_kind_has_its_form_for_comparison(kind: FieldKind, value: Value, form: Value) -> None:
    assert canonical(kind, value, scale=2) == form


def test_a_phone_number_is_compared_in_the_region_of_the_mapping() -> None:
    assert canonical(K.PHONE, "02 555 12 12", region="BE") == "+3225551212"


@pytest.mark.parametrize(
    ("words", "ticked"),
    [
        (("true", "Yes", "OUI", "1", "on", "y", 1, 1.0, True), True),
        (("false", "No", "NON", "0", "off", "n", "", None, 0, False), False),
    ],
)
def test_a_checkbox_is_ticked_by_a_word(words: tuple[Value, ...], *, ticked: bool) -> None:
    assert [canonical(K.CHECKBOX, word) for word in words] == [ticked] * len(words)
    assert [convert(word, Field("f", K.CHECKBOX), Side.PLEZI) for word in words] == (
        [ticked] * len(words)
    )


SALESFORCE_YEARS = "its year is not one of Salesforce's, 1700 to 4000"
UTC_YEARS = "its year in UTC is before 1 or after 9999"
INFINITE = "it is not a finite number"


def score(precision: int | None = None, scale: int | None = None) -> Field:
    return Field("f", K.NUMBER, precision=precision, scale=scale)


def too_many_digits(digits: int, limit: int) -> str:
    return f"it has {digits} digits before the decimal point, and the limit is {limit}"


@pytest.mark.parametrize(
    ("value", "target", "side", "detail"),
    [
        (LONE_SURROGATE, K.TEXT, Side.PLEZI, "it contains half of a character (a lone surrogate)"),
        (math.nan, K.NUMBER, Side.PLEZI, INFINITE),
        ("-inf", K.NUMBER, Side.SALESFORCE, INFINITE),
        ("1e400", K.NUMBER, Side.PLEZI, "it is larger than a number in JSON can be"),
        ("1e18", K.NUMBER, Side.SALESFORCE, too_many_digits(19, 18)),
        ("1e17", score(scale=2), Side.SALESFORCE, too_many_digits(18, 16)),
        ("100", score(precision=2), Side.PLEZI, too_many_digits(3, 2)),
        ("9.95", score(precision=2, scale=1), Side.PLEZI, too_many_digits(2, 1)),
        ("4001-01-01", K.DATE, Side.SALESFORCE, SALESFORCE_YEARS),
        ("1699-12-31T23:00:00Z", K.DATETIME, Side.SALESFORCE, SALESFORCE_YEARS),
        (EARLY, K.DATETIME, Side.SALESFORCE, UTC_YEARS),
        (EARLY, K.DATETIME, Side.PLEZI, UTC_YEARS),
    ],
)
def test_a_value_that_a_field_cannot_hold_is_refused_with_the_limit(
    value: Value, target: FieldKind | Field, side: Side, detail: str
) -> None:
    field = target if isinstance(target, Field) else Field("f", target)

    assert convert(value, field, side) == UnusableValue("f", detail, ProblemCode.UNUSABLE_VALUE)


SMB = ("smb", "Stra\xdfe", "SMB")


@pytest.mark.parametrize(
    ("value", "target", "side", "converted"),
    [
        (" perhaps ", Field("f", K.CHECKBOX), Side.PLEZI, "perhaps"),
        ((), Field("f", K.MULTI_PICKLIST), Side.PLEZI, ()),
        ((), Field("f", K.MULTI_PICKLIST), Side.SALESFORCE, None),
        ("SMB", Field("f", K.PICKLIST, options=SMB), Side.PLEZI, "SMB"),
        ("sMB", Field("f", K.PICKLIST, options=SMB), Side.PLEZI, "smb"),
        ("STRASSE", Field("f", K.PICKLIST, options=SMB), Side.PLEZI, "Stra\xdfe"),
        ("other", Field("f", K.PICKLIST, options=SMB), Side.PLEZI, "other"),
        ("", Field("f", K.PICKLIST, options=("", "a")), Side.PLEZI, None),
        ("", score(), Side.PLEZI, None),
        ("1e100", score(), Side.PLEZI, 10**100),
        ("1e17", score(), Side.SALESFORCE, 10**17),
        ("1e15", score(scale=2), Side.SALESFORCE, 10**15),
        ("99", score(precision=2), Side.PLEZI, 99),
        ("0e30", score(precision=2), Side.PLEZI, 0),
        ("2026-03-01T12:30", Field("f", K.DATE), Side.SALESFORCE, "2026-03-01"),
        ("March", Field("f", K.DATE), Side.SALESFORCE, "March"),
        ("1699-12-31", Field("f", K.DATE), Side.PLEZI, "1699-12-31"),
        ("2026-03-01", Field("f", K.DATETIME), Side.SALESFORCE, "2026-03-01T00:00:00.000Z"),
        ("Noon", Field("f", K.DATETIME), Side.SALESFORCE, "Noon"),
        ("12:30", Field("f", K.TIME), Side.SALESFORCE, "12:30"),
        (True, Field("f", K.TEXT), Side.SALESFORCE, "true"),
        ("a" * 5_000, Field("f", K.TEXT), Side.SALESFORCE, "a" * 5_000),
    ],
)
def test_a_value_is_converted_only_as_far_as_the_type_requires(
    value: Value, target: Field, side: Side, converted: Value
) -> None:
    result = convert(value, target, side)

    assert (result, type(result)) == (converted, type(converted))


def test_a_list_of_1000_characters_may_be_respelled_and_one_of_1001_not() -> None:
    field = Field("f", K.MULTI_PICKLIST, options=("Red",))

    assert convert(f"red;{'b' * 996}", field, Side.SALESFORCE) == f"Red;{'b' * 996}"
    assert convert(f"red;{'b' * 997}", field, Side.SALESFORCE) == UnusableValue(
        "f",
        "it has more than 1,000 characters, and the field would hold it spelled otherwise: "
        "choices without repeated separators, and in the spelling of the list",
    )


def test_choices_that_differ_only_in_their_case_are_one_choice() -> None:
    target = Field("Topics__c", FieldKind.MULTI_PICKLIST, options=("Other", "News"))

    assert convert("Other;news;other", target, Side.SALESFORCE) == "Other;News"
