"""Canonical forms and conversions of values. Every function accepts every value.

Canonical forms are for comparison only. The value that is written is the source's own value,
converted only as far as the target's type requires, so that the user's spelling is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from hashlib import sha256
from typing import Final

from connector.clean_text import canonical_email, clean, is_unicode
from connector.mapping.literals import (
    canonical_number,
    format_time,
    parse_date,
    parse_number,
    parse_time,
    round_number,
    to_json_number,
    to_utc,
)
from connector.mapping.phones import DEFAULT_REGION, canonical_phone
from connector.mapping.schema import Field, FieldKind
from connector.model import LongText, ProblemCode, Side, Value, Values

Canonical = str | bool | tuple[str, ...] | LongText | None

TRUE_WORDS: Final = frozenset({"true", "yes", "oui", "1", "on", "y"})
FALSE_WORDS: Final = frozenset({"false", "no", "non", "0", "off", "n", ""})
MULTI_PICKLIST_SEPARATOR: Final = ";"
"""Salesforce separates the choices of a multi-select picklist with semicolons (REST API guide)."""
LONG_TEXT_CHARACTERS: Final = 1_000
"""A longer text is stored as its length and digest. A link holds a text up to eight times (each
side's observation and base, the values of an intent before and after, a hold), so that 30 fields of
this length in Latin letters still fit into DynamoDB's 400 KB for an item; names, phones, links and
ordinary text fields (255 characters) are always stored whole."""
RESPELLED: Final = (
    f"it has more than {LONG_TEXT_CHARACTERS:,} characters, and the field would hold it spelled "
    "otherwise: choices without repeated separators, and in the spelling of the list"
)
"""What is wrong with a long value that a conversion would not keep as it is."""
PLAIN_INTEGER_BITS: Final = 10_000
"""CPython converts integers up to 4,300 digits (14,284 bits) to text, and refuses larger ones."""
SALESFORCE_DIGITS: Final = 18
"""The most digits of a number, decimals included, that a field of Salesforce can have (Salesforce
Help, "Custom Field Types": Number)."""
FIRST_SALESFORCE_YEAR: Final = 1700
LAST_SALESFORCE_YEAR: Final = 4000
"""The years of dates and times in Salesforce (SOAP API Developer Guide, "Primitive Data Types")."""


@dataclass(frozen=True, slots=True)
class UnusableValue:
    """A value that the type of a field cannot hold: the name of the field and what is wrong.

    `detail` does not contain the value.
    """

    field: str
    detail: str
    code: ProblemCode = ProblemCode.UNUSABLE_VALUE


def to_text(value: Value) -> str:
    """Return any value as the text that a user would type; a digest where the text is not stored.

    Only a blank value gives an empty text.
    """
    match value:
        case str():
            return clean(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return MULTI_PICKLIST_SEPARATOR.join(filter(None, map(clean, value)))
        case LongText():
            return f"sha256:{value.sha256}"
        case float() if value.is_integer():
            return str(int(value))
        case int() if value.bit_length() > PLAIN_INTEGER_BITS:
            return format(Decimal(value), "f")
        case _:
            return clean(str(value))


def is_identical(one: object, other: object) -> bool:
    """Whether two values are the same, whether or not one of them is stored as its digest.

    The number 1 and a ticked box differ, and so do the number 1 and the text 1.
    """
    if one is other:
        return True
    if type(one) is type(other):
        if one == other or (one != one and other != other):  # noqa: PLR0124  # NaN
            return True
    elif isinstance(one, bool) or isinstance(other, bool):
        return False
    return _as_stored(one) == _as_stored(other)


def have_same_values(one: Values, other: Values) -> bool:
    """Whether two records, or two sets of shown values, have the same names and values."""
    return one.keys() == other.keys() and all(
        is_identical(value, other[name]) for name, value in one.items()
    )


def _as_stored(value: object) -> object:
    return stored_value(value) if isinstance(value, str | int | tuple) else value


def stored_value(value: Value) -> Value:
    """Return a value as it is stored: a digest in place of a long text, list or number.

    A long value that is short once it is cleaned is returned cleaned.
    """
    match value:
        case str() if len(value) > LONG_TEXT_CHARACTERS:
            text = clean(value)
            return _digest(text) if len(text) > LONG_TEXT_CHARACTERS else text
        case tuple() if len(value) + sum(map(len, value)) > LONG_TEXT_CHARACTERS:
            cleaned = tuple(filter(None, map(clean, value)))
            text = to_text(cleaned)
            return _digest(text) if len(text) > LONG_TEXT_CHARACTERS else cleaned
        case int() if value.bit_length() > LONG_TEXT_CHARACTERS:
            text = to_text(value)
            return _digest(text) if len(text) > LONG_TEXT_CHARACTERS else value
        case _:
            return value


def stored_values(values: Values) -> Values:
    """Return the values of a record as they are stored; the same object if none is long."""
    stored = {name: stored_value(value) for name, value in values.items()}
    is_unchanged = all(stored[name] is value for name, value in values.items())
    return values if is_unchanged else stored


def _digest(text: str) -> LongText:
    return LongText(len(text), sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def canonical(
    kind: FieldKind, value: Value, *, scale: int | None = None, region: str = DEFAULT_REGION
) -> Canonical:
    """Return the form in which values of this kind are compared; None means blank.

    A value that does not fit its kind (text in a number field) becomes its cleaned text, so that it
    differs from every valid value. A long value becomes its digest, whatever its kind: the choices
    of a long list are compared in their order. `scale` rounds numbers to the decimals that both
    sides can store. `region` is the country of phone numbers without a country code.
    """
    if isinstance(value, LongText):
        return value
    text = to_text(value)
    if len(text) > LONG_TEXT_CHARACTERS:
        return _digest(text)
    if kind is FieldKind.CHECKBOX:
        return _checkbox(value)
    if kind is FieldKind.MULTI_PICKLIST:
        return tuple(sorted({choice.casefold() for choice in to_choices(value)})) or None
    if not text:
        return None
    return (
        canonical_phone(text, region)
        if kind is FieldKind.PHONE
        else _canonical_text(kind, text, scale)
    )


def _canonical_text(kind: FieldKind, text: str, scale: int | None) -> str:
    """Return the canonical form of a text that is not blank."""
    match kind:
        case FieldKind.TEXT:
            return text
        case FieldKind.EMAIL:
            return canonical_email(text)
        case FieldKind.NUMBER:
            return canonical_number(text, scale) or text
        case FieldKind.DATE:
            day = parse_date(text)
            return text if day is None else day.isoformat()
        case FieldKind.DATETIME:
            return _datetime(text)
        case FieldKind.TIME:
            return _time_of_day(text)
        case _:
            return text.casefold()


def convert(value: Value, target: Field, side: Side) -> Value | UnusableValue:
    """Convert a value for a field of the other side.

    A text that is not of the field's type (letters for a number) is passed on as it is: the side
    refuses it with its own reason, and nothing is guessed. A value of this type that the field
    cannot hold is returned as `UnusableValue`. A `LongText` is returned as it is: its text must be
    read again.
    """
    if isinstance(value, LongText):
        return value
    text = to_text(value)
    if not is_unicode(text):
        return UnusableValue(target.name, "it contains half of a character (a lone surrogate)")
    converted = _converted(value, text, target, side)
    if len(text) > LONG_TEXT_CHARACTERS and not isinstance(converted, UnusableValue):
        # A long value is compared by the digest of its text: another spelling of it would differ
        # for ever, and be written again and again.
        return converted if to_text(converted) == text else UnusableValue(target.name, RESPELLED)
    return converted


def _converted(value: Value, text: str, target: Field, side: Side) -> Value | UnusableValue:
    """Convert a value whose text is `text`."""
    if target.kind is FieldKind.CHECKBOX:
        ticked = _checkbox(value)
        return ticked if isinstance(ticked, bool) else text
    if target.kind is FieldKind.MULTI_PICKLIST:
        options = (_as_option(choice, target.options) for choice in to_choices(value))
        choices = tuple(dict.fromkeys(options))  # two may differ in upper and lower case only
        if side is Side.PLEZI:
            return choices
        return MULTI_PICKLIST_SEPARATOR.join(choices) or None
    return _convert_text(text, target, side) if text else None


def _convert_text(text: str, target: Field, side: Side) -> Value | UnusableValue:
    """Convert a text that is not blank for a field that holds one value."""
    match target.kind:
        case FieldKind.NUMBER:
            return _convert_number(text, target, side)
        case FieldKind.DATE:
            return _convert_date(text, target, side)
        case FieldKind.DATETIME:
            return _convert_datetime(text, target, side)
        case FieldKind.PICKLIST:
            return _as_option(text, target.options)
        case _:
            return text


def to_choices(value: Value) -> tuple[str, ...]:
    """Return the choices of a multi-select value in the format of either side.

    A choice that contains a semicolon becomes several choices: Salesforce has no escape for it.
    """
    parts = to_text(value).split(MULTI_PICKLIST_SEPARATOR)
    return tuple(choice for choice in (clean(part) for part in parts) if choice)


def _checkbox(value: Value) -> Canonical:
    """Map blank to False: Salesforce describes a checkbox as not nillable, with default false."""
    if isinstance(value, bool):
        return value
    text = to_text(value).casefold()
    if text in TRUE_WORDS:
        return True
    return False if text in FALSE_WORDS else to_text(value)


def _datetime(text: str) -> str:
    """Return a time in UTC and whole seconds; the text itself where it is none, or out of range."""
    moment = parse_time(text)
    moment = None if moment is None else to_utc(moment)
    return text if moment is None else format_time(moment)


def _time_of_day(text: str) -> str:
    """Return a time of day with milliseconds; the text itself where it is none.

    A time field of Salesforce has no zone, although its values end in Z (SOAP API Developer Guide,
    "Primitive Data Types": time).
    """
    try:
        return time.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="milliseconds")
    except ValueError:
        return text


def _convert_number(text: str, target: Field, side: Side) -> Value | UnusableValue:
    """Convert a number, rounded to the decimals of the field as they are compared.

    Salesforce stores all decimals that the API writes, and rounds them when a user saves the record
    (Salesforce Help, "Salesforce Number Field Stores More Decimal Places Than Defined When Set via
    API or Apex"); by the description of `scale` in the SOAP API Developer Guide it cuts them. A
    rounded number is stored as it is in any case, and no later save changes it.
    """
    number = parse_number(text)
    if number is None:
        return text
    if not number.is_finite():
        return UnusableValue(target.name, "it is not a finite number")
    number = round_number(number, target.scale)
    precision = target.precision or (SALESFORCE_DIGITS if side is Side.SALESFORCE else None)
    if precision is not None and number:
        digits = number.adjusted() + 1
        limit = precision - (target.scale or 0)
        if digits > limit:
            detail = f"it has {digits} digits before the decimal point, and the limit is {limit}"
            return UnusableValue(target.name, detail)
    converted = to_json_number(number)
    if converted is None:
        return UnusableValue(target.name, "it is larger than a number in JSON can be")
    return converted


def _convert_date(text: str, target: Field, side: Side) -> Value | UnusableValue:
    day = parse_date(text)
    if day is None:
        return text
    return _year_problem(day, target, side) or day.isoformat()


def _convert_datetime(text: str, target: Field, side: Side) -> Value | UnusableValue:
    moment = parse_time(text)
    if moment is None:
        return text
    moment = to_utc(moment)
    if moment is None:
        return UnusableValue(target.name, "its year in UTC is before 1 or after 9999")
    return _year_problem(moment, target, side) or format_time(moment)


def _year_problem(day: date, target: Field, side: Side) -> UnusableValue | None:
    """Return the problem of a date that Salesforce cannot hold."""
    if side is Side.PLEZI or FIRST_SALESFORCE_YEAR <= day.year <= LAST_SALESFORCE_YEAR:
        return None
    years = f"{FIRST_SALESFORCE_YEAR} to {LAST_SALESFORCE_YEAR}"
    return UnusableValue(target.name, f"its year is not one of Salesforce's, {years}")


def _as_option(text: str, options: tuple[str, ...]) -> str:
    """Use the spelling of the option if only the case differs."""
    if text in options:
        return text
    folded = text.casefold()
    return next((option for option in options if option.casefold() == folded), text)
