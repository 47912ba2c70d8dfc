"""A client that answers as botocore's DynamoDB client does, for the operations that are used."""

from __future__ import annotations

import copy
import marshal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeAlias

from botocore.exceptions import ClientError, ReadTimeoutError

from local.rehearsal.dynamodb.database import Database
from local.rehearsal.dynamodb.errors import (
    Exceptions,
    InvalidRequestError,
    cancelled,
    client_error,
    invalid,
)
from local.rehearsal.dynamodb.expressions import (
    check_placeholders,
    parse_condition,
    parse_update,
)
from local.rehearsal.dynamodb.limits import (
    MAX_BATCH_GET_BYTES,
    MAX_TRANSACTION_BYTES,
    AttributeValue,
    Item,
    TableSchema,
    check_key_attributes,
    check_request,
    check_stored,
)
from local.rehearsal.dynamodb.queries import run_query, run_scan
from local.rehearsal.dynamodb.storage import IndexWrite, Key, Stored, StoredTable
from local.rehearsal.dynamodb.units import (
    TRANSACTION_FACTOR,
    UnitKind,
    read_units,
    write_units,
)

Response: TypeAlias = dict[str, Any]
Travel: TypeAlias = Callable[[str, int], None]
"""Called before and after each call, with the operation and the number of its items."""
Method: TypeAlias = Callable[..., Response]
MARSHAL_VERSION: Final = 2
"""The last version whose bytes depend on the values only, not on how often each is used."""
ALL_OLD: Final = "ALL_OLD"
CONDITION_FAILED: Final = "The conditional request failed"
MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "GetItem": frozenset({"TableName", "Key", "ConsistentRead"}),
    "BatchGetItem": frozenset({"RequestItems"}),
    "Query": frozenset(
        {
            "TableName", "IndexName", "KeyConditionExpression", "ExpressionAttributeNames",
            "ExpressionAttributeValues", "Limit", "ScanIndexForward", "ConsistentRead",
            "ExclusiveStartKey", "FilterExpression", "Select",
        }
    ),
    "Scan": frozenset(
        {
            "TableName", "Limit", "ExclusiveStartKey", "ConsistentRead", "FilterExpression",
            "ProjectionExpression", "ExpressionAttributeValues",
        }
    ),
    "PutItem": frozenset({"TableName", "Item", "ConditionExpression", "ReturnValues"}),
    "UpdateItem": frozenset(
        {"TableName", "Key", "ConditionExpression", "UpdateExpression", "ReturnValues"}
    ),
    "DeleteItem": frozenset({"TableName", "Key", "ConditionExpression"}),
    "BatchWriteItem": frozenset({"RequestItems"}),
    "TransactWriteItems": frozenset({"TransactItems", "ClientRequestToken"}),
}  # fmt: skip
"""The members of each request that are known; a request with another one is refused."""
WRITE_MEMBERS: Final = frozenset(
    {"ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"}
)
ACTIONS: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "DeleteItem",
}
"""The operation whose members an action of a transaction has."""


def _stay(_operation: str, _items: int) -> None:
    """Take no time."""


def operation(name: str) -> Callable[[Method], Method]:
    """Make a method an operation: it travels, is throttled, and refuses what it does not know."""
    known = MEMBERS[name] | (WRITE_MEMBERS if name in ACTIONS.values() else frozenset())

    def decorate(method: Method) -> Method:
        @wraps(method)
        def call(client: MemoryDynamoDB, **request: Any) -> Response:  # noqa: ANN401  # as botocore
            if unknown := request.keys() - known:
                raise TypeError(f"{name} is not simulated with {sorted(unknown)}")
            return client.travel_and_call(name, request, lambda: method(client, **request))

        return call

    return decorate


def _count(name: str, request: Mapping[str, Any]) -> int:
    if name == "TransactWriteItems":
        return len(request["TransactItems"])
    if name == "BatchGetItem":
        return sum(len(each["Keys"]) for each in request["RequestItems"].values())
    if name == "BatchWriteItem":
        return sum(map(len, request["RequestItems"].values()))
    return 1


@dataclass(frozen=True, slots=True)
class _Write:
    """One write that was decided: what is stored under a key afterwards (None: nothing)."""

    table: StoredTable
    primary: Key
    before: Stored | None
    item: Item | None
    size: int
    """The size of the item afterwards; 0 when there is none."""

    @property
    def larger_size(self) -> int:
        """The larger of the sizes before and after, which decides about the write units."""
        return max(self.size, self.before.size if self.before is not None else 0)


class _ConditionFailedError(Exception):
    """The condition of a write does not hold; it has the stored item if that was asked for."""

    def __init__(self, stored: Stored | None, *, returned: bool, write: _Write) -> None:
        super().__init__(CONDITION_FAILED)
        self.item = dict(stored.item) if stored is not None and returned else None
        self.write = write


