"""Every item carries a schema number; an item of a newer schema is refused, never overwritten.

A newer version of the connector is simulated: it is this version with a higher number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws

from connector.aws.dynamodb.audit import DynamoAudit
from connector.aws.dynamodb.form_hints import DynamoFormHints
from connector.aws.dynamodb.idempotency import DynamoIdempotency
from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.mappings import DynamoMappings
from connector.aws.dynamodb.schema import SCHEMAS, ItemKind
from connector.aws.dynamodb.scratch import DynamoScratch
from connector.aws.dynamodb.table import Table
from connector.aws.dynamodb.tombstones import DynamoTombstones, TombstoneKey
from connector.errors import HaltError, StopReason
from connector.mapping import DEFAULT_MAPPING
from connector.model import (
    AuditEntry,
    Breaker,
    Counts,
    Cursor,
    HintedContact,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    Observation,
    Phase,
    Progress,
    RecordKind,
    Run,
    RunKind,
    RunState,
    SessionToken,
    Side,
    WorkList,
)
from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from local.template_settings import table_definitions
from tests.component.harness import REGION, create_table
from tests.retry_policies import IMMEDIATE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Items = Mapping[str, Sequence[Mapping[str, Any]]]


class Stores:
    """Every store, on empty tables."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.ledger = DynamoLedger(client, "LedgerTable", IMMEDIATE)
        self.scratch = DynamoScratch(Table(client, "LedgerTable", IMMEDIATE), "r1", lambda: 1.0)
        self.form_hints = DynamoFormHints(client, "LedgerTable", IMMEDIATE)
        self.idempotency = DynamoIdempotency(client, "LedgerTable", IMMEDIATE)
        self.journal = DynamoJournal(client, "JournalTable", 365, IMMEDIATE)
        self.audit = DynamoAudit(client, "JournalTable", IMMEDIATE)
        self.mappings = DynamoMappings(client, "MappingsTable", IMMEDIATE)
        key = TombstoneKey("tombstones", lambda: b"k" * 64)
        self.tombstones = DynamoTombstones(Table(client, "LedgerTable", IMMEDIATE), key)

    def items(self) -> Items:
        """Return all items by table."""
        return {
            table: self.client.scan(TableName=table, ConsistentRead=True)["Items"]
            for table in table_definitions()
        }


