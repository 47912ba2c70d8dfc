"""What an administrator does to fields between two runs: add, hide, change, remove."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org import seed_data as founding
from local.salesforce_org import tooling
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.state import OrgState

CHANGEABLE = frozenset(
    {
        "label", "length", "values", "restricted", "createable", "updateable", "unique",
        "external_id", "nillable", "calculated", "formula",
    }
)  # fmt: skip


def add(state: OrgState, kind: ObjectType, wanted: dict[str, Any]) -> dict[str, Any]:
    """Add a field as the user interface does: visible to every profile unless told otherwise.

    `{"name": "region__c", "Metadata": {...as for the Tooling API}, "visible": true}`.
    """
    name = wanted.get("name")
    if not isinstance(name, str) or not name.endswith("__c") or kind.find(name):
        raise BadRequest(f"'name' must be new and end in __c, got {name!r}")
    field = tooling.field_of(name, dict(wanted.get("Metadata", {})))
    field_id = tooling.add_field(state, kind, field)
    if wanted.get("visible", True) and field.permissionable:
        founding.grant_to_profiles(state, kind, field)
    return {"id": field_id, "name": name}


def set_visibility(
    state: OrgState, kind: ObjectType, name: str, wanted: dict[str, Any]
) -> dict[str, Any]:
    """Set what every profile, or one user's profile, may do with a field."""
    field = _field(kind, name)
    if not field.permissionable:
        raise BadRequest(f"{field.name} is required or a system field: nobody can be denied it")
    read, edit = bool(wanted.get("read", True)), bool(wanted.get("edit", wanted.get("read", True)))
    username = wanted.get("username")
    if username is None:
        founding.grant_to_profiles(state, kind, field, read=read, edit=edit)
    else:
        user = state.user(str(username))
        if user is None:
            raise BadRequest(f"no user {username!r}")
        owned = state.store.select(
            state.schema.get("PermissionSet"), "ProfileId = ?", (user.profile_id,)
        )
        founding.set_field_permission(state, owned[0]["Id"], kind, field, read=read, edit=edit)
    tooling.mark_changed(state, kind)
    return {"field": f"{kind.name}.{field.name}", "read": read, "edit": edit}


def change(state: OrgState, kind: ObjectType, name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Change properties of a field: its length, its picklist values, whether it is unique..."""
    field = _field(kind, name)
    if unknown := set(wanted) - CHANGEABLE:
        raise BadRequest(f"cannot change {sorted(unknown)}; known: {sorted(CHANGEABLE)}")
    if "values" in wanted:
        wanted["values"] = tuple(wanted["values"])
    kind.change(field.name, **wanted)
    state.store.index(kind)
    tooling.mark_changed(state, kind)
    return {"field": f"{kind.name}.{field.name}", **wanted}


def delete(state: OrgState, kind: ObjectType, name: str) -> dict[str, Any]:
    """Delete a custom field with its values."""
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
