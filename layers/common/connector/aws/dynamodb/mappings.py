"""The mappings table: `mapping` / version. A save is a new version; nothing is ever changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from connector.errors import StaleError
from connector.mapping import DEFAULT_MAPPING, MappingConfig
from connector.mapping.document import mapping_document, parse_draft, parse_mapping

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAME: Final = "default"
"""One stack has one mapping; the key leaves room for more."""


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """One version as it was saved: by whom (an IAM ARN, '' if nobody said) and when (seconds)."""

    mapping: MappingConfig
    saved_by: str = ""
    saved_at: float = 0.0


SHIPPED_MAPPING: Final = SavedMapping(DEFAULT_MAPPING)


class DynamoMappings:
    """Reads and saves versions of the mapping."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def current(self) -> MappingConfig:
        """Return the newest version; the one shipped when none was ever saved."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="mapping = :name",
            ExpressionAttributeValues={":name": {"S": NAME}},
            Limit=1,
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        items = answer["Items"]
        return parse_mapping(json.loads(items[0]["document"]["S"])) if items else DEFAULT_MAPPING

    def versions(self, limit: int, before: int | None = None) -> list[SavedMapping]:
        """Return the newest versions, newest first, beginning before one; 0, the shipped, last."""
        if before is not None and before <= DEFAULT_MAPPING.version:
            return []
        name = {":name": {"S": NAME}}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="mapping = :name"
            + ("" if before is None else " AND version < :before"),
            ExpressionAttributeValues=name
            if before is None
            else {**name, ":before": {"N": str(before)}},
            Limit=limit,
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        saved = [_saved(item) for item in answer["Items"]]
        return saved if len(saved) == limit else [*saved, SHIPPED_MAPPING]

    def version(self, number: int) -> MappingConfig | None:
        """Return one version of the mapping, or None; 0 is the one shipped."""
        if number == DEFAULT_MAPPING.version:
            return DEFAULT_MAPPING
        answer = self._client.get_item(
            TableName=self._table,
            Key={"mapping": {"S": NAME}, "version": {"N": str(number)}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return None if item is None else parse_mapping(json.loads(item["document"]["S"]))

    def draft(self, document: str) -> MappingConfig:
        """Return the mapping of a JSON document that is not saved; `MappingError` says why not."""
        return parse_draft(document)

    def save(self, mapping: MappingConfig, *, by: str = "", at: float = 0.0) -> None:
        """Save a mapping under its version, which must be new; else `StaleError`.

        `by` and `at` (seconds) are kept with it: who saved it, and when.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "mapping": {"S": NAME},
                    "version": {"N": str(mapping.version)},
                    "document": {"S": json.dumps(mapping_document(mapping), ensure_ascii=False)},
                    "saved_by": {"S": by},
                    "saved_at": {"N": str(at)},
                },
                ConditionExpression="attribute_not_exists(version)",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise StaleError(
                f"version {mapping.version} of the mapping is saved already: read it again"
            ) from error


def _saved(item: dict[str, Any]) -> SavedMapping:
    return SavedMapping(
        parse_mapping(json.loads(item["document"]["S"])),
        item.get("saved_by", {"S": ""})["S"],
        float(item.get("saved_at", {"N": "0"})["N"]),
    )
