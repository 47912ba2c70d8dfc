"""The mappings table: `mapping` / version. A save is a new version; nothing is ever changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from connector.configuration.document import from_document, mapping_of_draft, to_document
from connector.errors import StaleError
from connector.mapping import DEFAULT_MAPPING, FieldMapping

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAME: Final = "default"
"""One stack has one mapping; the key leaves room for more."""


class DynamoConfiguration:
    """Reads and saves versions of the mapping."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def current(self) -> FieldMapping:
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
        return from_document(json.loads(items[0]["document"]["S"])) if items else DEFAULT_MAPPING

    def version(self, number: int) -> FieldMapping | None:
        """Return one version of the mapping, or None; 0 is the one shipped."""
        if number == DEFAULT_MAPPING.version:
            return DEFAULT_MAPPING
        answer = self._client.get_item(
            TableName=self._table,
            Key={"mapping": {"S": NAME}, "version": {"N": str(number)}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return None if item is None else from_document(json.loads(item["document"]["S"]))

    def draft(self, document: str) -> FieldMapping:
        """Return the mapping of a JSON document that is not saved; `MappingError` says why not."""
        return mapping_of_draft(document)

    def save(self, mapping: FieldMapping) -> None:
        """Save a mapping under its version, which must be new; else `StaleError`."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "mapping": {"S": NAME},
                    "version": {"N": str(mapping.version)},
                    "document": {"S": json.dumps(to_document(mapping), ensure_ascii=False)},
                },
                ConditionExpression="attribute_not_exists(version)",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise StaleError(
                f"version {mapping.version} of the mapping is saved already: read it again"
            ) from error
