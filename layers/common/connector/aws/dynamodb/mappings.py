"""The mappings table: `mapping` / version. A save adds a version; no version is ever changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Condition, Table
from connector.errors import StaleError
from connector.mapping import DEFAULT_MAPPING, SHIPPED_MAPPING, MappingConfig, SavedMapping
from connector.mapping.document import mapping_document, parse_draft, parse_mapping

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from connector.aws.dynamodb.table import Item
    from connector.retry import RetryPolicy

NAME: Final = "default"
"""One stack has one mapping; the key leaves room for more."""


class DynamoMappings:
    """Reads and saves versions of the mapping."""

    def __init__(self, client: DynamoDBClient, table: str, retry: RetryPolicy) -> None:
        self._table = Table(client, table, retry)

    def current(self) -> MappingConfig:
        """Return the newest version; the shipped one when none was ever saved."""
        saved = self._newest(1)
        return saved[0].mapping if saved else DEFAULT_MAPPING

    def versions(self, limit: int, before: int | None = None) -> list[SavedMapping]:
        """Return the newest versions, newest first, older than one; the shipped one, 0, is last."""
        if before is not None and before <= DEFAULT_MAPPING.version:
            return []
        saved = self._newest(limit, before)
        return saved if len(saved) == limit else [*saved, SHIPPED_MAPPING]

    def _newest(self, limit: int, before: int | None = None) -> list[SavedMapping]:
        condition = "mapping = :name"
        values: dict[str, AttributeValueTypeDef] = {":name": {"S": NAME}}
        if before is not None:
            condition += " AND version < :before"
            values[":before"] = {"N": str(before)}
        request: QueryInputTypeDef = {
            "TableName": self._table.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "Limit": limit,
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        response = self._table.query(ItemKind.MAPPING_VERSION, request)
        return [_to_saved(item) for item in response["Items"]]

    def version(self, number: int) -> MappingConfig | None:
        """Return one version of the mapping, or None; 0 is the shipped one."""
        if number == DEFAULT_MAPPING.version:
            return DEFAULT_MAPPING
        item = self._table.get(ItemKind.MAPPING_VERSION, _key(number))
        return None if item is None else _to_saved(item).mapping

    def draft(self, document: str) -> MappingConfig:
        """Return the mapping of a JSON document that is not saved.

        Raises `MappingError` when the document is not a mapping.
        """
        return parse_draft(document)

    def save(self, mapping: MappingConfig, *, by: str = "", at: float = 0.0) -> None:
        """Save a mapping under its version, which must be new; else raise `StaleError`.

        `by` and `at` (seconds since 1970) are stored with it.
        """
        try:
            self._table.put(
                ItemKind.MAPPING_VERSION,
                {
                    **_key(mapping.version),
                    "document": {"S": json.dumps(mapping_document(mapping), ensure_ascii=False)},
                    "saved_by": {"S": by},
                    "saved_at": {"N": str(at)},
                },
                Condition("attribute_not_exists(version)"),
            )
        except self._table.condition_failed as error:
            raise StaleError(
                f"version {mapping.version} of the mapping is saved already: read it again"
            ) from error


def _key(version: int) -> dict[str, AttributeValueTypeDef]:
    return {"mapping": {"S": NAME}, "version": {"N": str(version)}}


def _to_saved(item: Item) -> SavedMapping:
    return SavedMapping(
        parse_mapping(json.loads(item["document"]["S"])),
        item.get("saved_by", {"S": ""})["S"],
        float(item.get("saved_at", {"N": "0"})["N"]),
    )
