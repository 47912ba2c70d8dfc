"""People, a ledger and clients for tests of reading: all in memory, with faults on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connector.deadline import Deadline
from connector.log_events import Event
from connector.mapping import (
    BoundMapping,
    BoundPair,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    ReadScope,
    Schema,
)
from connector.mapping.model import EMAIL_PAIR, LAST_NAME_PAIR, PLEZI_URL_PAIR
from connector.model import (
    Counts,
    Cursor,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    LookupResult,
    Observation,
    Page,
    Phase,
    RecordKind,
    Run,
    RunKind,
    RunState,
    SaveResult,
    Side,
    Value,
    WorkList,
    Write,
)
from connector.planning.announced_changes import ChangeLimits
from connector.planning.first_sync_stages import StageLimits
from connector.planning.write_outcome import WriteOutcome
from connector.sync.context import SyncContext
from connector.sync.verify_work import VerifyWork
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue

ANA: Final = "ana@x.fr"
BOB: Final = "bob@x.fr"
CLO: Final = "clo@x.fr"
NOW: Final = 1000.0
RUN: Final = "run-1"
KINDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l": RecordKind.LEAD,
    "c": RecordKind.CONTACT,
}
PHONE: Final = FieldPair("phone", "Phone", Direction.BOTH, contact="Phone")


def observed(record: str, email: str = ANA, **changes: Any) -> Observation:
    """Return a record with a phone; its id begins with p (Plezi), l (Lead) or c (Contact)."""
    kind = KINDS[record[0]]
    name = "phone" if kind is RecordKind.PLEZI_CONTACT else "Phone"
    values: dict[str, Value] = {name: "1"}
    known = Observation(kind, record, email, "1", "2026-01-01T00:00:00Z", 10.0, values)
    return replace(known, **changes)


def link_of(email: str, *records: Observation, **changes: Any) -> Link:
    """Return a link with these records, on which they agreed: it is not dirty."""
    link = Link(email)
    for record in records:
        link = link.with_observation(record)
    return replace(link, **changes)


def bound_pairs(*pairs: FieldPair, version: int = 0) -> BoundMapping:
    """Return a mapping of text fields."""
    bound = tuple(
        BoundPair(
            pair,
            {
                kind: Field(name, FieldKind.TEXT)
                for kind, name in (
                    (RecordKind.PLEZI_CONTACT, pair.plezi),
                    (RecordKind.LEAD, pair.salesforce),
                    (RecordKind.CONTACT, pair.contact),
                )
                if name
            },
        )
        for pair in pairs
    )
    return BoundMapping(MappingConfig(version, pairs, None), bound, ())


BOUND: Final = bound_pairs(PHONE)
ALL_PAIRS: Final = bound_pairs(EMAIL_PAIR, PLEZI_URL_PAIR, LAST_NAME_PAIR, PHONE)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class EventList:
    """Collects the events of the log."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, dict[str, object]]] = []

    def __call__(self, event: Event, /, **fields: object) -> None:
        """Add one event."""
        self.events.append((event, fields))

    def of(self, event: Event) -> list[dict[str, object]]:
        """Return the fields of the events of one kind."""
        return [fields for known, fields in self.events if known is event]