Step = Callable[[Stores], object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """How an item of one kind is stored, read, and written again; all three use one key."""

    store: Step
    reads: tuple[Step, ...]
    writes: tuple[Step, ...]
    batch_writes: tuple[Step, ...] = ()
    """Writes that cannot check the stored item; they must use another key."""


EMAIL: Final = "ana@x.fr"
OBSERVATION: Final = Observation(RecordKind.PLEZI_CONTACT, "p1", EMAIL, "1", "2026-11-24", 1.0, {})
LINK: Final = Link(EMAIL, plezi=OBSERVATION, dirty=True)
OTHER_LINK: Final = replace(LINK, email="bob@x.fr", plezi=replace(OBSERVATION, email="bob@x.fr"))
RUN: Final = Run("r1", RunKind.CHANGES, RunState.REQUESTED, 1.0)
CURSOR: Final = Cursor(RecordKind.LEAD, "w")
TOKEN: Final = SessionToken("t", "https://acme.my.salesforce.com", "1")
BREAKER: Final = Breaker(StopReason.LOGIN_REFUSED, "message", 1.0)
ENTRY: Final = JournalEntry(
    EMAIL, 1.0, "r1", JournalKind.WRITTEN, Side.PLEZI, "p1", "Phone", "1", "2", "changed"
)
AUDIT_ENTRY: Final = AuditEntry("arn:bob", "start", 1.0)
MAPPING: Final = replace(DEFAULT_MAPPING, version=1)


def counts() -> Counts:
    found = Counts()
    found.add(Side.PLEZI, "seen", 3)
    return found


WORK: Final = WorkList("r1", 0)


def store_journal_entries(stores: Stores) -> None:
    stores.journal.write([ENTRY])
    stores.journal.write_dry_run([ENTRY])


SCENARIOS: Final[Mapping[ItemKind, Scenario]] = {
    ItemKind.LINK: Scenario(
        lambda it: it.ledger.save_links([LinkChange(LINK)]),
        (lambda it: it.ledger.load_links([EMAIL]),),
        (
            lambda it: it.ledger.save_links([LinkChange(LINK)]),
            lambda it: it.ledger.save_links(
                [LinkChange(replace(LINK, revision=LINK.next_revision))]
            ),
            lambda it: it.ledger.save_links(
                [LinkChange(OTHER_LINK, replace(LINK, revision=LINK.next_revision))]
            ),
        ),
    ),
    ItemKind.RECORD_POINTER: Scenario(
        lambda it: it.ledger.save_links([LinkChange(LINK)]),
        (lambda it: it.ledger.owner_emails(["p1"]),),
        (lambda it: it.ledger.save_links([LinkChange(OTHER_LINK)]),),
    ),
    ItemKind.WORK_LIST: Scenario(
        lambda it: it.ledger.save_work(WORK, [EMAIL]),
        (lambda it: it.ledger.load_work([WORK]),),
        (
            lambda it: it.ledger.save_work(WORK, [EMAIL]),
            lambda it: it.ledger.save_work(WORK, []),
        ),
    ),
    ItemKind.CURSOR: Scenario(
        lambda it: it.ledger.checkpoint(CURSOR, "r1", Counts()),
        (
            lambda it: it.ledger.load_cursor(RecordKind.LEAD),
            lambda it: it.ledger.applied_version(),
        ),
        (
            lambda it: it.ledger.checkpoint(CURSOR, "r1", Counts()),
            lambda it: it.ledger.checkpoint(CURSOR, "r1", counts()),
        ),
    ),
    ItemKind.RUN: Scenario(
        lambda it: it.ledger.create_run(RUN),
        (lambda it: it.ledger.load_run("r1"), lambda it: it.ledger.list_runs(5)),
        (
            lambda it: it.ledger.create_run(RUN),
            lambda it: it.ledger.start_phase("r1", 1.0, 1, Phase.READ),
            lambda it: it.ledger.end_invocation("r1", idle=1),
            lambda it: it.ledger.note_error("r1", "KeyError in x:1"),
            lambda it: it.ledger.add_counts("r1", Counts(), Progress(lists=1)),
            lambda it: it.ledger.add_counts("r1", counts()),
            lambda it: it.ledger.save_problems("r1", ()),
            lambda it: it.ledger.finish_run("r1", RunState.DONE, 1.0),
            lambda it: it.ledger.checkpoint(CURSOR, "r1", counts()),
        ),
    ),
    ItemKind.DOCUMENT: Scenario(
        lambda it: it.ledger.open_breaker(BREAKER),
        (lambda it: it.ledger.breaker(), lambda it: it.ledger.load_document("breaker")),
        (
            lambda it: it.ledger.open_breaker(BREAKER),
            lambda it: it.ledger.save_document("breaker", {}),
            lambda it: it.ledger.close_breaker(),
        ),
    ),
    ItemKind.SESSION: Scenario(
        lambda it: it.ledger.save_session(TOKEN),
        (lambda it: it.ledger.load_session(),),
        (lambda it: it.ledger.save_session(TOKEN),),
    ),
    ItemKind.LOGIN_LOCK: Scenario(
        lambda it: it.ledger.acquire_login_lock(1.0, 60.0),
        (),
        (
            lambda it: it.ledger.acquire_login_lock(2.0, 60.0),
            lambda it: it.ledger.acquire_login_lock(100.0, 60.0),
            lambda it: it.ledger.release_login_lock(),
        ),
    ),
    ItemKind.CALL_COUNTER: Scenario(
        lambda it: it.ledger.add_calls(10, 1),
        (lambda it: it.ledger.calls_since(10),),
        (lambda it: it.ledger.add_calls(10, 1),),
    ),
    ItemKind.CHANGE_COUNTER: Scenario(
        lambda it: it.ledger.add_form_changes(10, counts()),
        (lambda it: it.ledger.add_form_changes(10, counts()),),
        (lambda it: it.ledger.add_form_changes(10, counts()),),
    ),
    ItemKind.RATE_BUCKET: Scenario(
        lambda it: it.ledger.reserve_slots(1.0, 1, 0.5),
        (),
        (
            lambda it: it.ledger.reserve_slots(1.0, 1, 0.5),
            lambda it: it.ledger.reserve_slots(9.0, 1, 0.5),
            lambda it: it.ledger.postpone_slots(100.0),
        ),
    ),
    ItemKind.IDEMPOTENCY_RECORD: Scenario(
        lambda it: it.idempotency.begin("hash", "trace-1", 1.0),
        (),
        (
            lambda it: it.idempotency.begin("hash", "trace-2", 2.0),
            lambda it: it.idempotency.begin("hash", "trace-2", 1_000_000.0),
            lambda it: it.idempotency.complete("hash", "trace-1", "1", 2.0),
        ),
    ),
    ItemKind.FORM_HINT: Scenario(
        lambda it: it.form_hints.save("trace-1", HintedContact(EMAIL, ""), 1.0),
        (lambda it: it.form_hints.load("trace-1"),),
        (
            lambda it: it.form_hints.save("trace-1", HintedContact(EMAIL, ""), 1.0),
            lambda it: it.form_hints.delete("trace-1"),
        ),
    ),
    ItemKind.JOURNAL_ENTRY: Scenario(
        store_journal_entries,
        (
            lambda it: it.journal.person_entries(EMAIL),
            lambda it: it.journal.run_entries("r1"),
        ),
        (),
        (
            lambda it: it.journal.write([ENTRY]),
            lambda it: it.journal.write_dry_run([ENTRY]),
        ),
    ),
    ItemKind.AUDIT_ENTRY: Scenario(
        lambda it: it.audit.record(AUDIT_ENTRY, "id"),
        (lambda it: it.audit.entries(5),),
        (lambda it: it.audit.record(AUDIT_ENTRY, "id"),),
    ),
    ItemKind.TOMBSTONE: Scenario(
        lambda it: it.tombstones.add([EMAIL], 1.0),
        (lambda it: it.tombstones.erased([EMAIL]),),
        (
            lambda it: it.tombstones.add([EMAIL], 1.0),
            lambda it: it.tombstones.lift(EMAIL),
        ),
    ),
    ItemKind.MAPPING_VERSION: Scenario(
        lambda it: it.mappings.save(MAPPING),
        (
            lambda it: it.mappings.current(),
            lambda it: it.mappings.version(1),
            lambda it: it.mappings.versions(5),
        ),
        (lambda it: it.mappings.save(MAPPING),),
    ),
}
"""What a new kind of item needs too: without it, the tests fail."""
SCRATCH: Final[Mapping[ItemKind, Scenario]] = {
    ItemKind.LINK: Scenario(
        lambda it: it.scratch.save_scratch_links({EMAIL: LINK}),
        (lambda it: it.scratch.load_scratch_links([EMAIL]),),
        (
            lambda it: it.scratch.save_scratch_links({EMAIL: LINK}),
            lambda it: it.scratch.save_scratch_links({EMAIL: None}),
        ),
    ),
    ItemKind.RECORD_POINTER: Scenario(
        lambda it: it.scratch.save_scratch_links({EMAIL: LINK}),
        (lambda it: it.scratch.scratch_owners(["p1"]),),
        (lambda it: it.scratch.save_scratch_links({OTHER_LINK.email: OTHER_LINK}),),
    ),
    ItemKind.WORK_LIST: Scenario(
        lambda it: it.scratch.save_work(WORK, [EMAIL]),
        (lambda it: it.scratch.load_work([WORK]),),
        (
            lambda it: it.scratch.save_work(WORK, [EMAIL]),
            lambda it: it.scratch.save_work(WORK, []),
        ),
    ),
    ItemKind.CURSOR: Scenario(
        lambda it: it.scratch.save_scratch_cursor(CURSOR),
        (lambda it: it.scratch.load_scratch_cursor(RecordKind.LEAD),),
        (lambda it: it.scratch.save_scratch_cursor(CURSOR),),
    ),
}
"""The same for what a dry run stores under keys of its own."""
CASES: Final = [
    *(pytest.param(kind, scenario, id=kind) for kind, scenario in SCENARIOS.items()),
    *(pytest.param(kind, scenario, id=f"dry run: {kind}") for kind, scenario in SCRATCH.items()),
]


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    """One client for all tests: to make one takes longer than a test."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        yield boto3.client("dynamodb", region_name=REGION)


@pytest.fixture(params=["dynamodb", "rehearsal"])
def stores(request: pytest.FixtureRequest, client: DynamoDBClient) -> Iterator[Stores]:
    if request.param == "rehearsal":
        rehearsed: Any = MemoryDynamoDB(Database(table_definitions(), time.time))
        yield Stores(rehearsed)
        return
    for name in table_definitions():
        create_table(client, name)
    yield Stores(client)
    for name in table_definitions():
        client.delete_table(TableName=name)


@contextmanager
def newer_version(kind: ItemKind) -> Iterator[None]:
    """Be a connector whose schema of this kind has the next number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCHEMAS, kind, SCHEMAS[kind] + 1)
        yield


