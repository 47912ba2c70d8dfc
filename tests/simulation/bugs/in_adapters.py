"""Bugs in how a side is read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import requests

from connector.mapping.values import clean
from connector.model import Counts, LinkChange, Observation, RecordKind
from connector.planning.observation import mark_deleted
from connector.planning.outcome import WriteOutcome, WriteResult
from connector.plezi import contact_codec as plezi_contacts
from connector.plezi.reader import Reader as PleziReader
from connector.salesforce import reader as reading
from connector.salesforce import writer as writing
from connector.sync import read_phase as observing
from connector.sync.runs import SyncEngine
from local.world.both_sides import BothSides
from tests.simulation.bugs.planting import both, bug, swap


@bug("watermark is now", "reliability 0.2: 1.23 % of histories lose an edit")
def watermark_now(_sides: BothSides) -> AbstractContextManager[object]:
    return swap(
        reading.Reader, "_next_watermark", lambda self, _kind: reading._iso(self._server_time())
    )


@bug("watermark before the page is durable", "airbyte 27146")
def watermark_before_durable(_sides: BothSides) -> AbstractContextManager[object]:
    original = observing.read_changes

    def observe(cursor: Any, client: Any, ledger: Any, *rest: Any) -> bool:
        first = _PageFirst(ledger)
        return original(cursor, _Announcing(client, first), first, *rest)  # type: ignore[arg-type]  # shapes of ports

    return swap(_module("connector.sync.runs"), "read_changes", observe)


class _Announcing:
    def __init__(self, client: Any, first: Any) -> None:
        self._client, self._first = client, first

    def read(self, *args: Any) -> Iterator[Any]:
        for page in self._client.read(*args):
            self._first.keep(page.cursor)
            yield page


class _PageFirst:
    """A ledger that keeps the cursor of a page before its observations."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def keep(self, cursor: Any) -> None:
        self._ledger.checkpoint(cursor, "", Counts())

    def checkpoint(self, _cursor: Any, run: str, counts: Any) -> None:
        self._ledger.add_counts(run, counts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


@bug("echo by author", "heroku connect; reliability 0.5")
def echo_by_author(sides: BothSides) -> AbstractContextManager[object]:
    user = sides.org.integration_user.id
    select, page = reading.Reader._select, reading.Reader._page

    def selected(self: Any, kind: RecordKind) -> str:
        return select(self, kind).replace("SELECT ", "SELECT LastModifiedById,", 1)

    def paged(self: Any, kind: Any, rows: Any, *rest: Any, **options: Any) -> Any:
        kept = [row for row in rows if row.get("LastModifiedById") != user]
        return page(self, kind, kept, *rest, **options)

    return both(swap(reading.Reader, "_select", selected), swap(reading.Reader, "_page", paged))


@bug("retry a create after a time-out", "segment, heroku: a retried create doubles")
def retry_create(_sides: BothSides) -> AbstractContextManager[object]:
    def call(self: Any, writes: Any) -> Any:
        creates = writes[0].is_create
        records = [
            {
                "attributes": {"type": it.kind.value},
                **({} if creates else {"id": it.record_id}),
                **{n: v for n, v in it.values.items() if not creates or n != "plezi_url__c"},
            }
            for it in writes
        ]
        body = {"allOrNone": False, "records": records}
        headers = writing.DUPLICATE_RULES
        method = "POST" if creates else "PATCH"
        for _ in range(2):
            try:
                return self._connection.call(
                    "composite/sobjects", method=method, headers=headers, json=body
                )
            except requests.RequestException:
                continue
        raise requests.ConnectionError

    return swap(writing.Writer, "_call", call)


@bug("null for what is absent", "airbyte: NA is null; salesforce bulk: empty is left")
def null_for_absent(_sides: BothSides) -> AbstractContextManager[object]:
    original = plezi_contacts.ContactCodec.encode

    def document(self: Any, values: Mapping[str, Any], record: str = "") -> dict[str, Any]:
        return original(self, {"mobile": None, "company": None, **values}, record)

    return swap(plezi_contacts.ContactCodec, "encode", document)


@bug("case-sensitive e-mail", "mautic 5712, pardot: a second contact")
def case_sensitive_email(_sides: BothSides) -> AbstractContextManager[object]:
    def as_written(text: object) -> str:
        return clean(text) if isinstance(text, str) else ""

    return both(
        swap(plezi_contacts, "canonical_email", as_written),
        swap(reading, "canonical_email", as_written),
    )


@bug("write converted leads", "mautic 6560, rudderstack: cannot reference converted lead")
def converted_written(_sides: BothSides) -> AbstractContextManager[object]:
    original = reading.Reader._observation

    def blind(self: Any, *args: Any) -> Observation:
        return replace(original(self, *args), converted=False)

    return swap(reading.Reader, "_observation", blind)


@bug("delete by absence", "a short page empties the other side")
def delete_by_absence(_sides: BothSides) -> AbstractContextManager[object]:
    original = PleziReader.read

    def read(self: Any, cursor: Any, *rest: Any) -> Iterator[Any]:
        for page in original(self, cursor, *rest):
            self._seen = getattr(self, "_seen", set()) | {it.id for it in page.observations}
            yield page

    observe = SyncEngine._read_changes

    def observed(self: Any, run: Any, bound: Any, *rest: Any) -> bool:
        done = observe(self, run, bound, *rest)
        ledger = self._world.ledger
        mine: set[str] = set()
        for page in self._world.clients[planning_side()].read(_from_scratch(), bound.read_scope):
            mine |= {it.id for it in page.observations}
        for link in ledger.all_links():
            if link.plezi is not None and link.plezi.id not in mine:
                ledger.save_links([LinkChange(mark_deleted(link, link.plezi.id))])
        return done

    return both(swap(PleziReader, "read", read), swap(SyncEngine, "_read_changes", observed))


@bug("swallow a rejected row", "segment: failed rows of a batch are never read")
def swallow_rejected(_sides: BothSides) -> AbstractContextManager[object]:
    def done(write: Any, _code: str, _fields: Any) -> WriteOutcome:
        return WriteOutcome(write, WriteResult.DONE, write.record_id)

    return swap(writing, "_rejected", done)


def _module(name: str) -> Any:
    import importlib  # noqa: PLC0415  # of this function alone

    return importlib.import_module(name)


def planning_side() -> Any:
    """The side whose absences the bug believes."""
    return RecordKind.PLEZI_CONTACT.side


def _from_scratch() -> Any:
    from connector.model import Cursor  # noqa: PLC0415  # of this function alone

    return Cursor(RecordKind.PLEZI_CONTACT)
