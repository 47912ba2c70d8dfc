"""Two tables in memory, for the tests of DynamoDB's limits and units."""

from __future__ import annotations

from typing import Any, Final

from local.rehearsal.dynamodb import Database, MemoryDynamoDB

KIB: Final = 1024
DEFINITIONS: Final[dict[str, dict[str, Any]]] = {
    "People": {
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "work", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "work",
                "KeySchema": [
                    {"AttributeName": "work", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    },
    "History": {
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
    },
}


class Account:
    """Two empty tables, and the clock of their faults."""

    def __init__(self) -> None:
        self.time = 0.0
        self.database = Database(DEFINITIONS, lambda: self.time)
        self.client: Any = MemoryDynamoDB(self.database)

    def put(self, key: str = "a", **attributes: Any) -> None:
        self.client.put_item(TableName="People", Item={"pk": {"S": key}, **attributes})

    def get(self, key: str = "a") -> Any:
        return self.client.get_item(TableName="People", Key={"pk": {"S": key}}).get("Item")

    def working(self) -> list[str]:
        response = self.client.query(
            TableName="People",
            IndexName="work",
            KeyConditionExpression="#work = :work",
            ExpressionAttributeNames={"#work": "work"},
            ExpressionAttributeValues={":work": {"S": "dirty"}},
        )
        return [item["pk"]["S"] for item in response["Items"]]
