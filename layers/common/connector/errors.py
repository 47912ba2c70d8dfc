"""Errors of the connector, classified by the next action, and the reasons that they carry.

    ConnectorError
    ├── RetryError             a system is busy or unreachable: try again, after `after` seconds
    │   └── UnknownOutcomeError  the response to a write was lost: recover, do not repeat the write
    ├── StaleError             another process changed the data first: read again, then plan again
    ├── UnstorableError        the data of some people cannot be stored: the others go on
    ├── DocumentTooLargeError  a shared document cannot be stored: use it in this process only
    ├── RejectedError          one record was refused, with a code and a remedy: the others go on
    │   └── UnknownFieldError  a field is not as it was described: describe again, then try again
    └── HaltError              an admin must act before the next attempt: stop the run

No error carries a value that a user typed: messages name systems, fields, ids, codes and remedies.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping

from connector.described_enum import DescribedEnum


class StopReason(DescribedEnum):
    """Why a run stopped before it was done; the API, alerts and logs use the value.

    The table in docs/operations.md is generated from the descriptions.
    """

    NOT_STARTED = "not_started", "The start switch is off."
    API_BUDGET = "api_budget", "The share of Salesforce API calls for today is used up."
    MASS_CLEARING = "mass_clearing", "The run would clear a field of more records than the limit."
    MASS_OVERWRITING = (
        "mass_overwriting",
        "The run would overwrite values of a field in more records than the limit.",
    )
    FIRST_SYNC = (
        "first_sync",
        "A stage of the first synchronization had too many errors, duplicates or overwrites.",
    )
    MAPPING = "mapping", "The mapping cannot be used as it is; the message names the field."
    SECRET = "secret", "A secret is incomplete or has a value of the wrong form."
    SETTINGS = "settings", "A setting of the stack is missing or invalid."
    ROTATION = "rotation", "The rotation of a secret cannot continue; the message names the cause."
    ACCOUNT_URL = "account_url", "The account URL is not an address of Salesforce."
    INSTANCE_URL = "instance_url", "The login returned an instance that is not one of Salesforce."
    LOGIN_REFUSED = "login_refused", "Salesforce refused the login."
    LOGIN_UNAVAILABLE = "login_unavailable", "The login could not be completed at this time."
    OTHER_ORG = (
        "other_org",
        "The credentials lead to another Salesforce org than the linked records.",
    )
    OTHER_TENANT = (
        "other_tenant",
        "The credentials lead to another Plezi tenant than the linked contacts.",
    )
    SESSION_REFUSED = "session_refused", "Salesforce refuses new sessions after a valid login."
    SALESFORCE_API_DISABLED = (
        "salesforce_api_disabled",
        "The org or the user has no access to the Salesforce API.",
    )
    SALESFORCE_API_LIMIT = "salesforce_api_limit", "The org has used all its API calls."
    SALESFORCE_REFUSED = "salesforce_refused", "Salesforce refused a request of the run."
    SALESFORCE_UNAVAILABLE = "salesforce_unavailable", "Salesforce is busy or does not respond."
    PLEZI_REFUSED = "plezi_refused", "Plezi refused a request of the run, or its token."
    PLEZI_NOT_SERVED = (
        "plezi_not_served",
        "The API of the Plezi tenant lacks what the connector needs; the message names it.",
    )
    PLEZI_UNAVAILABLE = "plezi_unavailable", "Plezi is busy or does not respond."
    AWS_UNAVAILABLE = "aws_unavailable", "An AWS service is busy or does not respond."
    REQUEST_REJECTED = "request_rejected", "A system rejected a request that is not about a record."
    STOPPED = "stopped", "The run stopped without an end: its invocations were stopped or failed."
    OUT_OF_TIME = "out_of_time", "The run made no progress within several invocations."
    CONFLICT = "conflict", "Another process changed the same data again and again."
    NEWER_SCHEMA = "newer_schema", "Stored data has a newer schema than this version supports."
    CONTACT_NOT_READABLE = "not_readable", "Plezi does not show the contact of the form yet."
    LINK_BUSY = "busy", "Another process works on the link of the form."
    DEFECT = "defect", "An unexpected error; the log has the details."


MASS_CHANGES = frozenset({StopReason.MASS_CLEARING, StopReason.MASS_OVERWRITING})
"""Reasons of a run that stopped before it changed more values than were announced."""
NEEDS_DECISION = MASS_CHANGES | {StopReason.FIRST_SYNC, StopReason.DEFECT}
"""Reasons of a breaker that stops every run of all people until an admin closes it."""


class ConnectorError(Exception):
    """The base class of all errors that the connector raises on purpose; `reason` classifies it."""

    reason: StopReason = StopReason.DEFECT


class RetryError(ConnectorError):
    """A system cannot respond now; the same request may be sent again later.

    `after` is in seconds: the advice of the system, or 0 if it gave none.
    """

    def __init__(self, message: str, *, reason: StopReason, after: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.after = after


class UnknownOutcomeError(RetryError):
    """A write was sent and its response was lost: the write may have been carried out or not."""


class StaleError(ConnectorError):
    """The record or the stored item changed after it was read; nothing was written."""

    reason = StopReason.CONFLICT


class RejectedError(ConnectorError):
    """The other system refused one record: `code` is its code, `remedy` the action for an admin."""

    reason = StopReason.REQUEST_REJECTED

    def __init__(self, code: str, remedy: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.remedy = remedy
        self.fields = fields


class UnknownFieldError(RejectedError):
    """A field is not, or no longer, as it was described: describe the objects again."""


class UnstorableError(ConnectorError):
    """What belongs to some people cannot be stored; all of the others is stored.

    `details` says why, by e-mail, without any value.
    """

    def __init__(self, details: Mapping[str, str]) -> None:
        super().__init__(f"the entries of {len(details)} people cannot be stored")
        self.details = details


class DocumentTooLargeError(ConnectorError):
    """A shared document is larger than its store allows; nothing was stored."""


class HaltError(ConnectorError):
    """An admin must act before anything can continue; the message names the action."""

    def __init__(self, reason: StopReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MappingError(HaltError):
    """The mapping cannot be used as it is; the message names the field and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(StopReason.MAPPING, message)


def describe_defect(error: Exception) -> str:
    """Return the class of an unexpected error and the place in the connector where it was raised.

    The message is left out, because it may contain a value.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "connector" in frame.filename]
    place = ours[-1] if ours else None
    where = f"{place.name}:{place.lineno}" if place is not None else "?"
    return f"{type(error).__name__} in {where}"
