"""AWS itself is busy, or away for a moment: what was to be kept is kept, nothing is done twice."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws

from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.secrets import CACHE_SECONDS, SecretReader
from connector.model import JournalEntry, JournalKind, Link, LinkChange, Side
from connector.secrets import PleziCredentials
from tests.component.harness import REGION, Harness
from tests.retry_policies import IMMEDIATE

MANY = 10**9
BUSY = (400, {"__type": "com.amazon.coral.availability#ThrottlingException", "message": "slower"})
AWAY = (503, {"__type": "ServiceUnavailable", "message": "later"})
CONFLICT = (
    400,
    {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "TransactionConflict", "Message": "at the same time"}],
    },
)


NOWHERE = "https://nobody.example/"
"""Where the call is sent that is answered here, for moto not to carry it out all the same."""


def _bytes(request: AWSPreparedRequest) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


class _Raw(io.BytesIO):
    """What botocore reads an answer from."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class Trouble:
    """Answers some calls of an AWS client in the place of AWS, over the wire's own format."""

    def __init__(self, client: Any, operation: str, answer: tuple[int, Any], times: int) -> None:
        self._answer = answer
        self._left = times
        self.met = 0
        service = client.meta.service_model.service_name
        client.meta.events.register_first(f"before-send.{service}.{operation}", self._before)

    def _before(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        if not self._left:
            return None
        self._left -= 1
        self.met += 1
        status, said = self._answer
        body = json.dumps(said(json.loads(_bytes(request))) if callable(said) else said).encode()
        request.url = NOWHERE
        return AWSResponse(NOWHERE, status, HTTPHeaders(), _Raw(body))


@pytest.fixture
def dynamodb(harness: Harness) -> Any:
    assert harness  # it has made the tables
    return boto3.client("dynamodb", region_name=REGION)


def line(record: str) -> JournalEntry:
    return JournalEntry(
        "ana@x.fr", 1.0, "r", JournalKind.WRITTEN, Side.PLEZI, record, "phone", "1", "2", "changed"
    )


@pytest.mark.parametrize("answer", [BUSY, CONFLICT], ids=["throttled", "conflict"])
def test_a_link_is_put_once_the_table_has_time(dynamodb: Any, answer: tuple[int, Any]) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    trouble = Trouble(dynamodb, "TransactWriteItems", answer, 2)

    assert ledger.save_links([LinkChange(Link("ana@x.fr"))]) == frozenset()

    assert trouble.met == 2
    assert ledger.load_links(["ana@x.fr"])["ana@x.fr"].revision == 1


def test_links_that_were_left_out_of_an_answer_are_asked_for_again(dynamodb: Any) -> None:
    ledger = DynamoLedger(dynamodb, "LedgerTable", IMMEDIATE)
    ledger.save_links([LinkChange(Link("ana@x.fr"))])

    def all_unprocessed(asked: Any) -> Any:
        return {"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}

    trouble = Trouble(dynamodb, "BatchGetItem", (200, all_unprocessed), 3)

    assert list(ledger.load_links(["ana@x.fr"])) == ["ana@x.fr"]
    assert trouble.met == 3


def test_lines_that_were_not_taken_are_written_again(dynamodb: Any) -> None:
    journal = DynamoJournal(dynamodb, "JournalTable", 365, IMMEDIATE)

    def none_taken(asked: Any) -> Any:
        return {"UnprocessedItems": asked["RequestItems"]}

    trouble = Trouble(dynamodb, "BatchWriteItem", (200, none_taken), 2)

    journal.write([line("p1"), line("p2")])

    assert trouble.met == 2
    assert {it.record_id for it in journal.person_entries("ana@x.fr").entries} == {"p1", "p2"}


class TestSecretsManagerIsAway:
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        with mock_aws():
            client = boto3.client("secretsmanager", region_name=REGION)
            text = json.dumps({"api_key": "k", "tenant": "acme"})
            client.create_secret(Name="plezi", SecretString=text)
            yield client

    @pytest.fixture
    def reader(self, client: Any) -> SecretReader[PleziCredentials]:
        self.now = 0.0
        return SecretReader(client, "plezi", PleziCredentials, lambda: self.now, IMMEDIATE)

    def test_what_is_held_goes_on_being_believed(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        held = reader.current()
        trouble = Trouble(client, "GetSecretValue", AWAY, MANY)

        self.now = CACHE_SECONDS + 1

        assert reader.current() == held
        assert trouble.met == 1
        assert reader.current() == held
        assert trouble.met == 1  # it is left alone for another five minutes

    def test_a_side_that_refused_it_gets_no_old_version(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        reader.current()
        Trouble(client, "GetSecretValue", AWAY, MANY)

        with pytest.raises(ClientError):
            reader.current(fresh=True)

    def test_who_may_not_read_it_any_more_does_not_go_on_with_it(
        self, client: Any, reader: SecretReader[PleziCredentials]
    ) -> None:
        reader.current()
        Trouble(client, "GetSecretValue", (400, {"__type": "AccessDeniedException"}), MANY)

        self.now = CACHE_SECONDS + 1

        with pytest.raises(ClientError):
            reader.current()
