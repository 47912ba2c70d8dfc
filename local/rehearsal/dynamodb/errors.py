"""DynamoDB's errors as botocore raises them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

BAD_REQUEST: Final = 400
UNAVAILABLE: Final = 500


class ConditionalCheckFailedException(ClientError):  # noqa: N818  # named as botocore names it
    """A write was refused because its condition does not hold."""


class TransactionCanceledException(ClientError):  # noqa: N818  # as above
    """A transaction was cancelled; `CancellationReasons` has one reason for each action."""


class ProvisionedThroughputExceededException(ClientError):  # noqa: N818  # as above
    """The table, or one of its partitions, takes no more requests at the moment."""


class ResourceNotFoundException(ClientError):  # noqa: N818  # as above
    """There is no such table."""


class IdempotentParameterMismatchException(ClientError):  # noqa: N818  # as above
    """A token was used again for another transaction."""


class Exceptions:
    """What a botocore client has as `exceptions`."""

    ClientError = ClientError
    ConditionalCheckFailedException = ConditionalCheckFailedException
    TransactionCanceledException = TransactionCanceledException
    ProvisionedThroughputExceededException = ProvisionedThroughputExceededException
    ResourceNotFoundException = ResourceNotFoundException
    IdempotentParameterMismatchException = IdempotentParameterMismatchException


CLASSES: Final[Mapping[str, type[ClientError]]] = {
    each.__name__: each
    for each in (
        ConditionalCheckFailedException,
        TransactionCanceledException,
        ProvisionedThroughputExceededException,
        ResourceNotFoundException,
        IdempotentParameterMismatchException,
    )
}


class InvalidRequestError(Exception):
    """DynamoDB refuses a request with a `ValidationException`; the text is its message."""


def client_error(
    code: str, message: str, operation: str, *, status: int = BAD_REQUEST, **members: object
) -> ClientError:
    """Return the error of one call: `code` is DynamoDB's, `members` stand beside it."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0},
        "message": message,
        **members,
    }
    return CLASSES.get(code, ClientError)(response, operation)


def invalid(message: str, operation: str) -> ClientError:
    """Return the error of a request that DynamoDB refuses as it is."""
    return client_error("ValidationException", message, operation)


def cancelled(reasons: Sequence[Mapping[str, object]], operation: str) -> ClientError:
    """Return the error of a cancelled transaction, with one reason for each of its actions."""
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    message = (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    )
    return client_error(
        "TransactionCanceledException",
        message,
        operation,
        CancellationReasons=[dict(reason) for reason in reasons],
    )
