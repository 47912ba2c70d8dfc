"""The size of an item, as DynamoDB counts it (Developer Guide, "Item sizes and formats")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

MAX_ITEM_BYTES: Final = 400_000
"""DynamoDB's limit is 400 KB (409,600 bytes); the rest is room for the schema number and an index
attribute."""
MAX_TRANSACTION_BYTES: Final = 3_500_000
"""Bytes of the items of one transaction. DynamoDB's limit is 4 MB in total."""
NUMBER_BYTES: Final = 21
"""The longest number: 38 digits."""


def item_bytes(item: Mapping[str, AttributeValueTypeDef]) -> int:
    """Return the number of bytes of an item: names and values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Any) -> int:  # noqa: ANN401  # one of DynamoDB's types
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "SS":
            return sum(len(text.encode()) for text in content)
        case _:
            return NUMBER_BYTES
