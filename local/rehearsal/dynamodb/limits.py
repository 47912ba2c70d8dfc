"""The limits of DynamoDB that a request can break, checked before it is sent or carried out.

The numbers are from the Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB" and
"DynamoDB item sizes and formats", and from the API reference of each operation. The client in
memory checks every request with this module; so do the wrappers around emulators that do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from local.rehearsal.dynamodb.errors import InvalidRequestError

AttributeValue: TypeAlias = Mapping[str, Any]
"""One attribute as the API spells it: its type and its value, such as {"S": "text"}."""
Item: TypeAlias = Mapping[str, AttributeValue]

KIB: Final = 1024
MIB: Final = 1024 * 1024
MAX_ITEM_BYTES: Final = 400 * KIB
MAX_PARTITION_KEY_BYTES: Final = 2048
MAX_SORT_KEY_BYTES: Final = 1024
MAX_NAME_BYTES: Final = 64 * KIB - 1
MAX_KEY_NAME_CHARACTERS: Final = 255
MAX_DIGITS: Final = 38
LARGEST_EXPONENT: Final = 125
SMALLEST_EXPONENT: Final = -130
MAX_DEPTH: Final = 32
MAX_BATCH_GET: Final = 100
MAX_BATCH_GET_BYTES: Final = 16 * MIB
MAX_BATCH_WRITE: Final = 25
MAX_BATCH_WRITE_BYTES: Final = 16 * MIB
MAX_TRANSACTION_ACTIONS: Final = 100
MAX_TRANSACTION_BYTES: Final = 4 * MIB
MAX_TOKEN_CHARACTERS: Final = 36
MAX_QUERY_BYTES: Final = MIB
CONTAINER_BYTES: Final = 3
"""The overhead of a list or map; each of its elements costs one byte more."""


@dataclass(frozen=True, slots=True)
class KeyAttribute:
    """One attribute of a key: its name and its type (S, N or B)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The key of a table or an index; `sort` is None where only the partition key counts."""

    partition: KeyAttribute
    sort: KeyAttribute | None = None

    def attributes(self) -> tuple[KeyAttribute, ...]:
        """Return the attributes of the key."""
        return (self.partition,) if self.sort is None else (self.partition, self.sort)


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The keys of a table and of its indexes, and which indexes hold all attributes."""

    name: str
    key: KeySchema
    indexes: Mapping[str, KeySchema]
    complete_indexes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, properties: Mapping[str, Any]) -> TableSchema:
        """Return the schema that the parameters of CreateTable, or a template, describe."""
        types = {
            each["AttributeName"]: each["AttributeType"]
            for each in properties["AttributeDefinitions"]
        }

        def key(parts: Iterable[Mapping[str, str]]) -> KeySchema:
            names = {part["KeyType"]: part["AttributeName"] for part in parts}
            sort = names.get("RANGE")
            return KeySchema(
                KeyAttribute(names["HASH"], types[names["HASH"]]),
                None if sort is None else KeyAttribute(sort, types[sort]),
            )

        indexes = properties.get("GlobalSecondaryIndexes", [])
        return cls(
            name,
            key(properties["KeySchema"]),
            {each["IndexName"]: key(each["KeySchema"]) for each in indexes},
            frozenset(
                each["IndexName"]
                for each in indexes
                if each["Projection"]["ProjectionType"] == "ALL"
            ),
        )


def utf8_bytes(text: str) -> int:
    """Return how many bytes a text has in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def number(text: object) -> Decimal:
    """Return the number of an attribute. Raises `InvalidRequestError` beyond DynamoDB's range."""
    if not isinstance(text, str):
        raise InvalidRequestError("a number is sent as a text")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise InvalidRequestError(
            f"The parameter cannot be converted to a numeric value: {text}"
        ) from error
    if not value.is_finite():
        raise InvalidRequestError(f"The parameter cannot be converted to a numeric value: {text}")
    if len(text) <= MAX_DIGITS and "e" not in text and "E" not in text:
        return value
    if value:
        digits = "".join(map(str, value.as_tuple().digits)).strip("0")
        if len(digits) > MAX_DIGITS:
            raise InvalidRequestError(
                "Attempting to store more than 38 significant digits in a Number"
            )
        if value.adjusted() > LARGEST_EXPONENT:
            raise InvalidRequestError(
                "Number overflow. Attempting to store a number with magnitude larger than "
                "supported range"
            )
        if value.adjusted() < SMALLEST_EXPONENT:
            raise InvalidRequestError(
                "Number underflow. Attempting to store a number with magnitude smaller than "
                "supported range"
            )
    return value


