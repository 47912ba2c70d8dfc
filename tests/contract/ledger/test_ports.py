"""One contract for the ledger and the journal, in memory and in DynamoDB: they cannot drift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from connector.configuration import DynamoConfiguration
from connector.errors import StaleError
from connector.journal import DynamoJournal
from connector.ledger import DynamoLedger
from connector.mapping import DEFAULT_MAPPING
from connector.model import (
    MASS_EMPTYING,
    Breaker,
    Change,
    Counts,
    Cursor,
    Hold,
    Intent,
    JournalLine,
    Kind,
    Link,
    Observation,
    Part,
    Run,
    RunKind,
    RunState,
    Settlement,
    Side,
    Token,
    Write,
)
from local.world.memory import MemoryConfiguration, MemoryInbox, MemoryJournal, MemoryLedger
from tests.component.stage import REGION, create_table, table_definitions

Ledger: TypeAlias = MemoryLedger | DynamoLedger
Journal: TypeAlias = MemoryJournal | DynamoJournal
Configuration: TypeAlias = MemoryConfiguration | DynamoConfiguration


@pytest.fixture(params=["memory", "dynamodb"])
def ports(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Journal, Configuration]]:
    if request.param == "memory":
        yield MemoryLedger(), MemoryJournal(), MemoryConfiguration()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        for name in table_definitions():
            create_table(client, name)
        yield (
            DynamoLedger(client, "LedgerTable"),
            DynamoJournal(client, "JournalTable", 365),
            DynamoConfiguration(client, "MappingsTable"),
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


def seen(record: str = "p1", kind: Kind = Kind.PLEZI_CONTACT, **values: str) -> Observation:
    return Observation(kind, record, "ana@x.fr", "1", "2026-11-24T10:00:00", 1.5, values)


def link(email: str = "ana@x.fr", **changes: object) -> Link:
    return replace(Link(email, plezi=seen(phone="1"), dirty=True), **changes)  # type: ignore[arg-type]  # a Link's fields


def stored(ledger: Ledger, email: str = "ana@x.fr") -> Link:
    return ledger.links([email])[email]


def test_a_link_comes_back_as_it_was_put(ledger: Ledger) -> None:
    write = Write(Kind.LEAD, "l1", "ana@x.fr", {"Phone": "2"}, {"Phone": "1"}, "7")
    settlement = Settlement(
        "Phone", {"l1": ("Phone", "2")}, frozenset({"l1"}), "changed", {"l2": "Phone"}
    )
    before = link(
        salesforce=(seen("l1", Kind.LEAD, Phone="1"),),
        base={"p1": {"phone": "1"}},
        intent=Intent("i", "r", 2.5, (write,), (settlement,)),
        holds={"Phone": Hold("conflict", 3.0, {"p1": "1"})},
        survivor="l1",
    )

    assert ledger.put([Change(before)]) == frozenset()

    after = stored(ledger)
    assert (after.revision, after.pointed) == (1, frozenset({"p1", "l1"}))
    assert replace(after, revision=0, pointed=frozenset()) == before
    assert ledger.owners(["p1", "l1", "nobody"]) == {"p1": "ana@x.fr", "l1": "ana@x.fr"}


def test_a_put_on_an_older_line_is_refused_and_the_others_are_stored(ledger: Ledger) -> None:
    ledger.put([Change(link())])
    held = stored(ledger)
    ledger.put([Change(replace(held, dirty=False))])

    refused = ledger.put([Change(held), Change(link("bob@x.fr", plezi=seen("p2")))])

    assert refused == frozenset({"ana@x.fr"})
    assert not stored(ledger).dirty
    assert stored(ledger, "bob@x.fr").revision == 1


def test_a_new_link_is_refused_where_one_stands(ledger: Ledger) -> None:
    ledger.put([Change(link())])
    assert ledger.put([Change(link())]) == frozenset({"ana@x.fr"})


def test_a_moved_link_leaves_its_place_and_takes_its_pointers_along(ledger: Ledger) -> None:
    ledger.put([Change(link())])
    held = stored(ledger)
    moved = replace(held, email="new@x.fr", revision=0, pointed=frozenset())

    assert ledger.put([Change(moved, held)]) == frozenset()

    assert ledger.links(["ana@x.fr"]) == {}
    assert ledger.owners(["p1"]) == {"p1": "new@x.fr"}


def test_a_move_from_a_line_that_moved_is_refused(ledger: Ledger) -> None:
    ledger.put([Change(link())])
    held = stored(ledger)
    ledger.put([Change(replace(held, dirty=False))])
    moved = replace(held, email="new@x.fr", revision=0, pointed=frozenset())

    assert ledger.put([Change(moved, held)]) == frozenset({"new@x.fr"})
    assert ledger.links(["new@x.fr"]) == {}


def test_one_put_does_one_thing_to_an_address(ledger: Ledger) -> None:
    ledger.put([Change(link())])
    held = stored(ledger)
    moved = Change(replace(held, email="ann@x.fr", revision=0, pointed=frozenset()), held)

    with pytest.raises((ValueError, ClientError)):
        ledger.put([moved, Change(link(plezi=seen("p2")))])

    assert stored(ledger) == held


def test_dirty_links_are_listed_in_order_page_by_page(ledger: Ledger) -> None:
    emails = [f"{letter}@x.fr" for letter in "cab"]
    ledger.put([Change(link(email, plezi=seen(email))) for email in emails])
    ledger.put([Change(link("clean@x.fr", plezi=seen("p9"), dirty=False))])

    assert ledger.dirty(2) == ["a@x.fr", "b@x.fr"]
    assert ledger.dirty(2, "b@x.fr") == ["c@x.fr"]


def test_links_that_wait_for_a_person_are_listed(ledger: Ledger) -> None:
    ledger.put([Change(link(holds={"Phone": Hold("conflict", 1.0, {})}))])
    assert ledger.waiting("hold", 10) == ["ana@x.fr"]
    assert ledger.waiting("quarantine", 10) == []


def test_a_checkpoint_keeps_the_cursor_and_counts(ledger: Ledger) -> None:
    ledger.add_run(Run("r1", RunKind.CHANGES, RunState.REQUESTED, 1.0))
    counts = Counts()
    counts.add(Side.PLEZI, "seen", 3)
    cursor = Cursor(Kind.LEAD, "w", "place", "cover", 1.0, 2.0, full=True, version=3, applied=2)

    assert ledger.cursor(Kind.LEAD) == Cursor(Kind.LEAD)
    ledger.checkpoint(cursor, "r1", counts)
    ledger.count("r1", counts)

    assert ledger.cursor(Kind.LEAD) == cursor
    run = ledger.run("r1")
    assert run is not None
    assert run.counts == {"plezi": {"seen": 6}}


def test_a_run_keeps_its_story(ledger: Ledger) -> None:
    asked = Run("r1", RunKind.SELECTED, RunState.REQUESTED, 1.0, emails=("ana@x.fr",))
    ledger.add_run(asked)
    ledger.start_part("r1", 2.0, 4)
    ledger.start_part("r1", 3.0, 4)
    ledger.finish_run("r1", RunState.HALTED, 5.0, "why", "what to do")

    told = replace(
        asked,
        state=RunState.HALTED,
        started_at=2.0,
        finished_at=5.0,
        invocations=2,
        mapping_version=4,
        reason="why",
        message="what to do",
    )
    assert ledger.run("r1") == told
    assert ledger.runs(5) == [told]
    assert ledger.runs(5, forms=True) == []


def test_the_gate_keeps_session_breaker_switch_and_documents(ledger: Ledger) -> None:
    assert not ledger.started()
    assert (ledger.token(), ledger.breaker(), ledger.document("x")) == (None, None, None)
    token = Token("t", "https://acme.my.salesforce.com", "1")
    breaker = Breaker("login_refused", "why", 1.0, "1")

    ledger.switch(on=True, now=1.0)
    ledger.keep_token(token)
    ledger.open_breaker(breaker)
    ledger.keep_document("x", {"a": [1]})
    ledger.keep_parked({"Phone": "hidden"})
    ledger.add_calls(10, 5)
    ledger.add_calls(33, 2)

    assert ledger.started()
    assert (ledger.token(), ledger.breaker()) == (token, breaker)
    assert ledger.document("x") == {"a": [1]}
    assert ledger.parked() == {"Phone": "hidden"}
    assert (ledger.calls_since(10), ledger.calls_since(11)) == (7, 2)
    ledger.close_breaker()
    assert ledger.breaker() is None


def test_one_login_at_a_time(ledger: Ledger) -> None:
    assert ledger.claim_login(100.0, 60.0)
    assert not ledger.claim_login(130.0, 60.0)
    ledger.release_login()
    assert ledger.claim_login(131.0, 60.0)
    assert ledger.claim_login(200.0, 60.0)


def test_emptying_is_allowed_for_a_while_and_closes_its_breaker(ledger: Ledger) -> None:
    assert ledger.emptying_allowed_until() == 0.0
    ledger.open_breaker(Breaker(MASS_EMPTYING, "why", 1.0))
    ledger.allow_emptying(50.0)
    assert ledger.emptying_allowed_until() == 50.0
    assert ledger.breaker() is None


def test_a_journal_line_written_twice_is_kept_once(journal: Journal) -> None:
    line = JournalLine("ana@x.fr", 1.0, "r1", "lost", Side.PLEZI, "p1", "Phone", "1", "2", "newest")
    journal.write([line])
    journal.write([line, replace(line, at=2.0, before="3")])

    assert [it.before for it in journal.of_person("ana@x.fr").lines] == ["3", "1"]
    assert [it.before for it in journal.of_run("r1").lines] == ["1", "3"]


def test_a_version_of_the_mapping_is_saved_once(configuration: Configuration) -> None:
    assert configuration.current() == DEFAULT_MAPPING
    first = replace(DEFAULT_MAPPING, version=1, lines=DEFAULT_MAPPING.lines[:3])
    configuration.save(first)

    assert configuration.current() == configuration.version(1) == first
    assert configuration.version(0) == DEFAULT_MAPPING
    with pytest.raises(StaleError):
        configuration.save(first)


def test_the_inbox_keeps_the_order() -> None:
    inbox = MemoryInbox()
    inbox.send("r1", Part.OBSERVE)
    inbox.send("r1", Part.RECONCILE)
    assert inbox.messages == [("r1", Part.OBSERVE), ("r1", Part.RECONCILE)]
