"""DynamoDB's limits in front of moto."""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

from local.rehearsal.dynamodb.enforcement import LimitCheck, enforce_limits
from local.rehearsal.dynamodb.limits import Item, TableSchema
from local.template_settings import table_definitions

ACCOUNT = "123456789012"  # the account of moto
REGION = "eu-west-1"


def read_from_moto(table: str, key: Item) -> Item | None:
    """Return the item that moto has stored under a key, without a call that a test would count."""
    stored = get_backend("dynamodb")[ACCOUNT][REGION].get_item(table, dict(key))
    return None if stored is None else dict(stored.to_json()["Attributes"])


def enforce_on_moto(client: Any) -> None:
    """Let a client of moto refuse what DynamoDB refuses."""
    schemas = {
        name: TableSchema.of(name, properties) for name, properties in table_definitions().items()
    }
    enforce_limits(client, LimitCheck(schemas, read_from_moto))
