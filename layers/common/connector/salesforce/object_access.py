"""The access of the integration user to Leads and Contacts: an error that names the permission.

For a user without access an object does not exist: its describe answers 404 NOT_FOUND, and a query
of it 400 INVALID_TYPE (REST API Developer Guide, "Status Codes and Error Responses"; SOAP API
Developer Guide, "ExceptionCode"). What the user may do with an object, and with a field, is in its
describe (SOAP API Developer Guide, "DescribeSObjectResult").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from connector.errors import RejectedError, StaleError, StopReason
from connector.model import RecordKind
from connector.salesforce.diagnosis import DiagnosedError

T = TypeVar("T")

NO_SUCH_OBJECT: Final = "INVALID_TYPE"
PERMISSIONS: Final = {
    RecordKind.LEAD: "'Read', 'Create' and 'Edit'",
    RecordKind.CONTACT: "'Read'",
}
"""The object permissions that the connector needs: it writes no Contacts."""


NEEDED: Final = {RecordKind.LEAD: {"createable": "Create", "updateable": "Edit"}}
"""Flags of a describe that must not be false, with the object permission that sets each."""


def check_describe(kind: RecordKind, described: Mapping[str, Any]) -> None:
    """Raise `DiagnosedError` where the describe shows that the connector cannot work.

    The user may not create or edit Leads, or no record can be found by its e-mail.
    """
    for flag, permission in NEEDED.get(kind, {}).items():
        if described.get(flag) is False:
            raise _refused(
                f"the integration user lacks the permission '{permission}' on {kind.value}: give "
                f"the user {PERMISSIONS[kind]} on {kind.value}, in Setup > Permission Sets > "
                "Object Settings or in its profile"
            )
    for field in described["fields"]:
        if isinstance(field, dict) and field.get("name") == "Email":
            if field.get("filterable") is False:
                raise _refused(
                    f"{kind.value}.Email cannot be filtered, because it is encrypted with the "
                    "probabilistic scheme, and people are found by their e-mail: choose "
                    "deterministic encryption for it in Setup > Encryption Policy, and encrypt the "
                    "existing data again"
                )
            return


def describe_with_access(kind: RecordKind, describe: Callable[[], T]) -> T:
    """Describe an object; raise `DiagnosedError` where the user has no access to it."""
    try:
        return query_with_access(kind, describe)
    except StaleError as error:
        raise _no_access(kind, "404") from error


def query_with_access(kind: RecordKind, query: Callable[[], T]) -> T:
    """Query an object; raise `DiagnosedError` where the user has no access to it."""
    try:
        return query()
    except RejectedError as error:
        if error.code != NO_SUCH_OBJECT:
            raise
        raise _no_access(kind, error.code) from error


def _no_access(kind: RecordKind, code: str) -> DiagnosedError:
    text = (
        f"the integration user has no access to the object {kind.value} ({code}): give the user "
        f"{PERMISSIONS[kind]} on {kind.value}, in Setup > Permission Sets > Object Settings or in "
        "its profile"
    )
    return _refused(text, code)


def _refused(text: str, code: str = "") -> DiagnosedError:
    return DiagnosedError(StopReason.SALESFORCE_REFUSED, text, (text,), code)
