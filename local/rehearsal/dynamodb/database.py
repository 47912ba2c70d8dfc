"""All tables of one account: their items, the units that were used, the faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from local.rehearsal.dynamodb.errors import client_error
from local.rehearsal.dynamodb.faults import Faults
from local.rehearsal.dynamodb.limits import Item, TableSchema
from local.rehearsal.dynamodb.storage import StoredTable
from local.rehearsal.dynamodb.units import Units

TOKEN_SECONDS: Final = 600.0
"""How long DynamoDB remembers the token of a transaction (API Reference, TransactWriteItems)."""


class Database:
    """The tables; `definitions` are the properties of CreateTable by name.

    `clock` returns seconds: it decides about the lag of the indexes, bursts and tokens.
    """

    def __init__(
        self, definitions: Mapping[str, Mapping[str, Any]], clock: Callable[[], float]
    ) -> None:
        self.clock = clock
        self.schemas: dict[str, TableSchema] = {}
        self.tables: dict[str, StoredTable] = {}
        for name, properties in definitions.items():
            self.add_table(name, properties)
        self.units = Units()
        self.faults = Faults()
        self._tokens: dict[str, tuple[float, int]] = {}

    def add_table(self, name: str, properties: Mapping[str, Any]) -> None:
        """Create a table; `properties` are those of CreateTable."""
        self.schemas[name] = TableSchema.of(name, properties)
        self.tables[name] = StoredTable(self.schemas[name], self.clock)

    def remove_table(self, name: str) -> None:
        """Delete a table with its items."""
        del self.schemas[name], self.tables[name]

    def table(self, name: str, operation: str) -> StoredTable:
        """Return a table. Raises `ResourceNotFoundException`."""
        table = self.tables.get(name)
        if table is None:
            message = "Requested resource not found"
            raise client_error("ResourceNotFoundException", message, operation)
        return table

    def set_index_lag(self, seconds: float) -> None:
        """Let changes be visible in every index only after some seconds."""
        for table in self.tables.values():
            table.index_lag = seconds

    def items(self, table: str) -> Iterator[Item]:
        """Return all items of a table as they are stored, for a test or an oracle."""
        for stored in self.tables[table].items.all():
            yield stored.item

    def remember_token(self, token: str, fingerprint: int) -> bool | None:
        """Remember a transaction; True: it was carried out before; None: it was another one."""
        now = self.clock()
        known = self._tokens.get(token)
        if known is not None and now - known[0] < TOKEN_SECONDS:
            return True if known[1] == fingerprint else None
        if len(self._tokens) > 10_000:  # noqa: PLR2004  # forgets what is old, now and then
            self._tokens = {
                each: entry
                for each, entry in self._tokens.items()
                if now - entry[0] < TOKEN_SECONDS
            }
        self._tokens[token] = (now, fingerprint)
        return False

    def forget_token(self, token: str) -> None:
        """Forget a transaction that was cancelled: the same token may try again."""
        self._tokens.pop(token, None)
