"""Look-ups in the table of Salesforce's errors (`salesforce.error_table`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connector.errors import HaltError, StopReason
from connector.http_session import ErrorAction, classify_status
from connector.salesforce.auth.hosts import LOGIN_HOST, TEST_HOST
from connector.salesforce.error_table import (
    BUSY_LOGIN,
    BUSY_LOGIN_TEXTS,
    COMMON_LOGIN_HOST,
    ERRORS,
    PASSWORD_CAUSES,
    UNKNOWN_ERROR,
    UNKNOWN_LOGIN_ERROR,
    ErrorClass,
    ErrorRow,
)
from connector.secrets import Flow

ROWS: Final[Mapping[tuple[str, str], ErrorRow]] = {(row.code, row.detail): row for row in ERRORS}
PARTS: Final = tuple(row for row in ERRORS if row.is_part)
"""The rows whose detail is a part of the message, the most specific first."""
STARTS: Final = tuple(row for row in ERRORS if row.is_start)
"""The rows whose detail is the beginning of the message, which ends with a name of the org."""
MAX_WORDS: Final = 255
"""Characters of a rule's message that are kept: as many as a validation rule may have (Salesforce
Help, "Validation Rule Fields")."""
SESSION_ENDED: Final = ("INVALID_SESSION_ID", "")
"""The row of every session that Salesforce refuses without a known code."""
LOGIN_CLASSES: Final = frozenset({ErrorClass.LOGIN, ErrorClass.UNAVAILABLE})
"""Classes of the errors that the token endpoint answers."""
_LOGIN_ROWS: Final = tuple(row for row in ERRORS if row.error_class in LOGIN_CLASSES and row.causes)
REFUSED_LOGIN_ERRORS: Final = frozenset(
    row.code for row in _LOGIN_ROWS if row.action is ErrorAction.HALT
)
"""Codes of a login whose credentials Salesforce refuses."""
BUSY_LOGIN_ERRORS: Final = frozenset(
    row.code for row in _LOGIN_ROWS if row.action is ErrorAction.RETRY
)
"""Codes, and statuses, of a login that Salesforce received and cannot accept now."""


class DiagnosedError(HaltError):
    """A refusal that needs an admin, with its likely causes in order.

    `code` is Salesforce's error code, or the HTTP status of an answer without one.
    """

    def __init__(
        self, reason: StopReason, message: str, causes: tuple[str, ...], code: str = ""
    ) -> None:
        super().__init__(reason, message)
        self.causes = causes
        self.code = code


def find_error(code: str, message: str = "") -> ErrorRow | None:
    """Return the row of a code and message; the row of the code alone; None for an unknown code."""
    text = message.strip().lower()
    if (row := ROWS.get((code, text))) is not None:
        return row
    starts = (row for row in STARTS if row.code == code and text.startswith(row.detail))
    parts = (row for row in PARTS if row.code == code and row.detail in text)
    return next(starts, None) or next(parts, None) or ROWS.get((code, ""))


def classify(status: int | None, code: str, message: str = "") -> ErrorAction:
    """Return the action for an error of a call, or of one record (`status` None).

    The code decides. A code that only refuses its record, or is unknown, leaves the decision to the
    HTTP status: a 403 refuses the whole call.
    """
    row = find_error(code, message)
    if row is not None and row.action is not ErrorAction.REJECT:
        return row.action
    return classify_status(status)


def is_busy_login(error: str, description: str) -> bool:
    """Whether an error of a login only says that no login is possible now."""
    text = description.lower()
    return error in BUSY_LOGIN_ERRORS or any(part in text for part in BUSY_LOGIN_TEXTS)


def diagnose_login(error: str, description: str, flow: Flow, host: str) -> ErrorRow:
    """Return the row of a login without a session.

    `error` is the OAuth error, or the HTTP status of an answer without one; `host` is the login
    host.
    """
    if error not in BUSY_LOGIN_ERRORS and is_busy_login(error, description):
        return BUSY_LOGIN
    is_common_host = flow is Flow.CLIENT_CREDENTIALS and host in (LOGIN_HOST, TEST_HOST)
    circumstance = COMMON_LOGIN_HOST if is_common_host else flow.value
    for detail in (circumstance, description.strip().lower(), ""):
        row = ROWS.get((error, detail))
        if row is None or not row.causes or row.error_class not in LOGIN_CLASSES:
            continue
        if (advised := advice_for(row, flow)) is not None:
            return advised
    return UNKNOWN_LOGIN_ERROR


def advice_for(row: ErrorRow, flow: Flow) -> ErrorRow | None:
    """Return a row without advice about a password where the flow has none; None without any."""
    if flow is Flow.PASSWORD:
        return row
    causes = tuple(cause for cause in row.causes if cause not in PASSWORD_CAUSES)
    return replace(row, causes=causes) if causes else None


def diagnose_call(code: str, message: str) -> ErrorRow | None:
    """Return the row, with its causes, of a refused call; None when no causes are known."""
    row = find_error(code, message)
    has_causes = row is not None and row.causes and row.error_class is not ErrorClass.LOGIN
    return row if has_causes else None


def diagnose_session(code: str, message: str, flow: Flow) -> ErrorRow:
    """Return the row, with its causes, of a call whose session is not valid."""
    row = diagnose_call(code, message) or ROWS[SESSION_ENDED]
    return advice_for(row, flow) or row


def halt_error(row: ErrorRow, code: str) -> DiagnosedError:
    """Return the error that stops a run after a refusal of this row and code."""
    text = row.numbered_causes()
    stop = row.stop or StopReason.SALESFORCE_REFUSED
    return DiagnosedError(stop, text, row.causes or (text,), code)


def error_class(code: str) -> ErrorClass | None:
    """Return what an error code is about; None for an unknown code."""
    row = find_error(code)
    return None if row is None else row.error_class


def remedy(code: str, message: str = "") -> str:
    """Return the remedy for a record that Salesforce refused with this code and message."""
    row = find_error(code, message) or UNKNOWN_ERROR
    return row.remedy or row.numbered_causes()


def words_of_org(code: str, message: str) -> str:
    """Return the message of a refusal that a rule of the org wrote, to follow a remedy; else ''.

    An administrator of the org wrote the text of a validation rule, and a developer that of a
    trigger: only it says what is wrong with the record. It may contain values of the record: it is
    for the review queue only, never for a log or an alert.
    """
    row = find_error(code, message)
    text = " ".join(message.split())
    if not text or (row is not None and row.error_class is not ErrorClass.ORG_RULE):
        return ""
    cut = text if len(text) <= MAX_WORDS else f"{text[: MAX_WORDS - 1]}\N{HORIZONTAL ELLIPSIS}"
    return f". Salesforce's message: {cut}"
