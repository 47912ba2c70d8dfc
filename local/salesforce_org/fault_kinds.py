"""The faults that can be injected, by time of effect: before, during or after a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from local.control import Fault, Faults, SimulatedClock
from local.salesforce_org.errors import (
    FORBIDDEN,
    UNAUTHORIZED,
    HtmlPageError,
    OAuthRefusedError,
    RefusedError,
    SoapFaultError,
)
from local.salesforce_org.record_rules import row_locked
from local.serving import ConnectionDroppedError

SERVER_ERROR = 500
Item = dict[str, Any]

BEFORE = {
    "session_expired": "401 INVALID_SESSION_ID; with `count: null` on every call",
    "quota_exceeded": "403 TotalRequests Limit exceeded.",
    "concurrent_requests": "403 ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    "long_transactions": "403 ConcurrentPerOrgLongTxn Limit exceeded.",
    "edge_page": "420 HTML: Salesforce Edge sets up the org",
    "unavailable_page": "503 HTML: maintenance, instance move",
    "server_unavailable": "503 JSON SERVER_UNAVAILABLE",
    "server_error": "500 UNKNOWN_EXCEPTION",
    "oauth_error": "any refusal of the token endpoint: `{status, error, error_description}`",
    "soap_fault": "any fault of SOAP login: `{code, message}`",
    "rest_error": "any refusal: `{status, errorCode, message, fields}`",
    "connection_reset": "the connection is closed before the call is executed",
    "slow": "the response takes `seconds` of real time, or `advance` seconds of the org's time",
}
INSIDE = {
    "query_timeout": "400 QUERY_TIMEOUT on a query",
    "short_page": "pages of `size` rows, regardless of the requested size",
    "cursor_expired": "400 INVALID_QUERY_LOCATOR on a next page",
    "lock_row": "UNABLE_TO_LOCK_ROW for the `records` (positions) of a write; by default for all",
    "record_error": "`{errorCode, message, fields}` for the `records` (positions) of a write",
    "apex_limit": "a trigger exceeds a governor limit (`limit`): every record of the write has "
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY; with `above`, in writes of more records than that",
    "trigger_error": "a trigger throws an exception for a record that `contains` these values (by "
    "default for any): every record of the write has CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "trigger_lock": "UNABLE_TO_LOCK_ROW inside a trigger: every record of the write has "
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY with the lock in its message",
    "late_commit": "the write becomes visible `seconds` later",
}
AFTER = {
    "reset_after_commit": "the call is executed, then the connection is closed",
    "timeout_after_commit": "the call is executed, and `seconds` later the connection is closed",
    "truncated_body": "the body is cut in the middle",
    "clock_skew": "the Date header is off by `seconds`",
    "instance_change": "the next login returns `instance_url`",
}
PATH_PREFIXES = {
    "session_expired": "/services/data",
    "oauth_error": "/services/oauth2/token",
    "soap_fault": "/services/Soap",
}
KINDS = (*BEFORE, *INSIDE, *AFTER)


def invalid_session() -> RefusedError:
    """Return the 401 error of an expired or invalid session (recorded response)."""
    return RefusedError(
        "INVALID_SESSION_ID", "Session expired or invalid", fields=None, status=UNAUTHORIZED
    )


def limit_exceeded(which: str) -> RefusedError:
    """Return the 403 error of an exceeded limit."""
    return RefusedError(
        "REQUEST_LIMIT_EXCEEDED", f"{which} Limit exceeded.", fields=None, status=FORBIDDEN
    )


def inject_before(faults: Faults, clock: SimulatedClock, method: str, path: str) -> None:
    """Apply the faults that precede a call: raise the error, or wait."""
    kinds = [kind for kind in BEFORE if path.startswith(PATH_PREFIXES.get(kind, "/"))]
    fault = faults.take(method, path, *kinds)
    while fault is not None and fault.kind == "slow":
        clock.advance(float(fault.parameters.get("advance", 0)))
        time.sleep(float(fault.parameters.get("seconds", 0)))
        fault = faults.take(method, path, *(kind for kind in kinds if kind != "slow"))
    if fault is not None:
        raise _error_before(fault)


def _error_before(fault: Fault) -> Exception:
    makers: dict[str, Callable[[], Exception]] = {
        "session_expired": invalid_session,
        "quota_exceeded": lambda: limit_exceeded("TotalRequests"),
        "concurrent_requests": lambda: limit_exceeded(
            "ConcurrentRequests (Concurrent API Requests)"
        ),
        "long_transactions": lambda: limit_exceeded("ConcurrentPerOrgLongTxn"),
        "edge_page": lambda: HtmlPageError(420, "Salesforce Edge is setting up your org"),
        "unavailable_page": lambda: HtmlPageError(503, "We are down for maintenance."),
        "server_unavailable": lambda: RefusedError(
            "SERVER_UNAVAILABLE", "The server is unavailable", fields=None, status=503
        ),
        "server_error": lambda: RefusedError(
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support:"
            " 1234567890-12345 (-1234567890)",
            fields=None,
            status=SERVER_ERROR,
        ),
        "oauth_error": lambda: OAuthRefusedError(
            str(fault.parameters.get("error", "invalid_grant")),
            str(fault.parameters.get("error_description", "authentication failure")),
            int(fault.parameters.get("status", 400)),
        ),
        "soap_fault": lambda: SoapFaultError(
            str(fault.parameters.get("code", "INVALID_LOGIN")),
            str(fault.parameters.get("message", "")),
        ),
        "rest_error": lambda: _requested_error(fault),
        "connection_reset": lambda: ConnectionDroppedError("connection reset"),
    }
    return makers[fault.kind]()


TRIGGER_KINDS = ("apex_limit", "trigger_error", "trigger_lock")
"""Faults of a trigger: an uncaught exception fails every record of the call, and nothing is saved
(Apex Developer Guide, "Bulk DML Exception Handling" and "Execution Governors and Limits")."""
TRIGGER_CODE = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
CPU_LIMIT = "Apex CPU time limit exceeded"
LOCKED_PARENT = "001000000000000"


def record_refusals(
    faults: Faults, method: str, path: str, items: Sequence[Item]
) -> Callable[[int, Item], RefusedError | None]:
    """Return a function that gives the injected error of each record of one write, or None.

    `items` are all records of the write: a fault of a trigger may depend on them.
    """
    fault = faults.take(
        method,
        path,
        "lock_row",
        "record_error",
        *TRIGGER_KINDS,
        applies=lambda fault: fault.kind not in TRIGGER_KINDS or _fails(fault, items),
    )

    def refusal(position: int, item: Item) -> RefusedError | None:
        if fault is None:
            return None
        if fault.kind in TRIGGER_KINDS:
            return RefusedError(TRIGGER_CODE, _trigger_message(fault))
        positions = fault.parameters.get("records")
        if positions is not None and position not in positions:
            return None
        if fault.kind == "lock_row":
            record_id = next((str(v) for k, v in item.items() if k.lower() == "id"), "")
            return row_locked(record_id or LOCKED_PARENT)
        return _requested_error(fault)

    return refusal


def _fails(fault: Fault, items: Sequence[Item]) -> bool:
    """Return whether the trigger of a fault fails with these records."""
    if len(items) <= int(fault.parameters.get("above", 0)):
        return False
    contained = dict(fault.parameters.get("contains", {}))
    return any(contained.items() <= item.items() for item in items)


def _trigger_message(fault: Fault) -> str:
    """Return the message of a trigger's failure, in the form of public reports."""
    if fault.kind == "apex_limit":
        limit = fault.parameters.get("limit", CPU_LIMIT)
        return f"LeadTrigger: System.LimitException: {limit}"
    cause = "System.NullPointerException: Attempt to de-reference a null object"
    if fault.kind == "trigger_lock":
        locked = row_locked(LOCKED_PARENT)
        cause = (
            f"System.DmlException: Update failed. First exception on row 0 with id {LOCKED_PARENT};"
            f" first error: {locked.code}, {locked.message}: []"
        )
    return (
        f"LeadTrigger: execution of BeforeInsert\n\ncaused by: {cause}\n\n"
        "Trigger.LeadTrigger: line 1, column 1"
    )


def _requested_error(fault: Fault) -> RefusedError:
    parameters = fault.parameters
    return RefusedError(
        str(parameters.get("errorCode", "UNKNOWN_EXCEPTION")),
        str(parameters.get("message", "")),
        fields=parameters.get("fields", ()),
        status=int(parameters.get("status", 400)),
    )
