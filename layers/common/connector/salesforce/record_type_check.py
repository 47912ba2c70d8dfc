"""The check of the record type with which the connector creates Leads: values that it refuses.

A Lead is created with the default record type of the user. The describe of a restricted picklist
has the values of all record types; a save accepts those of its record type only (Salesforce Help,
"Tailor Business Processes to Different Users with Record Types").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connector.connection_report import Finding, Grade
from connector.errors import ConnectorError
from connector.mapping import MappingConfig, Schema
from connector.model import RecordKind, Side
from connector.salesforce.answers import is_record_id, unusable_answer
from connector.salesforce.connection import Connection
from connector.salesforce.describe import parse_schema

NAME: Final = "record_type"
MAX_VALUES: Final = 5
"""Values of one field that are named: a picklist may have a thousand."""
PICKLIST_VALUES: Final = "ui-api/object-info/Lead/picklist-values/{}"
"""The values of one record type (User Interface API Developer Guide, "Get Values for All Picklist
Fields of a Record Type", API 42.0). That a user with the license Salesforce Integration may read it
is assumed."""


def check_record_type(
    connection: Connection, mapping: MappingConfig, described: Mapping[str, Any]
) -> Finding | None:
    """Report values of mapped, restricted picklists that the default record type of Leads lacks.

    It is a warning: a value that is refused is left out, and the Lead is created without it. It
    costs one call; none, and there is no finding, where the org has no record type of its own as
    the default, or no such picklist is mapped.
    """
    record_type = _default_type(described)
    if record_type is None:
        return None
    lists = _mapped_lists(mapping, parse_schema(RecordKind.LEAD, described))
    if not lists:
        return None
    type_id, name = record_type
    try:
        of_type = connection.decode(_read_values, PICKLIST_VALUES.format(type_id))
    except ConnectorError as error:
        message = (
            f"Leads are created with the record type {name}, and its picklist values cannot be "
            f"read ({error}); a value that it lacks is refused."
        )
        return Finding(NAME, Grade.WARNING, message, (_verify_by_hand(name, sorted(lists)),))
    lacking = {
        field: missing
        for field, values in lists.items()
        if field in of_type and (missing := [each for each in values if each not in of_type[field]])
    }
    if not lacking:
        return Finding(NAME, Grade.OK, f"The record type {name} has every value of mapped lists.")
    message = (
        f"Leads are created with the record type {name}, which lacks values of mapped picklists: "
        f"{'; '.join(map(_listed, lacking, lacking.values()))}. A Lead is created without them."
    )
    causes = tuple(
        f"Lead.{field} lacks values in the record type {name}: add them in Setup > Object Manager "
        f"> Lead > Record Types > {name} > Picklists Available for Editing, or give the "
        "integration user another default record type, then test again with plezi-sync connect "
        "check"
        for field in lacking
    )
    return Finding(NAME, Grade.WARNING, message, causes)


def _default_type(described: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the id and the name of the default record type; None if it is the master's."""
    infos = described.get("recordTypeInfos")
    for info in infos if isinstance(infos, list) else ():
        match info:
            case {
                "defaultRecordTypeMapping": True,
                "master": False,
                "recordTypeId": str(type_id),
                "name": str(name),
            } if is_record_id(type_id):
                return type_id, name
    return None


def _mapped_lists(mapping: MappingConfig, schema: Schema) -> dict[str, tuple[str, ...]]:
    """Return the values of each restricted list of Leads that Plezi's values are written to."""
    names = {
        pair.salesforce for pair in mapping.pairs if pair.direction.can_receive(Side.SALESFORCE)
    }
    return {
        name: field.options
        for name, field in schema.items()
        if name in names and field.restricted and field.options
    }


def _read_values(body: object) -> Mapping[str, frozenset[str]]:
    """Return the values of each picklist; raise `RetryError` for any other response."""
    match body:
        case {"picklistFieldValues": dict(fields)}:
            return {name: _values(field) for name, field in fields.items()}
        case _:
            raise unusable_answer("picklist values of a record type")


def _values(field: object) -> frozenset[str]:
    match field:
        case {"values": list(values)} if all(isinstance(each, dict) for each in values):
            return frozenset(str(each.get("value")) for each in values)
        case _:
            raise unusable_answer("picklist values of a record type")


def _listed(field: str, values: Sequence[str]) -> str:
    more = len(values) - MAX_VALUES
    named = ", ".join(f"'{value}'" for value in values[:MAX_VALUES])
    return f"{field}: {named}" + (f" and {more} more" if more > 0 else "")


def _verify_by_hand(name: str, fields: Sequence[str]) -> str:
    return (
        f"open Setup > Object Manager > Lead > Record Types > {name}, and compare its values of "
        f"{', '.join(fields)} with those of the field"
    )
