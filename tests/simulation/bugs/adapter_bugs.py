"""Bugs in how a side is read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import requests

from connector.clean_text import canonical_email, clean
from connector.mapping import ReadScope
from connector.model import (
    Counts,
    Cursor,
    LinkChange,
    Observation,
    Page,
    RecordKind,
    Value,
    Values,
    Write,
)
from connector.planning.observation import mark_deleted
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.plezi import contact_codec
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.reader import Reader as PleziReader
from connector.salesforce import reader as salesforce_reader
from connector.salesforce import writer as salesforce_writer
from connector.salesforce.page_position import soql_time
from connector.salesforce.reader import Reader as SalesforceReader
from connector.salesforce.writer import Writer
from connector.sync.ports import LinkStore
from connector.sync.read_phase import ReadPhase
from connector.sync.run_work import RunWork
from local.world.both_sides import BothSides
from tests.simulation.bugs.planting import bug, replace_function, together


@bug("watermark is the current time", "transactions that commit later are never read")
def watermark_now(_sides: BothSides) -> AbstractContextManager[object]:
    def now(self: SalesforceReader, _kind: RecordKind) -> str:
        return soql_time(self._server_time())

    return replace_function(SalesforceReader, SalesforceReader._next_watermark, now)


@bug("cursor stored before its page", "Airbyte, issue 27146")
def cursor_before_page(_sides: BothSides) -> AbstractContextManager[object]:
    read_changes = ReadPhase.read_changes

    def read_cursor_first(self: ReadPhase, cursor: Cursor, out_of_time: Callable[[], bool]) -> bool:
        client = self._context.clients[cursor.kind.side]
        read = client.read

        def read_page(cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
            for page in read(cursor, scope):
                self._context.cursors.checkpoint(page.cursor, "", Counts())
                yield page

        with replace_function(client, read, read_page):
            return read_changes(self, cursor, out_of_time)

    return replace_function(ReadPhase, read_changes, read_cursor_first)


@bug("echo detected by author", "Heroku Connect: changes of the integration user are ignored")
def echo_by_author(sides: BothSides) -> AbstractContextManager[object]:
    user = sides.org.integration_user.id
    select, read_row = SalesforceReader._select, SalesforceReader._located

    def select_author(self: SalesforceReader, kind: RecordKind) -> str:
        return select(self, kind).replace("SELECT ", "SELECT LastModifiedById,", 1)

    def row_of_others(
        self: SalesforceReader, kind: RecordKind, row: object, as_of: float
    ) -> object:
        located = read_row(self, kind, row, as_of)
        is_own = isinstance(row, dict) and row.get("LastModifiedById") == user
        return SimpleNamespace(place=located.place, content=None) if is_own else located

    return together(
        replace_function(SalesforceReader, select, select_author),
        replace_function(SalesforceReader, read_row, row_of_others),
    )


@bug("creation repeated after a time-out", "Segment, Heroku Connect: duplicate records")
def creation_repeated(_sides: BothSides) -> AbstractContextManager[object]:
    def call_twice(
        self: Writer, writes: Sequence[Write], records: Sequence[Mapping[str, object]]
    ) -> Any:
        creates = writes[0].is_create
        without_key = [
            {n: v for n, v in record.items() if not creates or n != "plezi_url__c"}
            for record in records
        ]
        body = {"allOrNone": False, "records": without_key}
        headers = salesforce_writer.DUPLICATE_RULES
        method = "POST" if creates else "PATCH"
        for _ in range(2):
            try:
                return self._connection.call(
                    "composite/sobjects", method=method, headers=headers, json=body
                )
            except requests.RequestException:
                continue
        raise requests.ConnectionError

    return replace_function(Writer, Writer._call, call_twice)


@bug("null written for absent values", "Airbyte: not available is null")
def null_for_absent(_sides: BothSides) -> AbstractContextManager[object]:
    encode = ContactCodec.encode

    def encode_nulls(self: ContactCodec, values: Values, record: str = "") -> dict[str, Any]:
        nulls: dict[str, Value] = {"mobile": None, "company": None}
        return encode(self, {**nulls, **values}, record)

    return replace_function(ContactCodec, encode, encode_nulls)


@bug("case-sensitive e-mail match", "Mautic, issue 5712; Pardot: a second contact")
def case_sensitive_email(_sides: BothSides) -> AbstractContextManager[object]:
    def as_written(text: object) -> str:
        return clean(text) if isinstance(text, str) else ""

    return together(
        replace_function(contact_codec, canonical_email, as_written),
        replace_function(salesforce_reader, canonical_email, as_written),
    )


@bug("converted Leads are written", "Mautic, issue 6560; RudderStack")
def converted_leads_written(_sides: BothSides) -> AbstractContextManager[object]:
    decode = SalesforceReader._observation

    def decode_unconverted(
        self: SalesforceReader, kind: RecordKind, row: Mapping[str, object], as_of: float
    ) -> Observation:
        return replace(decode(self, kind, row, as_of), converted=False)

    return replace_function(SalesforceReader, decode, decode_unconverted)


@bug("absence treated as deletion", "a page that lacks rows clears the other side")
def delete_by_absence(_sides: BothSides) -> AbstractContextManager[object]:
    read, read_both = PleziReader.read, RunWork._read
    ever_read: set[str] = set()

    def read_and_note(self: PleziReader, cursor: Cursor, names: Sequence[str]) -> Iterator[Page]:
        for page in read(self, cursor, names):
            ever_read.update(it.id for it in page.observations)
            yield page

    def delete_absent(self: RunWork, out_of_time: Callable[[], bool]) -> bool:
        done = read_both(self, out_of_time)
        client = self._context.clients[RecordKind.PLEZI_CONTACT.side]
        present: set[str] = set()
        for page in client.read(Cursor(RecordKind.PLEZI_CONTACT), self._bound.read_scope):
            present |= {it.id for it in page.observations}
        _mark_deleted(self._context.links, ever_read - present)
        return done

    return together(
        replace_function(PleziReader, read, read_and_note),
        replace_function(RunWork, read_both, delete_absent),
    )


def _mark_deleted(store: LinkStore, absent: set[str]) -> None:
    owners = store.owner_emails(absent)
    for link in store.load_links(owners.values()).values():
        if link.plezi is not None and link.plezi.id in absent:
            store.save_links([LinkChange(mark_deleted(link, link.plezi.id))])


@bug("rejected record counted as written", "Segment: rejected records of a batch are not read")
def rejected_as_written(_sides: BothSides) -> AbstractContextManager[object]:
    def done(
        write: Write, _code: str, _fields: tuple[str, ...], _message: str = ""
    ) -> WriteOutcome:
        return WriteOutcome(write, WriteResult.DONE, write.record_id)

    return replace_function(salesforce_writer, salesforce_writer._rejected, done)
