"""Control routes for access: certificates, permissions, organization-wide defaults, records."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from werkzeug.exceptions import BadRequest

from local.salesforce_org import seed_data, tooling
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.security import ObjectRights, OrgUser
from local.salesforce_org.setup_objects import DEFAULT_ACCESS_FIELDS
from local.salesforce_org.sharing import DEFAULTS, LEVELS, NONE, api_name
from local.salesforce_org.state import OrgState

RIGHTS = tuple(ObjectRights.__dataclass_fields__)


def set_permissions(
    state: OrgState, kind: ObjectType, user: OrgUser | None, options: dict[str, Any]
) -> dict[str, Any]:
    """Set the object permissions of all profiles, or of one user's profile.

    `{"read": true, "create": false}`: what is left out is granted, except `view_all` and
    `modify_all`. Without `read` there is no other permission, as in Setup.
    """
    if not kind.business:
        raise BadRequest(f"{kind.name} has no object permissions")
    for name, value in options.items():
        if name not in RIGHTS or not isinstance(value, bool):
            raise BadRequest(f"{name!r} is not one of {', '.join(RIGHTS)}, or not a boolean")
    granted = {name: not name.endswith("_all") for name in RIGHTS} | options
    rights = ObjectRights(**granted) if granted["read"] else ObjectRights()
    condition, parameters = "IsOwnedByProfile = 1", tuple[object, ...]()
    if user is not None:
        condition, parameters = condition + " AND ProfileId = ?", (user.profile_id,)
    for row in state.store.select(state.schema.get("PermissionSet"), condition, parameters):
        seed_data.set_object_permission(state, row["Id"], kind, rights)
    tooling.mark_changed(state, kind)
    return {"object": kind.name, **{name: getattr(rights, name) for name in RIGHTS}}


def set_default(state: OrgState, kind: ObjectType, default: object) -> dict[str, Any]:
    """Set the organization-wide default of an object."""
    if not kind.business or default not in list(DEFAULTS):
        raise BadRequest(f"give the object of records and 'default': {', '.join(DEFAULTS)}")
    state.sharing.set_default(kind, str(default))
    if column := DEFAULT_ACCESS_FIELDS.get(kind.name):
        organization = state.schema.get("Organization")
        access = api_name(kind.name, str(default))
        state.store.update_by_id(organization, state.org_id, {column: access})
    return {"object": kind.name, "default": default}


def share(
    state: OrgState, kind: ObjectType, record_id: str, user: OrgUser, access: object
) -> dict[str, Any]:
    """Set the access of a user to one record; null: the organization-wide default counts again."""
    row = state.store.fetch(kind, full_id(record_id) or "")
    if row is None:
        raise BadRequest(f"no {kind.name} {record_id}")
    if access is not None and access not in list(LEVELS):
        raise BadRequest(f"'access' is null or one of {', '.join(LEVELS)}")
    level = None if access is None else str(access)
    state.sharing.set_level(user.id, row["Id"], level)
    if level == NONE and state.security.access_of(user).level(kind, row) != NONE:
        state.sharing.set_level(user.id, row["Id"], None)
        raise BadRequest(
            f"{user.username} sees every {kind.name}: take 'view_all_data' from the user, and "
            "'view_all' and 'modify_all' from the object permissions"
        )
    return {"id": row["Id"], "username": user.username, "access": level}


def upload_certificate(state: OrgState, certificate: object) -> dict[str, Any]:
    """Add a certificate (PEM) of the JWT flow to the app, as "Upload Files" does in Setup."""
    try:
        found = x509.load_pem_x509_certificate(str(certificate).encode())
    except ValueError as error:
        raise BadRequest("'certificate' is an X.509 certificate in PEM form") from error
    state.jwt_certificates.append(str(certificate))
    return {"subject": found.subject.rfc4514_string()}


def assign(state: OrgState, name: str, user: OrgUser) -> dict[str, Any]:
    """Assign a permission set to a user, as "Manage Assignments" does in Setup."""
    rows = list(state.store.select(state.schema.get("PermissionSet"), "Name = ?", (name,)))
    if not rows:
        raise BadRequest(f"there is no permission set {name!r}")
    values = {"PermissionSetId": rows[0]["Id"], "AssigneeId": user.id}
    state.add_setup_row("PermissionSetAssignment", values)
    state.security.invalidate()
    return {"permission_set": name, "username": user.username}
