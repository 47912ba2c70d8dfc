"""Canonical forms and conversions: when two values are the same, and how one is said elsewhere.

A canonical form is only for comparing. What is written is always the source's own words, converted
no further than the target's type demands, so that nobody's spelling is flattened.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from connector.mapping.schema import Field, FieldKind
from connector.model import Side, Value

Canonical = str | bool | tuple[str, ...] | None

TRUE_WORDS: Final = frozenset({"true", "yes", "oui", "1", "on", "y"})
FALSE_WORDS: Final = frozenset({"false", "no", "non", "0", "off", "n", ""})
MULTI_PICKLIST_SEPARATOR: Final = ";"
"""Salesforce joins the choices of a multi-select picklist with semicolons (REST guide)."""


def clean(text: str) -> str:
    """Return text as both sides can store it: NFC, no NUL, LF line ends, no blanks around.

    Salesforce trims strings and refuses U+0000 (tap-salesforce #21); browsers send CR LF.
    """
    if text.isascii() and text.isprintable():  # most are, and need no more
        return text.strip()
    one_line_end = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", one_line_end).strip()


def canonical_email(text: object) -> str:
    """Return the e-mail as identity: trimmed, NFC, lower case; '' when there is none.

    Salesforce stores e-mail addresses in lower case (recorded); Plezi's rule is assumed.
    """
    return clean(text).lower() if isinstance(text, str) else ""


def to_text(value: Value) -> str:
    """Return any value as the text in which a person would write it."""
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
    """Whether two values are the very same words; the number 1 and a ticked box are not."""
    return one is other or (type(one) is type(other) and one == other)


def canonical(kind: FieldKind, value: Value, *, scale: int | None = None) -> Canonical:
    """Return the form in which values of this kind may be compared; None means blank.

    A value that is not of its kind (a word in a number field) falls back to its cleaned text, so
    that it is different from every proper value and never silently equal. `scale` rounds numbers to
    the decimals that both sides can hold.
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
    """Say a value in the words of a field of the other side.

    A value that cannot be said there is handed over as its text: the side itself refuses it, with
    its own reason, and nothing is guessed.
    """
    if target.kind is FieldKind.CHECKBOX:
        known = _checkbox(value)
        return known if isinstance(known, bool) else to_text(value)
    if target.kind is FieldKind.MULTI_PICKLIST:
        chosen = to_choices(value)
        if side is Side.PLEZI:
            return chosen
        return MULTI_PICKLIST_SEPARATOR.join(chosen) or None
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
    """Return the choices of a multi-select value, whichever side's spelling it has.

    A choice that holds a semicolon is several: Salesforce has no other way to say it.
    """
    parts = to_text(value).split(MULTI_PICKLIST_SEPARATOR)
    return tuple(choice for choice in (clean(part) for part in parts) if choice)


def _checkbox(value: Value) -> Canonical:
    """A checkbox knows no blank: Salesforce describes it as not nillable, default false."""
    if isinstance(value, bool):
        return value
    word = to_text(value).casefold()
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else to_text(value)


def _phone(text: str) -> str:
    """Digits only; an international prefix may be written + or 00 (ITU-T E.123)."""
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
    """UTC, whole seconds, in the one spelling that both sides read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _as_option(text: str, options: tuple[str, ...]) -> str:
    """The option's own spelling where only the case differs."""
    if text in options:
        return text
    folded = text.casefold()
    return next((option for option in options if option.casefold() == folded), text)
