"""Values in the oracle's own canonical form, and the records and values of a JSON body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connector.model import RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import LEAD_FIELDS

PLACEHOLDER: Final = "[unknown]"
AUTOMATED: Final = "9000"
"""What a flow of the org writes in a mapped field."""


def canonical(value: object) -> str:
    """Return a value in the oracle's own canonical form."""
    if value in (None, False, 0, "", PLACEHOLDER):
        return ""
    if value in (True, 1):
        return "yes"
    return str(value).strip()


def field_value(record: StoredRecord, name: str) -> str:
    """Return the canonical value of a field of a record; `name` is the name in Plezi."""
    return canonical(
        record.values.get(name if record.kind is RecordKind.PLEZI_CONTACT else LEAD_FIELDS[name])
    )


def is_salesforce_id(record: str) -> bool:
    """Whether an id is the id of a Lead or of a Contact in Salesforce."""
    return record.startswith(("00Q", "003"))


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
    """Yield every scalar value of a JSON document."""
    if isinstance(body, dict):
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            yield from scalars_in(part)
    else:
        yield body
