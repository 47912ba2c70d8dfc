"""Who changed what, when: every change that an administrator made; written once, never changed.

It lies in the journal's table under a key of its own, without an end, and holds no personal value:
people are named by the ids of their records, contents by the hash of what they were and became.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from connector.page_token import decode_page_token, encode_page_token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY: Final = "audit#admin"
DIGEST_CHARACTERS: Final = 16
"""64 bits of SHA-256: enough to tell two states apart, and nobody has to read 64 digits."""


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
    """Some entries, newest first, and what to ask for the ones before ('': there are none)."""

    entries: tuple[AuditEntry, ...]
    next: str = ""


class DynamoAudit:
    """Keeps and tells entries."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, entry: AuditEntry, entry_id: str) -> None:
        """Keep an entry; an entry that is there is never overwritten."""
        time = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="microseconds")
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": KEY},
                "sk": {"S": f"{time}#{entry_id}"},
                "entry": {"S": json.dumps(asdict(entry), ensure_ascii=False)},
            },
            ConditionExpression="attribute_not_exists(pk)",
        )

    def entries(self, limit: int, after: str = "") -> AuditPage:
        """Return the newest entries, beginning after a page's `next`.

        Raises `ValueError` when `after` is not a page's `next`.
        """
        asked: Any = {}
        if after:
            asked["ExclusiveStartKey"] = {"pk": {"S": KEY}, "sk": {"S": decode_page_token(after)}}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :key",
            ExpressionAttributeValues={":key": {"S": KEY}},
            Limit=limit,
            ScanIndexForward=False,
            **asked,
        )
        last = answer.get("LastEvaluatedKey")
        return AuditPage(
            tuple(AuditEntry(**json.loads(item["entry"]["S"])) for item in answer["Items"]),
            encode_page_token(last["sk"]["S"]) if last else "",
        )


def digest(state: object) -> str:
    """Return the hash of a JSON-ready state; '' for None."""
    if state is None:
        return ""
    text = json.dumps(state, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
