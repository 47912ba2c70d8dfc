"""One Salesforce org as the engine knows a side: schemas, reading, look-ups, writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from connector.mapping import Schema, View
from connector.model import Cursor, Kind, Lookup, Observation, Page, Write
from connector.plan import Outcome
from connector.salesforce.connection import Connection
from connector.salesforce.describe import schema_of
from connector.salesforce.reading import Reader
from connector.salesforce.writing import Writer

OBJECTS: Final = (Kind.LEAD, Kind.CONTACT)
DESCRIBE_SECONDS: Final = 24 * 3600.0
"""How long a describe is believed. Asking costs two calls; a field that was hidden or deleted since
is refused by name, and the next run asks again."""


class DescribeCache(Protocol):
    """Where the describes are kept for all invocations."""

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def keep_document(self, key: str, document: Mapping[str, Any]) -> None:
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
        self._schemas: dict[Kind, Schema] = {}
        self._good_until = -math.inf
        self._writer = Writer(
            connection,
            clock,
            lambda: self.schemas()[Kind.LEAD],
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

    def schemas(self) -> Mapping[Kind, Schema]:
        """Return the fields of Lead and Contact, as described within the last day."""
        if self._clock() > self._good_until:
            described = {kind: self._describe(kind) for kind in OBJECTS}
            self._schemas = {kind: schema_of(kind, said) for kind, said in described.items()}
            oldest = min(float(said["described_at"]) for said in described.values())
            self._good_until = oldest + DESCRIBE_SECONDS
        return self._schemas

    def forget_schemas(self) -> None:
        """Describe again at the next need."""
        self._good_until = -math.inf
        for kind in OBJECTS:
            self._cache.keep_document(_cache_key(kind), {"described_at": 0.0})

    def read(self, cursor: Cursor, view: View) -> Iterator[Page]:
        """Read what changed since the cursor."""
        return self._reader(view).read(cursor)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        view: View,
        addresses: Sequence[str] = (),
    ) -> Lookup:
        """Read records by id, everybody with one of these e-mails, Leads of these contacts."""
        return self._reader(view).look_up(records, emails, addresses)

    def apply(self, writes: Sequence[Write], view: View) -> Iterator[Outcome]:
        """Carry out writes."""
        for outcome in self._writer.apply(writes, view.names[Kind.LEAD]):
            if outcome.code.startswith("INVALID_FIELD"):
                self.forget_schemas()
            yield outcome

    def _reader(self, view: View) -> Reader:
        return Reader(self._connection, self._clock, view)

    def _describe(self, kind: Kind) -> Mapping[str, Any]:
        kept = self._cache.document(_cache_key(kind)) or {}
        if self._clock() - kept.get("described_at", 0.0) <= DESCRIBE_SECONDS:
            return kept
        described = self._connection.read(f"sobjects/{kind.value}/describe/")
        slim = {
            "described_at": self._clock(),
            "fields": [_slim(field) for field in described["fields"]],
        }
        self._cache.keep_document(_cache_key(kind), slim)
        return slim


KEPT_OF_A_FIELD: Final = (
    "name", "label", "type", "length", "scale", "nillable", "defaultedOnCreate", "createable",
    "updateable", "externalId", "unique", "restrictedPicklist", "calculated",
)  # fmt: skip


def _slim(field: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a described field what a schema needs: a describe is a megabyte, this a tenth."""
    kept = {key: field[key] for key in KEPT_OF_A_FIELD if key in field}
    if options := field.get("picklistValues"):
        kept["picklistValues"] = [
            {"value": option["value"], "active": option["active"]} for option in options
        ]
    return kept


def _cache_key(kind: Kind) -> str:
    return f"describe#{kind.value}"
