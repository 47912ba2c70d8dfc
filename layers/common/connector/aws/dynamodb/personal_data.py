"""Everything that the tables have about one person: found and erased, page by page.

A part of what is stored about a person has a key that does not name the person: lists of runs, work
lists, plans, shared documents. So both tables are read completely, which does not depend on how the
items came to be. An erasure repeats without harm.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.personal_items import (
    OTHER_LINK,
    NamedItem,
    journal_item,
    ledger_item,
)
from connector.aws.dynamodb.schema import check_schema
from connector.aws.dynamodb.table import Change, Condition, Table, partition_key
from connector.errors import StaleError
from connector.model import PersonNames, StoredItem, VisitedPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef

    from connector.aws.dynamodb.table import Item

JOURNAL: Final = "journal"
LEDGER: Final = "ledger"
SCAN_ITEMS: Final = 1000
"""Items of one page: DynamoDB returns 1 MB at most, which is about as many."""
START: Final = json.dumps([JOURNAL, None])
CHANGED: Final = (
    "another process changed what is stored about this person at the same time: repeat the request"
)


class DynamoPersonalData:
    """Visits both tables: the journal first, because the ledger leads to it."""

    def __init__(self, ledger: Table, journal: Table) -> None:
        self._tables: dict[str, tuple[Table, Callable[[Item, PersonNames], NamedItem | None]]] = {
            JOURNAL: (journal, journal_item),
            LEDGER: (ledger, ledger_item),
        }

    def visit(self, names: PersonNames, position: str, *, erase: bool) -> VisitedPage:
        """Visit one page of the tables ('': the first); with `erase`, remove what is found.

        Raises `ValueError` for a position that is none, and `StaleError` when another process
        changes an item at the same time.
        """
        name, start = _parsed(position or START)
        table, read = self._tables[name]
        request: ScanInputTypeDef = {
            "TableName": table.name,
            "ConsistentRead": True,
            "Limit": SCAN_ITEMS,
        }
        if start is not None:
            request["ExclusiveStartKey"] = start
        response = table.scan(request)
        found: list[StoredItem] = []
        mentions = unreadable = 0
        for item in response["Items"]:
            try:
                named = read(item, names)
            except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
                unreadable += 1
                continue
            if named is None:
                continue
            if named.name == OTHER_LINK:
                mentions += 1
                continue
            if erase:
                _erase(table, item, named)
            if named.content is not None:
                found.append(StoredItem(name, named.name, named.content))
        return VisitedPage(
            tuple(found), _next(name, response.get("LastEvaluatedKey")), mentions, unreadable
        )


def _erase(table: Table, item: Item, named: NamedItem) -> None:
    """Delete an item, or take the person out of it, unless it changed since it was read."""
    check_schema(named.kind, item)
    key = {name: item[name] for name in ("pk", "sk") if name in item}
    if named.is_deleted:
        table.delete(named.kind, key)
        return
    numbered = list(enumerate(named.sets.items()))
    change = Change(
        sets=", ".join(f"#n{number} = :n{number}" for number, _ in numbered),
        names={f"#n{number}": name for number, (name, _) in numbered},
        values={f":n{number}": value for number, (_, value) in numbered},
    )
    unchanged = Condition(
        " AND ".join(f"#n{number} = :b{number}" for number, _ in numbered),
        values={f":b{number}": item[name] for number, (name, _) in numbered},
    )
    try:
        table.update(named.kind, key, change, unchanged)
    except table.condition_failed as error:
        raise StaleError(CHANGED) from error


def _parsed(position: str) -> tuple[str, Item | None]:
    try:
        tree = json.loads(position)
    except RecursionError:
        tree = None
    match tree:
        case [str(name), None] if name in (JOURNAL, LEDGER):
            return name, None
        case [str(name), {"pk": str(pk), "sk": str(sk)}] if name == JOURNAL:
            return name, {"pk": {"S": pk}, "sk": {"S": sk}}
        case [str(name), {"pk": str(pk)}] if name == LEDGER:
            return name, partition_key(pk)
    raise ValueError("not a position in the tables")


def _next(name: str, last: Item | None) -> str:
    if last is not None:
        return json.dumps([name, {key: value["S"] for key, value in last.items()}])
    return json.dumps([LEDGER, None]) if name == JOURNAL else ""
