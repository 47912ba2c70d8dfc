"""The data of a new org: users, profiles, permission sets, rules and field permissions."""

from __future__ import annotations

from typing import Any

from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.security import ObjectRights, OrgUser
from local.salesforce_org.setup_objects import DEFAULT_ACCESS_FIELDS
from local.salesforce_org.sharing import api_name
from local.salesforce_org.state import OrgState

INTEGRATION_PROFILE = "Plezi Integration"
SALES_PROFILE = "Standard User"
ADMIN_PROFILE = "System Administrator"


def seed(state: OrgState) -> None:
    """Add the data of a new org."""
    for profile in (ADMIN_PROFILE, INTEGRATION_PROFILE, SALES_PROFILE):
        _add_profile(state, profile)
    for user in _users():
        _add_user(state, user)
    state.add_setup_row(
        "Organization",
        {
            "Name": "Acme",
            "OrganizationType": state.switches.edition,
            "IsSandbox": 0,
            "InstanceName": "EU11",
            "LanguageLocaleKey": "en_US",
        }
        | {
            column: api_name(name, state.sharing.default(state.schema.get(name)))
            for name, column in DEFAULT_ACCESS_FIELDS.items()
        },
        state.org_id,
    )
    for rule in state.automation.duplicates.values():
        state.add_setup_row(
            "DuplicateRule",
            {
                "DeveloperName": rule.name,
                "MasterLabel": rule.name.replace("_", " "),
                "SobjectType": rule.object,
                "IsActive": 0,
            },
        )
    now = state.now()
    for kind in state.schema:
        kind.changed_at = now
        if kind.business:
            add_object_permissions(state, kind)
            for field in kind.fields.values():
                if field.permissionable:
                    grant_to_profiles(state, kind, field)
        if not kind.tooling:
            _add_definitions(state, kind)


def grant_to_profiles(
    state: OrgState, kind: ObjectType, field: Field, *, read: bool = True, edit: bool = True
) -> None:
    """Grant a field to all profiles, as the user interface does for a new field."""
    for (set_id,) in state.store.run(
        'SELECT Id FROM "PermissionSet" WHERE IsOwnedByProfile = 1'
    ).fetchall():
        set_field_permission(state, set_id, kind, field, read=read, edit=edit)


def add_object_permissions(state: OrgState, kind: ObjectType) -> None:
    """Give all profiles the permissions on a new object; "View All" to administrators only."""
    for row in state.store.select(state.schema.get("PermissionSet"), "IsOwnedByProfile = 1"):
        profile = state.store.fetch(state.schema.get("Profile"), row["ProfileId"])
        is_admin = profile is not None and profile["Name"] == ADMIN_PROFILE
        rights = ObjectRights(
            read=True, create=True, edit=True, delete=True, view_all=is_admin, modify_all=is_admin
        )
        set_object_permission(state, row["Id"], kind, rights)


def set_object_permission(
    state: OrgState, set_id: str, kind: ObjectType, rights: ObjectRights
) -> None:
    """Replace the ObjectPermissions row of one permission set and object."""
    permissions = state.schema.get("ObjectPermissions")
    for row in state.store.select(
        permissions, "ParentId = ? AND SobjectType = ?", (set_id, kind.name)
    ):
        state.store.erase(permissions, row["rowid"])
    if rights.read:
        state.add_setup_row(
            "ObjectPermissions",
            {
                "ParentId": set_id,
                "SobjectType": kind.name,
                "PermissionsRead": 1,
                "PermissionsCreate": int(rights.create),
                "PermissionsEdit": int(rights.edit),
                "PermissionsDelete": int(rights.delete),
                "PermissionsViewAllRecords": int(rights.view_all),
                "PermissionsModifyAllRecords": int(rights.modify_all),
            },
        )
    state.security.invalidate()


def set_field_permission(
    state: OrgState, set_id: str, kind: ObjectType, field: Field, *, read: bool, edit: bool
) -> None:
    """Replace the FieldPermissions row of one permission set and field."""
    permissions = state.schema.get("FieldPermissions")
    qualified = f"{kind.name}.{field.name}"
    for row in state.store.select(permissions, "ParentId = ? AND Field = ?", (set_id, qualified)):
        state.store.erase(permissions, row["rowid"])
    if read:
        state.add_setup_row(
            "FieldPermissions",
            {
                "ParentId": set_id,
                "SobjectType": kind.name,
                "Field": qualified,
                "PermissionsRead": 1,
                "PermissionsEdit": int(edit and (field.createable or field.updateable)),
            },
        )
    state.security.invalidate()


