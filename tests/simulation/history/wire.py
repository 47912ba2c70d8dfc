"""What an answer of either side says, in the oracle's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import LEAD_FIELDS

PLACEHOLDER: Final = "[unknown]"
AUTOMATED: Final = "9000"
"""What a flow of the org writes in a mapped field."""


def said(value: object) -> str:
    """Return what a value says, in the oracle's own canonical form."""
    if value in (None, False, 0, "", PLACEHOLDER):
        return ""
    if value in (True, 1):
        return "yes"
    return str(value).strip()


def value_of(record: StoredRecord, name: str) -> str:
    """Return what a record says of a field that is named as in Plezi."""
    return said(
        record.values.get(name if record.kind is RecordKind.PLEZI_CONTACT else LEAD_FIELDS[name])
    )


def is_lead(record: str) -> bool:
    """Whether an id is one of Salesforce."""
    return record.startswith(("00Q", "003"))


def records_in(body: object) -> Iterable[tuple[str, RecordKind, Mapping[str, Any]]]:
    """Yield every record that an answer of either side shows."""
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


def leaves(body: object) -> Iterable[object]:
    """Yield every value of a JSON document."""
    if isinstance(body, dict):
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            yield from leaves(part)
    else:
        yield body
