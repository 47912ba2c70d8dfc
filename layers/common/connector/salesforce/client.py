"""One Salesforce org as the engine knows a side: schemas, reading, look-ups, writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from connector.mapping import ReadScope, Schema
from connector.model import Cursor, LookupResult, Observation, Page, RecordKind, Write
from connector.planning.outcome import WriteOutcome
from connector.salesforce.connection import Connection
from connector.salesforce.describe import schema_of
from connector.salesforce.reader import Reader
from connector.salesforce.writer import Writer

OBJECTS: Final = (RecordKind.LEAD, RecordKind.CONTACT)
DESCRIBE_SECONDS: Final = 24 * 3600.0
"""How long a describe is believed. Asking costs two calls; a field that was hidden or deleted since
is refused by name, and the next run asks again."""


class DescribeCache(Protocol):
    """Where the describes are kept for all invocations."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class SalesforceClient:
    """The engine's Salesforce."""

    def __init__(
        self,
        connection: Connection,
        cache: DescribeCache,
        clock: Callable[[], float],
        *,
        assign_new_leads: bool = True,
    ) -> None:
        self._connection = connection
        self._cache = cache
        self._clock = clock
        self._schemas: dict[RecordKind, Schema] = {}
        self._good_until = -math.inf
        self._writer = Writer(
            connection,
            clock,
            lambda: self.schemas()[RecordKind.LEAD],
            assign_new_leads=assign_new_leads,
        )

    @property
    def connection(self) -> Connection:
        """The calls to the org, for questions that are not the engine's."""
        return self._connection

    @property
    def calls(self) -> int:
        """HTTP requests sent so far, logins included."""
        return self._connection.calls

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of Lead and Contact, as described within the last day."""
        if self._clock() > self._good_until:
            described = {kind: self._describe(kind) for kind in OBJECTS}
            self._schemas = {kind: schema_of(kind, said) for kind, said in described.items()}
            oldest = min(float(said["described_at"]) for said in described.values())
            self._good_until = oldest + DESCRIBE_SECONDS
        return self._schemas

    def invalidate_schemas(self) -> None:
        """Describe again at the next need."""
        self._good_until = -math.inf
        for kind in OBJECTS:
            self._cache.save_document(_cache_key(kind), {"described_at": 0.0})

    def read(self, cursor: Cursor, view: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor."""
        return self._reader(view).read(cursor)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        view: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records by id, everybody with one of these e-mails, Leads of these contacts."""
        return self._reader(view).look_up(records, emails, page_urls)

    def apply(self, writes: Sequence[Write], view: ReadScope) -> Iterator[WriteOutcome]:
        """Carry out writes."""
        for outcome in self._writer.apply(writes, view.field_names[RecordKind.LEAD]):
            if outcome.code.startswith("INVALID_FIELD"):
                self.invalidate_schemas()
            yield outcome

    def _reader(self, view: ReadScope) -> Reader:
        return Reader(self._connection, self._clock, view)

    def _describe(self, kind: RecordKind) -> Mapping[str, Any]:
        kept = self._cache.load_document(_cache_key(kind)) or {}
        if self._clock() - kept.get("described_at", 0.0) <= DESCRIBE_SECONDS:
            return kept
        described = self._connection.read(f"sobjects/{kind.value}/describe/")
        slim = {
            "described_at": self._clock(),
            "fields": [_reduce_field(field) for field in described["fields"]],
        }
        self._cache.save_document(_cache_key(kind), slim)
        return slim


STORED_FIELD_KEYS: Final = (
    "name", "label", "type", "length", "scale", "nillable", "defaultedOnCreate", "createable",
    "updateable", "externalId", "unique", "restrictedPicklist", "calculated",
)  # fmt: skip


def _reduce_field(field: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a described field what a schema needs: a describe is a megabyte, this a tenth."""
    kept = {key: field[key] for key in STORED_FIELD_KEYS if key in field}
    if options := field.get("picklistValues"):
        kept["picklistValues"] = [
            {"value": option["value"], "active": option["active"]} for option in options
        ]
    return kept


def _cache_key(kind: RecordKind) -> str:
    return f"describe#{kind.value}"
