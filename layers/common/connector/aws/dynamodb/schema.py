"""The schema numbers of stored items: one for each kind of item, checked at every read and write.

A newer connector may store an item in a form that this version cannot read. This version refuses
such an item and never overwrites it, so that a rollback loses nothing. Nothing was deployed before
these numbers, so no reader supports a lower one. Links had number 1 in positional form, number 2 as
one attribute for each part and number 3 with a base by field; all were replaced during development.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from connector.errors import HaltError, StopReason

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_ATTRIBUTE: Final = "schema"
"""The attribute of every item that holds its schema number."""


class ItemKind(StrEnum):
    """What an item of one of the tables contains."""

    LINK = "link"
    RECORD_POINTER = "record pointer"
    WORK_LIST = "work list"
    CURSOR = "cursor"
    RUN = "run"
    DOCUMENT = "document"
    SESSION = "session"
    LOGIN_LOCK = "login lock"
    CALL_COUNTER = "call counter"
    CHANGE_COUNTER = "change counter"
    RATE_BUCKET = "rate bucket"
    IDEMPOTENCY_RECORD = "idempotency record"
    FORM_HINT = "form hint"
    TOMBSTONE = "tombstone"
    JOURNAL_ENTRY = "journal entry"
    AUDIT_ENTRY = "audit entry"
    MAPPING_VERSION = "mapping version"


SCHEMAS: Final = {
    **dict.fromkeys(ItemKind, 1),
    ItemKind.LINK: 6,
    ItemKind.CURSOR: 2,
    ItemKind.RUN: 3,
    ItemKind.JOURNAL_ENTRY: 3,
    ItemKind.SESSION: 2,
    ItemKind.MAPPING_VERSION: 3,
}
"""The schema number that this version writes, and the highest that it reads. Raise a number when a
stored form changes, also when it only gains a member: older readers would drop that member."""


def whole_number(item: Mapping[str, AttributeValueTypeDef], name: str) -> int | None:
    """Return a whole number of an item; None where the item lacks it, or has something else."""
    try:
        return int(item[name]["N"])
    except (KeyError, ValueError):
        return None


def check_schema(kind: ItemKind, item: Mapping[str, AttributeValueTypeDef]) -> None:
    """Raise `HaltError` when a newer version of the connector stored an item."""
    stored = whole_number(item, SCHEMA_ATTRIBUTE)
    if stored is not None and stored > SCHEMAS[kind]:
        raise HaltError(
            StopReason.NEWER_SCHEMA,
            f"a stored item ({kind}) has schema {stored}, but this version of the connector reads "
            f"schema {SCHEMAS[kind]} at most: deploy the newer version again. The item was not "
            "changed.",
        )
