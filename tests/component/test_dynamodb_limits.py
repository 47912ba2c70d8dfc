"""The component tests run under DynamoDB's limits, which moto does not enforce by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.component.dynamodb_limits import enforce_on_moto
from tests.component.harness import REGION, Harness, create_table

KIB = 1024


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        made = boto3.client("dynamodb", region_name=REGION)
        create_table(made, "LedgerTable")
        enforce_on_moto(made)
        yield made


def put(key: str, size: int = 1) -> dict[str, Any]:
    item = {"pk": {"S": key}, "text": {"S": "x" * size}}
    return {"TableName": "LedgerTable", "Item": item}


def test_an_item_above_400_kb_is_refused(client: Any) -> None:
    with pytest.raises(ClientError, match="Item size has exceeded"):
        client.put_item(**put("a", 400 * KIB))


def test_an_update_above_400_kb_is_refused_and_changes_nothing(client: Any) -> None:
    client.put_item(**put("a", 300 * KIB))
    update = {
        "TableName": "LedgerTable",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET more = :more",
        "ExpressionAttributeValues": {":more": {"S": "x" * 101 * KIB}},
    }
    with pytest.raises(ClientError, match="exceeded the maximum allowed size"):
        client.update_item(**update)
    with pytest.raises(ClientError, match="exceeded the maximum allowed size"):
        client.transact_write_items(TransactItems=[{"Update": update}])
    stored = client.get_item(TableName="LedgerTable", Key={"pk": {"S": "a"}})["Item"]
    assert "more" not in stored


def test_an_update_whose_condition_fails_is_answered_as_such(client: Any) -> None:
    client.put_item(**put("a", 300 * KIB))
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.update_item(
            TableName="LedgerTable",
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET more = :more",
            ConditionExpression="attribute_not_exists(pk)",
            ExpressionAttributeValues={":more": {"S": "x" * 101 * KIB}},
        )


def test_a_transaction_of_101_actions_or_4_mb_is_refused(client: Any) -> None:
    with pytest.raises(ClientError, match="less than or equal to 100"):
        client.transact_write_items(TransactItems=[{"Put": put(str(n))} for n in range(101)])
    with pytest.raises(ClientError, match="Transaction item size"):
        client.transact_write_items(
            TransactItems=[{"Put": put(str(n), 390 * KIB)} for n in range(11)]
        )


def test_a_transaction_that_writes_an_item_twice_is_refused(client: Any) -> None:
    with pytest.raises(ClientError, match="multiple operations on one item"):
        client.transact_write_items(TransactItems=[{"Put": put("a")}, {"Put": put("a", 2)}])


def test_a_batch_that_writes_an_item_twice_is_refused(client: Any) -> None:
    puts = [{"PutRequest": {"Item": put("a")["Item"]}}] * 2
    with pytest.raises(ClientError, match="duplicates"):
        client.batch_write_item(RequestItems={"LedgerTable": puts})


def test_the_connector_of_the_harness_works_under_the_limits(harness: Harness) -> None:
    with pytest.raises(ClientError, match="Item size"):
        harness.app.ledger.note_error("r1", "x" * 400 * KIB)
