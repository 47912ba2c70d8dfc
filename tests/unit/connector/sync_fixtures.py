"""The connector between two small systems in memory: a context of real stores and simple clients.

Every part shows what it was asked: what a system read, what was logged, which run was queued.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

from connector.deadline import Deadline
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
    Link,
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
from local.world.memory import MemoryMappings, MemoryRunQueue
from tests.unit.connector.sync_fixtures_stores import (
    Budget,
    Clock,
    Journal,
    Ledger,
    Log,
    Tombstones,
)

RUN: Final = "run-1"
EMAIL: Final = "a@x.fr"
OTHER: Final = "b@x.fr"
LEAD: Final = f"l-{EMAIL}"
CONTACT: Final = f"p-{EMAIL}"
ANA: Final = "ana@x.fr"
BOB: Final = "bob@x.fr"
CLO: Final = "clo@x.fr"
KINDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l": RecordKind.LEAD,
    "c": RecordKind.CONTACT,
}
PHONE_PAIR: Final = FieldPair("phone", "Phone", Direction.BOTH, contact="Phone")
MAPPING: Final = MappingConfig(1, (EMAIL_PAIR, PHONE_PAIR), None)
LIMITS: Final = ChangeLimits(cleared=100, overwritten=100, share=0.0)
STAGE_LIMITS: Final = StageLimits(1.0, 1.0, 1.0)
PHONE: Final = PHONE_PAIR.key
PHONE_BASE: Final = "phone>Phone"
EMAIL_BASE: Final = "email>Email"
IN_SALESFORCE: Final[Schema] = {
    "Email": Field("Email", FieldKind.EMAIL),
    "Phone": Field("Phone", FieldKind.TEXT),
}
SCHEMAS: Final[Mapping[RecordKind, Schema]] = {
    RecordKind.PLEZI_CONTACT: {
        "email": Field("email", FieldKind.EMAIL),
        "phone": Field("phone", FieldKind.TEXT),
    },
    RecordKind.LEAD: IN_SALESFORCE,
    RecordKind.CONTACT: IN_SALESFORCE,
}


def bound_to(*pairs: FieldPair, fresh: bool = False, version: int = 1) -> BoundMapping:
    """Return a mapping of text fields, bound; without a pair the usual one."""
    mapping = replace(MAPPING, version=version, pairs=pairs or MAPPING.pairs)
    schemas: dict[RecordKind, dict[str, Field]] = {kind: {} for kind in RecordKind}
    for pair in mapping.pairs:
        for kind, name in (
            (RecordKind.PLEZI_CONTACT, pair.plezi),
            (RecordKind.LEAD, pair.salesforce),
            (RecordKind.CONTACT, pair.contact),
        ):
            if name:
                schemas[kind][name] = Field(name, FieldKind.TEXT)
    return replace(bind_mapping(mapping, schemas), is_fresh=fresh)


BOUND: Final = bound_to()


def pair_of(bound: BoundMapping, key: str) -> BoundPair:
    """Return a pair of a mapping."""
    return next(pair for pair in bound.pairs if pair.key == key)


def observed(record: str, email: str = ANA, **changes: Any) -> Observation:
    """Return a record with a phone; its id begins with p (Plezi), l (Lead) or c (Contact)."""
    kind = KINDS[record[0]]
    name = "phone" if kind is RecordKind.PLEZI_CONTACT else "Phone"
    known = Observation(kind, record, email, "1", "2026-01-01T00:00:00Z", 10.0, {name: "1"})
    return replace(known, **changes)


def contact(email: str, phone: Value = "1", **changes: Any) -> Observation:
    """Return a contact of Plezi; its id is `p-` and the e-mail unless it is changed."""
    values = {"email": email, "phone": phone}
    return observed(f"p-{email}", email, **{"values": values, **changes})


def lead(email: str, phone: Value = "1", **changes: Any) -> Observation:
    """Return a Lead; its id is `l-` and the e-mail unless it is changed."""
    values = {"Email": email, "Phone": phone}
    return observed(f"l-{email}", email, **{"values": values, **changes})


def link_of(email: str, *records: Observation, **changes: Any) -> Link:
    """Return a link with these records, on which they agreed: it is not dirty."""
    link = Link(email)
    for record in records:
        link = link.with_observation(record)
    return replace(link, **changes)


def agreed(email: str, phone: Value = "1", *records: Observation, **changes: Any) -> Link:
    """Return the link of a contact and a Lead that agreed on a phone; `records` in their place."""
    link = link_of(email, *(records or (contact(email, phone), lead(email, phone))))
    base = {it.id: {PHONE_BASE: phone, EMAIL_BASE: email} for it in link.observations()}
    return replace(link, base=base, **changes)


class System:
    """One of the two systems: its records, and what happens at its next calls.

    `then` holds, by the name of a method, what is done before its next calls, one for each call.
    `answers` holds the outcomes of writes by record id, in place of those that succeed.
    `hidden` are ids that no look-up finds. `seconds` are those of a creation, an update, a look-up.
    `requests` are the calls that read or describe, in their order: the name and the arguments.
    """

    def __init__(
        self,
        side: Side,
        *records: Observation,
        clock: Clock | None = None,
        schemas: Mapping[RecordKind, Schema] = SCHEMAS,
    ) -> None:
        self.side = side
        self.clock = clock or Clock()
        self.calls = 0
        self.id = f"{side.value}-1"
        self.described = {kind: it for kind, it in schemas.items() if kind.side is side}
        self.records = {it.id: it for it in records}
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
        self.requests: list[tuple[Any, ...]] = []
        self.looked_up: list[Observation] = []
        self.writes: list[Write] = []

    def requests_of(self, method: str) -> list[tuple[Any, ...]]:
        """Return the arguments of the requests of one name."""
        return [request[1:] for request in self.requests if request[0] == method]

    @property
    def reads(self) -> list[Cursor]:
        """The cursors from which the system was read."""
        return [parts[0] for parts in self.requests_of("read")]

    @property
    def looks(self) -> list[str]:
        """The positions from which the recent changes were read."""
        return [parts[0] for parts in self.requests_of("recent")]

    @property
    def look_ups(self) -> list[tuple[list[str], list[str]]]:
        """The ids and the e-mails of each look-up."""
        return [(parts[0], parts[1]) for parts in self.requests_of("look_up")]

    @property
    def invalidations(self) -> int:
        """How often the descriptions of the fields were invalidated."""
        return len(self.requests_of("invalidate"))

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
        return self.described

    def describe(self, *fields: Field) -> None:
        """Describe further or other fields of all kinds of record."""
        names = {field.name: field for field in fields}
        self.described = {kind: {**it, **names} for kind, it in self.described.items()}

    def refresh_schemas(self) -> None:
        self._begin("refresh_schemas", 0)
        self.requests.append(("refresh",))

    def invalidate_schemas(self) -> None:
        self._begin("invalidate_schemas", 0)
        self.requests.append(("invalidate",))

    @staticmethod
    def _shown(record: Observation, scope: ReadScope) -> Observation:
        """Return what a response with the fields of the scope shows of a record."""
        names = scope.field_names[record.kind]
        return replace(
            record, values={it: record.values[it] for it in names if it in record.values}
        )

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read all records of a kind that are newer than the watermark, page by page."""
        self.requests.append(("read", cursor, scope))
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
        self.requests.append(("recent", since, scope))
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
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        ids = [each.id for each in records]
        self.requests.append(("look_up", ids, list(emails), scope, page_urls))
        self.looked_up += records
        self._begin("look_up")
        found = tuple(
            replace(self._shown(each, scope), as_of=self.clock())
            for each in self.records.values()
            if (each.id in ids or each.email in emails) and each.id not in self.hidden
        )
        problems = tuple(
            it for it in self.problems if it.record_id in ids or (it.email and it.email in emails)
        )
        return LookupResult(found, frozenset(self.deleted.intersection(ids)), problems)

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
    is_dry_run: bool = False

    def __post_init__(self) -> None:
        self.plezi = System(Side.PLEZI, clock=self.clock)
        self.org = System(Side.SALESFORCE, clock=self.clock)
        self.deadline = Deadline(self.clock)
        self.ids = 0
        self.ledger.set_enabled(on=True, now=0.0)

    @property
    def context(self) -> SyncContext:
        """All of this as the connector gets it."""
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
            is_dry_run=self.is_dry_run,
        )

    def new_id(self) -> str:
        """Return the next id."""
        self.ids += 1
        return f"id-{self.ids}"

    def store(self, *links: Link, listed: bool = False) -> None:
        """Store links."""
        self.ledger.put(*links, listed=listed)

    def hold(self, *links: Link, listed: bool = True) -> None:
        """Store links; their records are in both systems."""
        self.store(*links, listed=listed)
        for record in (it for link in links for it in link.observations()):
            (self.plezi if record.side is Side.PLEZI else self.org).put(record)

    def link(self, email: str) -> Link:
        """Return a stored link."""
        return self.ledger.load_links([email])[email]

    def request(self, kind: RunKind = RunKind.CHANGES, run: str = RUN, **changes: Any) -> Run:
        """Store the record of a run that is requested now."""
        return self.store_run(Run(run, kind, RunState.REQUESTED, self.clock(), **changes))

    def store_run(self, run: Run) -> Run:
        """Store the record of a run."""
        self.ledger.create_run(run)
        return run

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


def after(number: int, *, again: bool = False) -> Callable[[], bool]:
    """Return what says that the time is used up, after so many questions.

    A further question is a defect unless the test allows to ask `again`.
    """
    answers = iter([*[False] * number, True])
    return lambda: next(answers, True) if again else next(answers)