def add_field_definition(
    state: OrgState, kind: ObjectType, field: Field, field_id: str = ""
) -> str:
    """Add a field to the Tooling API; return the id of its CustomField row ('' if standard)."""
    state.add_setup_row(
        "FieldDefinition",
        {
            "DurableId": f"{kind.name}.{field.name}",
            "EntityDefinitionId": kind.name,
            "QualifiedApiName": field.name,
            "DeveloperName": field.name.removesuffix("__c"),
            "Label": field.label,
            "DataType": field.type,
            "Length": field.length,
        },
    )
    if not field.custom:
        return ""
    return state.add_setup_row(
        "CustomField",
        {
            "DeveloperName": field.name.removesuffix("__c"),
            "TableEnumOrId": kind.name,
            "FullName": f"{kind.name}.{field.name}",
        },
        field_id,
    )


def delete_field_definition(state: OrgState, kind: ObjectType, field: Field) -> None:
    """Delete a field from the Tooling API, with its permissions."""
    qualified = f"{kind.name}.{field.name}"
    for table, column in (
        ("FieldDefinition", "DurableId"),
        ("CustomField", "FullName"),
        ("FieldPermissions", "Field"),
    ):
        target = state.schema.get(table)
        for row in state.store.select(target, f'"{column}" = ?', (qualified,)):
            state.store.erase(target, row["rowid"])


def _users() -> list[OrgUser]:
    admin_rights: dict[str, Any] = {
        "customize_application": True,
        "view_setup": True,
        "view_all_data": True,
    }
    return [
        OrgUser(
            "admin@acme.example",
            "Admin-pass1",
            "ADMINTOKENADMINTOKENAAAA",
            first_name="Alice",
            last_name="Admin",
            profile=ADMIN_PROFILE,
            edit_converted_leads=True,
            **admin_rights,
        ),
        OrgUser(
            "integration@acme.example",
            "Integration-pass1",
            "INTEGRATIONTOKENAAAAAAAA",
            first_name="Plezi",
            last_name="Integration",
            profile=INTEGRATION_PROFILE,
            **admin_rights,
        ),
        OrgUser(
            "sales@acme.example",
            "Sales-pass1",
            "SALESTOKENSALESTOKENAAAA",
            first_name="Sam",
            last_name="Sales",
            profile=SALES_PROFILE,
        ),
    ]


def _add_profile(state: OrgState, name: str) -> None:
    profile = state.add_setup_row(
        "Profile",
        {
            "Name": name,
            "PermissionsApiEnabled": 1,
            "PermissionsCustomizeApplication": int(name != SALES_PROFILE),
        },
    )
    state.add_setup_row(
        "PermissionSet",
        {
            "Name": f"X{profile}",
            "Label": profile,
            "IsOwnedByProfile": 1,
            "ProfileId": profile,
            "PermissionsApiEnabled": 1,
        },
    )


def _add_user(state: OrgState, user: OrgUser) -> None:
    profiles = state.schema.get("Profile")
    user.profile_id = state.store.select(profiles, "Name = ?", (user.profile,))[0]["Id"]
    user.password_changed_at = state.now()
    user.id = state.ids.next_id("005")
    state.users[user.username.lower()] = user
    state.add_setup_row(
        "User",
        {
            "Username": user.username,
            "FirstName": user.first_name,
            "LastName": user.last_name,
            "Email": user.username,
            "IsActive": 1,
            "ProfileId": user.profile_id,
            "UserType": "Standard",
            "TimeZoneSidKey": "Europe/Paris",
            "LastPasswordChangeDate": state.stamp(),
        },
        user.id,
    )
    (of_profile,) = state.store.select(
        state.schema.get("PermissionSet"), "ProfileId = ?", (user.profile_id,)
    )
    state.add_setup_row(
        "PermissionSetAssignment", {"PermissionSetId": of_profile["Id"], "AssigneeId": user.id}
    )
    show_view_all_data(state, user)


def show_view_all_data(state: OrgState, user: OrgUser) -> None:
    """Show "View All Data" in the permission set of the user's profile, which nobody else has."""
    sets = state.schema.get("PermissionSet")
    (of_profile,) = state.store.select(sets, "ProfileId = ?", (user.profile_id,))
    flag = {"PermissionsViewAllData": int(user.view_all_data)}
    state.store.update_by_id(sets, of_profile["Id"], flag)


def _add_definitions(state: OrgState, kind: ObjectType) -> None:
    state.add_setup_row(
        "EntityDefinition",
        {
            "DurableId": kind.name,
            "QualifiedApiName": kind.name,
            "Label": kind.label,
            "KeyPrefix": kind.prefix,
        },
    )
    for field in kind.fields.values():
        add_field_definition(state, kind, field)
