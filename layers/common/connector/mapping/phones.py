"""Phone numbers as they are compared: E.164 and extension, or the text without separators."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

DEFAULT_REGION: Final = "FR"
"""Plezi's customers are French companies (Plezi, home page), and people type national numbers."""
SEPARATORS: Final = re.compile(
    r"[\s\-./()\[\]\u00ad\u00b7\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufeff]+"
)
"""What people and address books write between digits, invisible characters included."""
EXTENSION: Final = re.compile(
    r"(?<=[\d\s.,;)])[\s.,;(]*(?:extension|ext|poste|p|x|\#)[\s.:=]*(\d{1,7})\)?$",
    re.IGNORECASE | re.ASCII,
)
"""An extension at the end, as `ext. 12`, `poste 12`, `p. 12`, `x12`, `#12` or `;ext=12` (RFC 3966).
It has at most seven digits: a longer number is another phone number."""
MAX_CHARACTERS: Final = 100
"""A longer text is not read as a phone number; Salesforce's phone fields have 40 characters."""
MAX_DIGITS: Final = 20
"""E.164 allows 15 digits; a prefix such as 00 and a trunk prefix (0) come in addition."""
CACHED_NUMBERS: Final = 4_096
"""The spellings of the two numbers of 1,000 people, a unit of work; about a megabyte."""


def canonical_phone(text: str, region: str) -> str:
    """Return the form in which two phone numbers are compared; never raises, in bounded time.

    A valid number becomes E.164 (ITU-T), with `x` and the extension if it has one. `region` is the
    country of numbers without a country code, ISO 3166-1 alpha-2. Every other text is compared
    without its separators and in lower case. Letters stay letters: 1-800-FLOWERS and 1-800-CONTACTS
    are two texts, although a telephone may dial the same number for two words.
    """
    if len(text) > MAX_CHARACTERS:
        return SEPARATORS.sub("", text).casefold() or text
    return _canonical(text, region)


@lru_cache(maxsize=CACHED_NUMBERS)
def _canonical(text: str, region: str) -> str:
    """Return the canonical form of a short text; a plan asks for it about seven times."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    number, extension = SEPARATORS.sub("", plain), ""
    if not _is_number(number):
        found = EXTENSION.search(plain)
        if found is not None and (before := SEPARATORS.sub("", plain[: found.start()])):
            number, extension = before, f"x{found[1]}"
    if number.startswith("00"):  # the international prefix, which ITU-T E.123 writes +
        number = f"+{number[2:]}"
    if _is_number(number) and len(number) <= MAX_DIGITS:
        number = _e164(number, region) or number
    return f"{number.casefold()}{extension}" or text


def is_phone_region(region: str) -> bool:
    """Whether the library knows the numbers of a country, by its code of ISO 3166-1 alpha-2."""
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415  # 20 ms, see `_e164`

    return region in SUPPORTED_REGIONS


def _is_number(text: str) -> bool:
    return text.removeprefix("+").isdecimal()


@lru_cache(maxsize=CACHED_NUMBERS)
def _e164(number: str, region: str) -> str:
    """Return a valid number in E.164; '' for another one. Spellings with other separators share it.

    The library is imported for the first phone number: it takes 20 ms of processor time, which
    functions that compare no values do not need.
    """
    import phonenumbers  # noqa: PLC0415  # as the docstring says

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
