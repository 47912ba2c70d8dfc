"""Errors of the connector, named by what must be done next, and the reasons they give.

    ConnectorError
    ├── RetryError             a system is busy or unreachable: try again, after `after` seconds
    │   └── UnknownOutcomeError  a write was sent and its answer was lost: recover, never repeat blindly
    ├── StaleError             another process changed the data first: read again, then plan again
    ├── RejectedError          one record was refused, with a code and a remedy: the others go on
    └── HaltError              nothing may be tried until a person has acted: stop the run

No error carries a value that a person typed: messages name systems, fields, ids, codes and remedies.
"""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Why a run stopped before it was done, in one stable word for the API, alerts and logs.

    The documentation of each value is generated from here (docs/operations.md).
    """

    NOT_STARTED = "not_started"
    API_BUDGET = "api_budget"
    MASS_CLEARING = "mass_clearing"
    PREVIEW_TOO_LARGE = "preview_too_large"
    MAPPING = "mapping"
    SECRET = "secret"  # noqa: S105  # the reason's name
    SETTINGS = "settings"
    ROTATION = "rotation"
    ACCOUNT_URL = "account_url"
    INSTANCE_URL = "instance_url"
    LOGIN_REFUSED = "login_refused"
    LOGIN_UNAVAILABLE = "login_unavailable"
    SESSION_REFUSED = "session_refused"
    SALESFORCE_API_DISABLED = "salesforce_api_disabled"
    SALESFORCE_API_LIMIT = "salesforce_api_limit"
    SALESFORCE_REFUSED = "salesforce_refused"
    SALESFORCE_UNAVAILABLE = "salesforce_unavailable"
    PLEZI_REFUSED = "plezi_refused"
    PLEZI_UNAVAILABLE = "plezi_unavailable"
    AWS_UNAVAILABLE = "aws_unavailable"
    REQUEST_REJECTED = "request_rejected"
    CONFLICT = "conflict"
    NEWER_SCHEMA = "newer_schema"
    CONTACT_NOT_READABLE = "not_readable"
    LINK_BUSY = "busy"
    DEFECT = "defect"


class ConnectorError(Exception):
    """The root of every error that the connector raises on purpose; `reason` says why in a word."""

    reason: StopReason = StopReason.DEFECT


class RetryError(ConnectorError):
    """A system cannot answer now; the same request may be sent again later.

    `after` is in seconds: the system's own advice, or 0 where it gave none.
    """

    def __init__(self, message: str, *, reason: StopReason, after: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.after = after


class UnknownOutcomeError(RetryError):
    """A write was sent but its answer was lost: it may or may not have been carried out."""


class StaleError(ConnectorError):
    """The record or the ledger's item changed since it was read; nothing was written."""

    reason = StopReason.CONFLICT


class RejectedError(ConnectorError):
    """The other system refused one record: `code` is its own word, `remedy` says what to do."""

    reason = StopReason.REQUEST_REJECTED

    def __init__(self, code: str, remedy: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.remedy = remedy
        self.fields = fields


class HaltError(ConnectorError):
    """Nothing may go on until a person has acted; the message says what to do."""

    def __init__(self, reason: StopReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MappingError(HaltError):
    """The mapping cannot be used as it is; the message names the field and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(StopReason.MAPPING, message)
