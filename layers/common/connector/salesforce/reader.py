"""Reads of Leads and Contacts: records that changed since a cursor, and look-ups of records.

The watermark is Salesforce's `latestDateCovered` (SOAP API Developer Guide, "getUpdated()"): while
a transaction is open it is the start of that transaction, so a row that is committed late is still
read. Where the org does not return it, the watermark is ten minutes before the server's clock.
Pages are ordered by (SystemModstamp, Id), so another invocation can resume after any row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from connector.clean_text import canonical_email
from connector.errors import RejectedError
from connector.http_session import OK_STATUSES
from connector.mapping import ReadScope
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import (
    Cursor,
    LookupResult,
    Observation,
    Page,
    RecordKind,
    SkipReason,
    Value,
    Values,
)
from connector.salesforce.connection import Connection, to_error
from connector.salesforce.diagnosis import error_class
from connector.salesforce.error_table import ErrorClass
from connector.salesforce.library import format_soql

OVERLAP: Final = timedelta(minutes=10)
"""Rows can appear minutes after their stamp; Airbyte's connector re-reads the same ten minutes."""
COVERED_WINDOW: Final = timedelta(hours=1)
"""The window of getUpdated. Only its `latestDateCovered` is used; no Salesforce transaction stays
open for an hour."""
ID_IN_LIST: Final = re.compile(rb'"[0-9A-Za-z]{18}"\s*,\s*')
"""An id in a list that is followed by another id."""
SYSTEM_FIELDS: Final = ("Id", "Email", "SystemModstamp", "LastModifiedDate", "IsDeleted")
OBJECT_FIELDS: Final = {
    RecordKind.LEAD: ("IsConverted", "MasterRecordId", "ConvertedContactId"),
    RecordKind.CONTACT: ("MasterRecordId",),
}
LOOK_UP_ROWS: Final = 200
"""Records in one SOQL condition: 200 ids and 200 e-mails stay far below 100,000 characters."""
QUERIES_IN_COMPOSITE: Final = 5
LONGEST_QUERY_IN_URL: Final = 8_000
"""Characters; percent-encoded it stays below the 16,384 bytes of URI and headers."""
SCALARS: Final = (str, bool, int, float)
"""Types of a field's value; a parent record and its attributes are of another type."""


