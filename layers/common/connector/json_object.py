"""Strict reading of a JSON object: every wrong member is named, its value is never repeated.

Secrets, the dialect and events are read with it and not with pydantic: the synchronization roles
must start fast, and pydantic took a quarter of the CPU of their imports (docs/decisions.md, 63).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from connector.clean_text import is_unicode

NOT_AN_OBJECT: Final = {"JSON": "Input should be an object"}
REQUIRED: Final = "Field required"
NOT_TEXT: Final = "Input should be a valid string"
EMPTY: Final = "String should have at least 1 character"
NOT_A_MEMBER: Final = "Extra inputs are not permitted"
"""The texts are pydantic's, which the admin API answers with: an operator reads one wording."""

NO_TEXTS: Final[Mapping[str, str]] = MappingProxyType({})

Member = TypeVar("Member", bound=StrEnum)
Placeholder = TypeVar("Placeholder")


class JsonObjectError(ValueError):
    """A JSON object that cannot be used: the name of each wrong member, with its problem."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)

    @property
    def names(self) -> str:
        """The names of the wrong members, 'JSON' for a text that is not a JSON object."""
        return ", ".join(self.problems)


def read_json_object(text: str) -> dict[str, Any]:
    """Return the members of a JSON object.

    Raises `JsonObjectError` for a text that is not one, and for a name that is given twice. The
    error has no cause: the one of `json` contains the text, which may be a secret.
    """
    try:
        data = json.loads(text, object_pairs_hook=_to_object, parse_constant=_refuse_constant)
    except JsonObjectError:
        raise
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise JsonObjectError(NOT_AN_OBJECT)
    return data


def _to_object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    repeated: dict[str, str] = {}
    for name, value in pairs:
        if not is_unicode(name):
            raise ValueError(NOT_TEXT)
        if name in members:
            repeated[f"{name} (given twice)"] = "send it once"
        members[name] = value
    if repeated:
        raise JsonObjectError(repeated)
    return members


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)


class MemberReader:
    """Reads the members of an object by type and collects a problem for each wrong one.

    A member without a default is required. A method returns a placeholder for a wrong member;
    therefore call `check` before the values are used.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members
        self._problems: dict[str, str] = {}

    def text(self, name: str, default: str | None = None, *, may_be_empty: bool = True) -> str:
        """Return a text."""
        value = self._value(name, default)
        if not isinstance(value, str) or not is_unicode(value):
            return self._refuse(name, NOT_TEXT, "")
        if not value and not may_be_empty:
            return self._refuse(name, EMPTY, "")
        return value

    def choice(self, name: str, kind: type[Member], default: Member | None = None) -> Member:
        """Return a member of an enumeration, which the object names by its value."""
        value = self._value(name, default)
        for member in kind:
            if member == value:
                return member
        *others, last = (repr(member.value) for member in kind)
        expected = f"{', '.join(others)} or {last}"
        return self._refuse(name, f"Input should be {expected}", next(iter(kind)))

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._value(name, default)
        if isinstance(value, bool):
            return value
        return self._refuse(name, "Input should be a valid boolean", default)

    def integer(self, name: str, default: int, allowed: range) -> int:
        """Return an integer of a range."""
        value = self._value(name, default)
        if type(value) is int and value in allowed:
            return value
        expected = f"Input should be an integer from {allowed[0]} to {allowed[-1]}"
        return self._refuse(name, expected, default)

    def texts(self, name: str, default: Mapping[str, str] = NO_TEXTS) -> Mapping[str, str]:
        """Return an object whose members are texts."""
        if name not in self._members:
            return default
        value = self._members[name]
        if not isinstance(value, dict):
            return self._refuse(name, "Input should be an object", {})
        inner = MemberReader(value)
        texts = {key: inner.text(key) for key in value}
        self._problems.update({f"{name}.{key}": text for key, text in inner._problems.items()})
        return texts

    def refuse_others(self, names: Collection[str]) -> None:
        """Refuse each member that is not one of `names`."""
        self._problems.update({name: NOT_A_MEMBER for name in self._members if name not in names})

    def check(self) -> None:
        """Raise `JsonObjectError` if a member is wrong."""
        if self._problems:
            raise JsonObjectError(self._problems)

    def _value(self, name: str, default: object) -> object:
        """Return a member or its default; a required member that is absent is a problem."""
        if name in self._members:
            return self._members[name]
        if default is None:
            self._problems[name] = REQUIRED
        return default

    def _refuse(self, name: str, problem: str, placeholder: Placeholder) -> Placeholder:
        """Add a problem, unless the member has one; return the placeholder."""
        self._problems.setdefault(name, problem)
        return placeholder
