"""The audit log: every change that an administrator made; an entry is written once, never changed.

The entries are in the journal's table under a key of their own, do not expire, and contain no
personal value: people are named by the ids of their records, contents by the hash of the state
before and after.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.codec import dumps, loads
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Condition, Table
from connector.page_token import decode_page_token, encode_page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from connector.retry import RetryPolicy

KEY: Final = "audit#admin"
DIGEST_CHARACTERS: Final = 16
"""64 bits of SHA-256: enough to distinguish two states, and short enough to compare by eye."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: who (an IAM ARN), what, on which subject, when (seconds), hashes of both states.

    `before` and `after` are '' where there was, or is, nothing.
    """

    actor: str
    action: str
    at: float
    subject: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, newest first, and the token of the older ones ('': there are none)."""

    entries: tuple[AuditEntry, ...]
    next: str = ""


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


def digest(state: object) -> str:
    """Return the hash of a JSON-ready state; '' for None."""
    if state is None:
        return ""
    text = json.dumps(state, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
