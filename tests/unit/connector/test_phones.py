"""Phone numbers as they are compared (field case L6)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import FieldKind, canonical
from connector.mapping.phones import MAX_CHARACTERS, canonical_phone, is_phone_region

PARIS = "+33123456789"


@pytest.mark.parametrize(
    "text",
    [
        "01 23 45 67 89",
        "01.23.45.67.89",
        "+33 1 23 45 67 89",
        "(+33) 1-23-45-67-89",
        "0033123456789",
        "+33 (0)1 23 45 67 89",
        "+33\u00a01\u202f23\u201145\u201167\u201189",
        "\u202a+33 1 23 45 67 89\u202c",
        "\uff0b\uff13\uff13123456789",
    ],
)
def test_l6_one_number_in_every_spelling_is_equal(text: str) -> None:
    assert canonical(FieldKind.PHONE, text) == PARIS


@pytest.mark.parametrize(
    "text",
    [
        "01 23 45 67 89 ext. 12",
        "01 23 45 67 89 poste 12",
        "01 23 45 67 89 (poste 12)",
        "01 23 45 67 89 p. 12",
        "01 23 45 67 89p12",
        "+33 1 23 45 67 89 x12",
        "+33123456789 EXTENSION: 12",
        "+33123456789;ext=12",
        "0123456789#12",
    ],
)
def test_l6_an_extension_is_part_of_the_number(text: str) -> None:
    assert canonical_phone(text, "FR") == f"{PARIS}x12"


def test_l6_letters_are_no_digits() -> None:
    forms = [
        canonical_phone(text, "US")
        for text in ("1-800-FLOWERS", "1-800-CONTACTS", "1-800-356-9377", "1-800-356-9377 x1")
    ]

    assert len(set(forms)) == len(forms)
    assert canonical_phone("1 800 flowers", "US") == forms[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("01 23 45 67 89", "01 23 45 67 88"),
        ("01 23 45 67 89", "01 23 45 67 89 (home)"),
        ("01 23 45 67 89 p. 12", "01 23 45 67 89 p. 0612345678"),
        ("01 23 45 67 89", "01 23 45 67 89 / 06 12 34 56 78"),
        ("3615", "3616"),
        ("*31#0123", "310123"),
        ("-", "--"),
    ],
)
def test_l6_different_numbers_and_texts_differ(one: str, other: str) -> None:
    assert canonical_phone(one, "FR") != canonical_phone(other, "FR")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("+33 1 23", "+33123"),
        ("00 33 1.23", "+33123"),
        ("3615", "3615"),
        ("555-1234", "5551234"),
        ("\u0661\u0662\u0663", "\u0661\u0662\u0663"),
    ],
)
def test_l6_a_number_that_is_not_valid_is_compared_without_separators(text: str, form: str) -> None:
    assert canonical_phone(text, "FR") == form


def test_l6_a_number_without_a_country_code_is_one_of_the_country_of_the_mapping() -> None:
    assert canonical_phone("01 23 45 67 89", "FR") == PARIS
    assert canonical_phone("(201) 555-0123", "US") == "+12015550123"
    assert canonical_phone("081 123 456", "BE") == canonical_phone("+32 81 12 34 56", "FR")
    assert canonical_phone("01 23 45 67 89", "XX") == "0123456789"
    assert [is_phone_region(code) for code in ("FR", "NO", "XX", "fr", "")] == [True, True] + [
        False
    ] * 3


PHONE_LIKE = st.text(alphabet="0123456789+-()./ \u00a0\u202axXpPe#;,=*~\u0660\u00b2", max_size=120)


@given(st.one_of(st.text(), PHONE_LIKE), st.sampled_from(["FR", "US", "XX", "", "\ud800"]))
def test_l6_every_text_has_a_form_and_keeps_it(text: str, region: str) -> None:
    form = canonical_phone(text, region)

    assert bool(form) == bool(text)
    if form.startswith("+") and form[1:].isascii():
        assert canonical_phone(form, region) == form


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000,
        "+" * 1_000,
        "1 " * 500,
        "1;" * 50,
        "1 ext" * 20,
        "1" + " ." * 49,
        "x" * MAX_CHARACTERS,
        "9" * 1_000,
        ("1" + "(" * 30) * 3,
    ],
)
def test_l6_a_text_of_any_form_takes_a_bounded_time(text: str) -> None:
    start = time.perf_counter()
    canonical_phone(text, "FR")

    assert time.perf_counter() - start < 0.5