def is_refused(kind: ItemKind, step: Step, stores: Stores) -> bool:
    with pytest.raises(HaltError) as caught:
        step(stores)
    message = str(caught.value)
    assert caught.value.reason is StopReason.NEWER_SCHEMA
    assert f"({kind}) has schema {SCHEMAS[kind] + 1}" in message
    assert f"schema {SCHEMAS[kind]} at most" in message
    assert "deploy the newer version" in message
    return True


def test_every_kind_of_item_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(ItemKind)


@pytest.mark.parametrize(("kind", "scenario"), CASES)
def test_every_item_carries_the_schema_number_of_its_kind(
    stores: Stores, kind: ItemKind, scenario: Scenario
) -> None:
    scenario.store(stores)

    found = [item["schema"]["N"] for items in stores.items().values() for item in items]

    assert str(SCHEMAS[kind]) in found


@pytest.mark.parametrize("scenario", [it.values[1] for it in CASES], ids=[it.id for it in CASES])
def test_an_item_of_the_present_schema_is_read_and_written(
    stores: Stores, scenario: Scenario
) -> None:
    scenario.store(stores)
    for read in scenario.reads:
        read(stores)
    for write in scenario.batch_writes:
        write(stores)


@pytest.mark.parametrize(("kind", "scenario"), CASES)
def test_an_item_of_a_newer_schema_is_refused_and_not_overwritten(
    stores: Stores, kind: ItemKind, scenario: Scenario
) -> None:
    with newer_version(kind):
        scenario.store(stores)
    before = stores.items()

    for step in (*scenario.reads, *scenario.writes):
        assert is_refused(kind, step, stores)
        assert stores.items() == before

    for write in scenario.batch_writes:
        write(stores)
    after = stores.items()
    assert all(item in after[table] for table, items in before.items() for item in items)


def test_a_link_that_a_newer_version_changed_is_refused_and_the_other_links_are_stored(
    stores: Stores,
) -> None:
    stores.ledger.save_links([LinkChange(LINK)])
    link = stores.ledger.load_links([EMAIL])[EMAIL]
    other = replace(OTHER_LINK, plezi=replace(OBSERVATION, id="p2", email="bob@x.fr"))
    with newer_version(ItemKind.LINK):
        stores.ledger.save_links([LinkChange(replace(link, dirty=False))])

    changes = [LinkChange(replace(link, primary_lead="l1")), LinkChange(other)]
    assert is_refused(ItemKind.LINK, lambda it: it.ledger.save_links(changes), stores)

    assert list(stores.ledger.load_links(["bob@x.fr"])) == ["bob@x.fr"]
    with newer_version(ItemKind.LINK):
        kept = stores.ledger.load_links([EMAIL])[EMAIL]
    assert (kept.revision, kept.dirty, kept.primary_lead) == (link.next_revision, False, "")
