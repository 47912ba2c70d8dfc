"""The connector between two small systems in memory: a context of real stores and simple clients.

Every part shows what it was asked: what a system read, what was logged, which run was queued.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

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
    bind_mapping,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import (
    Counts,
    Cursor,
    JournalEntry,
    Link,
    LinkChange,
    LookupResult,
    Observation,
    Page,
    Progress,
    RecordKind,
    RecordProblem,
    Run,
    RunKind,
    RunState,
    Side,
    Value,
    WorkList,
    Write,
)
from connector.planning.announced_changes import ChangeLimits
from connector.planning.first_sync_stages import StageLimits
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.context import SyncContext
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue

NOW: Final = 1_800_000_000.0
"""The time at which every setup begins, in seconds since 1970."""
NO_PROGRESS: Final = Progress()
RUN: Final = "run-1"
PHONE_PAIR: Final = FieldPair("phone", "Phone", Direction.BOTH, contact="Phone")
MAPPING: Final = MappingConfig(1, (EMAIL_PAIR, PHONE_PAIR), None)
LIMITS: Final = ChangeLimits(cleared=100, overwritten=100, share=0.0)
STAGE_LIMITS: Final = StageLimits(1.0, 1.0, 1.0)
PHONE: Final = PHONE_PAIR.key
PHONE_BASE: Final = "phone>Phone"
EMAIL_BASE: Final = "email>Email"
PLEZI_SCHEMA: Final[Schema] = {
    "email": Field("email", FieldKind.EMAIL),
    "phone": Field("phone", FieldKind.TEXT),
}
SALESFORCE_SCHEMA: Final[Schema] = {
    "Email": Field("Email", FieldKind.EMAIL),
    "Phone": Field("Phone", FieldKind.TEXT),
}


def bound_to(*pairs: FieldPair, fresh: bool = False) -> BoundMapping:
    """Return a mapping of text fields, bound; without a pair the usual one."""
    mapping = replace(MAPPING, pairs=pairs or MAPPING.pairs)
    schemas: dict[RecordKind, dict[str, Field]] = {kind: {} for kind in RecordKind}
    for pair in mapping.pairs:
        for kind, name in (
            (RecordKind.PLEZI_CONTACT, pair.plezi),
            (RecordKind.LEAD, pair.salesforce),
            (RecordKind.CONTACT, pair.contact),
        ):
            schemas[kind][name] = Field(name, FieldKind.TEXT)
    return replace(bind_mapping(mapping, schemas), is_fresh=fresh)


BOUND: Final = bound_to()


def pair_of(bound: BoundMapping, key: str) -> BoundPair:
    """Return a pair of a mapping."""
    return next(pair for pair in bound.pairs if pair.key == key)


def contact(email: str, phone: Value = "1", **changes: Any) -> Observation:
    """Return a contact of Plezi; its id is `p-` and the e-mail unless it is changed."""
    values = {"email": email, "phone": phone}
    known = Observation(RecordKind.PLEZI_CONTACT, f"p-{email}", email, "1", "2026-01", 0.0, values)
    return replace(known, **changes)


def lead(email: str, phone: Value = "1", **changes: Any) -> Observation:
    """Return a Lead; its id is `l-` and the e-mail unless it is changed."""
    values = {"Email": email, "Phone": phone}
    known = Observation(RecordKind.LEAD, f"l-{email}", email, "1", "2026-01", 0.0, values)
    return replace(known, **changes)


def agreed(email: str, phone: Value = "1", *records: Observation, **changes: Any) -> Link:
    """Return the link of a contact and a Lead that agreed on a phone; `records` in their place."""
    link = Link(email)
    for record in records or (contact(email, phone), lead(email, phone)):
        link = link.with_observation(record)
    base = {it.id: {PHONE_BASE: phone, EMAIL_BASE: email} for it in link.observations()}
    return replace(link, base=base, **changes)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.now += seconds


class System:
    """One of the two systems: its records, and what happens at its next calls.

    `then` holds, by the name of a method, what is done before its next calls, one for each call.
    `answers` holds the outcomes of writes by record id, in place of those that succeed.
    `hidden` are ids that no look-up finds. `seconds` are those of a creation, an update, a look-up.
    """

    def __init__(self, side: Side, clock: Clock) -> None:
        self.side = side
        self.clock = clock
        self.calls = 0
        self.id = f"{side.value}-id"
        self.fields: Schema = PLEZI_SCHEMA if side is Side.PLEZI else SALESFORCE_SCHEMA
        self.records: dict[str, Observation] = {}
        self.deleted: set[str] = set()
        self.problems: list[RecordProblem] = []
        self.hidden: set[str] = set()
        self.page_size = 100
        self.seconds = (0.0, 0.0, 0.0)
        self.has_change_feed = False
        self.changes: list[Page] = []
        self.then: defaultdict[str, list[Callable[[], object]]] = defaultdict(list)
        self.answers: defaultdict[str, list[Callable[[Write], WriteOutcome]]] = defaultdict(list)
        self.max_outcomes = 1000
        self.reads: list[Cursor] = []
        self.looks: list[str] = []
        self.look_ups: list[tuple[list[str], list[str]]] = []
        self.looked_up: list[Observation] = []
        self.writes: list[Write] = []
        self.invalidations = 0
        self.refreshes = 0

    def _begin(self, method: str, calls: int = 1) -> None:
        self.calls += calls
        if self.then[method]:
            self.then[method].pop(0)()

    def put(self, *records: Observation) -> None:
        """Store records."""
        self.records |= {each.id: each for each in records}

    def identity(self) -> str:
        self._begin("identity", 0)
        return self.id

    def schemas(self) -> Mapping[RecordKind, Schema]:
        self._begin("schemas", 0)
        return {kind: self.fields for kind in RecordKind if kind.side is self.side}

    def refresh_schemas(self) -> None:
        self._begin("refresh_schemas", 0)
        self.refreshes += 1

    def invalidate_schemas(self) -> None:
        self._begin("invalidate_schemas", 0)
        self.invalidations += 1

    @staticmethod
    def _shown(record: Observation, scope: ReadScope) -> Observation:
        """Return what a response with the fields of the scope shows of a record."""
        names = scope.field_names[record.kind]
        return replace(
            record, values={it: record.values[it] for it in names if it in record.values}
        )

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read all records of a kind that are newer than the watermark, page by page."""
        self.reads.append(cursor)
        found = sorted(
            (
                each
                for each in self.records.values()
                if each.kind is cursor.kind
                and (cursor.is_full_read or each.version > cursor.watermark)
            ),
            key=lambda each: (each.version, each.id),
        )
        newest = max([cursor.watermark, *(each.version for each in found)])
        current = replace(
            cursor, started_at=cursor.started_at or self.clock(), next_watermark=newest or "0"
        )
        start = int(cursor.position or 0)
        while True:
            self._begin("read")
            part = tuple(self._shown(each, scope) for each in found[start : start + self.page_size])
            start += self.page_size
            if start >= len(found):
                yield Page(part, current.finished(), last=True)
                return
            yield Page(part, replace(current, position=str(start)))

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        self.looks.append(since)
        for page in self.changes:
            self._begin("recent_changes")
            yield replace(
                page, observations=tuple(self._shown(each, scope) for each in page.observations)
            )

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),  # noqa: ARG002  # a port
    ) -> LookupResult:
        self.look_ups.append(([each.id for each in records], list(emails)))
        self.looked_up += records
        self._begin("look_up")
        ids = {each.id for each in records}
        found = tuple(
            replace(self._shown(each, scope), as_of=self.clock())
            for each in self.records.values()
            if (each.id in ids or each.email in emails) and each.id not in self.hidden
        )
        problems = tuple(
            it for it in self.problems if it.record_id in ids or (it.email and it.email in emails)
        )
        return LookupResult(found, frozenset(ids & self.deleted), problems)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        for number, write in enumerate(writes):
            if number >= self.max_outcomes:
                return
            self.writes.append(write)
            self._begin("apply")
            answers = self.answers[write.record_id or write.email]
            outcome = answers.pop(0)(write) if answers else self.done(write)
            known = outcome.observation
            yield (
                outcome
                if known is None
                else replace(outcome, observation=self._shown(known, scope))
            )

    def done(self, write: Write) -> WriteOutcome:
        """Carry out a write."""
        record = contact(write.email) if self.side is Side.PLEZI else lead(write.email)
        record = replace(record, values={})
        if not write.is_create:
            record = self.records[write.record_id]
        version = str(int(record.version) + 1)
        after = replace(
            record,
            values={**record.values, **write.values},
            version=version,
            as_of=self.clock(),
        )
        self.put(after)
        return WriteOutcome(
            write,
            WriteResult.DONE,
            after.id,
            self.clock(),
            created=write.is_create,
            observation=after,
        )

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        of_creation, of_update, of_look_up = self.seconds
        return creations * of_creation + updates * of_update + look_ups * of_look_up


