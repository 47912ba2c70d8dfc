"""The access of the integration user to Leads and Contacts: an error that names the permission.

For a user without access an object does not exist: its describe answers 404 NOT_FOUND, and a query
of it 400 INVALID_TYPE (REST API Developer Guide, "Status Codes and Error Responses"; SOAP API
Developer Guide, "ExceptionCode"). What the user may do with an object, and with a field, is in its
describe (SOAP API Developer Guide, "DescribeSObjectResult").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from connector.errors import RejectedError, StaleError, StopReason
from connector.model import RecordKind
from connector.salesforce.diagnosis import DiagnosedError

T = TypeVar("T")

EMAIL: Final = "Email"

NO_SUCH_OBJECT: Final = "INVALID_TYPE"
NO_SUCH_ADDRESS: Final = "404"
PERMISSIONS: Final = {
    RecordKind.LEAD: "'Read', 'Create' and 'Edit'",
    RecordKind.CONTACT: "'Read'",
}
"""The object permissions that the connector needs: it writes no Contacts."""


NEEDED: Final = {RecordKind.LEAD: {"createable": "Create", "updateable": "Edit"}}
"""Flags of a describe that must not be false, with the object permission that sets each."""
DETERMINISTIC: Final = (
    "choose deterministic encryption for it in Setup > Encryption Policy, and encrypt the existing "
    "data again"
)


@dataclass(frozen=True, slots=True)
class AccessProblem:
    """One thing that the connector needs and that the org does not give: what, and its remedy."""

    what: str
    remedy: str

    @property
    def text(self) -> str:
        """Both in one sentence."""
        return f"{self.what}: {self.remedy}"


def describe_problems(
    kind: RecordKind, described: Mapping[str, Any], page_address: str = ""
) -> tuple[AccessProblem, ...]:
    """Return everything in a describe that shows that the connector cannot work.

    The user may not create or edit Leads, or records cannot be found by their e-mail or, if there
    is such a field, by their `page_address`.
    """
    problems = [
        AccessProblem(
            f"the integration user lacks the permission '{permission}' on {kind.value}",
            _grant(kind),
        )
        for flag, permission in NEEDED.get(kind, {}).items()
        if described.get(flag) is False
    ]
    names = {EMAIL: "e-mail", page_address: "page address"}
    for field in described["fields"]:
        if not isinstance(field, dict) or field.get("filterable") is not False:
            continue
        if (name := field.get("name")) in names:
            what = (
                f"{kind.value}.{name} cannot be filtered, because it is encrypted with the "
                f"probabilistic scheme, and people are found by their {names[name]}"
            )
            problems.append(AccessProblem(what, DETERMINISTIC))
    return tuple(problems)


def check_describe(kind: RecordKind, described: Mapping[str, Any]) -> None:
    """Raise `DiagnosedError` where the describe shows that the connector cannot work.

    The user may not create or edit Leads, or no record can be found by its e-mail.
    """
    for problem in describe_problems(kind, described):
        raise _refused(problem)


def describe_with_access(kind: RecordKind, describe: Callable[[], T]) -> T:
    """Describe an object; raise `DiagnosedError` where the user has no access to it."""
    try:
        return query_with_access(kind, describe)
    except StaleError as error:
        raise _refused(no_access(kind, NO_SUCH_ADDRESS), NO_SUCH_ADDRESS) from error


def query_with_access(kind: RecordKind, query: Callable[[], T]) -> T:
    """Query an object; raise `DiagnosedError` where the user has no access to it."""
    try:
        return query()
    except RejectedError as error:
        if error.code != NO_SUCH_OBJECT:
            raise
        raise _refused(no_access(kind, error.code), error.code) from error


def no_access(kind: RecordKind, code: str) -> AccessProblem:
    """Return the problem of an object that does not exist for the user, by Salesforce's code."""
    what = f"the integration user has no access to the object {kind.value} ({code})"
    return AccessProblem(what, _grant(kind))


def _grant(kind: RecordKind) -> str:
    return (
        f"give the user {PERMISSIONS[kind]} on {kind.value}, in Setup > Permission Sets > Object "
        "Settings or in its profile"
    )


def _refused(problem: AccessProblem, code: str = "") -> DiagnosedError:
    text = problem.text
    return DiagnosedError(StopReason.SALESFORCE_REFUSED, text, (text,), code)
