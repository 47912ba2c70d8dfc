"""Access control: users, profiles, permission sets, object and field permissions, sharing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.salesforce_org.schema import Field, ObjectType, Schema
from local.salesforce_org.sharing import EDIT, NONE, READ, Sharing
from local.salesforce_org.store import Row, Store

NEEDED_FOR_SETUP = {
    "ObjectPermissions": ("view_setup",),
    "PermissionSetAssignment": ("view_setup", "customize_application"),
}
"""The rights of which a user needs one, for these objects to exist: since Summer '20, "View Setup
and Configuration", or for assignments "Assign Permission Sets", which is a part of
`customize_application` here (SOAP API Developer Guide, "PermissionSetAssignment" and
"PermissionSet", special access rules)."""
HIDDEN_ON_SETUP_OBJECTS = frozenset({"IsDeleted"})
FieldName = tuple[str, str]


@dataclass(slots=True)
class OrgUser:
    """One user of the org: credentials, rights and login state."""

    username: str
    password: str
    security_token: str
    id: str = ""
    first_name: str = ""
    last_name: str = ""
    profile: str = "Standard User"
    profile_id: str = ""
    is_active: bool = True
    api_enabled: bool = True
    approved: bool = True  # may use the connected app (JWT: pre-authorised)
    admin_approved: bool = True  # the app's policy "admin approved users are pre-authorized"
    trusted_address: bool = False  # calls from a trusted IP range: no security token is needed
    ip_restricted: bool = False  # the caller is outside the profile's login IP range
    use_any_api_auth: bool = True  # SOAP login() requires it since Summer '26
    customize_application: bool = False
    view_setup: bool = False
    view_all_data: bool = False
    edit_converted_leads: bool = False
    failed_logins: int = 0
    locked_until: datetime | None = None
    password_changed_at: datetime | None = None
    password_expired: bool = False
    login_times: list[datetime] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class ObjectRights:
    """The object permissions of one user (SOAP API Developer Guide, "ObjectPermissions")."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False


NO_RIGHTS = ObjectRights()


class UserAccess:
    """The access of one user to objects, fields (field-level security) and records (sharing)."""

    def __init__(
        self,
        user: OrgUser,
        fields: tuple[frozenset[FieldName], frozenset[FieldName]],
        rights: dict[str, ObjectRights],
        hidden: frozenset[str],
        sharing: Sharing,
    ) -> None:
        self._user = user
        self._readable, self._editable = fields
        self._rights = rights
        self._hidden = hidden
        self._sharing = sharing

    def can_see(self, kind: ObjectType) -> bool:
        """Return whether the object exists for the user."""
        if kind.name.lower() in self._hidden or not self._may_see_setup(kind):
            return False
        return not kind.business or self.rights(kind).read

    def _may_see_setup(self, kind: ObjectType) -> bool:
        needed = NEEDED_FOR_SETUP.get(kind.name)
        return needed is None or any(getattr(self._user, name) for name in needed)

    def rights(self, kind: ObjectType) -> ObjectRights:
        """Return the user's permissions on a business object."""
        return self._rights.get(kind.name, NO_RIGHTS)

    def can_create(self, kind: ObjectType) -> bool:
        """Return whether the user may create records of the object."""
        return not kind.business or self.rights(kind).create

    def can_update(self, kind: ObjectType) -> bool:
        """Return whether the user may change records of the object."""
        return not kind.business or self.rights(kind).edit

    def can_delete(self, kind: ObjectType) -> bool:
        """Return whether the user may delete records of the object."""
        return not kind.business or self.rights(kind).delete

    def visible_rows(self, kind: ObjectType, alias: str) -> str:
        """Return the SQL condition of the rows that the user sees; "" for all rows."""
        if not kind.business or self._sees_all(kind):
            return ""
        return self._sharing.visible_rows(self._user.id, kind, alias)

    def level(self, kind: ObjectType, row: Row) -> str:
        """Return the user's access to a row: none, read or edit."""
        if not kind.business or self.rights(kind).modify_all:
            return EDIT
        level = self._sharing.level(self._user.id, kind, row)
        return READ if level == NONE and self._sees_all(kind) else level

    def _sees_all(self, kind: ObjectType) -> bool:
        rights = self.rights(kind)
        return self._user.view_all_data or rights.view_all or rights.modify_all

    def can_read(self, kind: ObjectType, field: Field) -> bool:
        """Return whether the field exists for the user."""
        if not kind.business:
            return field.name not in HIDDEN_ON_SETUP_OBJECTS
        return not field.permissionable or (kind.name, field.name) in self._readable

    def can_edit(self, kind: ObjectType, field: Field) -> bool:
        """Return whether field-level security lets the user write the field."""
        if not kind.business or not field.permissionable:
            return True
        return (kind.name, field.name) in self._editable


