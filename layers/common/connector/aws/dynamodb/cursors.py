"""Cursors in the ledger's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.dataclass_json import dumps, loads
from connector.aws.dynamodb.runs import NO_PROGRESS, count_change, run_key
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.shared_documents import UNREADABLE
from connector.aws.dynamodb.table import Table, partition_key
from connector.model import Counts, Cursor, Progress, RecordKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from connector.aws.dynamodb.table import Item

CURSOR_PREFIX: Final = "cursor#"


def cursor_of(item: Item) -> Cursor | None:
    """Return the cursor of a stored item; None when it cannot be decoded."""
    try:
        return loads(Cursor, item["document"]["S"])
    except UNREADABLE:
        return None


class CursorStore:
    """How far each kind of record was read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load_cursor(self, kind: RecordKind) -> Cursor:
        """Return the cursor of a kind of record; an empty one at first.

        One that cannot be decoded counts as empty: all records of the kind are read again.
        """
        item = self._table.get(ItemKind.CURSOR, partition_key(f"{CURSOR_PREFIX}{kind.value}"))
        return (None if item is None else cursor_of(item)) or Cursor(kind)

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        """Store a cursor and add to the run's counts and progress, in one transaction."""
        item: dict[str, AttributeValueTypeDef] = {
            **partition_key(f"{CURSOR_PREFIX}{cursor.kind.value}"),
            "document": {"S": dumps(cursor)},
        }
        if not counts and progress == NO_PROGRESS:
            self._table.put(ItemKind.CURSOR, item)
            return
        change = count_change(counts, progress)
        actions = [
            self._table.put_action(ItemKind.CURSOR, item),
            self._table.update_action(ItemKind.RUN, run_key(run), change),
        ]
        try:
            self._table.transact(actions)
        except self._table.transaction_canceled:
            self.load_cursor(cursor.kind)
            self._table.get(ItemKind.RUN, run_key(run))
            raise

    def applied_version(self) -> int | None:
        """Return the mapping's version that was last applied to all people; None: none was."""
        applied = {self.load_cursor(kind).applied_version for kind in RecordKind}
        return applied.pop() if len(applied) == 1 and applied != {-1} else None
