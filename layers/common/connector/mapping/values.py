"""Canonical forms and conversions of values.

Canonical forms are for comparison only. The value that is written is the source's own value,
converted only as far as the target's type requires, so that the user's spelling is kept.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from connector.clean_text import clean
from connector.mapping.schema import Field, FieldKind
from connector.model import Side, Value

Canonical = str | bool | tuple[str, ...] | None

TRUE_WORDS: Final = frozenset({"true", "yes", "oui", "1", "on", "y"})
FALSE_WORDS: Final = frozenset({"false", "no", "non", "0", "off", "n", ""})
MULTI_PICKLIST_SEPARATOR: Final = ";"
"""Salesforce separates the choices of a multi-select picklist with semicolons (REST API guide)."""


def to_text(value: Value) -> str:
    """Return any value as the text that a user would type."""
    match value:
        case str():
            return clean(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return MULTI_PICKLIST_SEPARATOR.join(filter(None, map(clean, value)))
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return clean(str(value))


def is_identical(one: object, other: object) -> bool:
    """Whether two values have the same type and value; the number 1 and a ticked box differ."""
    return one is other or (type(one) is type(other) and one == other)


def canonical(kind: FieldKind, value: Value, *, scale: int | None = None) -> Canonical:
    """Return the form in which values of this kind are compared; None means blank.

    A value that does not fit its kind (text in a number field) becomes its cleaned text, so that it
    differs from every valid value. `scale` rounds numbers to the decimals that both sides can
    store.
    """
    if kind is FieldKind.CHECKBOX:
        return _checkbox(value)
    if kind is FieldKind.MULTI_PICKLIST:
        return tuple(sorted({choice.casefold() for choice in to_choices(value)})) or None
    text = to_text(value)
    if not text:
        return None
    match kind:
        case FieldKind.TEXT:
            return text
        case FieldKind.EMAIL:
            return text.lower()
        case FieldKind.PHONE:
            return _phone(text)
        case FieldKind.NUMBER:
            return _number(text, scale)
        case FieldKind.DATE:
            return _date(text)
        case FieldKind.DATETIME:
            return _datetime(text)
        case _:
            return text.casefold()


def convert(value: Value, target: Field, side: Side) -> Value:
    """Convert a value for a field of the other side.

    A value that does not fit the field is passed on as text: the side refuses it with its own
    reason, and nothing is guessed.
    """
    if target.kind is FieldKind.CHECKBOX:
        ticked = _checkbox(value)
        return ticked if isinstance(ticked, bool) else to_text(value)
    if target.kind is FieldKind.MULTI_PICKLIST:
        choices = to_choices(value)
        if side is Side.PLEZI:
            return choices
        return MULTI_PICKLIST_SEPARATOR.join(choices) or None
    text = to_text(value)
    if not text:
        return None
    match target.kind:
        case FieldKind.NUMBER:
            return _as_number(text)
        case FieldKind.DATE:
            return _date(text)
        case FieldKind.DATETIME:
            return _datetime(text)
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


def _phone(text: str) -> str:
    """Keep digits only; the international prefix is written + (ITU-T E.123) or 00."""
    digits = "".join(filter(str.isdigit, text))
    if not digits:
        return text
    return digits.removeprefix("00") if not text.startswith("+") else digits


def _number(text: str, scale: int | None) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    if scale is not None:
        number = number.quantize(Decimal(1).scaleb(-scale))
    return format(number.normalize(), "f") if number else "0"


def _as_number(text: str) -> Value:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    return int(number) if number == number.to_integral_value() else float(number)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return text


def _datetime(text: str) -> str:
    """Convert to UTC and whole seconds, in the format that both sides read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _as_option(text: str, options: tuple[str, ...]) -> str:
    """Use the spelling of the option if only the case differs."""
    if text in options:
        return text
    folded = text.casefold()
    return next((option for option in options if option.casefold() == folded), text)
