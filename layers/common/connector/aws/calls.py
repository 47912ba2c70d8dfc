"""Calls to AWS: repeated while the error is temporary, and translated when the policy gives up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from connector.errors import RetryError, StopReason

if TYPE_CHECKING:
    from connector.retry import RetryPolicy

T = TypeVar("T")

SERVER_ERROR: Final = 500
"""The first HTTP status of the server's own errors."""
TEMPORARY_CODES: Final = frozenset(
    {
        # DynamoDB Developer Guide, "Error messages and codes", marked "OK to retry? Yes": the codes
        # of reads and writes of items.
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        # DynamoDB API Reference, TransactWriteItems: another request holds the item or the token.
        "TransactionConflictException",
        "TransactionInProgressException",
        # The API references of Secrets Manager, SQS and SNS, "Common Errors" and "Errors".
        "InternalError",
        "InternalErrorException",
        "InternalFailure",
        "InternalServiceError",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttled",
        "ThrottledException",
    }
)
"""AWS error codes after which the same request may succeed a moment later."""
TEMPORARY_REASONS: Final = frozenset(
    {"None", "ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)
"""Reasons of a cancelled transaction after which the same one may succeed; `None` is the reason of
an action that was not the cause (DynamoDB API Reference, TransactWriteItems)."""


class UnprocessedError(Exception):
    """DynamoDB processed only a part of a batch; the rest must be sent again."""


def is_temporary(error: BaseException) -> bool:
    """Return whether AWS was busy, failed or could not be reached; a refusal is none of these."""
    if isinstance(error, ClientError):
        code = _code(error)
        if code == "TransactionCanceledException":
            return all(reason in TEMPORARY_REASONS for reason in cancellation_reasons(error))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code in TEMPORARY_CODES or status >= SERVER_ERROR
    return isinstance(error, BotoConnectionError | HTTPClientError | UnprocessedError)


def cancellation_reasons(error: ClientError) -> list[str]:
    """Return the reason of each action of a cancelled transaction, in the order of the actions."""
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]


def call_aws(retry: RetryPolicy, operation: str, fn: Callable[[], T]) -> T:
    """Call AWS until it answers, and return the answer; `operation` is such as `sqs.SendMessage`.

    Raises `RetryError` with the AWS code when the temporary error outlasts the policy. Any other
    error of boto3 (a refused condition, missing permission or wrong parameter) is raised unchanged.
    """
    try:
        return retry.call(fn, retry_on=is_temporary, operation=operation)
    except (BotoCoreError, ClientError, UnprocessedError) as error:
        if not is_temporary(error):
            raise
        raise RetryError(
            f"AWS is unavailable: {describe_failure(operation, error)}",
            reason=StopReason.AWS_UNAVAILABLE,
        ) from error


def describe_failure(operation: str, error: Exception) -> str:
    """Return the operation with the code of AWS, or with the name of the library's error."""
    code = type(error).__name__
    if isinstance(error, ClientError):
        reasons = sorted(set(cancellation_reasons(error)) - {"None"})
        code = " ".join((_code(error), *reasons))
    return f"{operation}: {code}"


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
