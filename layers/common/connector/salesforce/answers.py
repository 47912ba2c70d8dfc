"""Salesforce's response bodies, read as any JSON: each gives a value or a named error.

A body that cannot be used as a whole raises `RetryError`; a value that cannot be used raises
`UnreadableError`, which names the member and what is wrong with it, and never the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.errors import RetryError, StopReason
from connector.model import Value

RECORD_ID: Final = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
"""15 or 18 characters (SOAP API Developer Guide, "ID Field Type")."""
STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
"""A time with its offset, as every response has it."""


Scalar = str | bool | None
"""The types of the members of setup records that the connector reads."""


class UnreadableError(ValueError):
    """A value that cannot be used; the message names the member, and never the value."""


def unusable_answer(what: str) -> RetryError:
    """Return the error for an answer that cannot be used as a whole."""
    return RetryError(
        f"Salesforce's answer has no usable {what}", reason=StopReason.SALESFORCE_UNAVAILABLE
    )


def is_record_id(text: str) -> bool:
    """Whether a text has the form of a record's id."""
    return RECORD_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query. `next_page` is the address of the next one, '' after the last."""

    rows: list[object]
    next_page: str

    @property
    def is_last(self) -> bool:
        """Whether no page follows."""
        return not self.next_page


def read_query_page(body: object) -> QueryPage:
    """Return a page of a query (REST API Developer Guide, "Query"); raise `RetryError`."""
    match body:
        case {"records": list(rows), "done": True}:
            return QueryPage(rows, "")
        case {"records": list(rows), "done": False, "nextRecordsUrl": str(address)} if address:
            return QueryPage(rows, address)
        case _:
            raise unusable_answer("page of records")


def read_members(body: object, names: tuple[str, ...]) -> list[dict[str, Scalar]]:
    """Return these members of all records of a query's only page; raise `RetryError`."""
    rows = [row if isinstance(row, dict) else {} for row in read_query_page(body).rows]
    if all(isinstance(row.get(name, []), Scalar) for row in rows for name in names):
        return [{name: row[name] for name in names} for row in rows]
    raise unusable_answer(f"{' and '.join(names)} of each record")


def read_created_id(body: object) -> str:
    """Return the id of a record that was created; raise `RetryError`."""
    match body:
        case {"id": str(record_id)} if is_record_id(record_id):
            return record_id
        case _:
            raise unusable_answer("id of the record that was created")


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """The answer to one sub-request of a composite call."""

    status: int
    body: object


def read_composite(body: object, number: int) -> list[PartAnswer]:
    """Return the answers to `number` sub-requests, in order; raise `RetryError`.

    A sub-request whose answer cannot be used has status 0.
    """
    match body:
        case {"compositeResponse": list(parts)} if len(parts) == number:
            return [_part(part) for part in parts]
        case _:
            raise unusable_answer("composite response")


def _part(part: object) -> PartAnswer:
    match part:
        case {"httpStatusCode": int(status), "body": content}:
            return PartAnswer(status, content)
        case _:
            return PartAnswer(0, None)


def read_covered_date(body: object) -> datetime:
    """Return `latestDateCovered` of getUpdated; raise `UnreadableError`."""
    if not isinstance(body, Mapping):
        raise UnreadableError("the answer is not an object")
    return read_stamp(body, "latestDateCovered")


def read_text(row: Mapping[str, object], name: str) -> str:
    """Return a member that is a text; raise `UnreadableError`."""
    value = row.get(name)
    if not isinstance(value, str):
        raise UnreadableError(f"{name} is not a text")
    if not is_unicode(value):
        raise UnreadableError(f"{name} has half of a character")
    return value


def read_flag(row: Mapping[str, object], name: str) -> bool:
    """Return a member that is true or false; raise `UnreadableError`."""
    value = row.get(name)
    if not isinstance(value, bool):
        raise UnreadableError(f"{name} is neither true nor false")
    return value


def read_id(row: Mapping[str, object], name: str) -> str:
    """Return a member that is a record's id, '' where it is null; raise `UnreadableError`."""
    if row.get(name) is None:
        return ""
    value = read_text(row, name)
    if not is_record_id(value):
        raise UnreadableError(f"{name} is not the id of a record")
    return value


def read_stamp(row: Mapping[str, object], name: str) -> datetime:
    """Return a member that is a time, in UTC; raise `UnreadableError`."""
    return parse_stamp(read_text(row, name), name)


def parse_stamp(text: str, name: str = "the time") -> datetime:
    """Return a time in UTC; raise `UnreadableError`."""
    if STAMP.fullmatch(text) is None:
        raise UnreadableError(f"{name} is not a time")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError(f"{name} is not a time") from None


def read_value(name: str, value: object) -> Value:
    """Return the value of a field; raise `UnreadableError`."""
    match value:
        case str() if not is_unicode(value):
            raise UnreadableError(f"{name} has half of a character")
        case float() if not math.isfinite(value):
            raise UnreadableError(f"{name} is not a number")
        case None | str() | bool() | int() | float():
            return value
        case _:
            raise UnreadableError(f"{name} is not a single value")


def is_unicode(text: str) -> bool:
    """Whether a text can be stored: JSON's escapes also describe half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
