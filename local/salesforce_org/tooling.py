"""Custom fields in the Tooling API: a new field is invisible until a permission grants it."""

from __future__ import annotations

import re
from typing import Any

from local.salesforce_org import seed_data
from local.salesforce_org.errors import FORBIDDEN, RefusedError, not_found
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response, to_json
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.standard_fields import location_parts, reference
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

CREATED, NO_CONTENT = 201, 204
FULL_NAME = re.compile(r"([A-Za-z]\w*)\.([A-Za-z](?:\w*[A-Za-z0-9])?__c)")
MAX_NAME_LENGTH = 40 + len("__c")
MAX_TEXT_LENGTH = 255

TYPES = {
    "Text": "string",
    "Url": "url",
    "Email": "email",
    "Phone": "phone",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Checkbox": "boolean",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Html": "textarea",
    "EncryptedText": "encryptedstring",
    "Time": "time",
    "Location": "location",
    "AutoNumber": "string",
    "Lookup": "reference",
}
"""Metadata API Developer Guide, "CustomField"; SOAP API Developer Guide, "Field Types"."""
FIXED_LENGTHS = {
    "Url": 255,
    "Email": 80,
    "Phone": 40,
    "TextArea": 255,
    "Picklist": 255,
    "MultiselectPicklist": 4099,
}
MAX_LENGTHS = {
    "Text": MAX_TEXT_LENGTH,
    "LongTextArea": 131_072,
    "Html": 131_072,
    "EncryptedText": 175,
}
FORMULA_TYPES = frozenset(
    {"Text", "Number", "Currency", "Percent", "Checkbox", "Date", "DateTime", "Time"}
)
"""Salesforce Help, "Build a Formula Field": the return types."""
FORMULA_LENGTH = 1300
"""The length of a text formula in a describe."""
HTML_FUNCTIONS = re.compile(r"\b(HYPERLINK|IMAGE)\s*\(", re.IGNORECASE)
"""A formula with one of these is `htmlFormatted`."""
MASKS = {"asterisk": "*", "X": "X"}
NUMBER_LENGTH = 30
"""The length of an auto-number in a describe."""
LOCATION_PRECISION = 18
DISPLAY_FORMAT = re.compile(r"[^{}]*\{0{1,10}\}[^{}]*")


