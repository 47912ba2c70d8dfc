"""Idempotency records of signed messages, so that each message has one effect.

`hint#<hash of the id>` holds the trace id, and the timestamps with which the message was accepted.
A record without timestamps is pending: it is not known whether its hint was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Change, Condition, Table, partition_key, stored_item
from connector.model import IdempotencyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from connector.retry import RetryPolicy

RECORD_SECONDS: Final = 86_400
"""At least 600 s: a timestamp is accepted within 300 s before and after. A day, because senders
repeat a message for hours (Standard Webhooks, "Deliverability")."""


class DynamoIdempotency:
    """The idempotency records, in the ledger's table.

    DynamoDB deletes expired items late, so the age of a record is checked too.
    """

    def __init__(self, client: DynamoDBClient, table: str, retry: RetryPolicy) -> None:
        self._table = Table(client, table, retry)

    def begin(self, message: str, trace: str, now: float) -> IdempotencyRecord | None:
        """Store the record of a message before its hint is sent; return the record that exists.

        `message` is the hash of its id, `now` is in seconds since 1970. None: there was no record.
        """
        try:
            self._table.put(
                ItemKind.IDEMPOTENCY_RECORD,
                {
                    **_key(message),
                    "trace_id": {"S": trace},
                    "expires_at": {"N": str(int(now) + RECORD_SECONDS)},
                },
                Condition(
                    "attribute_not_exists(pk) OR expires_at < :now",
                    values={":now": {"N": str(int(now))}},
                ),
            )
        except self._table.condition_failed as error:
            item = stored_item(error)
            return IdempotencyRecord(item["trace_id"]["S"], sent="timestamps" in item)
        return None

    def complete(self, message: str, trace: str, timestamp: str, now: float) -> bool:
        """Record that a message's hint was sent; False when this timestamp is recorded already."""
        try:
            self._table.update(
                ItemKind.IDEMPOTENCY_RECORD,
                _key(message),
                Change(
                    sets="trace_id = :trace_id, expires_at = :end",
                    adds="timestamps :timestamps",
                    values={
                        ":trace_id": {"S": trace},
                        ":end": {"N": str(int(now) + RECORD_SECONDS)},
                        ":timestamps": {"SS": [timestamp]},
                    },
                ),
                Condition(
                    "NOT contains(timestamps, :timestamp)",
                    values={":timestamp": {"S": timestamp}},
                ),
            )
        except self._table.condition_failed:
            return False
        return True


def _key(message: str) -> dict[str, AttributeValueTypeDef]:
    return partition_key(f"hint#{message}")
