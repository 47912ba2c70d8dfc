"""One contract for ledger, journal and mappings, in memory and in DynamoDB, so that both agree."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from connector.aws.dynamodb.item_size import MAX_ITEM_BYTES
from connector.aws.dynamodb.journal import MAX_KEYS, DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.mappings import DynamoMappings
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.scratch import DynamoScratch
from connector.aws.dynamodb.table import Condition, PutResult, Table, partition_key
from connector.errors import MASS_CHANGES, StaleError, StopReason
from connector.mapping import DEFAULT_MAPPING
from connector.model import (
    IN_PLEZI,
    MAX_LISTED,
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
    JournalPage,
    Link,
    LinkChange,
    MappingProblem,
    MergeRule,
    Observation,
    Phase,
    Progress,
    RecordKind,
    Run,
    RunKind,
    RunState,
    SaveResult,
    SessionToken,
    Side,
    WorkList,
    Write,
)
from connector.page_token import encode_page_token
from connector.stores import Reservation
from connector.sync.ports import ScratchStore
from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from local.template_settings import table_definitions
from local.world.memory import (
    MemoryJournal,
    MemoryLedger,
    MemoryMappings,
    MemoryRunQueue,
    MemoryScratch,
)
from tests.component.harness import REGION, create_table
from tests.retry_policies import IMMEDIATE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from connector.aws.dynamodb.table import Item

Ledger: TypeAlias = MemoryLedger | DynamoLedger
Journal: TypeAlias = MemoryJournal | DynamoJournal
Configuration: TypeAlias = MemoryMappings | DynamoMappings


@pytest.fixture(params=["memory", "dynamodb", "rehearsal"])
def ports(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Journal, Configuration]]:
    if request.param == "memory":
        yield MemoryLedger(), MemoryJournal(), MemoryMappings()
        return
    if request.param == "rehearsal":
        rehearsed: Any = MemoryDynamoDB(Database(table_definitions(), time.time))
        yield (
            DynamoLedger(rehearsed, "LedgerTable", IMMEDIATE),
            DynamoJournal(rehearsed, "JournalTable", 365, IMMEDIATE),
            DynamoMappings(rehearsed, "MappingsTable", IMMEDIATE),
        )
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
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    """A client of moto's DynamoDB, with the tables of the template."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        for name in table_definitions():
            create_table(client, name)
        yield client


@pytest.fixture
def dynamo_journal(dynamodb: DynamoDBClient) -> DynamoJournal:
    return DynamoJournal(dynamodb, "JournalTable", 365, IMMEDIATE)


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


def incompressible(length: int, seed: int = 0) -> str:
    """Return a text that takes about `length` bytes however it is compressed."""
    return Random(seed).randbytes(length).hex()  # noqa: S311  # test data


def many_values() -> dict[str, str]:
    """Return values that do not fit into an item: none is long enough for a digest."""
    return {f"field{number}": incompressible(450, number) for number in range(1_000)}


def stored(ledger: Ledger, email: str = "ana@x.fr") -> Link:
    return ledger.load_links([email])[email]


def test_a_link_is_loaded_as_it_was_saved(ledger: Ledger) -> None:
    write = Write(RecordKind.LEAD, "l1", "ana@x.fr", {"Phone": "2"}, {"Phone": "1"}, "7")
    base_update = BaseUpdate(
        "Phone",
        {"l1": AgreedValue("phone>Phone", "Phone", "2")},
        frozenset({"l1"}),
        MergeRule.CHANGED,
        {"l2": "Phone"},
    )
    before = link(
        salesforce=(observed("l1", RecordKind.LEAD, Phone="1"),),
        base={"p1": {"phone>Phone": "1"}},
        intent=Intent("i", "r", 2.5, (write,), (base_update,)),
        holds={"Phone": Hold(HoldReason.CONFLICT, 3.0, {"p1": "1"})},
        primary_lead="l1",
    )

    assert ledger.save_links([LinkChange(before)]) == SaveResult()

    after = stored(ledger)
    assert (after.revision, after.indexed) == (
        before.next_revision,
        frozenset({"p1", "l1"}),
    )
    assert replace(after, revision=0, indexed=frozenset()) == before
    assert ledger.owner_emails(["p1", "l1", "nobody"]) == {"p1": "ana@x.fr", "l1": "ana@x.fr"}


