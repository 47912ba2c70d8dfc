"""The real ledger and journal in a world: DynamoDB as moto plays it, with the tables deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from connector.aws.dynamodb.journal import DynamoJournal, parse_entries
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.links import to_link
from connector.model import JournalEntry, Link
from local.world.memory import MemoryMappings, MemoryRunQueue
from tests.component.harness import REGION, create_table
from tests.retry_policies import IMMEDIATE
from tests.simulation.history.events import EventList, mapping

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEDGER, JOURNAL = "LedgerTable", "JournalTable"
DAYS = 365


class TableLedger(DynamoLedger):
    """The ledger's table, with the queries that a history needs at its end."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        super().__init__(client, table, IMMEDIATE)
        self._client = client
        self._table_name = table

    def all_links(self) -> list[Link]:
        """Return every link, in order of e-mails."""
        items = self._client.scan(TableName=self._table_name, ConsistentRead=True)["Items"]
        links = [to_link(it) for it in items if it["pk"]["S"].startswith("contact#")]
        return sorted(links, key=lambda it: it.email)

    def snapshot(self) -> list[dict[str, Any]]:
        """Return a copy of everything, as a point-in-time backup would."""
        return list(self._client.scan(TableName=self._table_name, ConsistentRead=True)["Items"])

    def restore(self, snapshot: list[dict[str, Any]]) -> None:
        """Go back to a backup: links, cursors and runs as they were then."""
        for item in self.snapshot():
            self._client.delete_item(TableName=self._table_name, Key={"pk": item["pk"]})
        for item in snapshot:
            self._client.put_item(TableName=self._table_name, Item=item)


class TableJournal(DynamoJournal):
    """The journal's table, with all its entries."""

    def __init__(self, client: DynamoDBClient, table: str, days: int) -> None:
        super().__init__(client, table, days, IMMEDIATE)
        self._client = client
        self._table_name = table

    def entries(self) -> list[JournalEntry]:
        """Return every line."""
        items = self._client.scan(TableName=self._table_name, ConsistentRead=True)["Items"]
        return [line for item in items for line in parse_entries(item)]


@contextmanager
def tables() -> Iterator[Callable[[EventList], Callable[[], dict[str, Any]]]]:
    """Yield what makes the ports of a history, each on empty tables."""
    testing = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    with patch.dict("os.environ", testing), mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        yield lambda story: lambda: _ports(client, story)


def _ports(client: DynamoDBClient, story: EventList) -> dict[str, Any]:
    known = client.list_tables()["TableNames"]
    for name in (LEDGER, JOURNAL):
        if name in known:
            client.delete_table(TableName=name)
        create_table(client, name)
    return {
        "ledger": TableLedger(client, LEDGER),
        "journal": TableJournal(client, JOURNAL, DAYS),
        "inbox": MemoryRunQueue(),
        "configuration": MemoryMappings(mapping(story.policies)),
    }
