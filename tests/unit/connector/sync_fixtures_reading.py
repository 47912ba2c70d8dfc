"""The connector between two systems that answer as a test of reading says, and verifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connector.mapping import (
    ReadScope,
)
from connector.mapping.model import EMAIL_PAIR, LAST_NAME_PAIR, PLEZI_URL_PAIR
from connector.model import (
    Counts,
    Cursor,
    JournalEntry,
    JournalKind,
    Link,
    LookupResult,
    Observation,
    Page,
    Phase,
    RecordKind,
    Run,
    RunKind,
    RunState,
    Side,
    Value,
    WorkList,
    Write,
)
from connector.planning.write_outcome import WriteOutcome
from connector.sync.verify_work import VerifyWork
from tests.unit.connector.sync_fixtures import (
    ANA,
    PHONE_PAIR,
    RUN,
    SyncSetup,
    System,
    bound_to,
    link_of,
    never,
    observed,
)
from tests.unit.connector.sync_fixtures_stores import Clock, Ledger

NOW: Final = 1000.0
BOUND: Final = bound_to(PHONE_PAIR, version=0)
ALL_PAIRS: Final = bound_to(EMAIL_PAIR, PLEZI_URL_PAIR, LAST_NAME_PAIR, PHONE_PAIR, version=0)


class ReadLedger(Ledger):
    """The ledger; `requested` are the records that were looked up, `unreadable` is what it lists.

    Links that a test puts are no saves.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: list[str] = []
        self.requested: list[set[str]] = []

    def put_unreadable(self, email: str) -> None:
        """Store a link that cannot be decoded."""
        self.put(Link(email, readable=False))

    def list_unreadable(self, email: str) -> None:
        """Note the e-mail."""
        self.unreadable.append(email)

    def owner_emails(self, records: Iterable[str]) -> dict[str, str]:
        """Return the e-mail of the link of each known record id."""
        wanted = set(records)
        self.requested.append(wanted)
        return super().owner_emails(wanted)


class ScriptedSystem(System):
    """A system that answers as a test says; it is never written to.

    `pages` are those of a read, `look_pages` those of a look. `records` are found by id, or by
    their e-mail, or by `page_records` (a page address); a record that is neither there nor in
    `deleted` is not found. `result` is given in place of all this.
    """

    def __init__(self, side: Side, clock: Clock | None = None) -> None:
        super().__init__(side, clock=clock)
        self.has_change_feed = side is Side.PLEZI
        self.pages: dict[RecordKind, list[Page]] = {}
        self.look_pages: list[Page] = []
        self.look_error: Exception | None = None
        self.page_records: dict[str, Observation] = {}
        self.result: LookupResult | None = None

    @property
    def scopes(self) -> list[ReadScope]:
        """The scope of each request, in their order."""
        return [it for request in self.requests for it in request if isinstance(it, ReadScope)]

    @property
    def searches(self) -> list[tuple[list[str], list[str], list[str]]]:
        """The ids, the e-mails and the page addresses of each look-up."""
        return [(ids, emails, list(urls)) for ids, emails, _, urls in self.requests_of("look_up")]

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Yield the pages of a kind of record."""
        self.requests.append(("read", cursor, scope))
        for page in self.pages.get(cursor.kind, []):
            self.calls += 1
            yield page

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Yield the pages of a look, then raise its error."""
        self.requests.append(("recent", since, scope))
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
        """Return the records that are found, as they are."""
        ids = [it.id for it in records]
        self.requests.append(("look_up", ids, list(emails), scope, page_urls))
        if self.result is not None:
            return self.result
        found = {it: self.records[it] for it in ids if it in self.records}
        found |= {it.id: it for it in self.records.values() if it.email in emails}
        by_page = [self.page_records[url] for url in page_urls if url in self.page_records]
        found |= {it.id: it for it in by_page}
        deleted = frozenset(self.deleted.intersection(ids))
        return LookupResult(tuple(found.values()), deleted, tuple(self.problems))

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Refuse: nothing of a reading writes."""
        raise AssertionError(writes, scope)

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        """Return the time of the look-ups; nothing is written."""
        assert not creations
        assert not updates
        return super().seconds_for(look_ups=look_ups)


@dataclass
class InMemory(SyncSetup):
    """Everything that a reading needs, between two systems that answer as a test says."""

    clock: Clock = field(default_factory=lambda: Clock(NOW))
    ledger: ReadLedger = field(default_factory=ReadLedger)
    max_records: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        self.plezi: ScriptedSystem = ScriptedSystem(Side.PLEZI, self.clock)
        self.org: ScriptedSystem = ScriptedSystem(Side.SALESFORCE, self.clock)

    def start_run(self, run: str = RUN, kind: RunKind = RunKind.CHANGES) -> Run:
        """Store the record of a run, and return it."""
        return self.store_run(Run(run, kind, RunState.RUNNING, NOW))


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


class WholeVerification:
    """A verification in memory; the mapping was applied to everybody."""

    def __init__(self, *links: Link, version: int = 0) -> None:
        self.memory = InMemory()
        self.journal = self.memory.journal
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
            assert isinstance(client, ScriptedSystem)
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
    base = {it.id: {PHONE_PAIR.base_key(it.kind): it.values[_name(it)]} for it in (contact, lead)}
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
        JournalEntry(ANA, NOW, RUN, kind, side, "l1", PHONE_PAIR.key, "1", "2", cause), **changes
    )
