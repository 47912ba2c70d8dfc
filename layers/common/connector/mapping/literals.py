"""Numbers, dates and times in the texts of both sides. Every function accepts every text."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import cache
from typing import Final

EXACT: Final = Context(prec=2_000, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Exact for all numbers of texts that are compared (`values.LONG_TEXT_CHARACTERS` at most); it
raises nothing. The default context of `decimal` rounds to 28 digits, and a half to the even digit;
Salesforce rounds a half up, away from zero: -12.345 is -12.35 (Salesforce Help, "Formula Data
Types": Number)."""
DOUBLE: Final = Context(prec=15, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Numbers are compared by as many digits as a double surely keeps (DBL_DIG of C, from IEEE 754):
numbers in answers of Salesforce are doubles, and the digits after that are no edit of anybody."""
MOST_DIGITS: Final = 18
"""A larger number fits in no field of Salesforce, and is compared exactly (Salesforce Help, "Custom
Field Types": Number)."""
MOST_PLAIN_DIGITS: Final = 400
"""Numbers up to this size are compared as digits, others as digits with an exponent, because the
zeros of 1E+999999 are a megabyte. It is more than the 309 digits of the largest double."""


def parse_number(text: str) -> Decimal | None:
    """Return the number that a text states, which may be infinite or NaN; None for other texts."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def canonical_number(text: str, scale: int | None) -> str | None:
    """Return a number with at most `scale` decimals and 15 digits, and without zeros at its end.

    Returns None for a text that is not a finite number.
    """
    number = parse_number(text)
    if number is None or not number.is_finite():
        return None
    number = round_number(number, scale)
    if number.adjusted() < MOST_DIGITS:
        number = DOUBLE.plus(number)
    if not number:
        return "0"
    number = EXACT.normalize(number)
    is_plain = abs(number.adjusted()) < MOST_PLAIN_DIGITS
    return format(number, "f") if is_plain else str(number)


def round_number(number: Decimal, scale: int | None) -> Decimal:
    """Return a finite number with at most `scale` decimals (None: as it is), a half rounded up."""
    if scale is None:
        return number
    rounded = EXACT.quantize(number, _unit(scale))
    # A number of another size than `EXACT` is for has no decimals, or none that are rounded.
    return rounded if rounded.is_finite() else number


@cache
def _unit(scale: int) -> Decimal:
    """Return the smallest number with so many decimals."""
    return EXACT.scaleb(Decimal(1), Decimal(-scale))


def to_json_number(number: Decimal) -> int | float | None:
    """Return a number as JSON parsers hold it: IEEE 754 double. None if it is too large for that.

    A whole number is returned with all its digits.
    """
    if not number:
        return 0
    double = float(number)
    if math.isinf(double) or math.isnan(double):
        return None
    return int(number) if number == number.to_integral_value() else double


def parse_date(text: str) -> date | None:
    """Return the date of a text that is a date or a time in ISO 8601; None for other texts."""
    try:
        # `date.fromisoformat` ignores what is behind a date without hyphens (Python 3.11).
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def parse_time(text: str) -> datetime | None:
    """Return the time of a text in ISO 8601, in UTC where it has no zone; None for other texts."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def to_utc(moment: datetime) -> datetime | None:
    """Return a time in UTC; None if it is before year 1 or after year 9999 there."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def format_stamp(moment: datetime) -> str:
    """Return a time of UTC in milliseconds; such texts are in the order of their times."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def format_time(moment: datetime) -> str:
    """Return a time of UTC in whole seconds, in the format that both sides read."""
    return f"{moment.replace(tzinfo=None, microsecond=0).isoformat()}.000Z"