def number_bytes(text: str) -> int:
    """Return the size of a number: one byte for two significant digits, and one more."""
    digits = text.lstrip("-+0").replace(".", "").partition("e")[0].partition("E")[0].strip("0")
    return (len(digits) + 1) // 2 + (2 if text.startswith("-") else 1)


def value_bytes(value: AttributeValue, depth: int = 0) -> int:
    """Return the size of an attribute's value in bytes.

    Raises `InvalidRequestError` for a value that DynamoDB does not take.
    """
    if len(value) != 1:
        raise InvalidRequestError(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    ((kind, content),) = value.items()
    if kind == "S":
        if not isinstance(content, str):
            raise InvalidRequestError("a value of the type S is a text")
        return utf8_bytes(content)
    if kind == "N":
        number(content)
        return number_bytes(content)
    sized = _SIZES.get(kind)
    if sized is None:
        raise InvalidRequestError(f"{kind} is not a datatype")
    return sized(content, depth)


def _binary_bytes(content: object, _depth: int) -> int:
    if not isinstance(content, bytes | bytearray):
        raise InvalidRequestError("a value of the type B is bytes")
    return len(content)


def _boolean_bytes(content: object, _depth: int) -> int:
    if not isinstance(content, bool):
        raise InvalidRequestError("a value of the type BOOL is true or false")
    return 1


def _null_bytes(content: object, _depth: int) -> int:
    if content is not True:
        raise InvalidRequestError("a value of the type NULL is true")
    return 1


def _set_bytes(member: str) -> Callable[[Any, int], int]:
    def size(content: Any, _depth: int) -> int:  # noqa: ANN401  # any JSON
        if not isinstance(content, list | tuple | set | frozenset) or not content:
            raise InvalidRequestError(f"An {member} set  may not be empty")
        total = sum(value_bytes({member: each}) for each in content)
        values = [number(each) for each in content] if member == "N" else list(content)
        if len(set(values)) < len(values):
            raise InvalidRequestError("Input collection contains duplicates")
        return total

    return size


def _list_bytes(content: Any, depth: int) -> int:  # noqa: ANN401  # any JSON
    _check_depth(depth)
    return CONTAINER_BYTES + sum(1 + value_bytes(each, depth + 1) for each in content)


def _map_bytes(content: Any, depth: int) -> int:  # noqa: ANN401  # any JSON
    _check_depth(depth)
    return CONTAINER_BYTES + sum(
        1 + utf8_bytes(name) + value_bytes(each, depth + 1) for name, each in content.items()
    )


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise InvalidRequestError("Nesting Levels have exceeded supported limits")


_SIZES: Final[Mapping[str, Callable[[Any, int], int]]] = {
    "B": _binary_bytes,
    "BOOL": _boolean_bytes,
    "NULL": _null_bytes,
    "SS": _set_bytes("S"),
    "NS": _set_bytes("N"),
    "BS": _set_bytes("B"),
    "L": _list_bytes,
    "M": _map_bytes,
}


def item_bytes(item: Item) -> int:
    """Return the size of an item, names included. Raises as `value_bytes`."""
    total = 0
    for name, value in item.items():
        length = utf8_bytes(name)
        if not 0 < length <= MAX_NAME_BYTES:
            raise InvalidRequestError("the name of an attribute has 1 to 65,535 bytes")
        total += length + value_bytes(value)
    return total


def check_item_size(size: int) -> None:
    """Raise `InvalidRequestError` when an item is larger than DynamoDB stores."""
    if size > MAX_ITEM_BYTES:
        raise InvalidRequestError("Item size has exceeded the maximum allowed size")


def check_key_value(attribute: KeyAttribute, value: AttributeValue, longest: int) -> None:
    """Raise `InvalidRequestError` for a value that cannot be that of a key attribute."""
    if list(value) != [attribute.type]:
        raise InvalidRequestError(
            f"One or more parameter values were invalid: Type mismatch for key {attribute.name} "
            f"expected: {attribute.type} actual: {'/'.join(value)}"
        )
    content = value[attribute.type]
    if attribute.type == "N":
        number(content)
        return
    length = utf8_bytes(content) if attribute.type == "S" else len(content)
    if not length:
        raise InvalidRequestError(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty string value. Key: {attribute.name}"
        )
    if length > longest:
        which = "hashkey" if longest == MAX_PARTITION_KEY_BYTES else "rangekey"
        raise InvalidRequestError(
            f"One or more parameter values were invalid: Size of {which} has exceeded the maximum "
            f"size limit of {longest} bytes"
        )


def check_key_attributes(schema: KeySchema, item: Item) -> None:
    """Raise `InvalidRequestError` when an item lacks a key attribute or has an invalid one."""
    for attribute, longest in (
        (schema.partition, MAX_PARTITION_KEY_BYTES),
        (schema.sort, MAX_SORT_KEY_BYTES),
    ):
        if attribute is None:
            continue
        value = item.get(attribute.name)
        if value is None:
            raise InvalidRequestError(
                f"One or more parameter values were invalid: Missing the key {attribute.name} in "
                "the item"
            )
        check_key_value(attribute, value, longest)


def check_key(schema: KeySchema, key: Item) -> None:
    """Raise `InvalidRequestError` when a key has not exactly the attributes of the schema."""
    if set(key) != {attribute.name for attribute in schema.attributes()}:
        raise InvalidRequestError("The provided key element does not match the schema")
    check_key_attributes(schema, key)


def check_stored(schema: TableSchema, item: Item) -> int:
    """Check an item that would be stored; return its size in bytes.

    Raises `InvalidRequestError` for its size, its key, and the key of each index that it is in.
    """
    size = item_bytes(item)
    check_item_size(size)
    check_key_attributes(schema.key, item)
    for index in schema.indexes.values():
        for attribute, longest in (
            (index.partition, MAX_PARTITION_KEY_BYTES),
            (index.sort, MAX_SORT_KEY_BYTES),
        ):
            if attribute is not None and (value := item.get(attribute.name)) is not None:
                check_key_value(attribute, value, longest)
    return size


def key_of(schema: KeySchema, item: Item) -> tuple[Any, ...]:
    """Return the key of an item in a form that can be compared: texts, bytes and decimals."""
    return tuple(
        plain_value(item[attribute.name], attribute.type) for attribute in schema.attributes()
    )


def plain_value(value: AttributeValue, kind: str) -> Any:  # noqa: ANN401  # text, bytes or decimal
    """Return the content of a key attribute in a form that can be compared."""
    content = value[kind]
    return Decimal(content) if kind == "N" else content


# Requests


Schemas: TypeAlias = Mapping[str, TableSchema]
CheckItem: TypeAlias = Callable[[TableSchema, Item], int]
"""Checks an item that would be stored, and returns its size in bytes."""


def check_request(
    operation: str,
    request: Mapping[str, Any],
    schemas: Schemas,
    check_item: CheckItem = check_stored,
) -> None:
    """Check the limits that a request can break by itself, whatever the table contains.

    `operation` is such as `PutItem`; a table that is not in `schemas` is left to the server. The
    client in memory checks each item when it stores it, so it passes another `check_item`. Raises
    `InvalidRequestError` with DynamoDB's message.
    """
    check = _CHECKS.get(operation)
    if check is not None:
        check(request, schemas, check_item)


def _check_put(request: Mapping[str, Any], schemas: Schemas, check_item: CheckItem) -> int:
    schema = schemas.get(request["TableName"])
    if schema is not None:
        return check_item(schema, request["Item"])
    size = item_bytes(request["Item"])
    check_item_size(size)
    return size


def _check_keyed(request: Mapping[str, Any], schemas: Schemas, _check_item: CheckItem) -> int:
    """Check a request for one key; return the bytes of the key and of the values in it."""
    schema = schemas.get(request["TableName"])
    if schema is not None:
        check_key(schema.key, request["Key"])
    values = request.get("ExpressionAttributeValues") or {}
    return item_bytes(request["Key"]) + sum(map(value_bytes, values.values()))


def _check_batch_get(request: Mapping[str, Any], schemas: Schemas, _check_item: CheckItem) -> None:
    tables = request["RequestItems"]
    number_of_keys = sum(len(each["Keys"]) for each in tables.values())
    if not 0 < number_of_keys <= MAX_BATCH_GET:
        raise InvalidRequestError(
            "Too many items requested for the BatchGetItem call"
            if number_of_keys
            else "The batch get request list for a table cannot be null or empty"
        )
    for name, each in tables.items():
        if (schema := schemas.get(name)) is None:
            continue
        for key in each["Keys"]:
            check_key(schema.key, key)
        _check_distinct((key_of(schema.key, key) for key in each["Keys"]), "item keys")


def _check_batch_write(request: Mapping[str, Any], schemas: Schemas, check_item: CheckItem) -> None:
    tables = request["RequestItems"]
    actions = [(name, each) for name, of_table in tables.items() for each in of_table]
    if not 0 < len(actions) <= MAX_BATCH_WRITE:
        raise InvalidRequestError(
            "Too many items requested for the BatchWriteItem call"
            if actions
            else "The batch write request list for a table cannot be null or empty"
        )
    size = 0
    keys: list[tuple[Any, ...]] = []
    for name, each in actions:
        item = each["PutRequest"]["Item"] if "PutRequest" in each else each["DeleteRequest"]["Key"]
        schema = schemas.get(name)
        if "PutRequest" in each:
            size += _check_put({"TableName": name, "Item": item}, schemas, check_item)
        elif schema is not None:
            check_key(schema.key, item)
        if schema is not None:
            keys.append((name, *key_of(schema.key, item)))
    if size > MAX_BATCH_WRITE_BYTES:
        raise InvalidRequestError("The batch is larger than 16 MB")
    _check_distinct(keys, "items")


def _check_transaction(request: Mapping[str, Any], schemas: Schemas, check_item: CheckItem) -> None:
    actions = request["TransactItems"]
    if not 0 < len(actions) <= MAX_TRANSACTION_ACTIONS:
        raise InvalidRequestError(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            "Member must have length less than or equal to 100"
        )
    token = request.get("ClientRequestToken")
    if token is not None and not 0 < len(token) <= MAX_TOKEN_CHARACTERS:
        raise InvalidRequestError(
            "1 validation error detected: Value at 'clientRequestToken' failed to satisfy "
            "constraint: Member must have length less than or equal to 36"
        )
    size = 0
    keys: list[tuple[Any, ...]] = []
    for action in actions:
        ((kind, body),) = action.items()
        check = _check_put if kind == "Put" else _check_keyed
        size += check(body, schemas, check_item)
        if (schema := schemas.get(body["TableName"])) is not None:
            item = body["Item"] if kind == "Put" else body["Key"]
            keys.append((body["TableName"], *key_of(schema.key, item)))
    if size > MAX_TRANSACTION_BYTES:
        raise InvalidRequestError("Transaction item size has exceeded the maximum allowed size")
    if len(set(keys)) < len(keys):
        raise InvalidRequestError(
            "Transaction request cannot include multiple operations on one item"
        )


def _check_distinct(keys: Iterable[tuple[Any, ...]], what: str) -> None:
    all_keys: Sequence[tuple[Any, ...]] = list(keys)
    if len(set(all_keys)) < len(all_keys):
        raise InvalidRequestError(f"Provided list of {what} contains duplicates")


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any], Schemas, CheckItem], int | None]]] = {
    "PutItem": _check_put,
    "GetItem": _check_keyed,
    "UpdateItem": _check_keyed,
    "DeleteItem": _check_keyed,
    "BatchGetItem": _check_batch_get,
    "BatchWriteItem": _check_batch_write,
    "TransactWriteItems": _check_transaction,
}
