"""One DynamoDB table: consistent reads, schema checks, retried calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from connector.aws.calls import UnprocessedError, call_aws
from connector.aws.dynamodb.item_size import MAX_ITEM_BYTES, item_bytes
from connector.aws.dynamodb.schema import SCHEMA_ATTRIBUTE, SCHEMAS, ItemKind, check_schema
from connector.parallel import Parallel, one_after_another

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        DeleteTypeDef,
        PutTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        ScanInputTypeDef,
        ScanOutputTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from connector.retry import RetryPolicy

    Item = Mapping[str, AttributeValueTypeDef]

T = TypeVar("T")

BATCH_GET: Final = 100
"""Items in one BatchGetItem (DynamoDB's limit)."""
BATCH_WRITE: Final = 25
"""Items in one BatchWriteItem (DynamoDB's limit)."""
GUARD: Final = "(attribute_not_exists(#schema) OR #schema <= :schema)"
"""The condition of every write: no newer version of the connector stored the item."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the stored item, with the names and values that its expression uses."""

    expression: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, AttributeValueTypeDef] = field(default_factory=dict)

    def guarded(self) -> str:
        """Return the expression, and the guard against overwriting a newer schema."""
        return f"({self.expression}) AND {GUARD}" if self.expression else GUARD


NO_CONDITION: Final = Condition()


