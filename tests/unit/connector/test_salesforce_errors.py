"""The table of Salesforce's errors: complete, no duplicates, and the only place of its facts."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import connector
from connector.errors import StopReason
from connector.http_session import STATUS_ACTIONS, ErrorAction, classify_status
from connector.salesforce.connection import to_error
from connector.salesforce.diagnosis import (
    DiagnosedError,
    classify,
    diagnose_login,
    error_class,
    find_error,
    remedy,
)
from connector.salesforce.error_table import (
    ERRORS,
    UNKNOWN_ERROR,
    UNKNOWN_LOGIN_ERROR,
    ErrorClass,
    ErrorRow,
)
from connector.secrets import Flow

PACKAGE = Path(connector.__file__).parent
MODULES_WITH_CODES = [
    *(PACKAGE / "salesforce").rglob("*.py"),
    PACKAGE / "planning" / "preflight.py",
]
"""The modules that may name a code: the adapter, and the prediction of refusals."""
ERROR_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")
TOTAL_LIMIT = "TotalRequests Limit exceeded."
CONCURRENT_LIMIT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."


def key(row: ErrorRow) -> str:
    return f"{row.code} {row.detail}".strip()


def string_constants(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_error_stands_twice_in_the_table() -> None:
    counts = Counter((row.code, row.detail) for row in ERRORS)

    assert [found for found, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("row", [*ERRORS, UNKNOWN_ERROR, UNKNOWN_LOGIN_ERROR], ids=key)
def test_every_row_is_complete(row: ErrorRow) -> None:
    assert row.action in ErrorAction
    assert row.error_class.description
    assert row.causes or row.remedy
    assert row.numbered_causes().strip()
    assert all(cause.strip() for cause in row.causes)
    assert row.detail == row.detail.lower()
    if row.action is not ErrorAction.REJECT:
        assert row.stop is not None


@pytest.mark.parametrize("row", [row for row in ERRORS if row.detail], ids=key)
def test_every_code_with_details_has_causes(row: ErrorRow) -> None:
    assert row.causes


@pytest.mark.parametrize("row", ERRORS, ids=key)
def test_every_row_is_found_by_its_code_and_detail(row: ErrorRow) -> None:
    assert find_error(row.code, row.detail.upper()) is row


def test_the_statuses_of_the_table_have_the_generic_action() -> None:
    statuses = [row for row in ERRORS if row.code.isdigit()]

    assert [row.action for row in statuses] == [STATUS_ACTIONS[int(row.code)] for row in statuses]
    assert {row.code for row in statuses} == {"403", "420", "503"}


def test_every_code_that_the_package_uses_is_a_row() -> None:
    rows = {row.code for row in (*ERRORS, UNKNOWN_ERROR)}
    used = {
        text
        for path in MODULES_WITH_CODES
        for text in string_constants(path)
        if ERROR_CODE.fullmatch(text)
    }

    assert used - rows == set()
    assert {"INVALID_FIELD", "NEXT_PAGE", "NO_ANSWER"} <= used


def test_only_the_adapter_and_the_preflight_name_an_error_code() -> None:
    codes = {row.code for row in ERRORS if ERROR_CODE.fullmatch(row.code)}
    elsewhere = {
        (path.relative_to(PACKAGE).as_posix(), text)
        for path in PACKAGE.rglob("*.py")
        if path not in MODULES_WITH_CODES
        for text in string_constants(path)
        if text in codes
    }

    assert elsewhere == set()


@pytest.mark.parametrize(
    ("status", "code", "message", "action"),
    [
        (401, "INVALID_SESSION_ID", "Session expired or invalid", ErrorAction.RENEW),
        (401, "", "", ErrorAction.RENEW),
        (403, "REQUEST_LIMIT_EXCEEDED", TOTAL_LIMIT, ErrorAction.HALT),
        (403, "REQUEST_LIMIT_EXCEEDED", CONCURRENT_LIMIT, ErrorAction.RETRY),
        (None, "REQUEST_LIMIT_EXCEEDED", TOTAL_LIMIT, ErrorAction.HALT),
        (None, "REQUEST_LIMIT_EXCEEDED", CONCURRENT_LIMIT, ErrorAction.RETRY),
        (403, "API_DISABLED_FOR_ORG", "", ErrorAction.HALT),
        (403, "INSUFFICIENT_ACCESS", "", ErrorAction.HALT),
        (400, "INSUFFICIENT_ACCESS", "", ErrorAction.REJECT),
        (403, "BRAND_NEW_CODE", "", ErrorAction.HALT),
        (400, "BRAND_NEW_CODE", "", ErrorAction.REJECT),
        (None, "BRAND_NEW_CODE", "", ErrorAction.REJECT),
        (400, "UNABLE_TO_LOCK_ROW", "", ErrorAction.RETRY),
        (500, "UNKNOWN_EXCEPTION", "", ErrorAction.RETRY),
        (503, "SERVER_UNAVAILABLE", "", ErrorAction.RETRY),
        (404, "ENTITY_IS_DELETED", "", ErrorAction.STALE),
        (None, "CANNOT_UPDATE_CONVERTED_LEAD", "", ErrorAction.STALE),
        (404, "NOT_FOUND", "", ErrorAction.STALE),
        (None, "REQUIRED_FIELD_MISSING", "", ErrorAction.REJECT),
        (400, "INVALID_FIELD", "", ErrorAction.REJECT),
    ],
)
def test_the_code_decides_the_action_then_the_status(
    status: int | None, code: str, message: str, action: ErrorAction
) -> None:
    assert classify(status, code, message) is action


def test_an_unknown_status_is_a_refusal() -> None:
    assert classify_status(418) is ErrorAction.REJECT
    assert classify_status(None) is ErrorAction.REJECT


def test_an_unknown_code_has_the_general_remedy() -> None:
    assert remedy("BRAND_NEW_CODE") == UNKNOWN_ERROR.remedy
    assert error_class("BRAND_NEW_CODE") is None


def test_a_forbidden_call_with_an_unknown_code_has_the_remedy_of_the_status() -> None:
    error = to_error(403, [{"errorCode": "BRAND_NEW_CODE", "message": "no"}])

    assert isinstance(error, DiagnosedError)
    assert (error.code, error.reason) == ("BRAND_NEW_CODE", StopReason.SALESFORCE_REFUSED)
    assert "check its permissions" in str(error)


def test_a_message_of_salesforce_is_never_part_of_an_error() -> None:
    body = [{"errorCode": "STRING_TOO_LONG", "message": "Secret Name: data value too large"}]

    assert "Secret Name" not in str(to_error(400, body))


def test_a_login_never_has_the_causes_of_a_call() -> None:
    row = diagnose_login(
        "REQUEST_LIMIT_EXCEEDED", TOTAL_LIMIT, Flow.PASSWORD, "acme.my.salesforce.com"
    )

    assert row is UNKNOWN_LOGIN_ERROR


def test_a_login_during_maintenance_has_the_causes_of_maintenance() -> None:
    row = diagnose_login("SERVER_UNAVAILABLE", "", Flow.PASSWORD, "acme.my.salesforce.com")

    assert (row.error_class, row.action) == (ErrorClass.UNAVAILABLE, ErrorAction.RETRY)


TRIGGER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


@pytest.mark.parametrize(
    ("code", "message", "error_kind", "action"),
    [
        (TRIGGER, "T: System.LimitException: Apex CPU time limit exceeded", "org_rule", "reject"),
        (TRIGGER, "T: System.LimitException: Too many SOQL queries: 101", "org_rule", "reject"),
        (TRIGGER, "Too many batch retries in the presence of Apex triggers", "org_rule", "reject"),
        (TRIGGER, "flow: CPU time limit exceeded", "org_rule", "reject"),
        (TRIGGER, "first error: UNABLE_TO_LOCK_ROW, unable to obtain", "unavailable", "retry"),
        (TRIGGER, "caused by: System.NullPointerException", "org_rule", "reject"),
        (TRIGGER, "", "org_rule", "reject"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record", "org_rule", "reject"),
        ("REQUEST_RUNNING_TOO_LONG", "Your request was running", "org_rule", "retry"),
    ],
)
def test_a_failure_that_may_concern_the_whole_batch_says_so(
    code: str, message: str, error_kind: str, action: str
) -> None:
    row = find_error(code, message)

    assert row is not None
    assert row.of_batch
    assert (row.error_class, row.action) == (error_kind, action)


def test_a_refusal_of_one_record_is_no_fault_of_the_batch() -> None:
    for code in ("REQUIRED_FIELD_MISSING", "UNABLE_TO_LOCK_ROW", "DUPLICATE_VALUE"):
        row = find_error(code)
        assert row is not None
        assert not row.of_batch


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("entity type cannot be inserted: Lead", ErrorAction.HALT),
        ("entity type cannot be updated: Piste", ErrorAction.HALT),
        (
            "LeadTrigger: caused by: entity type cannot be inserted: Task: []",
            ErrorAction.REJECT,
        ),
    ],
    ids=["create", "edit, with a translated label", "a trigger that creates another object"],
)
def test_a_missing_permission_of_the_user_is_no_fault_of_a_trigger(
    message: str, action: ErrorAction
) -> None:
    row = find_error("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
    assert row is not None
    assert (row.action, row.of_batch) == (action, action is ErrorAction.REJECT)
