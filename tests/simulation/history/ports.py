"""The storage of a history: in memory, or DynamoDB as moto emulates it with the deployed tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from connector.aws.dynamodb.journal import DynamoJournal, parse_entries
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.links import to_link
from connector.model import JournalEntry, Link
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue
from tests.component.harness import REGION, create_table
from tests.retry_policies import IMMEDIATE
from tests.simulation.history.events import EventList, build_mapping

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEDGER, JOURNAL = "LedgerTable", "JournalTable"
RETENTION_DAYS = 365


class TableLedger(DynamoLedger):
    """The ledger's table, with the reads that a history needs for its final check."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        super().__init__(client, table, IMMEDIATE)
        self._client = client
        self._table_name = table

    def all_links(self) -> list[Link]:
        """Return every link, in order of e-mails."""
        items = self._client.scan(TableName=self._table_name, ConsistentRead=True)["Items"]
        links = [to_link(item) for item in items if item["pk"]["S"].startswith("contact#")]
        return sorted(links, key=lambda link: link.email)

    def snapshot(self) -> list[dict[str, Any]]:
        """Return a copy of all items, as a point-in-time backup does."""
        return list(self._client.scan(TableName=self._table_name, ConsistentRead=True)["Items"])

    def restore(self, snapshot: list[dict[str, Any]]) -> None:
        """Restore a backup: links, cursors and runs."""
        for item in self.snapshot():
            self._client.delete_item(TableName=self._table_name, Key={"pk": item["pk"]})
        for item in snapshot:
            self._client.put_item(TableName=self._table_name, Item=item)


class TableJournal(DynamoJournal):
    """The journal's table, with a read of all entries."""

    def __init__(self, client: DynamoDBClient, table: str, days: int) -> None:
        super().__init__(client, table, days, IMMEDIATE)
        self._client = client
        self._table_name = table

    def entries(self) -> list[JournalEntry]:
        """Return every entry."""
        items = self._client.scan(TableName=self._table_name, ConsistentRead=True)["Items"]
        return [entry for item in items if "entries" in item for entry in parse_entries(item)]


@dataclass(frozen=True, slots=True)
class HistoryPorts:
    """The ports that keep the connector's state outside of its processes."""

    ledger: MemoryLedger | TableLedger
    journal: MemoryJournal | TableJournal
    run_queue: MemoryRunQueue
    mappings: MemoryMappings


MakePorts = Callable[[EventList], HistoryPorts]
"""Returns empty ports with the mapping of a history."""


def memory_ports(events: EventList) -> HistoryPorts:
    """Return empty ports in memory."""
    mappings = MemoryMappings(build_mapping(events))
    return HistoryPorts(MemoryLedger(), MemoryJournal(), MemoryRunQueue(), mappings)


@contextmanager
def dynamodb() -> Iterator[MakePorts]:
    """Yield a function that returns ports on empty DynamoDB tables."""
    credentials = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    with patch.dict("os.environ", credentials), mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        yield lambda events: _table_ports(client, events)


def _table_ports(client: DynamoDBClient, events: EventList) -> HistoryPorts:
    existing = client.list_tables()["TableNames"]
    for name in (LEDGER, JOURNAL):
        if name in existing:
            client.delete_table(TableName=name)
        create_table(client, name)
    return HistoryPorts(
        TableLedger(client, LEDGER),
        TableJournal(client, JOURNAL, RETENTION_DAYS),
        MemoryRunQueue(),
        MemoryMappings(build_mapping(events)),
    )
