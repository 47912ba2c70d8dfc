"""The setup objects of an org: users, permissions, duplicate rules, objects of the Tooling API."""

from __future__ import annotations

from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.standard_fields import (
    checkbox,
    full_name,
    plain,
    read_only,
    reference,
    system_fields,
    text,
)

DEFAULT_ACCESS_FIELDS = {
    "Account": "DefaultAccountAccess",
    "Contact": "DefaultContactAccess",
    "Lead": "DefaultLeadAccess",
}
"""The fields of Organization with the organization-wide defaults (SOAP API Developer Guide,
"Organization")."""


def user_objects() -> list[ObjectType]:
    """Return Organization, User, Profile, RecordType and LoginHistory, which are read only."""
    organization = [
        *system_fields(),
        text("Name", "Name", 80),
        text("OrganizationType", "Edition", 40),
        checkbox("IsSandbox", "Is Sandbox"),
        text("InstanceName", "Instance Name", 5),
        text("NamespacePrefix", "Namespace Prefix", 15),
        plain("TrialExpirationDate", "Trial Expiration Date", "datetime"),
        text("LanguageLocaleKey", "Language", 40),
        *(text(name, f"Default {kind} Access", 40) for kind, name in DEFAULT_ACCESS_FIELDS.items()),
    ]
    user = [
        *system_fields(),
        text("Username", "Username", 80, nillable=False, id_lookup=True),
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80, nillable=False),
        full_name(),
        text("Email", "Email", 128, "email"),
        checkbox("IsActive", "Active"),
        reference("ProfileId", "Profile ID", ("Profile",), "Profile"),
        text("UserType", "User Type", 40),
        text("TimeZoneSidKey", "Time Zone", 40),
        plain("LastPasswordChangeDate", "Last Password Change or Reset", "datetime"),
    ]
    profile = [
        *system_fields(),
        text("Name", "Name", 255),
        checkbox("PermissionsApiEnabled", "API Enabled"),
        checkbox("PermissionsCustomizeApplication", "Customize Application"),
    ]
    record_type = [
        *system_fields(),
        text("Name", "Name", 80),
        text("DeveloperName", "Record Type Name", 80),
        text("SobjectType", "Object", 40),
        checkbox("IsActive", "Active"),
    ]
    history = [
        *system_fields(),
        reference("UserId", "User ID", ("User",), "User"),
        plain("LoginTime", "Login Time", "datetime"),
        text("LoginType", "Login Type", 40),
        text("Status", "Status", 128),
        text("Application", "Application", 80),
    ]
    return [
        _setup("Organization", "00D", organization, writable=False),
        _setup("User", "005", user, writable=False),
        _setup("Profile", "00e", profile, writable=False),
        _setup("RecordType", "012", record_type, writable=False),
        _setup("LoginHistory", "0Ya", history, writable=False),
    ]


def permission_objects() -> list[ObjectType]:
    """Return permission sets, object and field permissions, assignments and duplicate rules."""
    permission_set = [
        *system_fields(),
        text("Name", "API Name", 80, nillable=False),
        text("Label", "Label", 80, nillable=False),
        text("Description", "Description", 255),
        read_only(checkbox("IsOwnedByProfile", "Owned by Profile")),
        read_only(reference("ProfileId", "Profile ID", ("Profile",), "Profile")),
        checkbox("PermissionsApiEnabled", "API Enabled"),
        checkbox("PermissionsViewAllData", "View All Data"),
    ]
    parent = reference(
        "ParentId", "Parent ID", ("PermissionSet",), "Parent", nillable=False, updateable=False
    )
    object_permissions = [
        *system_fields(),
        parent,
        text("SobjectType", "Object", 40, nillable=False, updateable=False),
        checkbox("PermissionsRead", "Read"),
        checkbox("PermissionsCreate", "Create"),
        checkbox("PermissionsEdit", "Edit"),
        checkbox("PermissionsDelete", "Delete"),
        checkbox("PermissionsViewAllRecords", "View All"),
        checkbox("PermissionsModifyAllRecords", "Modify All"),
    ]
    field_permissions = [
        *system_fields(),
        parent,
        text("SobjectType", "Object", 40, nillable=False, updateable=False),
        text("Field", "Field", 256, nillable=False, updateable=False),
        checkbox("PermissionsRead", "Read"),
        checkbox("PermissionsEdit", "Edit"),
    ]
    assignment = [
        *system_fields(),
        reference(
            "PermissionSetId",
            "Permission Set ID",
            ("PermissionSet",),
            "PermissionSet",
            nillable=False,
            updateable=False,
        ),
        reference(
            "AssigneeId", "Assignee ID", ("User",), "Assignee", nillable=False, updateable=False
        ),
    ]
    duplicate_rule = [
        *system_fields(),
        text("DeveloperName", "Name", 80),
        text("MasterLabel", "Rule Name", 80),
        text("SobjectType", "Object", 40),
        checkbox("IsActive", "Active"),
    ]
    return [
        _setup("PermissionSet", "0PS", permission_set),
        _setup("ObjectPermissions", "110", object_permissions),
        _setup("FieldPermissions", "01k", field_permissions),
        _setup("PermissionSetAssignment", "0Pa", assignment),
        _setup("DuplicateRule", "0Bm", duplicate_rule, writable=False),
    ]


def tooling_objects() -> list[ObjectType]:
    """Return the objects of `/tooling/query`: custom fields, entities and all their fields."""
    custom_field = [
        *system_fields(),
        text("DeveloperName", "Name", 80),
        text("TableEnumOrId", "Entity", 80),
        text("NamespacePrefix", "Namespace", 15),
        text("FullName", "Full Name", 255),
    ]
    entity = [
        *system_fields(),
        text("DurableId", "Durable ID", 80),
        text("QualifiedApiName", "Qualified API Name", 80),
        text("Label", "Label", 80),
        text("KeyPrefix", "Key Prefix", 3),
    ]
    definition = [
        *system_fields(),
        text("DurableId", "Durable ID", 160),
        text(  # holds the entity's DurableId, not a record id
            "EntityDefinitionId",
            "Entity Definition ID",
            80,
            reference_to=("EntityDefinition",),
            relationship="EntityDefinition",
        ),
        text("QualifiedApiName", "Qualified API Name", 80),
        text("DeveloperName", "Developer Name", 80),
        text("Label", "Label", 80),
        text("DataType", "Data Type", 80),
        plain("Length", "Length", "int"),
    ]
    return [
        _setup("CustomField", "00N", custom_field, writable=False, tooling=True),
        _setup("EntityDefinition", "4ie", entity, writable=False, tooling=True),
        _setup("FieldDefinition", "4fe", definition, writable=False, tooling=True),
    ]


def _setup(
    name: str, prefix: str, fields: list[Field], *, writable: bool = True, tooling: bool = False
) -> ObjectType:
    kind = ObjectType(name, name, prefix, plural=name + "s")
    for field in fields:
        kind.put(field)
    kind.business = False
    kind.tooling = tooling
    kind.createable = kind.updateable = writable
    return kind