class Reader:
    """Reads one org; `scope` has the fields to read and the records that take part."""

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        scope: ReadScope,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._scope = scope

    def read(self, cursor: Cursor) -> Iterator[Page]:
        """Read the records that changed since the cursor, page by page, deleted ones included.

        An expired page cursor resumes after the last row that was yielded.
        """
        if not cursor.position and not cursor.next_watermark:
            cursor = replace(
                cursor, next_watermark=self._next_watermark(cursor.kind), started_at=self._clock()
            )
        while True:
            try:
                yield from self._pages(cursor)
            except RejectedError as error:
                if error_class(error.code) is not ErrorClass.CURSOR:
                    raise
            else:
                return
            cursor = self._resume

    def _pages(self, cursor: Cursor) -> Iterator[Page]:
        self._resume = cursor
        as_of = self._clock()
        soql = f"{self._select(cursor.kind)}{_since(cursor)} ORDER BY SystemModstamp, Id"
        response = self._connection.read("queryAll/", params={"q": soql})
        while True:
            rows, last = response["records"], response["done"]
            next_page = response.get("nextRecordsUrl")
            if rows:
                cursor = replace(cursor, position=f"{rows[-1]['SystemModstamp']} {rows[-1]['Id']}")
            after_page = cursor.finished() if last else cursor
            page = self._page(cursor.kind, rows, as_of, after_page, last=last)
            del response, rows  # several MB that are not needed while the page is stored
            yield page
            if last:
                return
            del page  # not needed while the next page is read
            self._resume = cursor
            response = self._connection.next_page(next_page)

    def _page(
        self,
        kind: RecordKind,
        rows: Sequence[Mapping[str, Any]],
        as_of: float,
        cursor: Cursor,
        *,
        last: bool,
    ) -> Page:
        observations = []
        without_email = 0
        for row in rows:
            observation = self._observation(kind, row, as_of)
            if observation.email:
                observations.append(observation)
            else:
                without_email += 1
        skipped = {SkipReason.NO_EMAIL: without_email} if without_email else {}
        return Page(tuple(observations), cursor, skipped, last)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records by id, all Leads and Contacts of some e-mails, Leads of some Plezi pages.

        One composite call contains up to five queries and counts as one call (REST API Developer
        Guide, "Composite").
        """
        queries: list[tuple[RecordKind, str]] = []
        for kind in (RecordKind.LEAD, RecordKind.CONTACT):
            select = self._select(kind)
            ids = [record.id for record in records if record.kind is kind]
            queries += [
                (kind, f"{select} WHERE {format_soql('Id IN {}', part)}") for part in _parts(ids)
            ]
            queries += [
                (kind, f"{select} WHERE {format_soql('Email IN {}', part)}")
                for part in _parts(list(emails))
            ]
        key = PLEZI_URL_PAIR.salesforce
        if key in self._scope.field_names[RecordKind.LEAD]:
            select = self._select(RecordKind.LEAD)
            queries += [
                (RecordKind.LEAD, f"{select} WHERE {format_soql(key + ' IN {}', part)}")
                for part in _parts(list(page_urls))
            ]
        found: list[Observation] = []
        for start in range(0, len(queries), QUERIES_IN_COMPOSITE):
            found += self._run_queries(queries[start : start + QUERIES_IN_COMPOSITE])
        deleted = frozenset(record.id for record in found if record.deleted)
        found_ids = {record.id for record in found}
        missing = frozenset(record.id for record in records if record.id not in found_ids)
        present = tuple(record for record in found if not record.deleted)
        return LookupResult(present, deleted | missing)

    def _run_queries(self, queries: Sequence[tuple[RecordKind, str]]) -> list[Observation]:
        as_of = self._clock()
        if len(queries) == 1:
            kind, soql = queries[0]
            rows = [(kind, row) for row in self._all_rows(soql)]
        else:
            rows = self._composite(queries)
        return [self._observation(kind, row, as_of) for kind, row in rows]

    def _all_rows(self, soql: str) -> list[Any]:
        if len(soql) > LONGEST_QUERY_IN_URL:
            return [row for _, row in self._composite([(RecordKind.LEAD, soql)])]
        return self._all_pages(self._connection.read("query/", params={"q": soql}))

    def _composite(self, queries: Sequence[tuple[RecordKind, str]]) -> list[tuple[RecordKind, Any]]:
        base = f"/services/data/v{self._connection.version}/query/?q="
        body = {
            "compositeRequest": [
                {"method": "GET", "url": base + quote(soql), "referenceId": f"query{number}"}
                for number, (_, soql) in enumerate(queries)
            ]
        }
        response = self._connection.read("composite/", method="POST", json=body)
        rows = []
        for (kind, _), part in zip(queries, response["compositeResponse"], strict=True):
            if part["httpStatusCode"] not in OK_STATUSES:
                raise to_error(part["httpStatusCode"], part["body"])
            rows += [(kind, row) for row in self._all_pages(part["body"])]
        return rows

    def _all_pages(self, response: Mapping[str, Any]) -> list[Any]:
        rows = list(response["records"])
        while not response["done"]:
            response = self._connection.next_page(response["nextRecordsUrl"])
            rows += response["records"]
        return rows

    def _select(self, kind: RecordKind) -> str:
        names = [*SYSTEM_FIELDS, *OBJECT_FIELDS[kind], *self._scope.field_names[kind]]
        if (record_filter := self._scope.filters.get(kind)) is not None:
            names.append(record_filter.field)
        return f"SELECT {','.join(dict.fromkeys(names))} FROM {kind.value}"  # noqa: S608  # names come from describe

    def _observation(self, kind: RecordKind, row: Mapping[str, Any], as_of: float) -> Observation:
        record_filter = self._scope.filters.get(kind)
        eligible = kind not in self._scope.excluded and (
            record_filter is None or record_filter.accepts(_field_value(row, record_filter.field))
        )
        names = self._scope.field_names[kind] if eligible else ()
        values: Values = {name: _field_value(row, name) for name in names}
        return Observation(
            kind=kind,
            id=row["Id"],
            email=canonical_email(row["Email"]),
            version=row["SystemModstamp"],
            modified=_stamp(row["LastModifiedDate"]),
            as_of=as_of,
            values=values,
            eligible=eligible,
            converted=bool(row.get("IsConverted", False)),
            deleted=bool(row["IsDeleted"]),
            successor=row.get("MasterRecordId") or row.get("ConvertedContactId") or "",
        )

    def _next_watermark(self, kind: RecordKind) -> str:
        """Return the time before which every change can already be read."""
        now = self._server_time()
        try:
            response = self._connection.read_reduced(
                f"sobjects/{kind.value}/updated/",
                params={"start": _iso(now - COVERED_WINDOW), "end": _iso(now)},
                reduce=drop_ids,
            )
            return _iso(_parsed(response["latestDateCovered"]))
        except (RejectedError, KeyError, ValueError):
            return _iso(self._server_time() - OVERLAP)

    def _server_time(self) -> datetime:
        """Return Salesforce's clock; our own clock before its first response."""
        return self._connection.server_time() or datetime.fromtimestamp(self._clock(), UTC)


def drop_ids(response: bytes) -> bytes:
    """Return a response of getUpdated without its ids, except the last one; it is still JSON.

    The response lists every record that changed in the window, at most 600,000 (SOAP API Developer
    Guide, "getUpdated()"). The connector needs only its stamp; 200,000 ids took 18 MB of memory
    (docs/benchmarks.md).
    """
    return ID_IN_LIST.sub(b"", response)


def _since(cursor: Cursor) -> str:
    if cursor.position:
        stamp, _, last = cursor.position.partition(" ")
        at = _iso(_parsed(stamp))
        return f" WHERE (SystemModstamp = {at} AND Id > '{last}') OR SystemModstamp > {at}"
    return f" WHERE SystemModstamp >= {cursor.watermark}" if cursor.watermark else ""


def _field_value(row: Mapping[str, Any], name: str) -> Value:
    """Return a field of a row; a dot leads to the parent record, which may be missing."""
    value: Any = row.get(name)
    if value is None and "." in name:
        value = row
        for step in name.split("."):
            value = value.get(step) if value is not None else None
    return value if isinstance(value, SCALARS) else None


def _parts(items: Sequence[str]) -> list[list[str]]:
    return [list(items[at : at + LOOK_UP_ROWS]) for at in range(0, len(items), LOOK_UP_ROWS)]


def _parsed(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp(stamp: str) -> str:
    """Return the visible stamp in the one format in which stamps of both sides are compared."""
    return _parsed(stamp).astimezone(UTC).isoformat(timespec="milliseconds")