def create(state: OrgState, call: ApiCall) -> ApiResponse:
    """`POST /tooling/sobjects/CustomField` with `{FullName, Metadata}`."""
    _check_rights(call)
    body = call.json_object()
    kind, name = _target(state, body)
    if kind.find(name) is not None:  # text not proved
        message = f"There is already a field named {name.removesuffix('__c')} on {kind.name}."
        raise RefusedError("DUPLICATE_DEVELOPER_NAME", message, fields=["DeveloperName"])
    metadata = body.get("Metadata")
    if not isinstance(metadata, dict):
        raise _missing("Metadata")
    field_id = add_field(state, kind, field_of(name, metadata))
    call.records = 1
    result = {"id": field_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return ApiResponse(CREATED, to_json(result))


def retrieve(state: OrgState, call: ApiCall, record_id: str) -> ApiResponse:
    """`GET /tooling/sobjects/CustomField/{id}`."""
    row, kind, field = _existing(state, record_id)
    metadata = {
        "type": next((k for k, v in TYPES.items() if v == field.type), field.type),
        "label": field.label,
        "length": field.length or None,
        "precision": field.precision or None,
        "scale": field.scale,
        "externalId": field.external_id,
        "unique": field.unique,
        "caseSensitive": field.case_sensitive,
        "required": field.required,
        "formula": field.formula,
    }
    base = f"/services/data/v{call.version}/tooling/sobjects/CustomField/"
    call.records = 1
    return api_response(
        {
            "attributes": {"type": "CustomField", "url": base + row["Id"]},
            "Id": row["Id"],
            "TableEnumOrId": kind.name,
            "DeveloperName": row["DeveloperName"],
            "FullName": row["FullName"],
            "Metadata": metadata,
        }
    )


def update(state: OrgState, call: ApiCall, record_id: str) -> ApiResponse:
    """`PATCH /tooling/sobjects/CustomField/{id}`: changes the metadata, but not the type."""
    _check_rights(call)
    _, kind, field = _existing(state, record_id)
    metadata = call.json_object().get("Metadata")
    if not isinstance(metadata, dict):
        raise _missing("Metadata")
    new_field = field_of(field.name, metadata)
    if new_field.type != field.type:
        message = f"Cannot change type of field {field.name} from {field.type}"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    kind.put(new_field)
    state.store.index(kind)
    mark_changed(state, kind)
    call.records = 1
    return ApiResponse(NO_CONTENT)


def delete(state: OrgState, call: ApiCall, record_id: str) -> ApiResponse:
    """`DELETE /tooling/sobjects/CustomField/{id}`."""
    _check_rights(call)
    _, kind, field = _existing(state, record_id)
    delete_field(state, kind, field)
    call.records = 1
    return ApiResponse(NO_CONTENT)


def add_field(state: OrgState, kind: ObjectType, field: Field) -> str:
    """Add a field without permissions, and return the id of its CustomField row.

    The parts of a geolocation are fields too.
    """
    kind.put(field)
    for part in parts_of(field):
        kind.put(part)
        state.store.add_column(kind, part)
        seed_data.add_field_definition(state, kind, part)
    if not field.is_compound:
        state.store.add_column(kind, field)
    mark_changed(state, kind)
    return seed_data.add_field_definition(state, kind, field)


def parts_of(field: Field) -> list[Field]:
    """Return the fields of which the value of a custom compound field consists."""
    if field.type != "location":
        return []
    return [
        Field(
            name,
            f"{field.label} ({part})",
            "double",
            precision=LOCATION_PRECISION,
            scale=field.scale,
            compound=field.name,
        )
        for name, part in zip(location_parts(field.name), ("Latitude", "Longitude"), strict=True)
    ]


def delete_field(state: OrgState, kind: ObjectType, field: Field) -> None:
    """Delete a field, its values and its permissions."""
    for part in parts_of(field):
        delete_field(state, kind, part)
    if not field.is_compound:
        state.store.drop_column(kind, field)
    del kind.fields[field.name.lower()]
    state.store.index(kind)
    seed_data.delete_field_definition(state, kind, field)
    mark_changed(state, kind)


def mark_changed(state: OrgState, kind: ObjectType) -> None:
    """Set the time of the last change of an object's describe, and clear the access cache."""
    kind.changed_at = state.now()
    state.security.invalidate()


def field_of(name: str, metadata: dict[str, Any]) -> Field:
    """Return the field of a Metadata object.

    Raises:
        RefusedError: when the metadata are not valid.
    """
    field_type = metadata.get("type")
    if not isinstance(field_type, str) or field_type not in TYPES:
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", f"Unknown field type: {field_type}")
    if not metadata.get("label") or not isinstance(metadata["label"], str):
        raise _missing("Label")
    if "formula" in metadata:
        return _formula(name, field_type, metadata)
    if field_type == "Checkbox":
        return _checkbox(name, metadata)
    if field_type in {"Number", "Currency", "Percent"}:
        return _number(name, field_type, metadata)
    if field_type in SPECIAL_FIELDS:
        return SPECIAL_FIELDS[field_type](name, metadata)
    values, restricted = _values(metadata)
    unique = metadata.get("unique") is True
    return Field(
        name,
        str(metadata["label"]),
        TYPES[field_type],
        length=_length(field_type, metadata),
        nillable=metadata.get("required") is not True,
        fixed=metadata.get("required") is True,
        external_id=metadata.get("externalId") is True,
        unique=unique,
        case_sensitive=unique and metadata.get("caseSensitive") is True,
        values=values,
        restricted=restricted,
        html=field_type == "Html",
        mask=_mask(metadata) if field_type == "EncryptedText" else "",
    )


def _formula(name: str, field_type: str, metadata: dict[str, Any]) -> Field:
    """Return a formula field; its values are set by a control call, they are not computed."""
    formula = metadata["formula"]
    if field_type not in FORMULA_TYPES or not isinstance(formula, str):
        message = f"A CustomField of type {field_type} cannot be a formula"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    is_number = field_type in {"Number", "Currency", "Percent"}
    number = _number(name, field_type, metadata) if is_number else None
    return Field(
        name,
        str(metadata["label"]),
        TYPES[field_type],
        length=FORMULA_LENGTH if field_type == "Text" else 0,
        precision=number.precision if number else 0,
        scale=number.scale if number else 0,
        nillable=field_type != "Checkbox",
        defaulted=field_type == "Checkbox",
        calculated=True,
        createable=False,
        updateable=False,
        formula=formula,
        html=HTML_FUNCTIONS.search(formula) is not None,
    )


def _mask(metadata: dict[str, Any]) -> str:
    if metadata.get("maskType") != "all" or metadata.get("maskChar") not in MASKS:
        message = "Must specify 'maskType' and 'maskChar' for a CustomField of type EncryptedText"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    return MASKS[metadata["maskChar"]]


def _location(name: str, metadata: dict[str, Any]) -> Field:
    scale = metadata.get("scale")
    if not isinstance(scale, int) or not isinstance(metadata.get("displayLocationInDecimal"), bool):
        message = (
            "Must specify 'scale' and 'displayLocationInDecimal' for a CustomField of type Location"
        )
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    label = str(metadata["label"])
    return Field(name, label, "location", scale=scale, createable=False, updateable=False)


def _auto_number(name: str, metadata: dict[str, Any]) -> Field:
    display_format = metadata.get("displayFormat")
    if not isinstance(display_format, str) or not DISPLAY_FORMAT.fullmatch(display_format):
        message = "Must specify 'displayFormat' for a CustomField of type AutoNumber"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    return Field(
        name,
        str(metadata["label"]),
        "string",
        length=NUMBER_LENGTH,
        createable=False,
        updateable=False,
        nillable=False,
        defaulted=True,
        auto_number=display_format,
    )


def _lookup(name: str, metadata: dict[str, Any]) -> Field:
    target = metadata.get("referenceTo")
    if not isinstance(target, str) or not target:
        message = "Must specify 'referenceTo' for a CustomField of type Lookup"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    label, relationship = str(metadata["label"]), f"{name.removesuffix('__c')}__r"
    return reference(name, label, (target,), relationship)


SPECIAL_FIELDS = {"Location": _location, "AutoNumber": _auto_number, "Lookup": _lookup}


def _checkbox(name: str, metadata: dict[str, Any]) -> Field:
    if "required" in metadata:  # recorded response
        message = "Can not specify 'required' for a CustomField of type Checkbox"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    default = metadata.get("defaultValue")
    if default not in [
        True,
        False,
        "true",
        "false",
    ]:  # a list, not a set: the value may be unhashable
        message = "Must specify 'defaultValue' for a CustomField of type Checkbox"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    return Field(
        name,
        str(metadata["label"]),
        "boolean",
        nillable=False,
        defaulted=True,
        default=default in [True, "true"],
    )


def _number(name: str, field_type: str, metadata: dict[str, Any]) -> Field:
    precision, scale = metadata.get("precision"), metadata.get("scale")
    if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision:
        message = f"Must specify 'precision' and 'scale' for a CustomField of type {field_type}"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    return Field(
        name,
        str(metadata["label"]),
        TYPES[field_type],
        precision=precision,
        scale=scale,
        nillable=metadata.get("required") is not True,
        fixed=metadata.get("required") is True,
    )


def _length(field_type: str, metadata: dict[str, Any]) -> int:
    if field_type in FIXED_LENGTHS:
        if "length" in metadata:
            message = f"Can not specify 'length' for a CustomField of type {field_type}"
            raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
        return FIXED_LENGTHS[field_type]
    if field_type not in MAX_LENGTHS:
        return 0
    length = metadata.get("length")
    if (
        isinstance(length, bool)
        or not isinstance(length, int)
        or not 1 <= length <= MAX_LENGTHS[field_type]
    ):
        message = f"{field_type} field length must be between 1 and {MAX_LENGTHS[field_type]}"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)
    return length