class PutResult(Enum):
    """What became of one of several items to store."""

    STORED = "stored"
    REFUSED = "refused"
    TOO_LARGE = "too large"
    INVALID = "DynamoDB refuses the item (ValidationException)"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of single attributes: `sets` and `adds` are clauses of an update expression."""

    sets: str = ""
    adds: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, AttributeValueTypeDef] = field(default_factory=dict)

    def expression(self) -> str:
        """Return the update expression; it adds the schema number to an item that is new."""
        schema = "#schema = if_not_exists(#schema, :schema)"
        sets = f"SET {self.sets}, {schema}" if self.sets else f"SET {schema}"
        return f"{sets} ADD {self.adds}" if self.adds else sets


class Table:
    """One table. Every item carries the schema number of its kind.

    Reads of an item with a newer schema number, and writes over one, raise `HaltError`. Every call
    raises `RetryError` when AWS stays unavailable for longer than the retry policy allows.
    `parallel` makes the calls that do not depend on each other.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        retry: RetryPolicy,
        parallel: Parallel = one_after_another,
    ) -> None:
        self._client = client
        self._name = name
        self._retry = retry
        self._parallel = parallel
        self._transactions = count()

    @property
    def name(self) -> str:
        """The name of the table."""
        return self._name

    @property
    def condition_failed(self) -> type[ClientError]:
        """The error of a write whose condition does not hold; it contains the stored item."""
        return self._client.exceptions.ConditionalCheckFailedException

    @property
    def transaction_canceled(self) -> type[ClientError]:
        """The error of a transaction of which at least one action is refused."""
        return self._client.exceptions.TransactionCanceledException

    # Reads

    def get(self, kind: ItemKind, key: Item) -> Item | None:
        """Return the item under a key, or None."""
        response = self._call(
            "GetItem",
            lambda: self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True),
        )
        item = response.get("Item")
        if item is not None:
            check_schema(kind, item)
        return item

    def get_all(self, kind: ItemKind, keys: Iterable[str]) -> list[Item]:
        """Return the items that exist under these partition keys, in no order."""
        unique: list[Item] = list(map(partition_key, sorted(set(keys))))
        items: list[Item] = []
        parts = [unique[start : start + BATCH_GET] for start in range(0, len(unique), BATCH_GET)]
        for found in self._parallel([partial(self._batch_get, part) for part in parts]):
            items += found
        for item in items:
            check_schema(kind, item)
        return items

    def _batch_get(self, keys: Sequence[Item]) -> list[Item]:
        request: Any = {self._name: {"Keys": list(keys), "ConsistentRead": True}}
        items: list[Item] = []

        def get_rest() -> None:
            nonlocal request
            response = self._client.batch_get_item(RequestItems=request)
            items.extend(response["Responses"].get(self._name, []))
            request = response.get("UnprocessedKeys")
            if request:
                raise UnprocessedError

        self._call("BatchGetItem", get_rest)
        return items

    def get_sorted(
        self, kind: ItemKind, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Item]:
        """Return the items that exist under these keys (`pk`, `sk`), 100 at most."""
        unique: list[Item] = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
        items = self._batch_get(unique) if unique else []
        for item in items:
            check_schema(kind, item)
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}

    def query(self, kind: ItemKind, request: QueryInputTypeDef) -> QueryOutputTypeDef:
        """Return one page of a query. Keys read from an index carry no number to check."""
        response = self._call("Query", lambda: self._client.query(**request))
        for item in response["Items"]:
            check_schema(kind, item)
        return response

    def scan(self, request: ScanInputTypeDef) -> ScanOutputTypeDef:
        """Return one page of a scan of keys, which carry no number to check."""
        return self._call("Scan", lambda: self._client.scan(**request))

    # Writes

    def put(self, kind: ItemKind, item: Item, condition: Condition = NO_CONDITION) -> None:
        """Store an item; raise `condition_failed` when the condition does not hold."""
        request = self.put_action(kind, item, condition)["Put"]
        self._write(kind, "PutItem", lambda: self._client.put_item(**request))

    def put_each(self, kind: ItemKind, puts: Sequence[tuple[Item, Condition]]) -> list[PutResult]:
        """Store items that do not depend on each other, each under its own condition.

        A single conditional put costs half of one in a transaction (DynamoDB Developer Guide,
        "Transactions: capacity management").
        """
        results = self._parallel([partial(self._put_one, kind, *put) for put in puts])
        return [result for result, _ in results]

    def replace_each(self, kind: ItemKind, items: Sequence[Item]) -> list[tuple[PutResult, Item]]:
        """Store items without a condition; return each result with the former item ({}: none)."""
        return self._parallel(
            [partial(self._put_one, kind, it, NO_CONDITION, with_former=True) for it in items]
        )

    def _put_one(
        self, kind: ItemKind, item: Item, condition: Condition, *, with_former: bool = False
    ) -> tuple[PutResult, Item]:
        if item_bytes(item) > MAX_ITEM_BYTES:
            return PutResult.TOO_LARGE, {}
        request = self.put_action(kind, item, condition)["Put"]
        former: Item = {}

        def put() -> None:
            nonlocal former
            if with_former:
                response = self._client.put_item(**request, ReturnValues="ALL_OLD")
                former = response.get("Attributes", {})
            else:
                self._client.put_item(**request)

        try:
            self._write(kind, "PutItem", put)
        except self.condition_failed:
            return PutResult.REFUSED, {}
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            return PutResult.INVALID, {}
        return PutResult.STORED, former

    def update(
        self, kind: ItemKind, key: Item, change: Change, condition: Condition = NO_CONDITION
    ) -> None:
        """Change attributes of an item; raise `condition_failed` when the condition fails."""
        request = self.update_action(kind, key, change, condition)["Update"]
        self._write(kind, "UpdateItem", lambda: self._client.update_item(**request))

    def delete(self, kind: ItemKind, key: Item, condition: Condition = NO_CONDITION) -> None:
        """Delete an item, if there is one; raise `condition_failed` when the condition fails."""
        request = self.delete_action(kind, key, condition)["Delete"]
        self._write(kind, "DeleteItem", lambda: self._client.delete_item(**request))

    def put_new(self, kind: ItemKind, items: Sequence[Item]) -> None:
        """Store items in batches, without conditions.

        The keys must contain the schema number, because a batch cannot check the stored item.
        """
        stamped = [self._stamped(kind, item) for item in items]
        parts = [stamped[at : at + BATCH_WRITE] for at in range(0, len(stamped), BATCH_WRITE)]
        self._parallel([partial(self._batch_write, part) for part in parts])

    def _batch_write(self, items: Sequence[Item]) -> None:
        request: Any = {self._name: [{"PutRequest": {"Item": item}} for item in items]}

        def write_rest() -> None:
            nonlocal request
            response = self._client.batch_write_item(RequestItems=request)
            request = response.get("UnprocessedItems")
            if request:
                raise UnprocessedError

        self._call("BatchWriteItem", write_rest)

    def transact(self, actions: Sequence[TransactWriteItemTypeDef]) -> None:
        """Carry out all actions or none; raise `transaction_canceled` when one is refused.

        All tries have one token, so that a try whose response was lost is not carried out twice.
        """
        token = f"{self._retry.random():.16f}-{next(self._transactions)}"
        self._call(
            "TransactWriteItems",
            lambda: self._client.transact_write_items(
                TransactItems=actions, ClientRequestToken=token
            ),
        )

    def put_action(
        self, kind: ItemKind, item: Item, condition: Condition = NO_CONDITION
    ) -> TransactWriteItemTypeDef:
        """Return the action that stores an item."""
        put: PutTypeDef = {
            "TableName": self._name,
            "Item": self._stamped(kind, item),
            "ConditionExpression": condition.guarded(),
            "ExpressionAttributeNames": {"#schema": SCHEMA_ATTRIBUTE, **condition.names},
            "ExpressionAttributeValues": {":schema": _number(kind), **condition.values},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return {"Put": put}

    def update_action(
        self, kind: ItemKind, key: Item, change: Change, condition: Condition = NO_CONDITION
    ) -> TransactWriteItemTypeDef:
        """Return the action that changes attributes of an item."""
        update: UpdateTypeDef = {
            "TableName": self._name,
            "Key": key,
            "UpdateExpression": change.expression(),
            "ConditionExpression": condition.guarded(),
            "ExpressionAttributeNames": {
                "#schema": SCHEMA_ATTRIBUTE,
                **change.names,
                **condition.names,
            },
            "ExpressionAttributeValues": {
                ":schema": _number(kind),
                **change.values,
                **condition.values,
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return {"Update": update}

    def delete_action(
        self, kind: ItemKind, key: Item, condition: Condition = NO_CONDITION
    ) -> TransactWriteItemTypeDef:
        """Return the action that deletes an item."""
        delete: DeleteTypeDef = {
            "TableName": self._name,
            "Key": key,
            "ConditionExpression": condition.guarded(),
            "ExpressionAttributeNames": {"#schema": SCHEMA_ATTRIBUTE, **condition.names},
            "ExpressionAttributeValues": {":schema": _number(kind), **condition.values},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return {"Delete": delete}

    @staticmethod
    def _stamped(kind: ItemKind, item: Item) -> dict[str, AttributeValueTypeDef]:
        return {**item, SCHEMA_ATTRIBUTE: _number(kind)}

    def _write(self, kind: ItemKind, operation: str, fn: Callable[[], object]) -> None:
        try:
            self._call(operation, fn)
        except self.condition_failed as error:
            check_schema(kind, stored_item(error))
            raise

    def _call(self, operation: str, fn: Callable[[], T]) -> T:
        return call_aws(self._retry, f"dynamodb.{operation} {self._name}", fn)

    def update_returning(
        self, kind: ItemKind, key: Item, change: Change, condition: Condition = NO_CONDITION
    ) -> Item:
        """Change attributes of an item as `update` does; return the whole item after it."""
        request = self.update_action(kind, key, change, condition)["Update"]
        item: Item = {}

        def update() -> None:
            nonlocal item
            response = self._client.update_item(**request, ReturnValues="ALL_NEW")
            item = response["Attributes"]

        self._write(kind, "UpdateItem", update)
        return item


def partition_key(value: str) -> dict[str, AttributeValueTypeDef]:
    """Return the key of an item in a table whose only key attribute is `pk`."""
    return {"pk": {"S": value}}


def stored_item(error: ClientError) -> Item:
    """Return the item that was stored when the condition of a write failed; {} for none."""
    item: Item = error.response.get("Item", {})  # type: ignore[assignment]  # as DynamoDB returns it
    return item


def _number(kind: ItemKind) -> AttributeValueTypeDef:
    return {"N": str(SCHEMAS[kind])}
