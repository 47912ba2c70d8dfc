"""Reading Leads and Contacts: what changed since a cursor, and records looked up on purpose.

The watermark is Salesforce's own `latestDateCovered`: while a transaction is open it is that
transaction's start, so a row that is committed late is read all the same. Where the org cannot say
it, ten minutes before the server's own clock (reference: reliability 0.1, 1.5). Pages are ordered
by (SystemModstamp, Id), so that a reading can resume after any row, in another invocation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from simple_salesforce.format import format_soql

from connector.errors import RejectedError
from connector.http_session import OK_STATUSES
from connector.mapping import ReadScope, canonical_email
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

OVERLAP: Final = timedelta(minutes=10)
"""Rows appear minutes after their stamp; airbyte re-reads as much (reference: salesforce 2.5)."""
COVERED_WINDOW: Final = timedelta(hours=1)
"""The window asked of getUpdated. Only its `latestDateCovered` is used; no Salesforce transaction
stays open for an hour."""
ID_IN_LIST: Final = re.compile(rb'"[0-9A-Za-z]{18}"\s*,\s*')
"""An id with another one behind it, in a list of them."""
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
"""What a field may hold; a parent record and its attributes are neither."""
EXPIRED_CURSOR: Final = "INVALID_QUERY_LOCATOR"


class Reader:
    """Reads one org; `view` says what of it, and who takes part."""

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        view: ReadScope,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._view = view

    def read(self, cursor: Cursor) -> Iterator[Page]:
        """Read what changed since the cursor, deleted records included, page by page.

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
                if error.code != EXPIRED_CURSOR:
                    raise
            else:
                return
            cursor = self._resume

    def _pages(self, cursor: Cursor) -> Iterator[Page]:
        self._resume = cursor
        as_of = self._clock()
        soql = f"{self._select(cursor.kind)}{_since(cursor)} ORDER BY SystemModstamp, Id"
        answer = self._connection.read("queryAll/", params={"q": soql})
        while True:
            rows, last, following = answer["records"], answer["done"], answer.get("nextRecordsUrl")
            if rows:
                cursor = replace(cursor, position=f"{rows[-1]['SystemModstamp']} {rows[-1]['Id']}")
            resting = cursor.finished() if last else cursor
            page = self._page(cursor.kind, rows, as_of, resting, last=last)
            del answer, rows  # several MB that nobody needs while the page is written down
            yield page
            if last:
                return
            del page  # nor while the next one is fetched
            self._resume = cursor
            answer = self._connection.next_page(following)

    def _page(
        self,
        kind: RecordKind,
        rows: Sequence[Mapping[str, Any]],
        as_of: float,
        cursor: Cursor,
        *,
        last: bool,
    ) -> Page:
        seen = []
        without_email = 0
        for row in rows:
            observation = self._observation(kind, row, as_of)
            if observation.email:
                seen.append(observation)
            else:
                without_email += 1
        skipped = {SkipReason.NO_EMAIL: without_email} if without_email else {}
        return Page(tuple(seen), cursor, skipped, last)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records by id, every Lead and Contact of some e-mails, Leads of some Plezi pages.

        One composite call holds up to five queries and counts as one (reference: salesforce 2.3).
        """
        queries: list[tuple[RecordKind, str]] = []
        for kind in (RecordKind.LEAD, RecordKind.CONTACT):
            select = self._select(kind)
            ids = [seen.id for seen in records if seen.kind is kind]
            queries += [
                (kind, f"{select} WHERE {format_soql('Id IN {}', part)}") for part in _parts(ids)
            ]
            queries += [
                (kind, f"{select} WHERE {format_soql('Email IN {}', part)}")
                for part in _parts(list(emails))
            ]
        key = PLEZI_URL_PAIR.salesforce
        if key in self._view.field_names[RecordKind.LEAD]:
            select = self._select(RecordKind.LEAD)
            queries += [
                (RecordKind.LEAD, f"{select} WHERE {format_soql(key + ' IN {}', part)}")
                for part in _parts(list(page_urls))
            ]
        seen: list[Observation] = []
        for start in range(0, len(queries), QUERIES_IN_COMPOSITE):
            seen += self._run_queries(queries[start : start + QUERIES_IN_COMPOSITE])
        gone = frozenset(each.id for each in seen if each.deleted)
        found = {each.id for each in seen}
        missing = frozenset(each.id for each in records if each.id not in found)
        return LookupResult(tuple(each for each in seen if not each.deleted), gone | missing)

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
        return self._rest_of(self._connection.read("query/", params={"q": soql}))

    def _composite(self, queries: Sequence[tuple[RecordKind, str]]) -> list[tuple[RecordKind, Any]]:
        base = f"/services/data/v{self._connection.version}/query/?q="
        body = {
            "compositeRequest": [
                {"method": "GET", "url": base + quote(soql), "referenceId": f"query{number}"}
                for number, (_, soql) in enumerate(queries)
            ]
        }
        answer = self._connection.read("composite/", method="POST", json=body)
        rows = []
        for (kind, _), part in zip(queries, answer["compositeResponse"], strict=True):
            if part["httpStatusCode"] not in OK_STATUSES:
                raise to_error(part["httpStatusCode"], part["body"])
            rows += [(kind, row) for row in self._rest_of(part["body"])]
        return rows

    def _rest_of(self, answer: Mapping[str, Any]) -> list[Any]:
        rows = list(answer["records"])
        while not answer["done"]:
            answer = self._connection.next_page(answer["nextRecordsUrl"])
            rows += answer["records"]
        return rows

    def _select(self, kind: RecordKind) -> str:
        wanted = [*SYSTEM_FIELDS, *OBJECT_FIELDS[kind], *self._view.field_names[kind]]
        if (only := self._view.filters.get(kind)) is not None:
            wanted.append(only.field)
        return f"SELECT {','.join(dict.fromkeys(wanted))} FROM {kind.value}"  # noqa: S608  # names come from describe

    def _observation(self, kind: RecordKind, row: Mapping[str, Any], as_of: float) -> Observation:
        only = self._view.filters.get(kind)
        eligible = kind not in self._view.excluded and (
            only is None or only.accepts(_field_value(row, only.field))
        )
        names = self._view.field_names[kind] if eligible else ()
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
        """Return the instant before which every change can already be read."""
        now = self._server_time()
        try:
            answer = self._connection.read_reduced(
                f"sobjects/{kind.value}/updated/",
                params={"start": _iso(now - COVERED_WINDOW), "end": _iso(now)},
                reduce=drop_ids,
            )
            return _iso(_parsed(answer["latestDateCovered"]))
        except (RejectedError, KeyError, ValueError):
            return _iso(self._server_time() - OVERLAP)

    def _server_time(self) -> datetime:
        """Salesforce's clock; our own only before its first answer."""
        return self._connection.server_time() or datetime.fromtimestamp(self._clock(), UTC)


def drop_ids(answer: bytes) -> bytes:
    """Return an answer of getUpdated without the ids it lists, but for the last one; still JSON.

    It lists every record that changed in the window, 600,000 at most (reference: salesforce 2.5).
    The connector needs one stamp of it; 200,000 ids once took 18 MB (docs/benchmarks.md).
    """
    return ID_IN_LIST.sub(b"", answer)


def _since(cursor: Cursor) -> str:
    if cursor.position:
        stamp, _, last = cursor.position.partition(" ")
        at = _iso(_parsed(stamp))
        return f" WHERE (SystemModstamp = {at} AND Id > '{last}') OR SystemModstamp > {at}"
    return f" WHERE SystemModstamp >= {cursor.watermark}" if cursor.watermark else ""


def _field_value(row: Mapping[str, Any], name: str) -> Value:
    """What a row says of a field; a dot goes to the parent record, which may be missing."""
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
    """The stamp that people see, in the one spelling in which both sides' stamps are compared."""
    return _parsed(stamp).astimezone(UTC).isoformat(timespec="milliseconds")