def _values(metadata: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    match metadata.get("valueSet"):
        case None:
            return (), False
        case {"valueSetDefinition": {"value": [*values]}, **rest} if all(
            isinstance(value, dict) for value in values
        ):
            names = tuple(str(v.get("fullName") or v.get("label")) for v in values)
            return names, rest.get("restricted") is True
    message = "Must specify 'valueSetDefinition' for a CustomField with a valueSet"
    raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message)


def _check_rights(call: ApiCall) -> None:
    if not call.user.customize_application:
        message = (
            "You do not have the level of access necessary to perform the operation you requested."
        )
        raise RefusedError("INSUFFICIENT_ACCESS", message, fields=None, status=FORBIDDEN)


def _target(state: OrgState, body: dict[str, Any]) -> tuple[ObjectType, str]:
    match = FULL_NAME.fullmatch(str(body.get("FullName", "")))
    kind = state.schema.find(match[1]) if match else None
    if match is None or kind is None or not kind.business or len(match[2]) > MAX_NAME_LENGTH:
        message = f"Invalid FullName: {body.get('FullName')}"
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message, fields=["FullName"])
    return kind, match[2]


def _existing(state: OrgState, record_id: str) -> tuple[Row, ObjectType, Field]:
    table = state.schema.get("CustomField")
    row = state.store.fetch(table, full_id(record_id) or "")
    if row is None:
        raise not_found()
    entity, _, name = row["FullName"].partition(".")
    kind = state.schema.get(entity)
    return row, kind, kind.get(name)


def _missing(name: str) -> RefusedError:
    message = f"Required fields are missing: [{name}]"
    return RefusedError("REQUIRED_FIELD_MISSING", message, fields=[name])
