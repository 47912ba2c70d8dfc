"""Access control: users, profiles, permission sets and field permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from local.salesforce_org.schema import Field, ObjectType, Schema
from local.salesforce_org.store import Store

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


class UserAccess:
    """The access of one user to objects and fields (field-level security)."""

    def __init__(
        self, readable: frozenset[FieldName], editable: frozenset[FieldName], hidden: frozenset[str]
    ) -> None:
        self._readable = readable
        self._editable = editable
        self._hidden = hidden

    def can_see(self, kind: ObjectType) -> bool:
        """Return whether the object exists for the user."""
        return kind.name.lower() not in self._hidden

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

    def can_read(self, kind: ObjectType, field: Field) -> bool:  # noqa: ARG002  # the protocol of access
        """Return true."""
        return True

    def can_edit(self, kind: ObjectType, field: Field) -> bool:  # noqa: ARG002  # the protocol of access
        """Return true."""
        return True


class Security:
    """The access of users, computed from the FieldPermissions rows and cached."""

    def __init__(self, schema: Schema, store: Store) -> None:
        self._schema = schema
        self._store = store
        self._access_by_user: dict[str, UserAccess] = {}
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
        rows = self._store.run(
            'SELECT p.SobjectType, p.Field, p.PermissionsEdit FROM "FieldPermissions" p'
            ' JOIN "PermissionSet" s ON s.Id = p.ParentId'
            " WHERE p.PermissionsRead = 1 AND (s.ProfileId = ? OR s.Id IN ("
            'SELECT PermissionSetId FROM "PermissionSetAssignment" WHERE AssigneeId = ?))',
            (user.profile_id, user.id),
        )
        readable, editable = set[FieldName](), set[FieldName]()
        for entity, qualified, edit in rows:
            kind = self._schema.find(entity)
            field = kind.find(qualified.partition(".")[2]) if kind else None
            if kind is None or field is None:
                continue
            readable.add((kind.name, field.name))
            if edit:
                editable.add((kind.name, field.name))
        return UserAccess(frozenset(readable), frozenset(editable), self.hidden)
