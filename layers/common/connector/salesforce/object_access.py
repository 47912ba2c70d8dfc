"""The access of the integration user to Leads and Contacts: an error that names the permission.

For a user without access an object does not exist: its describe answers 404 NOT_FOUND, and a query
of it 400 INVALID_TYPE (REST API Developer Guide, "Status Codes and Error Responses"; SOAP API
Developer Guide, "ExceptionCode").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

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
    return DiagnosedError(StopReason.SALESFORCE_REFUSED, text, (text,), code)
