"""Lists of links that a run must resolve.

A page of changes makes thousands of links dirty. One item lists up to `MAX_LISTED` of them, instead
of an entry of the index `work` for each link: an entry costs a write when it is added and another
one when it is removed. A list has a number within its run, so the run finds its own lists by their
keys; the index, which is eventually consistent, is only needed for the lists that an earlier run
has left.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.table import Table, partition_key
from connector.model import WorkList

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from connector.aws.dynamodb.table import Item

WORK_PREFIX: Final = "work#"
WORK_END: Final = "work$"
"""Sorts behind every key of a list: `$` is the character after `#`."""
NUMBER_DIGITS: Final = 9
DIRTY: Final = "dirty"
"""The partition of the index `work`."""


def query_work(table: Table, kind: ItemKind, after: str, end: str, limit: int) -> list[str]:
    """Return the keys between two keys that are in the index `work`, in order.

    The index may lag behind the table.
    """
    response = table.query(
        kind,
        {
            "TableName": table.name,
            "IndexName": "work",
            "KeyConditionExpression": "#index = :dirty AND pk BETWEEN :start AND :end",
            "ExpressionAttributeNames": {"#index": "work"},
            "ExpressionAttributeValues": {
                ":dirty": {"S": DIRTY},
                ":start": {"S": after},
                ":end": {"S": end},
            },
            "Limit": limit + 1,
        },
    )
    keys = [item["pk"]["S"] for item in response["Items"] if item["pk"]["S"] != after]
    return keys[:limit]


class WorkStore:
    """The lists of links to resolve."""

    def __init__(self, table: Table) -> None:
        self._work_table = table

    def save_work(self, work: WorkList, emails: Sequence[str]) -> None:
        """Store a list in place of the one with this number; an empty one is deleted."""
        if not emails:
            self._work_table.delete(ItemKind.WORK_LIST, _key(work))
            return
        body = zlib.compress(json.dumps(list(emails), ensure_ascii=False).encode())
        item: dict[str, AttributeValueTypeDef] = {
            **_key(work),
            "work": {"S": DIRTY},
            "emails": {"B": body},
        }
        self._work_table.put(ItemKind.WORK_LIST, item)

    def load_work(self, lists: Sequence[WorkList]) -> dict[WorkList, tuple[str, ...]]:
        """Return the e-mails of the lists that exist."""
        wanted = {_key(work)["pk"]["S"]: work for work in lists}
        items = self._work_table.get_all(ItemKind.WORK_LIST, wanted)
        return {wanted[item["pk"]["S"]]: _emails(item) for item in items}

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:
        """Return lists that exist, in order, from the first one behind `after` on.

        The index may lag behind the table: a list that was stored or deleted a moment ago may be
        missing or still be there.
        """
        start = WORK_PREFIX if after is None else _key(after)["pk"]["S"]
        keys = query_work(self._work_table, ItemKind.WORK_LIST, start, WORK_END, limit)
        return [_work_list(key) for key in keys]


def _key(work: WorkList) -> dict[str, AttributeValueTypeDef]:
    return partition_key(f"{WORK_PREFIX}{work.run_id}#{work.number:0{NUMBER_DIGITS}d}")


def _work_list(key: str) -> WorkList:
    run_id, _, number = key.removeprefix(WORK_PREFIX).rpartition("#")
    return WorkList(run_id, int(number))


def _emails(item: Item) -> tuple[str, ...]:
    emails: list[str] = json.loads(zlib.decompress(bytes(item["emails"]["B"])))
    return tuple(emails)
