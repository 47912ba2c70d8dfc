"""The audit log: every change that an administrator made; an entry is written once, never changed.

The entries are in the journal's table under a key of their own, do not expire, and contain no
personal value: people are named by the ids of their records, contents by the hash of the state
before and after.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.dataclass_json import dumps, loads
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Condition, Table
from connector.model import AuditEntry, AuditPage
from connector.page_token import decode_page_token, encode_page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from connector.retry import RetryPolicy

KEY: Final = "audit#admin"


class DynamoAudit:
    """Stores and lists audit entries."""

    def __init__(self, client: DynamoDBClient, table: str, retry: RetryPolicy) -> None:
        self._table = Table(client, table, retry)

    def record(self, entry: AuditEntry, entry_id: str) -> None:
        """Store an entry; an entry that exists is never overwritten."""
        time = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="microseconds")
        self._table.put(
            ItemKind.AUDIT_ENTRY,
            {
                "pk": {"S": KEY},
                "sk": {"S": f"{time}#{entry_id}"},
                "entry": {"S": dumps(entry)},
            },
            Condition("attribute_not_exists(pk)"),
        )

    def entries(self, limit: int, after: str = "") -> AuditPage:
        """Return the newest entries, from a page's token on.

        Raises `ValueError` when `after` is not the token of a page.
        """
        request: QueryInputTypeDef = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :key",
            "ExpressionAttributeValues": {":key": {"S": KEY}},
            "Limit": limit,
            "ScanIndexForward": False,
        }
        if after:
            request["ExclusiveStartKey"] = {
                "pk": {"S": KEY},
                "sk": {"S": decode_page_token(after)},
            }
        response = self._table.query(ItemKind.AUDIT_ENTRY, request)
        last = response.get("LastEvaluatedKey")
        return AuditPage(
            tuple(loads(AuditEntry, item["entry"]["S"]) for item in response["Items"]),
            encode_page_token(last["sk"]["S"]) if last else "",
        )
