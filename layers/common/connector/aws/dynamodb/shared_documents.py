"""Documents that are stored whole, compressed, in the ledger's table."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from connector.aws.dynamodb.item_size import MAX_ITEM_BYTES, item_bytes
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Table, partition_key
from connector.errors import DocumentTooLargeError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

PREFIX: Final = "state#"
UNREADABLE: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    zlib.error,
)
"""What decoding raises for stored bytes that are damaged or of another form."""


class UnreadableDocumentError(ValueError):
    """The document under a key cannot be decoded."""


class DocumentStore:
    """Documents by key. A description of all fields is large, and an item is 400 KB at most."""

    def __init__(self, table: Table, kind: ItemKind = ItemKind.DOCUMENT) -> None:
        self._table = table
        self._document_kind = kind

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document stored under a key, or None.

        A document that cannot be decoded counts as missing: what is kept here can be found again,
        and a damaged copy of it must not stop every run.
        """
        try:
            return self.load_decision(key)
        except UnreadableDocumentError:
            return None

    def load_decision(self, key: str) -> dict[str, Any] | None:
        """Return the document of a decision, or None.

        Raises `UnreadableDocumentError` when it cannot be decoded: it must not count as not taken.
        """
        item = self._table.get(self._document_kind, _key(key))
        if item is None:
            return None
        try:
            document = json.loads(zlib.decompress(base64.b64decode(item["document"]["S"])))
        except UNREADABLE as error:
            raise UnreadableDocumentError(key) from error
        if not isinstance(document, dict):
            raise UnreadableDocumentError(key)
        return document

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document under a key, in place of the one stored there.

        Raises `DocumentTooLargeError` for one above DynamoDB's limit of an item.
        """
        packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode())
        item: dict[str, AttributeValueTypeDef] = {
            **_key(key),
            "document": {"S": base64.b64encode(packed).decode("ascii")},
        }
        if item_bytes(item) > MAX_ITEM_BYTES:
            raise DocumentTooLargeError(f"the document {key} is too large to be stored")
        self._table.put(self._document_kind, item)

    def delete_document(self, key: str) -> None:
        """Delete the document stored under a key, if there is one."""
        self._table.delete(self._document_kind, _key(key))


def _key(key: str) -> dict[str, AttributeValueTypeDef]:
    return partition_key(f"{PREFIX}{key}")
