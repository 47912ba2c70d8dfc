"""A stored document that cannot be decoded never stops a run: it is found again, or fails safe."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, Final

import pytest

from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.scratch import DynamoScratch
from connector.aws.dynamodb.table import Table
from connector.errors import StopReason
from connector.model import Breaker, Counts, Cursor, RecordKind, SessionToken
from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from local.template_settings import table_definitions
from tests.retry_policies import IMMEDIATE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAMAGED: Final = (
    "",
    "not base64!",
    base64.b64encode(b"not compressed").decode(),
    base64.b64encode(zlib.compress(b"{")).decode(),
    base64.b64encode(zlib.compress(b"[1]")).decode(),
    base64.b64encode(zlib.compress(b'{"unknown": 1}')).decode(),
)


@pytest.fixture
def client() -> DynamoDBClient:
    rehearsed: Any = MemoryDynamoDB(Database(table_definitions(), clock=lambda: 1.0))
    client: DynamoDBClient = rehearsed
    return client


@pytest.fixture
def ledger(client: DynamoDBClient) -> DynamoLedger:
    return DynamoLedger(client, "LedgerTable", IMMEDIATE)


def damage(client: DynamoDBClient, text: str) -> None:
    """Replace the document of every stored item."""
    for item in client.scan(TableName="LedgerTable")["Items"]:
        assert "document" in item
        client.put_item(TableName="LedgerTable", Item={**item, "document": {"S": text}})


@pytest.mark.parametrize("text", DAMAGED)
def test_a_cursor_that_cannot_be_decoded_reads_all_records_again(
    client: DynamoDBClient, ledger: DynamoLedger, text: str
) -> None:
    scratch = DynamoScratch(Table(client, "LedgerTable", IMMEDIATE), "r1", lambda: 1.0)
    ledger.checkpoint(Cursor(RecordKind.LEAD, "2026-11-24"), "r1", Counts())
    scratch.save_scratch_cursor(Cursor(RecordKind.LEAD, "2026-11-24"))
    damage(client, text)

    assert ledger.load_cursor(RecordKind.LEAD) == Cursor(RecordKind.LEAD)
    assert scratch.load_scratch_cursor(RecordKind.LEAD) is None


@pytest.mark.parametrize("text", DAMAGED)
def test_a_session_that_cannot_be_decoded_is_replaced_by_a_login(
    client: DynamoDBClient, ledger: DynamoLedger, text: str
) -> None:
    ledger.save_session(SessionToken("t", "https://acme.my.salesforce.com", "1"))
    damage(client, text)

    assert ledger.load_session() is None


@pytest.mark.parametrize("text", DAMAGED[:-1])
def test_a_document_that_cannot_be_decoded_counts_as_missing(
    client: DynamoDBClient, ledger: DynamoLedger, text: str
) -> None:
    ledger.save_document("api_usage", {"used": 1})
    ledger.save_suspended_pairs({"Phone": "reason"})
    damage(client, text)

    assert ledger.load_document("api_usage") is None
    assert ledger.suspended_pairs() == {}


@pytest.mark.parametrize("text", DAMAGED)
def test_a_breaker_that_cannot_be_decoded_is_open_and_a_start_switch_is_off(
    client: DynamoDBClient, ledger: DynamoLedger, text: str
) -> None:
    ledger.open_breaker(Breaker(StopReason.LOGIN_REFUSED, "message", 1.0))
    ledger.set_enabled(on=True, now=1.0)
    ledger.allow_defects(until=99.0)
    damage(client, text)

    breaker = ledger.breaker()
    assert breaker is not None
    assert breaker.reason is StopReason.DEFECT
    assert not ledger.is_enabled()
    assert ledger.defects_allowed_until() == 0.0
    ledger.close_breaker()
    assert ledger.breaker() is None
