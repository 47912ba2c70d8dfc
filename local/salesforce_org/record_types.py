"""Record types: an object's kinds of records, each with its own values of some picklists.

The describe of a field has the values of all record types; a save of a restricted picklist accepts
those of the record's type only (Salesforce Help, "Tailor Business Processes to Different Users with
Record Types").
"""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org.automation import RecordType
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.features import add_standard_field
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.standard_fields import reference
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

FIELD = "RecordTypeId"


def add(state: OrgState, kind: ObjectType, options: dict[str, Any]) -> dict[str, Any]:
    """Add a record type: `{"name": "Partner", "default": true, "values": {"Status": [...]}}`."""
    name, values = options.get("name"), options.get("values", {})
    if not kind.business or not isinstance(name, str) or not isinstance(values, dict):
        raise BadRequest("give the object of records, 'name', and 'values' by picklist")
    for field_name, choices in values.items():
        field = kind.find(field_name)
        if field is None or field.type not in {"picklist", "multipicklist"}:
            raise BadRequest(f"{field_name!r} is no picklist of {kind.name}")
        if not isinstance(choices, list) or not set(choices) <= set(field.values):
            raise BadRequest(f"the values of {field_name!r} are a part of {list(field.values)}")
    type_id = state.add_setup_row(
        "RecordType",
        {
            "Name": name,
            "DeveloperName": name.replace(" ", "_"),
            "SobjectType": kind.name,
            "IsActive": 1,
        },
    )
    if kind.find(FIELD) is None:
        new = reference(FIELD, "Record Type ID", ("RecordType",), "RecordType", fixed=True)
        add_standard_field(state, kind, new)
    state.record_types.append(
        RecordType(
            type_id,
            kind.name,
            name,
            options.get("default") is True,
            {kind.get(key).name: tuple(choices) for key, choices in values.items()},
        )
    )
    return {"id": type_id, "object": kind.name, "name": name}


def default_of(state: OrgState, kind: ObjectType) -> dict[str, Any]:
    """Return the record type of a new record that has none in its values."""
    defaults = [each for each in state.record_types if each.object == kind.name and each.is_default]
    return {FIELD: defaults[-1].id} if defaults else {}


def check(state: OrgState, kind: ObjectType, row: Row, values: dict[str, Any]) -> None:
    """Refuse a value of a restricted picklist that the type of the record does not have."""
    record_type = next((each for each in state.record_types if each.id == row.get(FIELD)), None)
    if record_type is None:
        return
    for name, choices in record_type.values.items():
        field, value = kind.get(name), values.get(name)
        if value is None or not field.restricted:
            continue
        for choice in str(value).split(";") if field.type == "multipicklist" else [value]:
            if choice not in choices:
                message = f"{field.label}: bad value for restricted picklist field: {choice}"
                raise RefusedError(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[name]
                )
