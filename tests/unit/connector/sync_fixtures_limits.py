"""Ports of synchronization in memory, and a small mapping, for the tests of limits and dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, Final

from connector.deadline import Deadline
from connector.log_events import Event
from connector.mapping import (
    BoundMapping,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    ReadScope,
    Schema,
    bind_mapping,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    Cursor,
    Link,
    LookupResult,
    Observation,
    Page,
    RecordKind,
    Run,
    RunKind,
    RunState,
    Side,
    Value,
    Write,
)
from connector.planning.announced_changes import ChangeLimits
from connector.planning.first_sync_stages import StageLimits
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.context import SyncContext
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue

NOW: Final = 1_800_000_000.0
EMAIL: Final = "a@x.fr"
VERSION: Final = 3
MAPPING: Final = MappingConfig(
    VERSION,
    (
        EMAIL_PAIR,
        FieldPair("phone", "Phone", Direction.BOTH, contact="Phone"),
        FieldPair("function", "Title", Direction.BOTH),
    ),
    None,
)
SCHEMAS: Final[Mapping[RecordKind, Schema]] = {
    RecordKind.PLEZI_CONTACT: {
        "email": Field("email", FieldKind.EMAIL),
        "phone": Field("phone", FieldKind.TEXT),
        "function": Field("function", FieldKind.TEXT),
    },
    RecordKind.LEAD: {
        "Email": Field("Email", FieldKind.EMAIL),
        "Phone": Field("Phone", FieldKind.TEXT, length=5),
        "Title": Field("Title", FieldKind.TEXT),
    },
    RecordKind.CONTACT: {
        "Email": Field("Email", FieldKind.EMAIL),
        "Phone": Field("Phone", FieldKind.TEXT),
    },
}
BOUND: Final = bind_mapping(MAPPING, SCHEMAS)
FRESH: Final = replace(BOUND, is_fresh=True)
RUN: Final = Run("r1", RunKind.CHANGES, RunState.RUNNING, requested_at=NOW)


def contact(record: str = "p", email: str = EMAIL, **values: Value) -> Observation:
    """Return a contact of Plezi with all mapped attributes."""
    known = {"email": email, "phone": None, "function": None, **values}
    return Observation(RecordKind.PLEZI_CONTACT, record, email, "1", "2026-01", NOW, known)


def lead(record: str = "l", email: str = EMAIL, **values: Value) -> Observation:
    """Return a Lead with all mapped fields."""
    known = {"Email": email, "Phone": None, "Title": None, **values}
    return Observation(RecordKind.LEAD, record, email, "1", "2026-02", NOW, known)


def schemas_without(kind: RecordKind, name: str) -> dict[RecordKind, Schema]:
    """Return the fields of all kinds of record, one of which lacks a field."""
    return {
        each: {known: field for known, field in schema.items() if (each, known) != (kind, name)}
        for each, schema in SCHEMAS.items()
    }


class EventLines:
    """Keeps the lines of the log: the name of each event, and its fields."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: Event, /, **fields: object) -> None:
        self.lines.append((event.name, fields))

    def of(self, event: Event) -> list[dict[str, object]]:
        """Return the fields of the lines of one event."""
        return [fields for name, fields in self.lines if name == event.name]


