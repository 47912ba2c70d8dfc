"""Documents that are stored whole, compressed, in the ledger's table."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Table, partition_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

PREFIX: Final = "state#"


class DocumentStore:
    """Documents by key. A description of all fields is large, and an item is 400 KB at most."""

    def __init__(self, table: Table, kind: ItemKind = ItemKind.DOCUMENT) -> None:
        self._table = table
        self._document_kind = kind

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document stored under a key, or None."""
        item = self._table.get(self._document_kind, _key(key))
        if item is None:
            return None
        document: dict[str, Any] = json.loads(
            zlib.decompress(base64.b64decode(item["document"]["S"]))
        )
        return document

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document under a key, in place of the one stored there."""
        packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode())
        self._table.put(
            self._document_kind,
            {**_key(key), "document": {"S": base64.b64encode(packed).decode("ascii")}},
        )

    def delete_document(self, key: str) -> None:
        """Delete the document stored under a key, if there is one."""
        self._table.delete(self._document_kind, _key(key))


def _key(key: str) -> dict[str, AttributeValueTypeDef]:
    return partition_key(f"{PREFIX}{key}")