class ErasedNames:
    """Tombstones of these names; `requested` are the names that were looked up, one set a call."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.requested: list[set[str]] = []

    def erased(self, names: Iterable[str]) -> frozenset[str]:
        """Return those names that have a tombstone."""
        wanted = set(names)
        self.requested.append(wanted)
        return frozenset(wanted & self.names)


class FaultyLedger(MemoryLedger):
    """A ledger in memory; some links are busy, too large, not storable or not readable.

    `busy` says how often a link is still refused, `requested` are the names that were looked up,
    `saved` are the changes of each call with its `listed`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.busy: dict[str, int] = {}
        self.too_large: set[str] = set()
        self.defects: dict[str, str] = {}
        self.unreadable: list[str] = []
        self.requested: list[set[str]] = []
        self.saved: list[tuple[list[str], bool]] = []
        self.before_save: Callable[[], None] | None = None

    def put(self, *links: Link) -> dict[str, Link]:
        """Store links as they are; return what is stored, by e-mail."""
        self.save_links([LinkChange(link) for link in links])
        self.saved.clear()
        return self.load_links(link.email for link in links)

    def put_unreadable(self, email: str) -> None:
        """Store a link that cannot be decoded."""
        self.put(Link(email, readable=False))

    def remove_link(self, link: Link) -> bool:
        """Refuse: nothing of a reading removes a link."""
        raise AssertionError(link)

    def list_unreadable(self, email: str) -> None:
        """Note the e-mail."""
        self.unreadable.append(email)

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return the e-mail of the link of each known record id."""
        wanted = set(records)
        self.requested.append(wanted)
        return super().owner_emails(wanted)

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        """Store the links without a fault."""
        self.saved.append(([it.link.email for it in changes], listed))
        if self.before_save is not None:
            self.before_save()
        emails = {it.link.email for it in changes}
        busy = {email for email in emails if self.busy.get(email, 0) > 0}
        for email in busy:
            self.busy[email] -= 1
        too_large = emails & self.too_large - busy
        defects = {
            email: self.defects[email] for email in sorted(emails - busy) if email in self.defects
        }
        usable = [it for it in changes if it.link.email not in busy | too_large | defects.keys()]
        saved = super().save_links(usable, listed=listed)
        return SaveResult(saved.refused | busy, frozenset(too_large), defects)


class FakeClient:
    """One of the two systems: the pages and records that a test gives it, and its requests.

    `records` are found by id, or by their e-mail, or by `page_records` (a page address). A record
    that is neither here nor in `deleted` is not found.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.id = f"{side.value}-1"
        self.calls = 0
        self.invalidated = 0
        self.has_change_feed = side is Side.PLEZI
        self.pages: dict[RecordKind, list[Page]] = {}
        self.look_pages: list[Page] = []
        self.look_error: Exception | None = None
        self.looked_from: list[str] = []
        self.read_from: list[object] = []
        self.scopes: list[ReadScope] = []
        self.records: dict[str, Observation] = {}
        self.page_records: dict[str, Observation] = {}
        self.result: LookupResult | None = None
        self.deleted: set[str] = set()
        self.problems: tuple[Any, ...] = ()
        self.looked_up: list[tuple[list[str], list[str], list[str]]] = []
        self.look_up_seconds = 0.0

    def identity(self) -> str:
        """Return the id of the system."""
        return self.id

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return no description: the mapping is bound by the test."""
        return {}

    def refresh_schemas(self) -> None:
        """Do nothing."""

    def invalidate_schemas(self) -> None:
        """Count the call."""
        self.invalidated += 1

    def read(self, cursor: Any, scope: ReadScope) -> Iterator[Page]:
        """Yield the pages of a kind of record."""
        self.read_from.append(cursor)
        self.scopes.append(scope)
        for page in self.pages.get(cursor.kind, []):
            self.calls += 1
            yield page

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Yield the pages of a look, then raise its error."""
        self.looked_from.append(since)
        self.scopes.append(scope)
        yield from self.look_pages
        if self.look_error is not None:
            raise self.look_error

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Return the records that are found."""
        ids = [it.id for it in records]
        self.looked_up.append((ids, list(emails), list(page_urls)))
        self.scopes.append(scope)
        if self.result is not None:
            return self.result
        found = {it: self.records[it] for it in ids if it in self.records}
        found |= {it.id: it for it in self.records.values() if it.email in emails}
        found |= {
            self.page_records[url].id: self.page_records[url]
            for url in page_urls
            if url in self.page_records
        }
        deleted = frozenset(self.deleted.intersection(ids))
        return LookupResult(tuple(found.values()), deleted, self.problems)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Refuse: nothing of a reading writes."""
        raise AssertionError(writes, scope)

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        """Return the time of the look-ups; nothing is written."""
        assert not creations
        assert not updates
        return look_ups * self.look_up_seconds


@dataclass
class InMemory:
    """Everything that synchronization needs, in memory."""

    ledger: FaultyLedger = field(default_factory=FaultyLedger)
    tombstones: ErasedNames = field(default_factory=ErasedNames)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    clock: Clock = field(default_factory=Clock)
    log: EventList = field(default_factory=EventList)
    plezi: FakeClient = field(default_factory=lambda: FakeClient(Side.PLEZI))
    salesforce: FakeClient = field(default_factory=lambda: FakeClient(Side.SALESFORCE))
    deadline: Deadline = field(default_factory=lambda: Deadline(lambda: NOW))
    max_records: int = 10
    is_dry_run: bool = False

    @property
    def context(self) -> SyncContext:
        """The ports, the clock and the limits."""
        return SyncContext(
            links=self.ledger,
            tombstones=self.tombstones,
            work=self.ledger,
            scratch=self.ledger.scratch,
            cursors=self.ledger,
            runs=self.ledger,
            control=self.ledger,
            documents=self.ledger,
            journal=self.journal,
            history=self.journal,
            mappings=MemoryMappings(),
            run_queue=MemoryRunQueue(),
            budget=NoBudget(),
            clients={Side.PLEZI: self.plezi, Side.SALESFORCE: self.salesforce},
            clock=self.clock,
            new_id=lambda: "id",
            log=self.log,
            log_name=lambda email: f"name of {email}",
            worker_timeout=900.0,
            change_limits=ChangeLimits(20, 20, 0.05),
            stage_limits=StageLimits(0.1, 0.1, 0.1),
            max_records=self.max_records,
            deadline=self.deadline,
            is_dry_run=self.is_dry_run,
        )

    def start_run(self, run: str = RUN, kind: RunKind = RunKind.CHANGES) -> Run:
        """Store the record of a run, and return it."""
        started = Run(run, kind, RunState.RUNNING, NOW)
        self.ledger.create_run(started)
        return started

    def counts(self, run: str = RUN) -> dict[str, dict[str, int]]:
        """Return the counts of a run that are not zero."""
        stored = self.ledger.load_run(run)
        assert stored is not None
        return {
            side: found
            for side, numbers in stored.counts.items()
            if (found := {name: number for name, number in numbers.items() if number})
        }


