"""The table under the ledger: items by key, and documents that are kept whole."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from connector.errors import RetryError, StopReason

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_GET: Final = 100
"""Items in one BatchGetItem (DynamoDB's limit)."""
TRIES: Final = 8
Item = dict[str, Any]


class Table:
    """One table of DynamoDB, read consistently."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""
        item = self._get(f"state#{key}")
        if item is None:
            return None
        packed = base64.b64decode(item["document"]["S"])
        document: dict[str, Any] = json.loads(zlib.decompress(packed))
        return document

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key, compressed: a describe is large, an item 400 KB at most."""
        packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode())
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"state#{key}"},
                "document": {"S": base64.b64encode(packed).decode("ascii")},
            },
        )

    def _get(self, key: str) -> Item | None:
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True
        )
        return answer.get("Item")

    def _get_all(self, keys: Iterable[str]) -> list[Item]:
        wanted = sorted(set(keys))
        items: list[Item] = []
        for start in range(0, len(wanted), BATCH_GET):
            items += self._batch_get(wanted[start : start + BATCH_GET])
        return items

    def _batch_get(self, keys: Sequence[str]) -> list[Item]:
        request: Mapping[str, Any] = {
            self._table: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}
        }
        items: list[Item] = []
        for _ in range(TRIES):
            answer = self._client.batch_get_item(RequestItems=request)
            items += answer["Responses"].get(self._table, [])
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return items
        raise RetryError("the ledger's table is busy", reason=StopReason.AWS_UNAVAILABLE)
