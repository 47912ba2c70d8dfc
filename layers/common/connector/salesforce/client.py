"""The Salesforce side of the synchronization: schemas, reading, look-ups and writes of one org."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from connector.mapping import ReadScope, Schema
from connector.model import Cursor, LookupResult, Observation, Page, RecordKind, Write
from connector.planning.write_outcome import WriteOutcome
from connector.salesforce.connection import Connection
from connector.salesforce.describe import parse_schema
from connector.salesforce.diagnosis import error_class
from connector.salesforce.error_table import ErrorClass
from connector.salesforce.reader import Reader
from connector.salesforce.writer import Writer
from connector.stores import DocumentStore

OBJECTS: Final = (RecordKind.LEAD, RecordKind.CONTACT)
DESCRIBE_SECONDS: Final = 24 * 3600.0
"""How long a describe is valid. A describe costs two calls. Salesforce refuses a field that was
hidden or deleted in this time, and the next run describes the objects again."""


class SalesforceClient:
    """One org. `assign_new_leads`: the org's assignment rules run for the Leads created."""

    def __init__(
        self,
        connection: Connection,
        store: DocumentStore,
        clock: Callable[[], float],
        *,
        assign_new_leads: bool,
    ) -> None:
        self._connection = connection
        self._store = store
        self._clock = clock
        self._schemas: dict[RecordKind, Schema] = {}
        self._valid_until = -math.inf
        self._writer = Writer(
            connection,
            clock,
            lambda: self.schemas()[RecordKind.LEAD],
            assign_new_leads=assign_new_leads,
        )

    @property
    def connection(self) -> Connection:
        """The connection to the org, for calls outside of the synchronization."""
        return self._connection

    @property
    def calls(self) -> int:
        """HTTP requests sent so far, logins included."""
        return self._connection.calls

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of Lead and Contact, as described within the last day."""
        if self._clock() > self._valid_until:
            described = {kind: self._describe(kind) for kind in OBJECTS}
            self._schemas = {
                kind: parse_schema(kind, describe) for kind, describe in described.items()
            }
            oldest = min(float(describe["described_at"]) for describe in described.values())
            self._valid_until = oldest + DESCRIBE_SECONDS
        return self._schemas

    def invalidate_schemas(self) -> None:
        """Discard the describes: the next use describes the objects again."""
        self._valid_until = -math.inf
        for kind in OBJECTS:
            self._store.save_document(_cache_key(kind), {"described_at": 0.0})

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read the records that changed since the cursor."""
        return self._reader(scope).read(cursor)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records by id, all records with one of these e-mails, Leads of these Plezi pages."""
        return self._reader(scope).look_up(records, emails, page_urls)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Apply writes; discard the describes when Salesforce refuses a field as unknown."""
        for outcome in self._writer.apply(writes, scope.field_names[RecordKind.LEAD]):
            if error_class(outcome.code) is ErrorClass.SCHEMA:
                self.invalidate_schemas()
            yield outcome

    def _reader(self, scope: ReadScope) -> Reader:
        return Reader(self._connection, self._clock, scope)

    def _describe(self, kind: RecordKind) -> Mapping[str, Any]:
        stored = self._store.load_document(_cache_key(kind)) or {}
        if self._clock() - stored.get("described_at", 0.0) <= DESCRIBE_SECONDS:
            return stored
        described = self._connection.read(f"sobjects/{kind.value}/describe/")
        reduced = {
            "described_at": self._clock(),
            "fields": [_reduce_field(field) for field in described["fields"]],
        }
        self._store.save_document(_cache_key(kind), reduced)
        return reduced


STORED_FIELD_KEYS: Final = (
    "name", "label", "type", "length", "scale", "nillable", "defaultedOnCreate", "createable",
    "updateable", "externalId", "unique", "restrictedPicklist", "calculated",
)  # fmt: skip


def _reduce_field(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a field that a schema needs: a tenth of a describe of one megabyte."""
    reduced = {key: field[key] for key in STORED_FIELD_KEYS if key in field}
    if options := field.get("picklistValues"):
        reduced["picklistValues"] = [
            {"value": option["value"], "active": option["active"]} for option in options
        ]
    return reduced


def _cache_key(kind: RecordKind) -> str:
    return f"describe#{kind.value}"