class NoBudget:
    """A budget of which nothing is used."""

    def exhausted_reason(self, *, forms: bool = False) -> str:  # noqa: ARG002  # a port
        """Return that calls are left."""
        return ""

    def save_usage(self) -> None:
        """Do nothing."""

    def our_share(self) -> float | None:
        """Return that the limit is unknown."""
        return None

    def org_share(self) -> float | None:
        """Return that the limit is unknown."""
        return None


def broken() -> str:
    """Fail as a defect does."""
    raise ZeroDivisionError


class BrokenValues(Mapping[str, Value]):
    """Values that cannot be read: a defect in the data of one person."""

    def __getitem__(self, name: str) -> Value:
        """Fail."""
        raise ZeroDivisionError(name)

    def __iter__(self) -> Iterator[str]:
        """Fail."""
        raise ZeroDivisionError

    def __len__(self) -> int:
        """Fail."""
        raise ZeroDivisionError


READ_AT: Final = 5000.0
"""When the last reading of changes began."""
STARTED: Final = 6000.0
"""When the reading of the verification began."""


def never() -> bool:
    return False


def always() -> bool:
    return True


def over_after(calls: int) -> Callable[[], bool]:
    """Return whether the time is over: not for the first calls."""
    answers = iter([*[False] * calls, True])
    return lambda: next(answers)


class RequestedJournal(MemoryJournal):
    """A journal that notes whose history was requested; who has no entry is missing."""

    def __init__(self) -> None:
        super().__init__()
        self.requested: list[tuple[list[str], float]] = []

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        """Return the entries of some people since a time."""
        self.requested.append((list(emails), since))
        found = super().entries_since(emails, since)
        return {email: entries for email, entries in found.items() if entries}


class WholeVerification:
    """A verification in memory; the mapping was applied to everybody."""

    def __init__(self, *links: Link, version: int = 0) -> None:
        self.journal = RequestedJournal()
        self.memory = InMemory(journal=self.journal)
        for kind in RecordKind:
            cursor = Cursor(kind, "w", completed_at=READ_AT, applied_version=version)
            self.memory.ledger.checkpoint(cursor, "", Counts())
        self.memory.ledger.put(*links)
        self.memory.start_run(kind=RunKind.VERIFY)
        self.show(*(record for link in links for record in link.observations()))

    def show(self, *observations: Observation) -> None:
        """Let the lists of both systems show these records."""
        for kind in RecordKind:
            client = self.memory.context.clients[kind.side]
            assert isinstance(client, FakeClient)
            shown = tuple(it for it in observations if it.kind is kind)
            client.pages[kind] = [Page(shown, Cursor(kind, completed_at=STARTED), last=True)]

    @property
    def work(self) -> VerifyWork:
        """The work of a new invocation."""
        run = self.memory.ledger.load_run(RUN)
        assert run is not None
        return VerifyWork(self.memory.context, BOUND, run)

    def verify(self) -> dict[str, int]:
        """Verify everything; return the counts of the comparison."""
        assert self.work.work(Phase.READ, never) is None
        return self.compared

    @property
    def compared(self) -> dict[str, int]:
        """The counts of the comparison."""
        counts = self.memory.counts().get("salesforce", {})
        return {it: number for it, number in counts.items() if it not in {"seen", "people.Lead"}}

    @property
    def entries(self) -> list[JournalEntry]:
        """The differences, which are stored apart from the history of people."""
        assert not any(it.run_id == RUN for it in self.journal.entries())
        return self.journal.plans

    def link(self, email: str = ANA) -> Link:
        return self.memory.ledger.load_links([email])[email]

    def listed(self) -> list[tuple[str, ...]]:
        keys = [WorkList(RUN, number) for number in range(9)]
        return list(self.memory.ledger.scratch(RUN).load_work(keys).values())


def agreed_person(
    email: str = ANA, number: int = 1, plezi: str = "1", salesforce: str = "1", **changes: Any
) -> Link:
    """Return a link of two records that agreed on the values that they have."""
    contact = observed(f"p{number}", email, values={"phone": plezi})
    lead = observed(f"l{number}", email, values={"Phone": salesforce})
    base = {it.id: {PHONE.base_key(it.kind): it.values[_name(it)]} for it in (contact, lead)}
    return link_of(email, contact, lead, **{"base": base, **changes})


def _name(record: Observation) -> str:
    return next(iter(record.values))


def agreed_people(number: int, **options: Any) -> list[Link]:
    return [agreed_person(f"{it:04}@x.fr", it, **options) for it in range(number)]


def edited_by_user(record: str = "p1", phone: str = "2", **changes: Any) -> Observation:
    name = "phone" if record.startswith("p") else "Phone"
    return observed(record, ANA, **{"values": {name: phone}, "as_of": 20.0, **changes})


def drift_entry(cause: str, **changes: Any) -> JournalEntry:
    kind, side = JournalKind.DRIFT, Side.SALESFORCE
    return replace(
        JournalEntry(ANA, NOW, RUN, kind, side, "l1", PHONE.key, "1", "2", cause), **changes
    )
