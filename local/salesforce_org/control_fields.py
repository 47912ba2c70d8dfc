"""Control routes for fields: add, hide, change, delete, as an administrator does."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org import seed_data, tooling
from local.salesforce_org.coercion import coerce
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.schema import DETERMINISTIC, PROBABILISTIC, Field, ObjectType
from local.salesforce_org.state import OrgState

CHANGEABLE = frozenset(
    {
        "label", "length", "values", "restricted", "createable", "updateable", "unique",
        "external_id", "nillable", "calculated", "formula", "type", "scale", "precision",
        "encryption",
    }
)  # fmt: skip
ENCRYPTABLE = frozenset({"email", "phone", "string", "textarea", "url", "date", "datetime"})
"""Salesforce Help, "Which Standard Fields and Data Elements Can I Encrypt?"."""
TYPES = frozenset(
    {
        "boolean", "currency", "date", "datetime", "double", "email", "int", "multipicklist",
        "percent", "phone", "picklist", "string", "textarea", "url",
    }
)  # fmt: skip


def add(state: OrgState, kind: ObjectType, options: dict[str, Any]) -> dict[str, Any]:
    """Add a field as the user interface does: visible to every profile, unless `visible` is false.

    `{"name": "region__c", "Metadata": {...as for the Tooling API}, "visible": true}`.
    """
    name = options.get("name")
    if not isinstance(name, str) or not name.endswith("__c") or kind.find(name):
        raise BadRequest(f"'name' must be new and end in __c, got {name!r}")
    field = tooling.field_of(name, dict(options.get("Metadata", {})))
    field_id = tooling.add_field(state, kind, field)
    for each in (field, *tooling.parts_of(field)):
        if options.get("visible", True) and each.permissionable:
            seed_data.grant_to_profiles(state, kind, each)
    return {"id": field_id, "name": name}


def set_visibility(
    state: OrgState, kind: ObjectType, name: str, options: dict[str, Any]
) -> dict[str, Any]:
    """Set the access of all profiles, or of one user's profile, to a field."""
    field = _field(kind, name)
    if not field.permissionable:
        raise BadRequest(f"{field.name} is required or a system field: no permission can hide it")
    read, edit = (
        bool(options.get("read", True)),
        bool(options.get("edit", options.get("read", True))),
    )
    username = options.get("username")
    if username is None:
        seed_data.grant_to_profiles(state, kind, field, read=read, edit=edit)
    else:
        user = state.user(str(username))
        if user is None:
            raise BadRequest(f"no user {username!r}")
        profile_sets = state.store.select(
            state.schema.get("PermissionSet"), "ProfileId = ?", (user.profile_id,)
        )
        seed_data.set_field_permission(
            state, profile_sets[0]["Id"], kind, field, read=read, edit=edit
        )
    tooling.mark_changed(state, kind)
    return {"field": f"{kind.name}.{field.name}", "read": read, "edit": edit}


def change(state: OrgState, kind: ObjectType, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Change properties of a field: type, length, picklist values, uniqueness and others."""
    field = _field(kind, name)
    if unknown := set(options) - CHANGEABLE:
        raise BadRequest(f"cannot change {sorted(unknown)}; known: {sorted(CHANGEABLE)}")
    if "encryption" in options:
        _check_encryption(field, options["encryption"])
    if "values" in options:
        options["values"] = tuple(options["values"])
    if "type" in options:
        _check_type(field, options["type"])
        _change_with_values(state, kind, field, options)
    else:
        kind.change(field.name, **options)
    state.store.index(kind)
    tooling.mark_changed(state, kind)
    return {"field": f"{kind.name}.{field.name}", **options}


def delete(state: OrgState, kind: ObjectType, name: str) -> dict[str, Any]:
    """Delete a custom field and its values."""
    field = _field(kind, name)
    if not field.custom:
        raise BadRequest(f"{field.name} is a standard field: it can be hidden, not deleted")
    state.queries.expire()  # their columns may be gone
    tooling.delete_field(state, kind, field)
    return {"field": f"{kind.name}.{field.name}", "deleted": True}


def _check_type(field: Field, new_type: object) -> None:
    if not field.custom:
        raise BadRequest(f"{field.name} is a standard field: its type cannot change")
    if new_type not in TYPES:
        raise BadRequest(f"unknown type {new_type!r}; known: {', '.join(sorted(TYPES))}")


def _check_encryption(field: Field, scheme: object) -> None:
    """Refuse a scheme that the field cannot have.

    Salesforce Help, "Considerations for Using Deterministic Encryption": a unique field or an
    external id needs the deterministic scheme.
    """
    if scheme not in ["", PROBABILISTIC, DETERMINISTIC]:
        raise BadRequest(f"'encryption' is '', {PROBABILISTIC!r} or {DETERMINISTIC!r}")
    if scheme and field.type not in ENCRYPTABLE:
        raise BadRequest(f"a field of the type {field.type} cannot be encrypted")
    if scheme == PROBABILISTIC and (field.unique or field.external_id):
        raise BadRequest(f"{field.name} is unique or an external id: use {DETERMINISTIC!r}")


def _change_with_values(
    state: OrgState, kind: ObjectType, field: Field, options: dict[str, Any]
) -> None:
    """Change the type of a field; a value that the new type does not accept is lost.

    Salesforce Help, "Notes on Changing Custom Field Types": data may be lost.
    """
    rows = state.store.select(kind, f'"{field.name}" IS NOT NULL')
    state.queries.expire()  # their columns may be gone
    state.store.drop_column(kind, field)
    new = kind.change(field.name, **options)
    state.store.add_column(kind, new)
    for row in rows:
        value = _converted(new, row[field.name])
        if value is not None:
            state.store.update(kind, row["rowid"], {field.name: value})


def _converted(field: Field, value: object) -> object:
    try:
        return coerce(field, value)
    except RefusedError:
        return None


def _field(kind: ObjectType, name: str) -> Field:
    field = kind.find(name)
    if field is None:
        raise BadRequest(f"no field {name!r} on {kind.name}")
    return field