class MemoryDynamoDB:
    """A DynamoDB client without a network; `travel` may take time before and after a call.

    Like botocore's client it is used with keyword arguments only. It raises `ClientError` with
    DynamoDB's code, and `ReadTimeoutError` when the response of a write is lost.
    """

    exceptions = Exceptions

    def __init__(self, database: Database, travel: Travel = _stay) -> None:
        self._database = database
        self._travel = travel

    def travel_and_call(
        self, name: str, request: Mapping[str, Any], method: Callable[[], Response]
    ) -> Response:
        """Carry out a call half way between the request and the response."""
        items = _count(name, request)
        self._travel(name, items)
        try:
            response = self._checked(name, request, method)
        except ClientError:
            self._travel(name, 0)
            raise
        self._travel(name, items)
        return response

    def _checked(
        self, name: str, request: Mapping[str, Any], method: Callable[[], Response]
    ) -> Response:
        """Carry out a call: throttled, checked against the limits, counted."""
        database = self._database
        database.units.calls[name] += 1
        if code := database.faults.throttled(name, database.clock()):
            raise _throttled(name, code, request)
        try:
            check_request(name, request, database.schemas, _checked_later)
            response = method()
        except InvalidRequestError as error:
            raise invalid(str(error), name) from error
        writes = name not in {"GetItem", "BatchGetItem", "Query", "Scan"}
        if writes and database.faults.loses_response():
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return response

    # Reads

    @operation("GetItem")
    def get_item(
        self,
        *,
        TableName: str,  # noqa: N803  # as botocore
        Key: Item,  # noqa: N803  # as above
        ConsistentRead: bool = False,  # noqa: N803  # as botocore
    ) -> Response:
        """Return the item under a key."""
        table = self._database.table(TableName, "GetItem")
        stored = table.items.get(table.key(Key))
        self._read(table, "GetItem", Key, stored, consistent=ConsistentRead)
        return {} if stored is None else {"Item": dict(stored.item)}

    @operation("BatchGetItem")
    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Response:  # noqa: N803  # as botocore
        """Return the items under some keys; what does not fit into 16 MB is left unprocessed."""
        responses: dict[str, list[Item]] = {name: [] for name in RequestItems}
        unprocessed: dict[str, Any] = {}
        size = 0
        leaves = self._database.faults.leaves_unprocessed()
        for name, request in RequestItems.items():
            table = self._database.table(name, "BatchGetItem")
            keys = list(request["Keys"])
            done = max(1, len(keys) // 2) if leaves else len(keys)
            for position, key in enumerate(keys):
                stored = table.items.get(table.key(key))
                size += stored.size if stored is not None else 0
                if position >= done or size > MAX_BATCH_GET_BYTES:
                    unprocessed[name] = {**request, "Keys": keys[position:]}
                    break
                consistent = request.get("ConsistentRead", False)
                self._read(table, "BatchGetItem", key, stored, consistent=consistent)
                if stored is not None:
                    responses[name].append(dict(stored.item))
        return {"Responses": responses, "UnprocessedKeys": unprocessed}

    def _read(
        self, table: StoredTable, name: str, key: Item, stored: Stored | None, *, consistent: bool
    ) -> None:
        units = read_units(stored.size if stored is not None else 0, consistent=consistent)
        self._database.units.read(_kind(table, name, key), units)

    @operation("Query")
    def query(self, **request: Any) -> Response:  # noqa: ANN401  # as botocore
        """Return one page of a query on a table or an index."""
        return run_query(self._database, request)

    @operation("Scan")
    def scan(self, **request: Any) -> Response:  # noqa: ANN401  # as botocore
        """Return one page of all items of a table."""
        return run_scan(self._database, request)

    # Writes

    @operation("PutItem")
    def put_item(self, **request: Any) -> Response:  # noqa: ANN401  # as botocore
        """Store an item, if the condition holds."""
        return self._write_one("PutItem", request, self._decide_put)

    @operation("UpdateItem")
    def update_item(self, **request: Any) -> Response:  # noqa: ANN401  # as botocore
        """Change attributes of an item, if the condition holds."""
        return self._write_one("UpdateItem", request, self._decide_update)

    @operation("DeleteItem")
    def delete_item(self, **request: Any) -> Response:  # noqa: ANN401  # as botocore
        """Delete an item, if the condition holds."""
        return self._write_one("DeleteItem", request, self._decide_delete)

    def _write_one(
        self,
        name: str,
        request: Mapping[str, Any],
        decide: Callable[[str, Mapping[str, Any]], _Write],
    ) -> Response:
        try:
            write = decide(name, request)
        except _ConditionFailedError as error:
            self._count(name, error.write, write_units(error.write.larger_size))
            members: dict[str, Any] = {} if error.item is None else {"Item": error.item}
            raise client_error(
                "ConditionalCheckFailedException", CONDITION_FAILED, name, **members
            ) from None
        self._store(name, write, 1)
        match request.get("ReturnValues", "NONE"):
            case "NONE":
                return {}
            case "ALL_OLD":
                return {} if write.before is None else {"Attributes": dict(write.before.item)}
            case "ALL_NEW" if write.item is not None:
                return {"Attributes": copy.deepcopy(write.item)}
        raise TypeError(f"ReturnValues {request['ReturnValues']} is not simulated")

    @operation("BatchWriteItem")
    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> Response:  # noqa: N803  # as botocore
        """Store or delete items, without conditions."""
        unprocessed: dict[str, Any] = {}
        leaves = self._database.faults.leaves_unprocessed()
        for name, actions in RequestItems.items():
            self._database.table(name, "BatchWriteItem")
            done = max(1, len(actions) // 2) if leaves else len(actions)
            writes = [self._decide_batch_action(name, action) for action in actions]
            for write in writes[:done]:
                self._store("BatchWriteItem", write, 1)
            if done < len(actions):
                unprocessed[name] = actions[done:]
        return {"UnprocessedItems": unprocessed}

    def _decide_batch_action(self, table: str, action: Mapping[str, Any]) -> _Write:
        if "PutRequest" in action:
            body = {"TableName": table, "Item": action["PutRequest"]["Item"]}
            return self._decide_put("BatchWriteItem", body)
        body = {"TableName": table, "Key": action["DeleteRequest"]["Key"]}
        return self._decide_delete("BatchWriteItem", body)

    @operation("TransactWriteItems")
    def transact_write_items(
        self,
        *,
        TransactItems: Sequence[Any],  # noqa: N803  # as botocore
        ClientRequestToken: str = "",  # noqa: N803  # as botocore
    ) -> Response:
        """Carry out all actions or none."""
        name = "TransactWriteItems"
        if self._database.faults.conflicts():
            raise cancelled(_reasons(len(TransactItems), "TransactionConflict"), name)
        if ClientRequestToken:
            known = self._database.remember_token(ClientRequestToken, _fingerprint(TransactItems))
            if known is None:
                message = "The token was used for another transaction"
                raise client_error("IdempotentParameterMismatchException", message, name)
            if known:
                return {}
        writes, reasons = self._decide_all(name, TransactItems)
        if any(reason["Code"] != "None" for reason in reasons):
            self._database.forget_token(ClientRequestToken)
            for write in writes:
                self._count(name, write, write_units(write.larger_size))
            raise cancelled(reasons, name)
        if sum(write.size for write in writes) > MAX_TRANSACTION_BYTES:
            raise InvalidRequestError("Transaction item size has exceeded the maximum allowed size")
        for write in writes:
            self._store(name, write, TRANSACTION_FACTOR)
        return {}

    def _decide_all(
        self, name: str, actions: Sequence[Mapping[str, Any]]
    ) -> tuple[list[_Write], list[dict[str, Any]]]:
        """Return the writes of a transaction, and for each action why it is refused."""
        writes: list[_Write] = []
        reasons: list[dict[str, Any]] = []
        for action in actions:
            ((kind, body),) = action.items()
            if kind not in ACTIONS:
                raise InvalidRequestError(f"{kind} is not an action of a transaction")
            if unknown := body.keys() - (MEMBERS[ACTIONS[kind]] | WRITE_MEMBERS):
                raise TypeError(f"{kind} is not simulated with {sorted(unknown)}")
            reason: dict[str, Any] = {"Code": "None"}
            try:
                writes.append(self._decide(kind, name, body))
            except _ConditionFailedError as error:
                writes.append(error.write)
                reason = {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED}
                if error.item is not None:
                    reason["Item"] = error.item
            reasons.append(reason)
        return writes, reasons

    def _decide(self, kind: str, name: str, body: Mapping[str, Any]) -> _Write:
        match kind:
            case "Put":
                return self._decide_put(name, body)
            case "Update":
                return self._decide_update(name, body)
            case "Delete":
                return self._decide_delete(name, body)
        return self._decide_check(name, body)

    def _decide_put(self, name: str, request: Mapping[str, Any]) -> _Write:
        table = self._database.table(request["TableName"], name)
        item = dict(request["Item"])
        primary = table.key(item)
        before = table.items.get(primary)
        write = _Write(table, primary, before, item, check_stored(table.schema, item))
        _check_condition(request, before, write)
        return write

    def _decide_update(self, name: str, request: Mapping[str, Any]) -> _Write:
        table = self._database.table(request["TableName"], name)
        primary = table.key(request["Key"])
        before = table.items.get(primary)
        update = parse_update(request["UpdateExpression"])
        keys = {each.name for each in table.schema.key.attributes()}
        failed = _Write(table, primary, before, None, 0)
        _check_condition(request, before, failed, update.names, update.values)
        names = request.get("ExpressionAttributeNames") or {}
        for path in update.paths:
            if path.resolve(names)[0] in keys:
                raise InvalidRequestError(
                    "One or more parameter values were invalid: Cannot update attribute "
                    f"{path.resolve(names)[0]}. This attribute is part of the key"
                )
        stored: Item = request["Key"] if before is None else before.item
        values = request.get("ExpressionAttributeValues") or {}
        item = update.apply(stored, names, values)
        try:
            size = check_stored(table.schema, item)
        except InvalidRequestError as error:
            if str(error) == "Item size has exceeded the maximum allowed size":
                raise InvalidRequestError(
                    "Item size to update has exceeded the maximum allowed size"
                ) from error
            raise
        return _Write(table, primary, before, item, size)

    def _decide_delete(self, name: str, request: Mapping[str, Any]) -> _Write:
        table = self._database.table(request["TableName"], name)
        primary = table.key(request["Key"])
        before = table.items.get(primary)
        write = _Write(table, primary, before, None, 0)
        _check_condition(request, before, write)
        return write

    def _decide_check(self, name: str, request: Mapping[str, Any]) -> _Write:
        write = self._decide_delete(name, request)
        before = write.before
        if before is None:
            return write
        return _Write(write.table, write.primary, before, before.item, before.size)

    def _store(self, name: str, write: _Write, factor: int) -> None:
        if write.item is None:
            index_writes = write.table.delete(write.primary)
        elif write.before is not None and write.item is write.before.item:
            index_writes = []
        else:
            index_writes = write.table.put(write.primary, write.item, write.size)
        self._count(name, write, factor * write_units(write.larger_size), index_writes)

    def _count(
        self, name: str, write: _Write, units: int, index_writes: Sequence[IndexWrite] = ()
    ) -> None:
        kind = _kind_of(write.table.schema.name, name, write.primary)
        self._database.units.write(kind, units)
        for each in index_writes:
            of_index = UnitKind(kind.table, kind.operation, kind.kind, each.index)
            self._database.units.write(of_index, sum(map(write_units, each.units)))


def _check_condition(
    request: Mapping[str, Any],
    stored: Stored | None,
    write: _Write,
    names: frozenset[str] = frozenset(),
    values: frozenset[str] = frozenset(),
) -> None:
    """Check the placeholders of a write, and its condition against the stored item."""
    text = request.get("ConditionExpression")
    if text is None:
        check_placeholders(request, names, values)
        return
    condition = parse_condition(text)
    check_placeholders(request, names | condition.names, values | condition.values)
    item: Item = {} if stored is None else stored.item
    given_names = request.get("ExpressionAttributeNames") or {}
    given_values = request.get("ExpressionAttributeValues") or {}
    if not condition.test(item, given_names, given_values):
        returned = request.get("ReturnValuesOnConditionCheckFailure") == ALL_OLD
        raise _ConditionFailedError(stored, returned=returned, write=write)


def _kind(table: StoredTable, name: str, key: Mapping[str, AttributeValue]) -> UnitKind:
    return _kind_of(table.schema.name, name, table.key(key))


def _kind_of(table: str, name: str, primary: Key) -> UnitKind:
    return UnitKind(table, name, str(primary[0]).partition("#")[0])


def _reasons(number: int, code: str) -> list[dict[str, object]]:
    """Return the reasons of a transaction whose first action was the cause."""
    others: list[dict[str, object]] = [{"Code": "None"}] * (number - 1)
    return [{"Code": code, "Message": code}, *others]


def _throttled(name: str, code: str, request: Mapping[str, Any]) -> Exception:
    """Return the error of a request that is throttled; a transaction is cancelled for it."""
    if name == "TransactWriteItems":
        return cancelled(_reasons(len(request["TransactItems"]), "ThrottlingError"), name)
    message = "The level of configured provisioned throughput for the table was exceeded"
    return client_error(code, message, name)


def _checked_later(schema: TableSchema, item: Item) -> int:
    """Check only the key of an item: everything else is checked when it is stored."""
    check_key_attributes(schema.key, item)
    return 0


def _fingerprint(actions: Sequence[Mapping[str, Any]]) -> int:
    """Return a number that differs between transactions with different actions."""
    plain: Any = actions  # lists, dictionaries and scalars only
    return hash(marshal.dumps(plain, MARSHAL_VERSION))