class SystemInMemory:
    """One system: its records are in memory, and every request is noted in `requests`.

    `described_again` are the fields that it describes once the description was invalidated.
    """

    def __init__(self, side: Side, records: Iterable[Observation] = ()) -> None:
        self.side = side
        self.records = {it.id: it for it in records}
        self.described = {kind: it for kind, it in SCHEMAS.items() if kind.side is side}
        self.described_again: dict[RecordKind, Schema] | None = None
        self.refused: Exception | None = None
        self.found = LookupResult()
        self.calls = 0
        self.requests: list[tuple[Any, ...]] = []
        self.writes: list[Write] = []

    def identity(self) -> str:
        return f"the one {self.side.value}"

    def schemas(self) -> Mapping[RecordKind, Schema]:
        if self.refused is not None:
            raise self.refused
        return self.described

    def refresh_schemas(self) -> None:
        self.requests.append(("refresh",))

    def invalidate_schemas(self) -> None:
        self.requests.append(("invalidate",))
        self.described = self.described_again or self.described

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        self.calls += 1
        self.requests.append(("read", cursor, scope))
        found = tuple(it for it in self.records.values() if it.kind is cursor.kind)
        started = replace(cursor, started_at=NOW, next_watermark="w")
        yield Page(found, started.finished(), last=True)

    @property
    def has_change_feed(self) -> bool:
        return True

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        self.calls += 1
        self.requests.append(("recent", since, scope))
        kind = RecordKind.PLEZI_CONTACT if self.side is Side.PLEZI else RecordKind.LEAD
        yield Page(tuple(self.records.values()), Cursor(kind, watermark="w"), last=True)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        self.calls += 1
        ids = [it.id for it in records]
        self.requests.append(("look_up", ids, list(emails), scope, page_urls))
        found = [it for it in self.records.values() if it.id in ids or it.email in emails]
        return replace(self.found, observations=tuple(found))

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        for write in writes:
            self.calls += 1
            self.writes.append(write)
            record = write.record_id or f"new {len(self.writes)}"
            blank = dict.fromkeys(scope.field_names[write.kind])
            before = self.records[record].values if record in self.records else blank
            self.records[record] = Observation(
                write.kind, record, write.email, "1", "", NOW, {**before, **write.values}
            )
            yield WriteOutcome(
                write, WriteResult.DONE, record, answered_at=NOW, created=write.is_create
            )

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        return 0.25 * creations + 0.5 * updates + 0.125 * look_ups


class LedgerInMemory(MemoryLedger):
    """The ledger in memory, from which a link can be removed."""

    def remove_link(self, link: Link) -> bool:
        """Delete a link unless it changed; return whether it is gone."""
        known = self._links.get(link.email)
        if known is not None and known.revision != link.revision:
            return False
        self._links.pop(link.email, None)
        self._owners = {it: email for it, email in self._owners.items() if email != link.email}
        return True


class Tombstones:
    """The names of people who were erased."""

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()

    def erased(self, names: Iterable[str]) -> frozenset[str]:
        return self.names & set(names)


class Stack:
    """The ports of one context, in memory; `now` is the time of its clock."""

    def __init__(
        self, plezi: Iterable[Observation] = (), salesforce: Iterable[Observation] = ()
    ) -> None:
        self.now = NOW
        self.ledger = LedgerInMemory()
        self.journal = MemoryJournal()
        self.mappings = MemoryMappings(MAPPING)
        self.queue = MemoryRunQueue()
        self.events = EventLines()
        self.tombstones = Tombstones()
        self.plezi = SystemInMemory(Side.PLEZI, plezi)
        self.salesforce = SystemInMemory(Side.SALESFORCE, salesforce)
        self.deadline = Deadline(self.clock)
        self._ids = count(1)

    def clock(self) -> float:
        return self.now

    def context(self, **changes: Any) -> SyncContext:  # the ports of a test
        """Return the context, with other ports where a test has its own."""
        ledger: Any = self.ledger  # speaks all ports of the ledger
        context = SyncContext(
            links=ledger,
            tombstones=self.tombstones,
            work=ledger,
            scratch=ledger.scratch,
            cursors=ledger,
            runs=ledger,
            control=ledger,
            documents=ledger,
            journal=self.journal,
            history=self.journal,
            mappings=self.mappings,
            run_queue=self.queue,
            budget=ledger,
            clients={Side.PLEZI: self.plezi, Side.SALESFORCE: self.salesforce},
            clock=self.clock,
            new_id=lambda: f"id{next(self._ids)}",
            log=self.events,
            log_name=lambda email: f"<{email}>",
            worker_timeout=900.0,
            change_limits=ChangeLimits(cleared=10, overwritten=3, share=0.1),
            stage_limits=StageLimits(errors=0.1, duplicates=0.2, overwritten=0.3),
            max_records=10,
            deadline=self.deadline,
        )
        return replace(context, **changes)

    def run(self, run: Run = RUN, **changes: Any) -> Run:  # the fields of a run
        """Store the record of a run."""
        stored = replace(run, **changes)
        self.ledger.create_run(stored)
        return stored


def bound_to(schemas: Mapping[RecordKind, Schema]) -> BoundMapping:
    """Return the mapping with other fields."""
    return bind_mapping(MAPPING, schemas)
