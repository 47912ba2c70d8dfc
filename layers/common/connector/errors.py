"""Errors, named by what must be done next.

    ConnectorError
    ├── RetryError      the far side is busy or unreachable: come back, after `after` seconds
    ├── UnknownError    a write was sent, its answer never heard: judge it, never repeat it blindly
    ├── StaleError      somebody moved first: observe again, then plan again
    ├── RejectedError   this one record was refused, with a code and a remedy: others go on
    └── HaltError       nothing more may be tried until a person has acted: stop the run

No error carries a value that a person typed: messages name sides, fields, ids, codes and remedies.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """The root of every error that the connector raises on purpose."""


class RetryError(ConnectorError):
    """The far side cannot answer now; the same request may be sent again later.

    `after` is in seconds: the far side's own advice, or 0 where it gave none.
    """

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class UnknownError(RetryError):
    """A write was sent but its answer was not heard: it may or may not have been done."""


class StaleError(ConnectorError):
    """The record or the ledger's line changed since it was read; nothing was written."""


class RejectedError(ConnectorError):
    """The far side refused one record: `code` is its own word, `remedy` says what to do."""

    def __init__(self, code: str, remedy: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.remedy = remedy
        self.fields = fields


class HaltError(ConnectorError):
    """Nothing may go on until a person has acted; `reason` is a stable word, the text says what."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MappingError(HaltError):
    """The mapping cannot be used as it stands; the message names the field and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__("mapping", message)
