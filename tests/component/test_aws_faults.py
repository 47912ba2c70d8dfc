"""AWS is busy or unavailable for a while: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from connector.aws.client_config import client_config
from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.secrets import CACHE_SECONDS, SecretReader
from connector.bootstrap.lambda_runtime import new_id
from connector.errors import RetryError, StopReason
from connector.log_events import no_log
from connector.model import JournalEntry, JournalKind, Link, LinkChange, RunState, SaveResult, Side
from connector.retry import MAX_SECONDS
from connector.secrets import PleziCredentials, parse_secret
from tests.component.aws_faults import (
    MANY,
    CallFault,
    FaultyAdapters,
    Respond,
    TableFault,
    TableFaults,
    conflict,
    error,
    unprocessed,
    unreachable,
)
from tests.component.harness import REGION, Harness
from tests.component.memory_dynamodb import use_wire
from tests.retry_policies import IMMEDIATE

THROTTLED: Final = error(400, "ThrottlingException", message="Rate exceeded")
EXCEEDED: Final = error(400, "ProvisionedThroughputExceededException", message="exceeded")
IN_PROGRESS: Final = error(400, "TransactionInProgressException", Message="in progress")
ITEM_CONFLICT: Final = error(400, "TransactionConflictException", message="busy")
"""What a write of one item is answered while a transaction works on the item."""
SERVER_ERROR: Final = error(500, "InternalServerError", message="Internal server error")
UNAVAILABLE: Final = error(503, "ServiceUnavailable", message="later")
BATCHES: Final = frozenset({"BatchGetItem", "BatchWriteItem"})
TRANSACTIONS: Final = frozenset({"TransactWriteItems"})

ANA, BOB, CLEO = "ana@example.com", "bob@example.com", "cleo@example.com"


@pytest.fixture
def dynamodb(harness: Harness) -> Any:
    assert harness  # it creates the tables
    return boto3.client("dynamodb", region_name=REGION, config=client_config(validate=True))


def entry(record: str) -> JournalEntry:
    return JournalEntry(
        "ana@x.fr", 1.0, "r", JournalKind.WRITTEN, Side.PLEZI, record, "phone", "1", "2", "changed"
    )


def moved(ledger: DynamoLedger, email: str, new_email: str) -> LinkChange:
    """Store a link; return the change that moves it: the only change that is a transaction."""
    ledger.save_links([LinkChange(Link(email))])
    before = ledger.load_links([email])[email]
    return LinkChange(replace(before, email=new_email, revision=0), before)


# Single calls


@pytest.mark.parametrize(
    "respond",
    [THROTTLED, EXCEEDED, ITEM_CONFLICT, SERVER_ERROR, unreachable],
    ids=["throttled", "exceeded", "conflict", "server_error", "unreachable"],
)
def test_a_link_is_stored_when_the_table_is_available_again(
    dynamodb: Any, respond: Respond
) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    fault = CallFault(dynamodb, "PutItem", respond, 2)

    assert ledger.save_links([LinkChange(Link("ana@x.fr"))]) == SaveResult()

    assert fault.calls == 2
    assert list(ledger.load_links(["ana@x.fr"])) == ["ana@x.fr"]


@pytest.mark.parametrize(
    "respond",
    [THROTTLED, EXCEEDED, conflict, IN_PROGRESS, SERVER_ERROR, unreachable],
    ids=["throttled", "exceeded", "conflict", "in_progress", "server_error", "unreachable"],
)
def test_a_link_moves_when_the_table_is_available_again(dynamodb: Any, respond: Respond) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    fault = CallFault(dynamodb, "TransactWriteItems", respond, 2)

    assert ledger.save_links([moved(ledger, "ana@x.fr", "new@x.fr")]) == SaveResult()

    assert fault.calls == 2
    assert list(ledger.load_links(["ana@x.fr", "new@x.fr"])) == ["new@x.fr"]


def test_all_tries_of_a_transaction_have_one_token(dynamodb: Any) -> None:
    tokens: list[str] = []

    def record_token(params: Any, **_: Any) -> None:
        tokens.append(params["ClientRequestToken"])

    use_wire(dynamodb)
    dynamodb.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", record_token)
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    CallFault(dynamodb, "TransactWriteItems", SERVER_ERROR, 2)

    ledger.save_links([moved(ledger, "ana@x.fr", "ann@x.fr")])
    ledger.save_links([moved(ledger, "bob@x.fr", "rob@x.fr")])

    assert tokens == [tokens[0]] * 3 + [tokens[3]]
    assert tokens[3] != tokens[0]


def test_keys_that_were_not_processed_are_requested_again(dynamodb: Any) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    ledger.save_links([LinkChange(Link("ana@x.fr"))])
    fault = CallFault(dynamodb, "BatchGetItem", unprocessed, 3)

    assert list(ledger.load_links(["ana@x.fr"])) == ["ana@x.fr"]
    assert fault.calls == 3


def test_entries_that_were_not_processed_are_written_again(dynamodb: Any) -> None:
    journal = DynamoJournal(dynamodb, "JournalTable", 365, IMMEDIATE)
    fault = CallFault(dynamodb, "BatchWriteItem", unprocessed, 2)

    journal.write([entry("p1"), entry("p2")])

    assert fault.calls == 2
    assert {it.record_id for it in journal.person_entries("ana@x.fr").entries} == {"p1", "p2"}


def test_an_error_that_lasts_names_the_operation_and_the_code(dynamodb: Any) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    CallFault(dynamodb, "TransactWriteItems", conflict, MANY)

    with pytest.raises(RetryError, match=r"TransactWriteItems .*TransactionConflict") as caught:
        ledger.save_links([moved(ledger, "ana@x.fr", "new@x.fr")])

    assert caught.value.reason is StopReason.AWS_UNAVAILABLE
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_refusal_is_neither_repeated_nor_translated(dynamodb: Any, code: str) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    fault = CallFault(dynamodb, "GetItem", error(400, code), MANY)

    with pytest.raises(ClientError, match=code):
        ledger.load_run("r1")

    assert fault.calls == 1


# Whole runs, in virtual time: a pause moves the clock of the connector


class FaultyHarness(Harness):
    """A harness whose tables can be unavailable, and whose pauses move its clock."""

    def __init__(self) -> None:
        self.faults = TableFaults(self.clock)
        super().__init__()

    @property
    def runtime(self) -> dict[str, Any]:
        adapters = FaultyAdapters(
            self.faults,
            self.clock,
            new_id,
            self.let_pass,
            random.Random(0).random,  # noqa: S311  # jitter
            no_log,
            validate=True,
        )
        return super().runtime | {"aws": adapters}


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield FaultyHarness()


def edit_both_sides(harness: Harness) -> None:
    """Make a known contact with an edit on each side, and a new record on each side."""
    person = harness.add_person(email=ANA, last_name="Lopez", phone="111")
    harness.sync()
    [lead] = harness.leads(ANA)
    harness.edit_person(person, phone="222")
    harness.edit_lead(lead["Id"], FirstName="Ana")
    harness.add_person(email=BOB, last_name="Roi", phone="333")
    harness.add_lead(Email=CLEO, LastName="Pol", Phone="444")


def assert_both_sides_agree(harness: Harness) -> None:
    leads = {
        lead["Email"]: (lead["FirstName"] or "", lead["LastName"], lead["Phone"])
        for lead in harness.leads()
    }
    contacts = {
        email: (contact.get("first_name") or "", contact["last_name"], contact["phone"])
        for email, contact in harness.people().items()
    }
    assert len(harness.leads()) == 3
    assert leads == contacts
    assert leads == {
        ANA: ("Ana", "Lopez", "222"),
        BOB: ("", "Roi", "333"),
        CLEO: ("", "Pol", "444"),
    }


FAULTS: Final = {
    "throttled": (THROTTLED, frozenset[str]()),
    "exceeded": (EXCEEDED, frozenset[str]()),
    "server_error": (SERVER_ERROR, frozenset[str]()),
    "unprocessed": (unprocessed, BATCHES),
    "conflict": (conflict, TRANSACTIONS),
}
"""The kinds of faults, and the operations that they affect (empty: all)."""
FIRST_CALLS: Final = {
    "throttled": "GetItem",
    "exceeded": "UpdateItem",
    "server_error": "Query",
    "unprocessed": "BatchWriteItem",
    "conflict": "TransactWriteItems",
}
"""The operation at which each fault begins: a run makes calls of all of them."""


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_five_seconds_does_not_fail_a_run(faulty: FaultyHarness, kind: str) -> None:
    edit_both_sides(faulty)
    respond, operations = FAULTS[kind]
    faulty.faults.begin(TableFault(respond, FIRST_CALLS[kind], 5.0, operations))

    run = faulty.sync()

    assert run.state is RunState.DONE, run.message
    assert faulty.faults.calls > 1
    assert faulty.faults.is_over()
    assert_both_sides_agree(faulty)


@pytest.mark.parametrize(
    ("kind", "first", "message"),
    [
        ("throttled", "TransactWriteItems", "TransactWriteItems LedgerTable: ThrottlingException"),
        ("exceeded", "BatchWriteItem", "JournalTable: ProvisionedThroughputExceededException"),
        ("unprocessed", "TransactWriteItems", "BatchGetItem LedgerTable: UnprocessedError"),
        ("conflict", "TransactWriteItems", "TransactionCanceledException TransactionConflict"),
    ],
)
def test_a_fault_longer_than_the_limit_fails_the_run_and_loses_nothing(
    faulty: FaultyHarness, kind: str, first: str, message: str
) -> None:
    edit_both_sides(faulty)
    respond, operations = FAULTS[kind]
    faulty.faults.begin(TableFault(respond, first, 1.5 * MAX_SECONDS, operations))

    run = faulty.sync()

    assert (run.state, run.reason) == (RunState.FAILED, StopReason.AWS_UNAVAILABLE)
    assert message in run.message
    faulty.let_pass(2 * MAX_SECONDS)
    after = faulty.sync()
    assert after.state is RunState.DONE, after.message
    assert_both_sides_agree(faulty)


# Secrets Manager


class TestSecretsManagerIsUnavailable:
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        with mock_aws():
            client = boto3.client(
                "secretsmanager", region_name=REGION, config=client_config(validate=True)
            )
            text = json.dumps({"api_key": "k", "tenant": "acme"})
            client.create_secret(Name="plezi", SecretString=text)
            yield client

    @pytest.fixture
    def reader(self, client: Any) -> SecretReader[PleziCredentials]:
        self.now = 0.0
        parse = partial(parse_secret, PleziCredentials, name="plezi")
        return SecretReader(client, "plezi", parse, lambda: self.now, IMMEDIATE)

    def test_the_cached_version_stays_in_use(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        cached = reader.current()
        fault = CallFault(client, "GetSecretValue", UNAVAILABLE, MANY)

        self.now = CACHE_SECONDS + 1

        assert reader.current() == cached
        assert fault.calls == 1
        assert reader.current() == cached
        assert fault.calls == 1  # it is not read again for five minutes

    def test_a_fresh_read_repeats_until_the_service_answers(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        fault = CallFault(client, "GetSecretValue", UNAVAILABLE, 2)

        assert reader.current().value.api_key
        assert fault.calls == 2

    def test_a_side_that_refused_it_gets_no_old_version(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        reader.current()
        CallFault(client, "GetSecretValue", UNAVAILABLE, MANY)

        with pytest.raises(RetryError, match="GetSecretValue: ServiceUnavailable") as caught:
            reader.current(fresh=True)

        assert caught.value.reason is StopReason.AWS_UNAVAILABLE

    def test_a_function_without_permission_does_not_use_the_cached_version(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        reader.current()
        CallFault(client, "GetSecretValue", error(400, "AccessDeniedException"), MANY)

        self.now = CACHE_SECONDS + 1

        with pytest.raises(ClientError):
            reader.current()
