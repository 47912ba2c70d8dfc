"""The preconditions of the connector's own queries, as findings of the connection check.

Each one that is missing is named with its remedy: object permissions, fields by which records are
found, the view of all records where sharing is private, and the values of the default record type.
Nothing is changed. It costs four calls, three more where sharing is private, and one more where
Leads have a record type of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from connector.connection_report import Finding, Grade
from connector.errors import ConnectorError, HaltError, StaleError
from connector.mapping import MappingConfig
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import RecordKind, Side
from connector.salesforce.answers import Scalar
from connector.salesforce.connection import Connection
from connector.salesforce.describe import ACCOUNT, checked_describe
from connector.salesforce.diagnosis import DiagnosedError
from connector.salesforce.library import format_soql
from connector.salesforce.object_access import (
    EMAIL,
    NO_SUCH_ADDRESS,
    NO_SUCH_OBJECT,
    AccessProblem,
    describe_problems,
    describe_with_access,
    no_access,
)
from connector.salesforce.record_type_check import check_record_type

FINDING_NAMES: Final = {RecordKind.LEAD: "leads", RecordKind.CONTACT: "contacts"}
CHECK_AGAIN: Final = "Correct this, then test again with plezi-sync connect check."
SEES_FIELD: Final = (
    "give the user 'Read Access' on it, in Setup > Permission Sets > Object Settings > Field "
    "Permissions"
)
READ_ACCOUNTS: Final = (
    "the integration user lacks the permission 'Read' on Account: give the user 'Read' on Account, "
    "in Setup > Permission Sets > Object Settings or in its profile, or switch the pair off"
)
SHARING: Final = (
    "SELECT DefaultLeadAccess, DefaultContactAccess, DefaultAccountAccess FROM Organization"
)
DEFAULT_ACCESS: Final = {
    "Lead": "DefaultLeadAccess",
    "Contact": "DefaultContactAccess",
    "Account": "DefaultAccountAccess",
}
"""The field of Organization with the organization-wide default of each object (SOAP API Developer
Guide, "Organization")."""
PRIVATE: Final = "None"
BY_PARENT: Final = "ControlledByParent"
"""The default of an object whose records are shared as their Account is."""
VIEWS_ALL_DATA: Final = (
    "SELECT Id FROM PermissionSet WHERE PermissionsViewAllData = true AND Id IN "
    "(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {})"
)
VIEWS_ALL: Final = (
    "SELECT SobjectType, PermissionsViewAllRecords FROM ObjectPermissions WHERE SobjectType IN "
    "('Lead','Contact','Account') AND PermissionsRead = true AND ParentId IN "
    "(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {})"
)
"""The permission sets of a user include that of the profile. Only a user with 'View Setup and
Configuration' can read object permissions (SOAP API Developer Guide, "PermissionSetAssignment" and
"PermissionSet", special access rules)."""


def check_preconditions(connection: Connection, mapping: MappingConfig) -> tuple[Finding, ...]:
    """Return the findings about objects, fields and sharing; every error becomes a finding."""
    leads, described = _check_object(connection, RecordKind.LEAD, mapping)
    contacts, _ = _check_object(connection, RecordKind.CONTACT, mapping)
    by_object = {RecordKind.LEAD.value: leads, RecordKind.CONTACT.value: contacts}
    if _reads_accounts(mapping):
        by_object[ACCOUNT] = _check_accounts(connection)
    findings = [*by_object.values()]
    readable = [name for name, finding in by_object.items() if finding.grade is Grade.OK]
    if readable:
        findings.append(_check_sharing(connection, readable))
    if described and (record_type := check_record_type(connection, mapping, described)):
        findings.append(record_type)
    return tuple(findings)


def _check_object(
    connection: Connection, kind: RecordKind, mapping: MappingConfig
) -> tuple[Finding, Mapping[str, Any]]:
    """Return the finding of an object, and its describe; empty if there is none."""
    name = FINDING_NAMES[kind]
    path = f"sobjects/{kind.value}/describe/"
    try:
        described = describe_with_access(kind, partial(connection.decode, checked_describe, path))
    except DiagnosedError as error:
        if error.code not in {NO_SUCH_ADDRESS, NO_SUCH_OBJECT}:
            return Finding(name, Grade.FAILED, str(error), error.causes), {}
        return _failed(name, (no_access(kind, error.code),)), {}
    except ConnectorError as error:
        return _not_checked(name, error), {}
    page_address = _page_address(mapping) if kind is RecordKind.LEAD else ""
    problems = describe_problems(kind, described, page_address)
    if not any(_is_named(field, EMAIL) for field in described["fields"]):
        what = f"{kind.value}.{EMAIL} is invisible for the integration user"
        problems = (*problems, AccessProblem(what, SEES_FIELD))
    if problems:
        return _failed(name, problems), described
    allowed = "read, created and edited" if kind is RecordKind.LEAD else "read"
    message = f"{kind.value}s can be {allowed}, and found by their e-mail."
    return Finding(name, Grade.OK, message), described


def _is_named(field: object, name: str) -> bool:
    return isinstance(field, dict) and field.get("name") == name


def _page_address(mapping: MappingConfig) -> str:
    """Return the Lead field with the page address: it may not exist yet, the set-up creates it."""
    fields = (pair.salesforce for pair in mapping.pairs if pair.plezi == PLEZI_URL_PAIR.plezi)
    return next(fields, PLEZI_URL_PAIR.salesforce)


def _reads_accounts(mapping: MappingConfig) -> bool:
    """Return whether a pair sends a field of the Account of a Contact to Plezi."""
    return any(
        pair.contact.startswith(f"{ACCOUNT}.") and pair.direction.can_receive(Side.PLEZI)
        for pair in mapping.pairs
    )


def _check_accounts(connection: Connection) -> Finding:
    try:
        connection.read("sobjects/Account/")
    except StaleError:
        message = f"The company of Contacts is not sent to Plezi. {CHECK_AGAIN}"
        return Finding("accounts", Grade.WARNING, message, (READ_ACCOUNTS,))
    except ConnectorError as error:
        return _not_checked("accounts", error)
    return Finding("accounts", Grade.OK, "Accounts can be read, for the company of Contacts.")


def _failed(name: str, problems: Sequence[AccessProblem]) -> Finding:
    what = "; ".join(problem.what for problem in problems)
    message = f"{what[:1].upper()}{what[1:]}. {CHECK_AGAIN}"
    return Finding(name, Grade.FAILED, message, tuple(problem.text for problem in problems))


def _not_checked(name: str, error: ConnectorError) -> Finding:
    grade = Grade.FAILED if isinstance(error, HaltError) else Grade.UNKNOWN
    return Finding(name, grade, str(error))


def _check_sharing(connection: Connection, objects: Sequence[str]) -> Finding:
    """Report which of these readable objects are private and may hide records from the user.

    It is a warning, not a failure: roles and sharing rules, which no query shows, may open the
    records, or be meant to hide some.
    """
    try:
        rows = connection.query(SHARING, *DEFAULT_ACCESS.values())
    except ConnectorError as error:
        message = f"The organization-wide defaults cannot be read ({error})."
        return Finding("sharing", Grade.UNKNOWN, message, (_verify_by_hand(objects),))
    defaults: Mapping[str, Any] = rows[0] if rows else {}
    private = [name for name in objects if _is_private(name, defaults)]
    if not private:
        return Finding("sharing", Grade.OK, "No organization-wide default hides records.")
    subject = f"The sharing of {', '.join(private)} is private"
    try:
        seen = _view_all(connection)
    except ConnectorError:
        seen = {}
    hidden = [name for name in private if not seen.get(name)]
    if not hidden:
        return Finding("sharing", Grade.OK, f"{subject}, and the user may view all records.")
    if unknown := [name for name in hidden if name not in seen]:
        message = (
            f"{subject}, and it cannot be verified whether the integration user sees all records "
            f"of {', '.join(unknown)}: it may not read its own permissions."
        )
        return Finding("sharing", Grade.WARNING, message, (_verify_by_hand(hidden),))
    message = (
        f"{subject}, and the integration user lacks 'View All Records' on {', '.join(hidden)}: "
        "records that no role or sharing rule opens are invisible to the connector. A Lead that is "
        "hidden later is listed as not_visible."
    )
    return Finding("sharing", Grade.WARNING, message, (_grant_view_all(hidden),))


def _is_private(name: str, defaults: Mapping[str, Any]) -> bool:
    default = defaults.get(DEFAULT_ACCESS[name])
    if default == BY_PARENT:
        default = defaults.get(DEFAULT_ACCESS[ACCOUNT])
    return bool(default == PRIVATE)


def _view_all(connection: Connection) -> Mapping[str, bool]:
    """Return, for each object whose permissions of the user are readable, whether it sees all.

    Raises the errors of a call.
    """
    user = connection.user_id()
    if connection.query(format_soql(VIEWS_ALL_DATA, user), "Id"):
        return dict.fromkeys(DEFAULT_ACCESS, True)
    rows = connection.query(
        format_soql(VIEWS_ALL, user), "SobjectType", "PermissionsViewAllRecords"
    )
    seen: dict[str, bool] = {}
    for row in rows:
        name, sees_all = _permission(row)
        seen[name] = seen.get(name, False) or sees_all
    return seen


def _permission(row: Mapping[str, Scalar]) -> tuple[str, bool]:
    return str(row["SobjectType"]), row["PermissionsViewAllRecords"] is True


def _grant_view_all(objects: Sequence[str]) -> str:
    return (
        f"give the user 'View All Records' on {', '.join(objects)}, in Setup > Permission Sets > "
        "Object Settings, or share these records with the user, then test again with plezi-sync "
        "connect check"
    )


def _verify_by_hand(objects: Sequence[str]) -> str:
    return (
        "open the permission set of the integration user in Setup > Permission Sets > Object "
        f"Settings, and look for 'View All Records' on {', '.join(objects)}; or give the user "
        "'View Setup and Configuration' (System Permissions), then test again with plezi-sync "
        "connect check"
    )
