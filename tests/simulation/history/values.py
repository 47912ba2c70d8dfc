"""Values in the oracle's own canonical form, and the records and values of a JSON body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from connector.model import LongText, RecordKind
from local.world.both_sides import StoredRecord

PLACEHOLDER: Final = "[unknown]"
AUTOMATED: Final = "9000"
"""What a flow of the org writes in a mapped field."""
EMAIL_FIELDS: Final = ("email", "Email")
_T: Final = 10
"""The place of the T in an ISO 8601 date-time."""


def canonical(value: object) -> str:
    """Return a value in the oracle's own canonical form; '' for a blank and a placeholder."""
    if value in (None, False, 0, "", PLACEHOLDER):
        return ""
    if value in (True, 1):
        return "yes"
    if isinstance(value, list | tuple):
        return ";".join(sorted(map(str, value)))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    if ";" in text:
        return ";".join(sorted(text.split(";")))
    if len(text) > _T and text[_T] == "T" and text[4] == "-":
        return _instant(text)
    return text


def _instant(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def cell_value(record: StoredRecord, field: str) -> str:
    """Return the canonical value of a field of a record; `field` is the name on its side."""
    value = canonical(record.values.get(field))
    return value.lower() if field in EMAIL_FIELDS else value


def is_same_value(name: str, one: object, other: object) -> bool:
    """Return whether two values of a field are equal for the connector: e-mails in any case."""
    first, second = canonical(one), canonical(other)
    return first == second or (name in EMAIL_FIELDS and first.lower() == second.lower())


def is_same_text(journalled: object, text: str) -> bool:
    """Return whether a value of the journal is a canonical value; long texts are digests there."""
    if isinstance(journalled, LongText):
        return journalled.sha256 == sha256(text.encode()).hexdigest()
    return canonical(journalled).casefold() == text.casefold()


def is_salesforce_id(record: str) -> bool:
    """Whether an id is the id of a Lead or of a Contact in Salesforce."""
    return record.startswith(("00Q", "003"))


def kind_of(record: str) -> RecordKind:
    """Return the kind of a record by its id."""
    if record.startswith("00Q"):
        return RecordKind.LEAD
    return RecordKind.CONTACT if record.startswith("003") else RecordKind.PLEZI_CONTACT


def records_in(body: object) -> Iterable[tuple[str, RecordKind, Mapping[str, Any]]]:
    """Yield the id, the kind and the values of every record in a response of either side."""
    if isinstance(body, list):
        for part in body:
            yield from records_in(part)
    elif isinstance(body, dict):
        attributes = body.get("attributes")
        if isinstance(attributes, dict) and "Id" in body:
            yield body["Id"], RecordKind(str(attributes.get("type", "Lead"))), body
        elif isinstance(attributes, dict) and body.get("type") == "contacts":
            yield str(body["id"]), RecordKind.PLEZI_CONTACT, attributes
        else:
            for part in body.values():
                if isinstance(part, list | dict):
                    yield from records_in(part)


def scalars_in(body: object) -> Iterable[object]:
    """Yield every value of a JSON document that a field can have: a scalar or a list of scalars."""
    if isinstance(body, dict):
        body = list(body.values())
    if isinstance(body, list):
        if body and not any(isinstance(part, dict | list) for part in body):
            yield body
        for part in body:
            yield from scalars_in(part)
    else:
        yield body
