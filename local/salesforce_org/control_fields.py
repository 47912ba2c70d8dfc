"""Control routes for fields: add, hide, change, delete, as an administrator does."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org import seed_data, tooling
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.state import OrgState

CHANGEABLE = frozenset(
    {
        "label", "length", "values", "restricted", "createable", "updateable", "unique",
        "external_id", "nillable", "calculated", "formula",
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
    if options.get("visible", True) and field.permissionable:
        seed_data.grant_to_profiles(state, kind, field)
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
    """Change properties of a field: length, picklist values, uniqueness and others."""
    field = _field(kind, name)
    if unknown := set(options) - CHANGEABLE:
        raise BadRequest(f"cannot change {sorted(unknown)}; known: {sorted(CHANGEABLE)}")
    if "values" in options:
        options["values"] = tuple(options["values"])
    kind.change(field.name, **options)
    state.store.index(kind)
    tooling.mark_changed(state, kind)
    return {"field": f"{kind.name}.{field.name}", **options}


def delete(state: OrgState, kind: ObjectType, name: str) -> dict[str, Any]:
    """Delete a custom field and its values."""
    field = _field(kind, name)
    if not field.custom:
        raise BadRequest(f"{field.name} is a standard field: it can be hidden, not deleted")
    tooling.delete_field(state, kind, field)
    return {"field": f"{kind.name}.{field.name}", "deleted": True}


def _field(kind: ObjectType, name: str) -> Field:
    field = kind.find(name)
    if field is None:
        raise BadRequest(f"no field {name!r} on {kind.name}")
    return field
