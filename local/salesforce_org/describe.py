"""Describe: the metadata of an object that the caller may see."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from local.salesforce_org.errors import not_found
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response, to_json
from local.salesforce_org.ids import full_id
from local.salesforce_org.records import object_for
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.security import UserAccess
from local.salesforce_org.state import OrgState

NOT_MODIFIED = 304
BYTES_PER_CHARACTER = 3  # byteLength = 3 x length, recorded
ASCII_TYPES = frozenset({"id", "reference"})  # byteLength = length, recorded
MASTER_RECORD_TYPE = "012000000000000AAA"  # the id of the record type that every object has
CONSTANT_OBJECT_MEMBERS = {  # of every object of this org
    "activateable": False,
    "associateEntityType": None,
    "associateParentEntity": None,
    "deepCloneable": False,
    "isInterface": False,
}
CONSTANT_DESCRIBE_MEMBERS: dict[str, Any] = {  # of the describe of every object of this org
    "actionOverrides": [],
    "defaultImplementation": None,
    "extendedBy": None,
    "extendsInterfaces": None,
    "implementedBy": None,
    "implementsInterfaces": None,
    "listviewable": None,
    "lookupLayoutable": None,
    "namedLayoutInfos": [],
    "networkScopeFieldName": None,
    "sobjectDescribeOption": "FULL",
}
CONSTANT_FIELD_MEMBERS = {  # of every field of this org
    "aiPredictionField": False,
    "cascadeDelete": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}
"""Members that have one value here (the types of jsforce declare them; django-salesforce reads some
of them without asking whether they exist)."""
MASK_NAMES = {"*": "asterisk", "X": "X"}
_SOAP_TYPE = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
    "location": "urn:location",
}


def describe(state: OrgState, call: ApiCall, name: str) -> ApiResponse:
    """`GET /sobjects/{object}/describe`; 304 for an `ETag` or a time after which nothing changed.

    `If-None-Match` counts before `If-Modified-Since` (documentation: REST API Developer Guide,
    "Conditional Request Headers"). The tag is of the body, so that another user has another one.
    """
    kind = object_for(state, call, name, tooling=call.path.startswith("/tooling"))
    changed = (kind.changed_at or state.now()).astimezone(UTC).replace(microsecond=0)
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
    access = state.security.access_of(call.user)
    fields = [
        describe_field(kind, field, access)
        for field in kind.fields.values()
        if access.can_read(kind, field)
    ]
    scopes = [("everything", f"All {kind.plural}"), ("mine", f"My {kind.plural}")]
    members = CONSTANT_DESCRIBE_MEMBERS | {
        "compactLayoutable": kind.business,
        "searchLayoutable": kind.business,
        "supportedScopes": [{"label": label, "name": name} for name, label in scopes]
        if kind.business
        else None,
        "childRelationships": _child_relationships(state, kind, access),
        "recordTypeInfos": _record_types(state, kind, call.version),
        "fields": fields,
    }
    body = to_json(summary(kind, call.version, access) | members)
    headers["ETag"] = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if _is_known(call, headers["ETag"], changed):
        return ApiResponse(NOT_MODIFIED, None, headers)
    return ApiResponse(200, body, headers)


def _is_known(call: ApiCall, tag: str, changed: datetime) -> bool:
    """Return whether the caller has this describe already, by its tag or its time."""
    known = call.headers.get("If-None-Match")
    if known:
        return known.strip() == "*" or tag in [each.strip() for each in known.split(",")]
    since = call.headers.get("If-Modified-Since")
    try:
        return bool(since) and changed <= parsedate_to_datetime(str(since)).astimezone(UTC)
    except ValueError:
        return False


def _child_relationships(
    state: OrgState, kind: ObjectType, access: UserAccess
) -> list[dict[str, Any]]:
    """Return the lookups of other objects to this one (recorded members)."""
    return [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": child.plural if field.name == f"{kind.name}Id" else None,
            "restrictedDelete": False,
        }
        for child in state.schema
        if child.business and access.can_see(child)
        for field in child.fields.values()
        if kind.name in field.reference_to and access.can_read(child, field)
    ]


def _record_types(state: OrgState, kind: ObjectType, version: str) -> list[dict[str, Any]]:
    """Return the record types of an object: every business object has the master (recorded)."""
    if not kind.business:
        return []
    own = [each for each in state.record_types if each.object == kind.name]
    default = next((each.id for each in reversed(own) if each.is_default), MASTER_RECORD_TYPE)
    types = [*((each.id, each.name) for each in own), (MASTER_RECORD_TYPE, "Master")]
    layouts = f"/services/data/v{version}/sobjects/{kind.name}/describe/layouts/"
    return [
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": type_id == default,
            "developerName": name.replace(" ", "_"),
            "master": type_id == MASTER_RECORD_TYPE,
            "name": name,
            "recordTypeId": type_id,
            "urls": {"layout": layouts + type_id},
        }
        for type_id, name in types
    ]


def picklist_values(state: OrgState, call: ApiCall, name: str, type_id: str) -> ApiResponse:
    """`GET /ui-api/object-info/{object}/picklist-values/{recordTypeId}`: all values of a type.

    Documentation: User Interface API Developer Guide, "Get Values for All Picklist Fields of a
    Record Type". The refusal of an id that is none of the object's is assumed.
    """
    kind = state.schema.find(name)
    access = state.security.access_of(call.user)
    if kind is None or not kind.business or not access.can_see(kind):
        raise not_found()
    own = {each.id: each.values for each in state.record_types if each.object == kind.name}
    record_type = full_id(type_id) or ""
    if record_type not in {*own, MASTER_RECORD_TYPE}:
        raise not_found()
    base = f"/services/data/v{call.version}/ui-api/object-info/{kind.name}/picklist-values"
    fields: dict[str, Any] = {
        field.name: {
            "controllerValues": {},
            "defaultValue": None,
            "url": f"{base}/{record_type}/{field.name}",
            "values": [
                {"attributes": None, "label": value, "validFor": [], "value": value}
                for value in own.get(record_type, {}).get(field.name, field.values)
            ],
        }
        for field in kind.fields.values()
        if field.type in {"picklist", "multipicklist"} and access.can_read(kind, field)
    }
    tag = hashlib.sha256(to_json(fields).encode()).hexdigest()[:32]
    return api_response({"eTag": tag, "picklistFieldValues": fields})


def summary(kind: ObjectType, version: str, access: UserAccess) -> dict[str, Any]:
    """Return the entry of one object in `/sobjects`, with what the caller may do."""
    base = f"/services/data/v{version}/{'tooling/' if kind.tooling else ''}sobjects/{kind.name}"
    return CONSTANT_OBJECT_MEMBERS | {
        "name": kind.name,
        "label": kind.label,
        "labelPlural": kind.plural or kind.label,
        "keyPrefix": kind.prefix,
        "custom": kind.name.endswith("__c"),
        "createable": kind.createable and access.can_create(kind),
        "updateable": kind.updateable and access.can_update(kind),
        "deletable": (kind.business or kind.createable) and access.can_delete(kind),
        "undeletable": kind.business,
        "mergeable": kind.name in {"Lead", "Contact", "Account"},
        "queryable": True,
        "retrieveable": True,
        "replicateable": kind.business,
        "searchable": kind.business,
        "layoutable": kind.business,
        "triggerable": kind.business,
        "feedEnabled": kind.business,
        "deprecatedAndHidden": False,
        "customSetting": False,
        "mruEnabled": kind.business,
        "hasSubtypes": False,
        "isSubtype": False,
        "urls": {
            "sobject": base,
            "describe": base + "/describe",
            "rowTemplate": base + "/{ID}",
        },
    }


def describe_field(kind: ObjectType, field: Field, access: UserAccess) -> dict[str, Any]:
    """Return the describe of one field."""
    editable = access.can_edit(kind, field)
    numeric = field.type in {"double", "currency", "percent"}
    return CONSTANT_FIELD_MEMBERS | {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": _SOAP_TYPE.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * (1 if field.type in ASCII_TYPES else BYTES_PER_CHARACTER),
        "precision": field.precision if numeric else 0,
        "scale": field.scale,
        "digits": 8 if field.type == "int" else 0,
        "createable": field.createable and editable and kind.createable and access.can_create(kind),
        "updateable": field.updateable and editable and kind.updateable and access.can_update(kind),
        "nillable": field.nillable,
        "defaultedOnCreate": field.defaulted,
        "defaultValue": field.default if field.type == "boolean" else None,
        "custom": field.custom or field.name.endswith("__s"),
        "calculated": field.calculated,
        "calculatedFormula": field.formula,
        "externalId": field.external_id,
        "idLookup": field.key,
        "unique": field.unique,
        "caseSensitive": field.case_sensitive,
        "permissionable": field.permissionable and kind.business,
        "filterable": field.filterable,
        "sortable": field.sortable,
        "groupable": field.groupable,
        "aggregatable": field.filterable,
        "nameField": field.name == "Name",
        "namePointing": field.name == "OwnerId" and len(field.reference_to) > 1,
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "restrictedPicklist": field.restricted,
        "picklistValues": [
            {
                "active": True,
                "defaultValue": value == field.default,
                "label": value,
                "validFor": None,
                "value": value,
            }
            for value in field.values
        ],
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "compoundFieldName": _compound_of(kind, field),
        "htmlFormatted": field.html,
        "encrypted": bool(field.encryption),
        "mask": MASK_NAMES.get(field.mask),
        "maskType": "all" if field.mask else None,
        "displayLocationInDecimal": field.type == "location",
        "queryByDistance": field.type == "location",
        "autoNumber": bool(field.auto_number),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "inlineHelpText": None,
    }


def basic(state: OrgState, call: ApiCall, name: str) -> ApiResponse:
    """`GET /sobjects/{object}`: its summary and the recent records (none here)."""
    kind = object_for(state, call, name)
    access = state.security.access_of(call.user)
    body = {"objectDescribe": summary(kind, call.version, access), "recentItems": []}
    return ApiResponse(200, to_json(body))


def every_object(state: OrgState, call: ApiCall) -> ApiResponse:
    """`GET /sobjects`."""
    tooling = call.path.startswith("/tooling")
    access = state.security.access_of(call.user)
    kinds = [kind for kind in state.schema if kind.tooling == tooling and access.can_see(kind)]
    listing = [summary(kind, call.version, access) for kind in kinds]
    return ApiResponse(
        200, to_json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listing})
    )


def _compound_of(kind: ObjectType, field: Field) -> str | None:
    if field.compound:
        return field.compound
    if field.name in {"FirstName", "LastName", "Salutation"} and kind.find("Name"):
        return "Name"
    for compound in kind.fields.values():
        parts = {"Street", "City", "State", "PostalCode", "Country"}
        prefix = compound.address
        if compound.type == "address" and field.name in {prefix + part for part in parts}:
            return compound.name
    return None