def raising(error: BaseException) -> Callable[..., NoReturn]:
    """Return a function that raises an error, whatever its arguments are."""

    def fail(*_arguments: object, **_named: object) -> NoReturn:
        raise error

    return fail


def answer(result: WriteResult, **changes: Any) -> Callable[[Write], WriteOutcome]:
    """Return what answers a write with this result."""
    return lambda write: WriteOutcome(write, result, **changes)


class Budget:
    """The share of the API calls; `reasons` are what the next questions get, the last one stays."""

    def __init__(self) -> None:
        self.reasons = [""]
        self.form_reason = ""
        self.saved = 0

    def exhausted_reason(self, *, forms: bool = False) -> str:
        if forms:
            return self.form_reason
        return self.reasons.pop(0) if len(self.reasons) > 1 else self.reasons[0]

    def save_usage(self) -> None:
        self.saved += 1

    def our_share(self) -> float | None:
        return None

    def org_share(self) -> float | None:
        return None


class Tombstones:
    """The names of people who were erased."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def erased(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self.names.intersection(names))


class Log:
    """The events that were written."""

    def __init__(self) -> None:
        self.lines: list[tuple[Event, dict[str, object]]] = []

    def __call__(self, event: Event, /, **fields: object) -> None:
        """Write one event."""
        self.lines.append((event, fields))

    def of(self, event: Event) -> list[dict[str, object]]:
        """Return the lines of one event."""
        return [fields for kind, fields in self.lines if kind is event]


class Ledger(MemoryLedger):
    """The ledger; `before_save` is done before its next puts of links, one for each put.

    `then` is what is done before its next calls of some other methods, by the name of the method.
    """

    def __init__(self) -> None:
        super().__init__()
        self.then: defaultdict[str, list[Callable[[], object]]] = defaultdict(list)
        self.before_save: list[Callable[[], object]] = []
        self.too_large: set[str] = set()
        self.saves: list[tuple[list[str], bool]] = []
        self.checkpoints: list[tuple[RecordKind, str, dict[tuple[str, str], int]]] = []

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> Any:
        """Store links, after what another process does."""
        self.saves.append(([change.link.email for change in changes], listed))
        if self.before_save:
            self.before_save.pop(0)()
        stored = [it for it in changes if it.link.email not in self.too_large]
        result = super().save_links(stored, listed=listed)
        too_large = {it.link.email for it in changes} & self.too_large
        return replace(result, too_large=frozenset(too_large))

    def _begin(self, method: str) -> None:
        if self.then[method]:
            self.then[method].pop(0)()

    def load_run(self, run: str) -> Run | None:
        self._begin("load_run")
        return super().load_run(run)

    def list_runs(self, limit: int, before: str = "", *, forms: bool = False) -> list[Run]:
        self._begin("list_runs")
        return super().list_runs(limit, before, forms=forms)

    def note_error(self, run: str, error: str) -> None:
        self._begin("note_error")
        super().note_error(run, error)

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        self.checkpoints.append((cursor.kind, run, dict(counts.numbers)))
        super().checkpoint(cursor, run, counts, progress)

    def dirty_emails(self, limit: int, after: str = "") -> list[str]:
        return super().dirty_emails(int(limit), after)

    def open_work(self, limit: int, after: WorkList | None = None) -> list[WorkList]:
        return super().open_work(int(limit), after)

    def erase(self, email: str) -> None:
        """Delete a link, and leave the pointers to it."""
        del self._links[email]

    def forget_run(self, run: str) -> None:
        """Delete the record of a run, as its time to live does."""
        del self._runs[run]

    def remove_link(self, link: Link) -> bool:
        """Raise `AssertionError`: no run removes a link."""
        raise AssertionError(link.email)

    def touch(self, email: str, **changes: Any) -> None:
        """Change a link as another process does."""
        link = self.load_links([email])[email]
        MemoryLedger.save_links(self, [LinkChange(replace(link, **changes))])


class Journal(MemoryJournal):
    """The journal; a person without an entry is missing, as in DynamoDB."""

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        found = super().entries_since(emails, since)
        return {email: entries for email, entries in found.items() if entries}


@dataclass
class SyncSetup:
    """Both systems, the stores and the clock, and the context of the connector between them."""

    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(default_factory=Ledger)
    journal: Journal = field(default_factory=Journal)
    queue: MemoryRunQueue = field(default_factory=MemoryRunQueue)
    budget: Budget = field(default_factory=Budget)
    tombstones: Tombstones = field(default_factory=Tombstones)
    log: Log = field(default_factory=Log)
    mappings: MemoryMappings = field(default_factory=lambda: MemoryMappings(MAPPING))
    limits: ChangeLimits = LIMITS
    stage_limits: StageLimits = STAGE_LIMITS
    max_records: int = 20

    def __post_init__(self) -> None:
        self.plezi = System(Side.PLEZI, self.clock)
        self.org = System(Side.SALESFORCE, self.clock)
        self.deadline = Deadline(self.clock)
        self.ids = 0
        self.ledger.set_enabled(on=True, now=0.0)
        self.context = SyncContext(
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
            mappings=self.mappings,
            run_queue=self.queue,
            budget=self.budget,
            clients={Side.PLEZI: self.plezi, Side.SALESFORCE: self.org},
            clock=self.clock,
            new_id=self.new_id,
            log=self.log,
            log_name=lambda email: f"name of {email}",
            worker_timeout=300.0,
            change_limits=self.limits,
            stage_limits=self.stage_limits,
            max_records=self.max_records,
            deadline=self.deadline,
        )

    def new_id(self) -> str:
        """Return the next id."""
        self.ids += 1
        return f"id-{self.ids}"

    def store(self, *links: Link, listed: bool = False) -> None:
        """Store links."""
        changes = [LinkChange(link) for link in links]
        assert not MemoryLedger.save_links(self.ledger, changes, listed=listed).refused

    def link(self, email: str) -> Link:
        """Return a stored link."""
        return self.ledger.load_links([email])[email]

    def request(self, kind: RunKind = RunKind.CHANGES, run: str = RUN, **changes: Any) -> Run:
        """Store the record of a run that is requested now."""
        requested = Run(run, kind, RunState.REQUESTED, self.clock(), **changes)
        self.ledger.create_run(requested)
        return requested

    def run(self, run: str = RUN) -> Run:
        """Return the stored record of a run."""
        found = self.ledger.load_run(run)
        assert found is not None
        return found

    def counts(self, run: str = RUN) -> dict[str, dict[str, int]]:
        """Return the counts of a run that are not zero."""
        counts = {
            side: {name: number for name, number in numbers.items() if number}
            for side, numbers in self.run(run).counts.items()
        }
        return {side: numbers for side, numbers in counts.items() if numbers}

    def list_links(self, number: int, *emails: str, run: str = RUN) -> WorkList:
        """Store a work list of a run; its record counts it."""
        work = WorkList(run, number)
        self.ledger.save_work(work, emails)
        known = self.run(run)
        lists = max(known.progress.lists, number + 1)
        progress = replace(known.progress, lists=lists)
        self.ledger.create_run(replace(known, progress=progress))
        return work

    def lists(self) -> dict[tuple[str, int], tuple[str, ...]]:
        """Return the work lists that exist, by run and number."""
        return {
            (work.run_id, work.number): self.ledger.load_work([work])[work]
            for work in self.ledger.open_work(1000)
        }

    def read_all(self, *, at: float | None = None) -> None:
        """Store that both systems were read completely, a minute ago unless `at` says when."""
        for kind in RecordKind:
            cursor = Cursor(
                kind,
                watermark="0",
                completed_at=self.clock() - 60.0 if at is None else at,
                applied_version=MAPPING.version,
            )
            self.ledger.checkpoint(cursor, "", Counts())


def progress_of(run: Run) -> tuple[int, int, int]:
    """Return the progress of a run: lists, listed, resolved."""
    progress: Progress = run.progress
    return progress.lists, progress.listed, progress.resolved


def never() -> bool:
    """Return that there is time left."""
    return False


def always() -> bool:
    """Return that the time is used up."""
    return True


def after(number: int) -> Callable[[], bool]:
    """Return what says that the time is used up, after so many questions."""
    answers = iter([False] * number)
    return lambda: next(answers, True)