def test_a_save_on_an_older_revision_is_refused_and_the_others_are_stored(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    ledger.save_links([LinkChange(replace(saved, dirty=False))])

    result = ledger.save_links(
        [LinkChange(saved), LinkChange(link("bob@x.fr", plezi=observed("p2")))]
    )

    assert result == SaveResult(refused=frozenset({"ana@x.fr"}))
    assert not stored(ledger).dirty
    assert stored(ledger, "bob@x.fr").plezi == observed("p2")


def test_a_new_link_is_refused_where_one_exists(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    result = ledger.save_links([LinkChange(link())])
    assert result == SaveResult(refused=frozenset({"ana@x.fr"}))


def test_the_owner_of_a_record_that_another_link_gets_is_returned(ledger: Ledger) -> None:
    """Not where the link of a record has moved: its e-mail is another one, its person the same."""
    ledger.save_links([LinkChange(link())])

    other = link("bob@x.fr", salesforce=(observed("l1", RecordKind.LEAD),))
    assert ledger.save_links([LinkChange(other)]) == SaveResult(displaced={"p1": "ana@x.fr"})
    assert ledger.owner_emails(["p1", "l1"]) == {"p1": "bob@x.fr", "l1": "bob@x.fr"}

    saved = stored(ledger, "bob@x.fr")
    moved = replace(saved, email="new@x.fr", revision=0, indexed=frozenset())
    assert ledger.save_links([LinkChange(moved, saved)]) == SaveResult()


def test_a_moved_link_is_stored_once_and_its_pointers_follow(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    moved = replace(saved, email="new@x.fr", revision=0, indexed=frozenset())

    assert ledger.save_links([LinkChange(moved, saved)]) == SaveResult()

    assert ledger.load_links(["ana@x.fr"]) == {}
    assert ledger.owner_emails(["p1"]) == {"p1": "new@x.fr"}


def test_a_link_is_found_by_the_e_mail_that_it_waits_for_until_it_does_not_wait(
    ledger: Ledger,
) -> None:
    changed = replace(observed(), email="bob@x.fr")
    hold = Hold(HoldReason.EMAIL_TAKEN, 3.0, {"p1": "bob@x.fr"})
    ledger.save_links([LinkChange(link(plezi=changed, holds={"Email": hold}))])
    assert ledger.owner_emails(["bob@x.fr", "p1"]) == {"bob@x.fr": "ana@x.fr", "p1": "ana@x.fr"}
    saved = stored(ledger)

    ledger.save_links([LinkChange(replace(saved, holds={}))])
    assert ledger.owner_emails(["bob@x.fr", "p1"]) == {"p1": "ana@x.fr"}


def test_a_link_is_found_by_the_e_mail_of_its_contact_until_it_gets_that_of_the_link(
    ledger: Ledger,
) -> None:
    former = replace(observed(), email="bob@x.fr")
    ledger.save_links([LinkChange(link(plezi=former))])
    assert ledger.owner_emails([IN_PLEZI + "bob@x.fr"]) == {IN_PLEZI + "bob@x.fr": "ana@x.fr"}
    saved = stored(ledger)

    ledger.save_links([LinkChange(replace(saved, plezi=observed()))])
    assert ledger.owner_emails([IN_PLEZI + "bob@x.fr", "p1"]) == {"p1": "ana@x.fr"}


def test_a_link_that_moves_is_not_found_by_the_e_mail_that_it_waited_for(ledger: Ledger) -> None:
    changed = replace(observed(), email="bob@x.fr")
    hold = Hold(HoldReason.EMAIL_TAKEN, 3.0, {"p1": "bob@x.fr"})
    ledger.save_links([LinkChange(link(plezi=changed, holds={"Email": hold}))])
    saved = stored(ledger)
    moved = replace(saved, email="bob@x.fr", revision=0, indexed=frozenset(), holds={})

    ledger.save_links([LinkChange(moved, saved)])

    assert ledger.owner_emails(["bob@x.fr", "p1"]) == {"p1": "bob@x.fr"}


@pytest.mark.parametrize("states", [1, 2, 3])
def test_a_link_that_gets_the_e_mail_of_one_that_moved_is_not_taken_for_it(
    ledger: Ledger, states: int
) -> None:
    """A process that knows the former link may continue after any number of stored states."""
    ledger.save_links([LinkChange(link())])
    known = stored(ledger)
    moved = replace(known, email="new@x.fr", revision=0, indexed=frozenset())
    ledger.save_links([LinkChange(moved, known)])
    ledger.save_links([LinkChange(link(plezi=observed("p2")))])
    for _ in range(1, states):
        ledger.save_links([LinkChange(stored(ledger))])
    before = stored(ledger)

    for revision in (known.revision, known.next_revision, known.next_revision + 1):
        stale = replace(known, revision=revision)
        result = ledger.save_links([LinkChange(stale)])
        assert result == SaveResult(refused=frozenset({"ana@x.fr"}))

    assert stored(ledger) == before


def test_a_move_of_a_link_that_changed_is_refused(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    ledger.save_links([LinkChange(replace(saved, dirty=False))])
    moved = replace(saved, email="new@x.fr", revision=0, indexed=frozenset())

    result = ledger.save_links([LinkChange(moved, saved)])
    assert result == SaveResult(refused=frozenset({"new@x.fr"}))
    assert ledger.load_links(["new@x.fr"]) == {}


def test_one_save_writes_an_e_mail_once(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())])
    saved = stored(ledger)
    moved = LinkChange(replace(saved, email="ann@x.fr", revision=0, indexed=frozenset()), saved)

    with pytest.raises((ValueError, ClientError)):
        ledger.save_links([moved, LinkChange(link(plezi=observed("p2")))])

    assert stored(ledger) == saved


def test_dirty_links_are_listed_in_order_page_by_page(ledger: Ledger) -> None:
    emails = [f"{letter}@x.fr" for letter in "cab"]
    ledger.save_links([LinkChange(link(email, plezi=observed(email))) for email in emails])
    ledger.save_links([LinkChange(link("clean@x.fr", plezi=observed("p9"), dirty=False))])

    assert ledger.dirty_emails(2) == ["a@x.fr", "b@x.fr"]
    assert ledger.dirty_emails(2, "b@x.fr") == ["c@x.fr"]


def test_a_dirty_link_on_a_work_list_is_not_listed_a_second_time(ledger: Ledger) -> None:
    ledger.save_links([LinkChange(link())], listed=True)
    assert ledger.dirty_emails(10) == []
    assert stored(ledger).dirty

    ledger.save_links([LinkChange(stored(ledger))])
    assert ledger.dirty_emails(10) == ["ana@x.fr"]

    ledger.save_links([LinkChange(stored(ledger))], listed=True)
    assert ledger.dirty_emails(10) == []


def test_a_work_list_is_replaced_and_is_gone_when_it_is_empty(ledger: Ledger) -> None:
    work, other = WorkList("r1", 0), WorkList("r1", 1)
    many = [f"\u00e9{number}@x.fr" for number in range(MAX_LISTED)]
    ledger.save_work(work, many)
    assert ledger.load_work([work, other]) == {work: tuple(many)}

    ledger.save_work(work, ["ana@x.fr"])
    assert ledger.load_work([work]) == {work: ("ana@x.fr",)}

    ledger.save_work(work, [])
    ledger.save_work(other, [])
    assert ledger.load_work([work, other]) == {}
    assert ledger.open_work(10) == []


def test_work_lists_are_found_in_order_page_by_page_apart_from_links(ledger: Ledger) -> None:
    lists = [WorkList("r1", 2), WorkList("r1", 10), WorkList("r2", 0)]
    for work in reversed(lists):
        ledger.save_work(work, ["ana@x.fr"])
    ledger.save_links([LinkChange(link())])

    assert ledger.open_work(2) == lists[:2]
    assert ledger.open_work(2, lists[1]) == lists[2:]
    assert ledger.open_work(10, lists[2]) == []
    assert ledger.dirty_emails(10) == ["ana@x.fr"]


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
    ledger.start_phase("r1", 2.0, 4, Phase.READ)
    ledger.start_phase("r1", 3.0, 4, Phase.RESOLVE)
    ledger.finish_run("r1", RunState.HALTED, 5.0, StopReason.MAPPING, "what to do")

    expected = replace(
        requested,
        state=RunState.HALTED,
        started_at=2.0,
        active_at=3.0,
        phase=Phase.RESOLVE,
        finished_at=5.0,
        invocations=2,
        mapping_version=4,
        reason=StopReason.MAPPING,
        message="what to do",
    )
    assert ledger.load_run("r1") == expected
    assert ledger.list_runs(5) == [expected]
    assert ledger.list_runs(5, forms=True) == []


def test_m6_the_problems_of_a_mapping_are_stored_with_the_run(ledger: Ledger) -> None:
    ledger.create_run(Run("r1", RunKind.DRY_RUN, RunState.REQUESTED, 1.0))
    problem = MappingProblem("unknown_name", "Nope__c", "salesforce", "no such field", "create it")

    ledger.save_problems("r1", (problem, replace(problem, pair="Nö")))
    run = ledger.load_run("r1")
    assert run is not None
    assert run.problems == (problem, replace(problem, pair="Nö"))

    ledger.save_problems("r1", ())
    run = ledger.load_run("r1")
    assert run is not None
    assert run.problems == ()


def test_what_an_invocation_leaves_is_stored_with_the_run(ledger: Ledger) -> None:
    ledger.create_run(Run("r1", RunKind.CHANGES, RunState.REQUESTED, 1.0))
    position = WorkList("r0", 7)

    ledger.add_counts("r1", Counts(), Progress(lists=1, listed=3))
    ledger.checkpoint(Cursor(RecordKind.LEAD), "r1", Counts(), Progress(2, 4, 5))
    ledger.end_invocation("r1", idle=2, position=position, visited_lists=3)

    run = ledger.load_run("r1")
    assert run is not None
    assert run.progress == Progress(lists=3, listed=7, resolved=5)
    assert (run.idle, run.error, run.position, run.visited_lists) == (2, "", position, 3)
    ledger.note_error("r1", "KeyError in x:1")
    run = ledger.load_run("r1")
    assert run is not None
    assert (run.idle, run.error, run.position, run.visited_lists) == (
        2,
        "KeyError in x:1",
        position,
        3,
    )
    ledger.end_invocation("r1", idle=0)
    run = ledger.load_run("r1")
    assert run is not None
    assert (run.idle, run.error, run.position) == (0, "", None)


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


def test_slots_are_handed_out_once_and_in_order(ledger: Ledger) -> None:
    assert ledger.reserve_slots(100.0, 4, 0.5) == Reservation(100.0, 0.0)
    assert ledger.reserve_slots(100.1, 1, 0.5) == Reservation(102.0, 0.0)
    assert ledger.reserve_slots(101.0, 2, 0.5) == Reservation(102.5, 0.0)


def test_slots_that_nobody_took_are_lost(ledger: Ledger) -> None:
    ledger.reserve_slots(100.0, 1, 0.5)
    assert ledger.reserve_slots(200.0, 1, 0.5) == Reservation(200.0, 0.0)
    assert ledger.reserve_slots(200.0, 1, 0.5) == Reservation(200.5, 0.0)


def test_a_rate_that_is_no_whole_number_of_microseconds_is_never_exceeded(ledger: Ledger) -> None:
    starts = [ledger.reserve_slots(100.0, 1, 1 / 3).start for _ in range(4)]
    assert all(after - before >= 1 / 3 - 1e-9 for before, after in pairwise(starts))
    assert starts[3] == pytest.approx(101.0, abs=1e-5)


def test_no_slot_is_handed_out_while_the_server_accepts_no_calls(ledger: Ledger) -> None:
    ledger.reserve_slots(100.0, 4, 0.5)
    ledger.postpone_slots(110.0)
    ledger.postpone_slots(105.0)

    assert ledger.reserve_slots(100.5, 2, 0.5) == Reservation(110.0, 110.0)
    assert ledger.reserve_slots(120.0, 2, 0.5) == Reservation(120.0, 0.0)


def test_the_first_answer_of_a_busy_server_is_remembered(ledger: Ledger) -> None:
    ledger.postpone_slots(110.0)
    assert ledger.reserve_slots(100.0, 1, 0.5) == Reservation(110.0, 110.0)


def test_a_process_whose_clock_is_an_hour_ahead_does_not_stop_the_others(ledger: Ledger) -> None:
    ledger.reserve_slots(3700.0, 1, 0.5)
    assert ledger.reserve_slots(100.0, 1, 0.5) == Reservation(100.0, 0.0)


def test_a_process_whose_clock_is_a_second_ahead_delays_the_others_by_a_second(
    ledger: Ledger,
) -> None:
    ledger.reserve_slots(101.0, 1, 0.5)
    assert ledger.reserve_slots(100.0, 1, 0.5) == Reservation(101.5, 0.0)


def test_what_forms_change_is_added_up_for_a_day(ledger: Ledger) -> None:
    counts = Counts()
    counts.add(Side.PLEZI, "cleared.Phone")
    counts.add(Side.SALESFORCE, "overwritten.Title", 2)

    ledger.add_form_changes(10, counts)

    assert ledger.add_form_changes(10, counts) == {
        "plezi": {"cleared.Phone": 2},
        "salesforce": {"overwritten.Title": 4},
    }
    assert ledger.add_form_changes(11, counts)["plezi"] == {"cleared.Phone": 1}


def test_the_counts_of_hundreds_of_fields_are_stored(ledger: Ledger) -> None:
    ledger.create_run(Run("r1", RunKind.FULL, RunState.REQUESTED, 1.0))
    counts = Counts()
    for number in range(350):
        counts.add(Side.SALESFORCE, f"overwritten.Field{number}__c", number + 1)

    ledger.add_counts("r1", counts)

    run = ledger.load_run("r1")
    assert run is not None
    assert run.counts["salesforce"]["overwritten.Field349__c"] == 350
    assert len(run.counts["salesforce"]) == 350


@pytest.mark.parametrize("reason", sorted(MASS_CHANGES))
def test_permission_to_change_without_a_limit_ends_and_closes_its_breaker(
    ledger: Ledger, reason: StopReason
) -> None:
    assert ledger.clearing_allowed_until() == 0.0
    ledger.open_breaker(Breaker(reason, "why", 1.0))
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


def test_the_people_of_a_run_and_their_entries_since_a_time_are_found(journal: Journal) -> None:
    entry = journal_entry(1, email="ana@x.fr")
    later = replace(entry, at=2.0, run_id="r2", before="3")
    bob = replace(entry, email="bob@x.fr")
    journal.write([replace(entry, at=0.5, run_id="r0"), entry, bob])
    journal.write([replace(entry, at=1.5, field="Fax"), later])

    assert list(journal.people_of_run("r1")) == ["ana@x.fr", "bob@x.fr"]
    assert list(journal.people_of_run("unknown")) == []
    found = journal.entries_since(["ana@x.fr", "bob@x.fr"], 1.0)
    assert [(it.at, it.run_id) for it in found["ana@x.fr"]] == [(1.0, "r1"), (1.5, "r1"), (2, "r2")]
    assert found["bob@x.fr"] == (bob,)


def journal_entry(number: int, **changes: object) -> JournalEntry:
    """Return the entry of one moment (`number`), about one person in ten."""
    entry = JournalEntry(
        f"p{number % 10}@x.fr",
        float(number),
        "r1",
        JournalKind.WRITTEN,
        Side.PLEZI,
        "p1",
        "Phone",
        None,
        str(number),
        "changed",
    )
    return replace(entry, **changes)  # type: ignore[arg-type]  # an entry's fields


def all_pages(read: Callable[[str], JournalPage]) -> list[JournalPage]:
    """Read page by page until there is no other."""
    pages = [read("")]
    while pages[-1].next:
        pages.append(read(pages[-1].next))
    return pages


def test_the_history_of_a_person_is_read_page_by_page_newest_first(
    dynamo_journal: DynamoJournal,
) -> None:
    entries = [journal_entry(number, email="ana@x.fr") for number in range(25)]
    for entry in entries:
        dynamo_journal.write([entry, replace(entry, field="Fax")])

    pages = all_pages(lambda after: dynamo_journal.person_entries("ana@x.fr", 7, after))

    assert [len(page.entries) for page in pages] == [7] * 7 + [1]
    found = [(it.at, it.field) for page in pages for it in page.entries]
    assert found == [(it.at, field) for it in reversed(entries) for field in ("Phone", "Fax")]


def test_the_entries_of_a_run_are_read_page_by_page_oldest_first(
    dynamo_journal: DynamoJournal,
) -> None:
    entries = [journal_entry(number) for number in range(MAX_KEYS + 250)]
    other = journal_entry(3, run_id="r2")
    dynamo_journal.write([*entries, other])
    dynamo_journal.write([journal_entry(5_000)])

    pages = all_pages(lambda after: dynamo_journal.run_entries("r1", 300, after))

    assert [len(page.entries) for page in pages] == [300, 300, 300, 300, 51]
    assert [it for page in pages for it in page.entries] == [*entries, journal_entry(5_000)]
    assert dynamo_journal.run_entries("r2").entries == (other,)


def test_the_plan_of_a_dry_run_is_read_page_by_page_by_person(
    dynamo_journal: DynamoJournal,
) -> None:
    entries = [journal_entry(number, field=f"F{number}") for number in range(40)]
    dynamo_journal.write_dry_run(entries)

    pages = all_pages(lambda after: dynamo_journal.run_entries("r1", 9, after))

    found = [it for page in pages for it in page.entries]
    assert [len(page.entries) for page in pages] == [9, 9, 9, 9, 4]
    assert sorted(found, key=lambda it: it.at) == entries
    assert [it.email for it in found] == sorted(it.email for it in entries)
    assert dynamo_journal.person_entries("p1@x.fr").entries == ()


@pytest.mark.parametrize("token", ["x", "e30=", encode_page_token("[]")])
def test_a_text_that_is_no_page_token_is_refused(dynamo_journal: DynamoJournal, token: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        dynamo_journal.person_entries("ana@x.fr", 5, token)
    with pytest.raises(ValueError, match=r"."):
        dynamo_journal.run_entries("r1", 5, token)


def test_entries_of_very_long_texts_are_stored_in_several_items(
    dynamo_journal: DynamoJournal,
) -> None:
    """Random texts: compression makes them hardly shorter."""
    texts = [incompressible(65_000, number) for number in range(8)]
    entries = [
        journal_entry(1, field=f"F{number}", after=text) for number, text in enumerate(texts)
    ]

    dynamo_journal.write(entries)

    found = dynamo_journal.person_entries("p1@x.fr").entries
    assert sorted(found, key=lambda it: it.field) == entries
    assert set(dynamo_journal.run_entries("r1").entries) == set(entries)


class TestScratch:
    """What a dry run stores."""

    @pytest.fixture(params=["memory", "dynamodb"])
    def scratch(self, request: pytest.FixtureRequest) -> ScratchStore:
        if request.param == "memory":
            return MemoryScratch()
        table = Table(request.getfixturevalue("dynamodb"), "LedgerTable", IMMEDIATE)
        return DynamoScratch(table, "r1", lambda: 100.0)

    def test_a_link_is_loaded_as_it_was_saved_without_a_condition(
        self, scratch: ScratchStore
    ) -> None:
        before = link(revision=4, indexed=frozenset({"p1"}))
        assert scratch.load_scratch_links(["ana@x.fr"]) == {}
        assert scratch.save_scratch_links({"ana@x.fr": link(), "bob@x.fr": None}) == SaveResult()
        assert scratch.save_scratch_links({"ana@x.fr": before}) == SaveResult()

        found = scratch.load_scratch_links(["ana@x.fr", "bob@x.fr", "no@x.fr"])

        assert found == {"ana@x.fr": before, "bob@x.fr": None}
        assert scratch.scratch_owners(["p1", "p2"]) == {"p1": "ana@x.fr"}

    def test_cursors_and_work_lists_are_stored(self, scratch: ScratchStore) -> None:
        cursor, work = Cursor(RecordKind.LEAD, "w"), WorkList("r1", 0)
        assert scratch.load_scratch_cursor(RecordKind.LEAD) is None

        scratch.save_scratch_cursor(cursor)
        scratch.save_work(work, ["ana@x.fr"])

        assert scratch.load_scratch_cursor(RecordKind.LEAD) == cursor
        assert scratch.load_work([work, WorkList("r1", 1)]) == {work: ("ana@x.fr",)}
        assert scratch.open_work(10) == []
        scratch.save_work(work, [])
        assert scratch.load_work([work]) == {}

    def test_nothing_of_it_is_in_the_ledger_and_all_of_it_expires(
        self, dynamodb: DynamoDBClient
    ) -> None:
        scratch = DynamoScratch(Table(dynamodb, "LedgerTable", IMMEDIATE), "r1", lambda: 100.0)
        ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)

        scratch.save_scratch_links({"ana@x.fr": link(), "bob@x.fr": None})
        scratch.save_scratch_cursor(Cursor(RecordKind.LEAD, "w"))
        scratch.save_work(WorkList("r1", 0), ["ana@x.fr"])

        assert ledger.load_links(["ana@x.fr"]) == {}
        assert ledger.owner_emails(["p1"]) == {}
        assert ledger.load_cursor(RecordKind.LEAD) == Cursor(RecordKind.LEAD)
        assert ledger.dirty_emails(5) == []
        assert ledger.open_work(5) == []
        items = dynamodb.scan(TableName="LedgerTable")["Items"]
        assert [item["expires_at"] for item in items] == [{"N": "172900"}] * 5
        other = DynamoScratch(Table(dynamodb, "LedgerTable", IMMEDIATE), "r2", lambda: 100.0)
        assert other.load_scratch_links(["ana@x.fr"]) == {}


class TestSingleWrites:
    """A put of links: each link for itself, each one write."""

    @pytest.fixture
    def ledger(self, dynamodb: DynamoDBClient) -> DynamoLedger:
        return DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)

    @pytest.fixture
    def calls(self, dynamodb: DynamoDBClient) -> list[str]:
        """The write operations of the client, in order."""
        made: list[str] = []

        def note(event_name: str, **_: object) -> None:
            made.append(event_name.rpartition(".")[2])

        for name in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"):
            dynamodb.meta.events.register(f"before-call.dynamodb.{name}", note)
        return made

    def test_a_change_that_touches_one_item_is_one_single_write(
        self, ledger: DynamoLedger, calls: list[str]
    ) -> None:
        ledger.save_links([LinkChange(link())])
        assert calls == ["PutItem", "PutItem"]  # the pointer of the record, then the link
        calls.clear()

        ledger.save_links([LinkChange(replace(stored(ledger), dirty=False))])
        assert calls == ["PutItem"]
        calls.clear()

        saved = stored(ledger)
        moved = replace(saved, email="new@x.fr", revision=0, indexed=frozenset())
        ledger.save_links([LinkChange(moved, saved)])
        assert calls == ["TransactWriteItems"]

    def test_a_cursor_without_counts_is_one_single_write(
        self, ledger: DynamoLedger, calls: list[str]
    ) -> None:
        ledger.checkpoint(Cursor(RecordKind.LEAD, "w"), "r1", Counts())
        assert calls == ["PutItem"]

    def test_the_links_behind_one_that_fails_are_stored(self, ledger: DynamoLedger) -> None:
        huge = link("ana@x.fr", plezi=replace(observed(), values=many_values()))
        ledger.save_links([LinkChange(link("bob@x.fr", plezi=observed("p2")))])
        stale = link("bob@x.fr", plezi=observed("p2"))
        last = link("cleo@x.fr", plezi=observed("p3"))

        result = ledger.save_links([LinkChange(it) for it in (huge, stale, last)])

        assert result == SaveResult(frozenset({"bob@x.fr"}), frozenset({"ana@x.fr"}))
        assert set(ledger.load_links(["ana@x.fr", "cleo@x.fr"])) == {"cleo@x.fr"}

    def test_a_move_that_does_not_fit_into_an_item_keeps_the_old_link(
        self, ledger: DynamoLedger
    ) -> None:
        ledger.save_links([LinkChange(link())])
        saved = stored(ledger)
        moved = replace(
            saved, email="new@x.fr", revision=0, plezi=replace(observed(), values=many_values())
        )

        result = ledger.save_links([LinkChange(moved, saved)])

        assert result == SaveResult(too_large=frozenset({"new@x.fr"}))
        assert list(ledger.load_links(["ana@x.fr", "new@x.fr"])) == ["ana@x.fr"]

    @pytest.mark.parametrize("body", [b"", b"x", zlib.compress(b"[]"), zlib.compress(b"{")])
    def test_a_link_that_cannot_be_read_is_known_as_such_and_never_stored_again(
        self, ledger: DynamoLedger, dynamodb: DynamoDBClient, body: bytes
    ) -> None:
        ledger.save_links([LinkChange(link()), LinkChange(link("bob@x.fr", plezi=observed("p2")))])
        dynamodb.update_item(
            TableName="LedgerTable",
            Key={"pk": {"S": "contact#ana@x.fr"}},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": {"B": body}},
        )

        found = ledger.load_links(["ana@x.fr", "bob@x.fr"])

        assert not found["ana@x.fr"].readable
        assert found["ana@x.fr"].revision == link().next_revision
        assert found["bob@x.fr"].readable
        changes = [LinkChange(replace(it, dirty=False)) for it in found.values()]
        saved = ledger.save_links(changes)
        assert saved.defects.keys() == {"ana@x.fr"}
        assert not saved.refused | saved.too_large
        assert stored(ledger, "bob@x.fr").revision == found["bob@x.fr"].next_revision
        [item] = [
            it
            for it in dynamodb.scan(TableName="LedgerTable")["Items"]
            if it["pk"]["S"] == "contact#ana@x.fr"
        ]
        assert bytes(item["body"]["B"]) == body
        ledger.list_unreadable("ana@x.fr")
        ledger.list_unreadable("nobody@x.fr")
        assert ledger.emails_needing_attention(AttentionKind.QUARANTINE, 9) == ["ana@x.fr"]
        assert stored(ledger, "ana@x.fr").attention == (AttentionKind.QUARANTINE,)

    def test_put_each_continues_after_an_item_that_is_refused_or_too_large(
        self, dynamodb: DynamoDBClient
    ) -> None:
        table = Table(dynamodb, "LedgerTable", IMMEDIATE)
        missing, anything = Condition("attribute_not_exists(pk)"), Condition()
        large: Item = {**partition_key("state#large"), "document": {"S": "x" * MAX_ITEM_BYTES}}
        first, last = partition_key("state#first"), partition_key("state#last")

        results = table.put_each(
            ItemKind.DOCUMENT,
            [(first, missing), (first, missing), (large, anything), (last, missing)],
        )

        assert results == [
            PutResult.STORED,
            PutResult.REFUSED,
            PutResult.TOO_LARGE,
            PutResult.STORED,
        ]
        assert table.get(ItemKind.DOCUMENT, last) is not None
        assert table.get(ItemKind.DOCUMENT, partition_key("state#large")) is None


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


def test_all_links_are_visited_page_by_page_and_nothing_else_is(ledger: Ledger) -> None:
    emails = {f"p{number}@x.fr" for number in range(25)}
    for number, email in enumerate(sorted(emails)):
        contact = Observation(
            RecordKind.PLEZI_CONTACT, f"c{number}", email, "1", "2026-01-01", 1.0, {}
        )
        ledger.save_links([LinkChange(Link(email, plezi=contact, dirty=bool(number % 2)))])
        ledger.save_document(f"document-{number}", {"at": number})

    visited: list[str] = []
    while page := ledger.all_emails(4, visited[-1] if visited else ""):
        assert len(page) <= 4
        visited += page

    assert sorted(visited) == sorted(emails)
