"""Conversion of written values to their stored form: trimmed, lower-cased, checked or refused.

Messages contain the label of the field, `fields` its API name (recorded responses).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from local.salesforce_org.errors import RefusedError, WholeCallRefusedError
from local.salesforce_org.exchange import UNKNOWN_POSITION
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import Field
from local.salesforce_org.values import parse_date, parse_datetime, parse_time, stamp

Stored = str | int | float | None

EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
FIRST_YEAR, LAST_YEAR = 1700, 4000  # general knowledge, no recording
INT_LIMIT = 2**31
DEFAULT_PRECISION = 18
CHECKBOX_TEXTS = {"true": 1, "false": 0}


def coerce(field: Field, value: Any) -> Stored:  # noqa: ANN401  # any JSON value
    """Return the stored form of a value.

    Raises:
        RefusedError: when the field does not accept the value.
    """
    if value is None:
        if field.type == "boolean":  # not proved whether it is refused or false; refused here
            raise unreadable_value("boolean", value)
        return None
    match field.type:
        case "boolean":
            return _checkbox(value)
        case "int" | "double" | "currency" | "percent":
            return _number(field, value)
        case "date":
            return _date(field, value)
        case "datetime":
            return _datetime(field, value)
        case "time":
            return _time(value)
        case "reference" | "id":
            return _reference(field, value)
        case _:
            return _text(field, value)


def unreadable_value(expected_type: str, value: Any) -> WholeCallRefusedError:  # noqa: ANN401  # same
    """Return the error for a JSON value of a wrong type (recorded form)."""
    token = {
        type(None): "null",
        bool: "VALUE_TRUE" if value else "VALUE_FALSE",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
        str: "VALUE_STRING",
        list: "START_ARRAY",
        dict: "START_OBJECT",
    }[type(value)]
    text = value if isinstance(value, str) else json.dumps(value)
    message = (
        f"Cannot deserialize instance of {expected_type} from {token} value {text}"
        f" or request may be missing a required field at {UNKNOWN_POSITION}"
    )
    refused = WholeCallRefusedError("JSON_PARSER_ERROR", message, fields=None)
    refused.value = json.dumps(value, ensure_ascii=False)
    return refused


def _text(field: Field, value: Any) -> str | None:  # noqa: ANN401  # same
    if not isinstance(value, str):
        raise unreadable_value("string", value)
    text = value.strip()
    if not text:
        return None
    if field.type == "picklist":
        return _choice(field, text)
    if field.type == "multipicklist":
        return _choices(field, text)
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise RefusedError("STRING_TOO_LONG", message, fields=[field.name])
    if field.type == "email":
        if not EMAIL.fullmatch(text):
            message = f"{field.label}: invalid email address: {text}"
            raise RefusedError("INVALID_EMAIL_ADDRESS", message, fields=[field.name])
        return text.lower()
    return text


def _choice(field: Field, text: str) -> str:
    if field.restricted and text not in field.values:
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise RefusedError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[field.name])
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise RefusedError("STRING_TOO_LONG", message, fields=[field.name])
    return text


def _choices(field: Field, text: str) -> str | None:
    """Return the values without duplicates, in the order of the field's definition."""
    choices = dict.fromkeys(part.strip() for part in text.split(";") if part.strip())
    for choice in choices:
        _choice(field, choice)
    order = {value: position for position, value in enumerate(field.values)}
    return ";".join(sorted(choices, key=lambda choice: order.get(choice, len(order)))) or None


def _checkbox(value: Any) -> int:  # noqa: ANN401  # same
    """Return 1 or 0; the texts `true` and `false` are accepted.

    django-salesforce writes every checkbox as such a text, and its live tests save such records.
    """
    if isinstance(value, str) and value in CHECKBOX_TEXTS:
        return CHECKBOX_TEXTS[value]
    if not isinstance(value, bool):
        raise unreadable_value("boolean", value)
    return int(value)


def _number(field: Field, value: Any) -> int | float | None:  # noqa: ANN401  # same
    """Return a number; a string of digits is accepted as a number (recorded).

    Decimals beyond the field's scale are stored and returned as they were written (Salesforce Help,
    "Salesforce Number Field Stores More Decimal Places Than Defined When Set via API or Apex").
    """
    kind = "int" if field.type == "int" else "double"
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            number: float = float(value)
        except ValueError:
            raise unreadable_value(kind, value) from None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise unreadable_value(kind, value)
    else:
        number = value
    if not math.isfinite(number):
        raise unreadable_value(kind, value)
    if kind == "int":
        if number != int(number):
            raise unreadable_value(kind, value)
        if abs(number) >= INT_LIMIT:
            raise _out_of_range(field, value)
        return int(number)
    if abs(number) >= 10 ** ((field.precision or DEFAULT_PRECISION) - field.scale):
        raise _out_of_range(field, value)
    return float(number)


def _out_of_range(field: Field, value: object) -> RefusedError:
    message = f"{field.label}: value outside of valid range on numeric field: {value}"
    return RefusedError("NUMBER_OUTSIDE_VALID_RANGE", message, fields=[field.name])


def _date(field: Field, value: Any) -> str | None:  # noqa: ANN401  # same
    if value == "":
        return None
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise unreadable_value("date", value)
    _check_year(field, day.year, value)
    return day.isoformat()


def _datetime(field: Field, value: Any) -> str | None:  # noqa: ANN401  # same
    if value == "":
        return None
    time = parse_datetime(value) if isinstance(value, str) else None
    if time is None:
        raise unreadable_value("datetime", value)
    _check_year(field, time.year, value)
    return stamp(time)


def _time(value: Any) -> str | None:  # noqa: ANN401  # same
    """Return a time of day in the format of the responses, `10:30:00.000Z`."""
    if value == "":
        return None
    moment = parse_time(value) if isinstance(value, str) else None
    if moment is None:
        raise unreadable_value("time", value)
    return moment


def _check_year(field: Field, year: int, value: object) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        message = f"{field.label}: invalid date: {value}"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message, fields=[field.name])


def _reference(field: Field, value: Any) -> str | None:  # noqa: ANN401  # same
    if not isinstance(value, str):
        raise unreadable_value("string", value)
    if not value:
        return None
    record_id = full_id(value)
    if record_id is None:
        message = f"{field.label}: id value of incorrect type: {value}"
        raise RefusedError("MALFORMED_ID", message, fields=[field.name])
    return record_id