class SystemAccess:
    """The access of the org itself: everything."""

    def can_see(self, kind: ObjectType) -> bool:  # noqa: ARG002  # the protocol of access
        """Return true."""
        return True

    can_create = can_update = can_delete = can_see

    def can_read(self, kind: ObjectType, field: Field) -> bool:  # noqa: ARG002  # the protocol of access
        """Return true."""
        return True

    can_edit = can_read

    def visible_rows(self, kind: ObjectType, alias: str) -> str:  # noqa: ARG002  # same
        """Return the condition of all rows."""
        return ""

    def level(self, kind: ObjectType, row: Row) -> str:  # noqa: ARG002  # same
        """Return edit."""
        return EDIT


class Security:
    """The access of users, computed from the rows of object and field permissions, and cached."""

    def __init__(self, schema: Schema, store: Store) -> None:
        self._schema = schema
        self._store = store
        self._access_by_user: dict[str, UserAccess] = {}
        self.sharing = Sharing(store)
        self.hidden: frozenset[str] = frozenset()

    def access_of(self, user: OrgUser) -> UserAccess:
        """Return the access of a user."""
        if user.id not in self._access_by_user:
            self._access_by_user[user.id] = self._compute(user)
        return self._access_by_user[user.id]

    def invalidate(self) -> None:
        """Clear the cache: a permission, an assignment or a field changed."""
        self._access_by_user.clear()

    def _compute(self, user: OrgUser) -> UserAccess:
        fields = self._fields(user)
        return UserAccess(user, fields, self._rights(user), self.hidden, self.sharing)

    def _fields(self, user: OrgUser) -> tuple[frozenset[FieldName], frozenset[FieldName]]:
        """Return the fields that the user may read, and those that the user may write."""
        readable, editable = set[FieldName](), set[FieldName]()
        for entity, qualified, edit in self._granted(
            "FieldPermissions", "SobjectType, Field, PermissionsEdit", user
        ):
            kind = self._schema.find(entity)
            field = kind.find(qualified.partition(".")[2]) if kind else None
            if kind is None or field is None:
                continue
            readable.add((kind.name, field.name))
            if edit:
                editable.add((kind.name, field.name))
        return frozenset(readable), frozenset(editable)

    def _rights(self, user: OrgUser) -> dict[str, ObjectRights]:
        """Return the permissions of the user by object: profile and permission sets together."""
        names = ("Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")
        columns = ", ".join(["SobjectType", *(f"Permissions{name}" for name in names)])
        rights: dict[str, ObjectRights] = {}
        for entity, create, edit, delete, view_all, modify_all in self._granted(
            "ObjectPermissions", columns, user
        ):
            known = rights.get(entity, NO_RIGHTS)
            rights[entity] = ObjectRights(
                read=True,
                create=known.create or bool(create),
                edit=known.edit or bool(edit),
                delete=known.delete or bool(delete),
                view_all=known.view_all or bool(view_all),
                modify_all=known.modify_all or bool(modify_all),
            )
        return rights

    def _granted(self, table: str, columns: str, user: OrgUser) -> list[tuple[Any, ...]]:
        """Return the rows with read access of a table of permissions that apply to a user."""
        return self._store.run(
            f'SELECT {columns} FROM "{table}" WHERE PermissionsRead = 1 AND ParentId IN ('  # noqa: S608  # names of this module
            'SELECT Id FROM "PermissionSet" WHERE ProfileId = ? OR Id IN ('
            'SELECT PermissionSetId FROM "PermissionSetAssignment" WHERE AssigneeId = ?))',
            (user.profile_id, user.id),
        ).fetchall()
