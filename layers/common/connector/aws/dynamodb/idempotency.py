"""What is remembered of signed messages, so that each has one effect.

`hint#<hash of the id>` holds the trace id and the timestamps under which the message was taken. A
guard without timestamps is pending: its hint may or may not have been sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connector.model import IdempotencyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RECORD_SECONDS: Final = 86_400
"""At least 600 s, after which no timestamp of today is believed any more (300 s both ways). A day,
because senders try the same message again for hours (Standard Webhooks, "Deliverability")."""


class DynamoIdempotency:
    """The guards, in the ledger's table. DynamoDB drops them late: their age is asked as well."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def begin(self, message: str, trace: str, now: float) -> IdempotencyRecord | None:
        """Remember a message before its hint is sent; return what was remembered already.

        `message` is the hash of its id, `now` is in seconds since 1970.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"hint#{message}"},
                    "trace_id": {"S": trace},
                    "expires_at": {"N": str(int(now) + RECORD_SECONDS)},
                },
                ConditionExpression="attribute_not_exists(pk) OR expires_at < :now",
                ExpressionAttributeValues={":now": {"N": str(int(now))}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item: dict[str, Any] = error.response["Item"]  # type: ignore[typeddict-item]  # as asked
            return IdempotencyRecord(item["trace_id"]["S"], sent="timestamps" in item)
        return None

    def complete(self, message: str, trace: str, timestamp: str, now: float) -> bool:
        """Note that a message's hint is sent; False when this very timestamp was noted before."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"hint#{message}"}},
                UpdateExpression="SET trace_id = :trace_id, expires_at = :end ADD timestamps :timestamps",
                ConditionExpression="NOT contains(timestamps, :timestamp)",
                ExpressionAttributeValues={
                    ":trace_id": {"S": trace},
                    ":end": {"N": str(int(now) + RECORD_SECONDS)},
                    ":timestamps": {"SS": [timestamp]},
                    ":timestamp": {"S": timestamp},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
