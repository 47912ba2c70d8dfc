"""One contract for ledger, journal and mappings, in memory and in DynamoDB, so that both agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.mappings import DynamoMappings
from connector.errors import StaleError, StopReason
from connector.mapping import DEFAULT_MAPPING
from connector.model import (
    AgreedValue,
    AttentionKind,
    BaseUpdate,
    Breaker,
    Counts,
    Cursor,
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    MergeRule,
    Observation,
    Phase,
    RecordKind,
    Run,
    RunKind,
    RunState,
    SessionToken,
    Side,
    Write,
)
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue
from tests.component.harness import REGION, create_table, table_definitions
from tests.retry_policies import IMMEDIATE

Ledger: TypeAlias = MemoryLedger | DynamoLedger
Journal: TypeAlias = MemoryJournal | DynamoJournal
Configuration: TypeAlias = MemoryMappings | DynamoMappings


@pytest.fixture(params=["memory", "dynamodb"])
def ports(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Journal, Configuration]]:
    if request.param == "memory":
        yield MemoryLedger(), MemoryJournal(), MemoryMappings()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        for name in table_definitions():
            create_table(client, name)
        yield (
            DynamoLedger(client, "LedgerTable", IMMEDIATE),
            DynamoJournal(client, "JournalTable", 365, IMMEDIATE),
            DynamoMappings(client, "MappingsTable", IMMEDIATE),
        )


@pytest.fixture
def ledger(ports: tuple[Ledger, Journal, Configuration]) -> Ledger:
    return ports[0]


@pytest.fixture
def journal(ports: tuple[Ledger, Journal, Configuration]) -> Journal:
    return ports[1]


@pytest.fixture
def configuration(ports: tuple[Ledger, Journal, Configuration]) -> Configuration:
    return ports[2]


def observed(
    record: str = "p1", kind: RecordKind = RecordKind.PLEZI_CONTACT, **values: str
) -> Observation:
    return Observation(kind, record, "ana@x.fr", "1", "2026-11-24T10:00:00", 1.5, values)


def link(email: str = "ana@x.fr", **changes: object) -> Link:
    return replace(Link(email, plezi=observed(phone="1"), dirty=True), **changes)  # type: ignore[arg-type]  # a Link's fields


def stored(ledger: Ledger, email: str = "ana@x.fr") -> Link:
    return ledger.load_links([email])[email]


def test_a_link_is_loaded_as_it_was_saved(ledger: Ledger) -> None:
    write = Write(RecordKind.LEAD, "l1", "ana@x.fr", {"Phone": "2"}, {"Phone": "1"}, "7")
    base_update = BaseUpdate(
        "Phone",
        {"l1": AgreedValue("Phone", "2")},
        frozenset({"l1"}),
        MergeRule.CHANGED,
        {"l2": "Phone"},
    )
    before = link(
        salesforce=(observed("l1", RecordKind.LEAD, Phone="1"),),
        base={"p1": {"phone": "1"}},
        intent=Intent("i", "r", 2.5, (write,), (base_update,)),
        holds={"Phone": Hold(HoldReason.CONFLICT, 3.0, {"p1": "1"})},
        primary_lead="l1",
    )

    assert ledger.save_links([LinkChange(before)]) == frozenset()

    after = stored(ledger)
    assert (after.revision, after.indexed_records) == (1, frozenset({"p1", "l1"}))
    assert replace(after, revision=0, indexed_records=frozenset()) == before
    assert ledger.owner_emails(["p1", "l1", "nobody"]) == {"p1": "ana@x.fr", "l1": "ana@x.fr"}


def test_a_save_on_an_older_revision_is_refused_and_the_others_are_stored(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    ledger.save_links([LinkChange(replace(saved, dirty=False))])

    refused = ledger.save_links(
        [LinkChange(saved), LinkChange(link("bob@x.fr", plezi=observed("p2")))]
    )

    assert refused == frozenset({"ana@x.fr"})
    assert not stored(ledger).dirty
    assert stored(ledger, "bob@x.fr").revision == 1


def test_a_new_link_is_refused_where_one_exists(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    assert ledger.save_links([LinkChange(link())]) == frozenset({"ana@x.fr"})


def test_a_moved_link_is_stored_once_and_its_pointers_follow(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    moved = replace(saved, email="new@x.fr", revision=0, indexed_records=frozenset())

    assert ledger.save_links([LinkChange(moved, saved)]) == frozenset()

    assert ledger.load_links(["ana@x.fr"]) == {}
    assert ledger.owner_emails(["p1"]) == {"p1": "new@x.fr"}


def test_a_move_of_a_link_that_changed_is_refused(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    ledger.save_links([LinkChange(replace(saved, dirty=False))])
    moved = replace(saved, email="new@x.fr", revision=0, indexed_records=frozenset())

    assert ledger.save_links([LinkChange(moved, saved)]) == frozenset({"new@x.fr"})
    assert ledger.load_links(["new@x.fr"]) == {}


def test_one_save_writes_an_e_mail_once(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    moved = LinkChange(
        replace(saved, email="ann@x.fr", revision=0, indexed_records=frozenset()), saved
    )

    with pytest.raises((ValueError, ClientError)):
        ledger.save_links([moved, LinkChange(link(plezi=observed("p2")))])

    assert stored(ledger) == saved


def test_dirty_links_are_listed_in_order_page_by_page(ledger: Ledger) -> None:
    emails = [f"{letter}@x.fr" for letter in "cab"]
    ledger.save_links([LinkChange(link(email, plezi=observed(email))) for email in emails])
    ledger.save_links([LinkChange(link("clean@x.fr", plezi=observed("p9"), dirty=False))])

    assert ledger.dirty_emails(2) == ["a@x.fr", "b@x.fr"]
    assert ledger.dirty_emails(2, "b@x.fr") == ["c@x.fr"]


def test_links_that_need_attention_are_listed(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link(holds={"Phone": Hold(HoldReason.CONFLICT, 1.0, {})}))])
    assert ledger.emails_needing_attention(AttentionKind.HOLD, 10) == ["ana@x.fr"]
    assert ledger.emails_needing_attention(AttentionKind.QUARANTINE, 10) == []


def test_a_checkpoint_stores_the_cursor_and_adds_the_counts(ledger: Ledger) -> None:
    ledger.create_run(Run("r1", RunKind.CHANGES, RunState.REQUESTED, 1.0))
    counts = Counts()
    counts.add(Side.PLEZI, "seen", 3)
    cursor = Cursor(
        RecordKind.LEAD,
        "w",
        "place",
        "cover",
        1.0,
        2.0,
        full=True,
        mapping_version=3,
        applied_version=2,
    )

    assert ledger.load_cursor(RecordKind.LEAD) == Cursor(RecordKind.LEAD)
    ledger.checkpoint(cursor, "r1", counts)
    ledger.add_counts("r1", counts)

    assert ledger.load_cursor(RecordKind.LEAD) == cursor
    run = ledger.load_run("r1")
    assert run is not None
    assert run.counts == {"plezi": {"seen": 6}}


def test_a_run_is_stored_from_request_to_end(ledger: Ledger) -> None:
    requested = Run("r1", RunKind.SELECTED, RunState.REQUESTED, 1.0, emails=("ana@x.fr",))
    ledger.create_run(requested)
    ledger.start_phase("r1", 2.0, 4)
    ledger.start_phase("r1", 3.0, 4)
    ledger.finish_run("r1", RunState.HALTED, 5.0, StopReason.MAPPING, "what to do")

    expected = replace(
        requested,
        state=RunState.HALTED,
        started_at=2.0,
        finished_at=5.0,
        invocations=2,
        mapping_version=4,
        reason=StopReason.MAPPING,
        message="what to do",
    )
    assert ledger.load_run("r1") == expected
    assert ledger.list_runs(5) == [expected]
    assert ledger.list_runs(5, forms=True) == []


def test_session_breaker_switch_and_documents_are_stored(ledger: Ledger) -> None:
    assert not ledger.is_enabled()
    assert (ledger.load_session(), ledger.breaker(), ledger.load_document("x")) == (
        None,
        None,
        None,
    )
    token = SessionToken("t", "https://acme.my.salesforce.com", "1")
    breaker = Breaker(StopReason.LOGIN_REFUSED, "why", 1.0, "1")

    ledger.set_enabled(on=True, now=1.0)
    ledger.save_session(token)
    ledger.open_breaker(breaker)
    ledger.save_document("x", {"a": [1]})
    ledger.save_suspended_pairs({"Phone": "hidden"})
    ledger.add_calls(10, 5)
    ledger.add_calls(33, 2)

    assert ledger.is_enabled()
    assert (ledger.load_session(), ledger.breaker()) == (token, breaker)
    assert ledger.load_document("x") == {"a": [1]}
    assert ledger.suspended_pairs() == {"Phone": "hidden"}
    assert (ledger.calls_since(10), ledger.calls_since(11)) == (7, 2)
    ledger.close_breaker()
    assert ledger.breaker() is None


def test_one_login_at_a_time(ledger: Ledger) -> None:
    assert ledger.acquire_login_lock(100.0, 60.0)
    assert not ledger.acquire_login_lock(130.0, 60.0)
    ledger.release_login_lock()
    assert ledger.acquire_login_lock(131.0, 60.0)
    assert ledger.acquire_login_lock(200.0, 60.0)


def test_permission_to_clear_fields_ends_and_closes_its_breaker(ledger: Ledger) -> None:
    assert ledger.clearing_allowed_until() == 0.0
    ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "why", 1.0))
    ledger.allow_clearing(50.0)
    assert ledger.clearing_allowed_until() == 50.0
    assert ledger.breaker() is None


def test_a_journal_entry_written_twice_is_stored_once(journal: Journal) -> None:
    entry = JournalEntry(
        "ana@x.fr",
        1.0,
        "r1",
        JournalKind.OVERWRITTEN,
        Side.PLEZI,
        "p1",
        "Phone",
        "1",
        "2",
        "newest",
    )
    journal.write([entry])
    journal.write([entry, replace(entry, at=2.0, before="3")])

    assert [each.before for each in journal.person_entries("ana@x.fr").entries] == ["3", "1"]
    assert [each.before for each in journal.run_entries("r1").entries] == ["1", "3"]


def test_a_version_of_the_mapping_is_saved_once(configuration: Configuration) -> None:
    assert configuration.current() == DEFAULT_MAPPING
    first = replace(DEFAULT_MAPPING, version=1, pairs=DEFAULT_MAPPING.pairs[:3])
    configuration.save(first)

    assert configuration.current() == configuration.version(1) == first
    assert configuration.version(0) == DEFAULT_MAPPING
    with pytest.raises(StaleError):
        configuration.save(first)


def test_the_run_queue_keeps_the_order() -> None:
    queue = MemoryRunQueue()
    queue.send("r1", Phase.READ)
    queue.send("r1", Phase.RESOLVE)
    assert queue.messages == [("r1", Phase.READ), ("r1", Phase.RESOLVE)]
