"""The attributes of a contact: names, types, options and accepted values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from local.plezi_tenant.timestamps import format_millis, parse_millis

Value: TypeAlias = str | int | float | bool | list[str] | list[int] | list[str | int]
Values: TypeAlias = dict[str, Value]

EMAIL = re.compile(
    r"[^\x00-\x20\x7f\s@,;<>()\[\]\"]+@[^\x00-\x20\x7f\s@,;<>()\[\]\".]+"
    r"(?:\.[^\x00-\x20\x7f\s@,;<>()\[\]\".]+)*\.[^\x00-\x20\x7f\s@,;<>()\[\]\".]{2,}"
)
"""One @, no space, no quoting, and a domain of at least two labels, as web forms accept it."""
MAX_EMAIL_LENGTH = 254
"""RFC 5321, section 4.5.3.1.3: a path has at most 256 octets, angle brackets included."""
OBJECT_ID = re.compile(r"[0-9a-f]{24}")
"""The identifiers of this product line have the form of MongoDB's."""


class AttributeType(StrEnum):
    """The types of attributes, with their names in the schema call."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"
    MULTI_LIST = "multi_list"


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list: the API uses the key, the user interface shows the label.

    A key is a text, a number (as those of `consents`) or true and false; 1 and "1" are two keys.
    """

    key: str | int
    label: str

    def is_chosen_by(self, value: object) -> bool:
        """Whether a value is this key, with its type."""
        return type(value) is type(self.key) and value == self.key


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a contact, with the check of its values."""

    name: str
    label: str
    type: AttributeType = AttributeType.TEXT
    options: tuple[Option, ...] = ()
    mandatory: bool = False
    read_only: bool = False
    system: bool = True

    def accept(self, value: object) -> Value:
        """Return the stored form of a value.

        Raises:
            ValueError: when the value is not accepted; the message completes `<name> ...`.
        """
        match self.type:
            case AttributeType.EMAIL:
                return _email(value)
            case AttributeType.NUMBER:
                return _number(value)
            case AttributeType.CHECKBOX:
                if isinstance(value, bool):
                    return value
                raise ValueError("must be true or false")
            case AttributeType.DATE:
                return _date(value)
            case AttributeType.DATETIME:
                return _datetime(value)
            case AttributeType.LIST:
                return self._choice(value)
            case AttributeType.MULTI_LIST:
                return self._choices(value)
            case _:
                return _text(value)

    def accept_text(self, text: str) -> Value:
        """Return the stored form of a text from a query string or a web page.

        Raises:
            ValueError: when the text is not accepted.
        """
        match self.type:
            case AttributeType.NUMBER:
                return self.accept(_number_in(text))
            case AttributeType.CHECKBOX:
                return self.accept({"true": True, "1": True, "false": False, "0": False}.get(text))
            case AttributeType.LIST:
                return self.accept(self._key(text))
            case AttributeType.MULTI_LIST:
                parts = [part.strip() for part in text.split(",") if part.strip()]
                return self.accept([self._key(part) for part in parts])
            case _:
                return self.accept(text)

    def _key(self, text: str) -> str | int:
        """Return the key that a form or a page shows as a text, JSON's for a key that is none."""
        keys = {
            key if isinstance(key, str) else json.dumps(key): key
            for key in (option.key for option in self.options)
        }
        return keys.get(text, text)

    def _choice(self, value: object) -> str | int:
        for option in self.options:
            if option.is_chosen_by(value):
                return option.key
        raise ValueError("is not an option of the list")

    def _choices(self, value: object) -> list[str | int]:
        if not isinstance(value, list):
            raise ValueError("must be a list of options")  # noqa: TRY004  # one exception type
        for choice in value:
            if not any(option.is_chosen_by(choice) for option in self.options):
                raise ValueError("has an element that is not an option of the list")
        return list(dict.fromkeys(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004  # one exception type
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("has half a character (a lone surrogate)")
    return value


def _email(value: object) -> str:
    email = _text(value).strip()
    if len(email) > MAX_EMAIL_LENGTH or not EMAIL.fullmatch(email):
        raise ValueError("is invalid")
    return email


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a number")  # one exception type
    return value


def _number_in(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None


def _date(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueError("must be a date, YYYY-MM-DD")


def _datetime(value: object) -> str:
    if isinstance(value, str) and "T" in value:
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None:
            return format_millis(parse_millis(value))
    raise ValueError("must be an instant, ISO 8601 with its zone")


def _options(*labels: str) -> tuple[Option, ...]:
    return tuple(Option(label.lower(), label) for label in labels)


NEWSLETTERS = (
    Option("6300000000000000000000aa", "Newsletter"),
    Option("6300000000000000000000ab", "Product news"),
)
CONSENTS = (Option(1, "Commercial e-mails"), Option(2, "Profiling"))
STATES = ("new", "engaged", "accepted", "closed")

SYSTEM_ATTRIBUTES = (
    Attribute("email", "E-mail", AttributeType.EMAIL, mandatory=True),
    Attribute("first_name", "First name"),
    Attribute("last_name", "Last name"),
    Attribute("company", "Company"),
    Attribute("phone", "Phone", AttributeType.PHONE),
    Attribute("mobile", "Mobile", AttributeType.PHONE),
    Attribute("function", "Function"),
    Attribute("behaviour_score", "Behaviour score", AttributeType.NUMBER, read_only=True),
    Attribute("state", "State", read_only=True),
    Attribute("source", "Source", read_only=True),
    Attribute("url", "Page of the contact", read_only=True),
    Attribute("subscriptions", "Newsletters", AttributeType.MULTI_LIST, NEWSLETTERS),
    Attribute("consents", "Consents", AttributeType.MULTI_LIST, CONSENTS),
    Attribute("created_at", "Created", AttributeType.DATETIME, read_only=True),
    Attribute("updated_at", "Updated", AttributeType.DATETIME, read_only=True),
)
CUSTOM_ATTRIBUTES = (
    Attribute("newsletter_optout", "Newsletter opt-out", AttributeType.CHECKBOX, system=False),
    Attribute("birthdate", "Birth date", AttributeType.DATE, system=False),
    Attribute("last_visit", "Last visit", AttributeType.DATETIME, system=False),
    Attribute("employees", "Employees", AttributeType.NUMBER, system=False),
    Attribute(
        "segment", "Segment", AttributeType.LIST, _options("SMB", "Mid", "Large"), system=False
    ),
    Attribute(
        "interests",
        "Interests",
        AttributeType.MULTI_LIST,
        _options("Events", "Product", "Hiring"),
        system=False,
    ),
)
STAMPS = ("created_at", "updated_at")
SET_BY_PLEZI = frozenset({"behaviour_score", "state", "source"})
"""Read-only in the API, but stored: Plezi itself changes them."""


class Schema:
    """The attributes of the tenant, ordered by position."""

    def __init__(
        self, attributes: Iterable[Attribute] = SYSTEM_ATTRIBUTES + CUSTOM_ATTRIBUTES
    ) -> None:
        self._attributes = {attribute.name: attribute for attribute in attributes}

    def __iter__(self) -> Iterator[Attribute]:
        return iter(tuple(self._attributes.values()))

    def find(self, name: str) -> Attribute | None:
        """Return the attribute with this name, or None."""
        return self._attributes.get(name)

    def add(self, attribute: Attribute) -> None:
        """Add or replace a custom attribute.

        Raises:
            ValueError: for the name of a system attribute, or an invalid name.
        """
        existing = self._attributes.get(attribute.name)
        if existing is not None and existing.system:
            raise ValueError(f"{attribute.name} is a system attribute")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", attribute.name):
            raise ValueError("a name is lower-case words joined by underscores")
        self._attributes[attribute.name] = attribute

    def remove(self, name: str) -> None:
        """Remove a custom attribute; its stored values remain, but are not visible.

        Raises:
            ValueError: when there is no such custom attribute.
        """
        existing = self._attributes.get(name)
        if existing is None or existing.system:
            raise ValueError(f"{name} is not a custom attribute")
        del self._attributes[name]


def custom_attribute(body: Mapping[str, object]) -> Attribute:
    """Return the custom attribute that a JSON object describes.

    Raises:
        ValueError: when the object is not valid.
    """
    name, options = body.get("name"), body.get("options", [])
    if not isinstance(name, str) or not isinstance(options, list):
        raise ValueError("give 'name', 'type' and, for a list, 'options': [...]")  # noqa: TRY004  # one exception type
    return Attribute(
        name=name,
        label=str(body.get("label", name)),
        type=AttributeType(str(body.get("type", "text"))),
        options=tuple(
            Option(key if isinstance(key, int) else str(key), str(key)) for key in options
        ),
        mandatory=body.get("mandatory") is True,
        read_only=body.get("read_only") is True,
        system=False,
    )
