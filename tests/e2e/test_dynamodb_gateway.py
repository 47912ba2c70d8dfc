"""The gateway to DynamoDB on the deployed stack: limits are enforced, throttled runs go on."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from local.actors import Marketer, Operator, SalesPerson
from local.dynamodb_gateway.control import GatewayControl
from local.stack.stack_file import StackFile

pytestmark = pytest.mark.stack

MAX_ITEM_BYTES = 400 * 1024
MAX_TRANSACTION_ACTIONS = 100
THROTTLED_SECONDS = 5


@pytest.fixture
def tables(stack: StackFile) -> DynamoDBClient:
    """A client that reaches DynamoDB as the functions do."""
    return boto3.client(
        "dynamodb",
        endpoint_url=stack.dynamodb_endpoint,
        region_name=stack.region,
        aws_access_key_id=stack.aws_access_key_id,
        aws_secret_access_key=stack.aws_secret_access_key,
        config=Config(proxies={}),
    )


@pytest.fixture
def control(stack: StackFile) -> GatewayControl:
    return GatewayControl(stack.dynamodb_endpoint)


def test_an_item_above_400_kib_is_refused(stack: StackFile, tables: DynamoDBClient) -> None:
    key = {"pk": {"S": "test#large"}}
    with pytest.raises(ClientError) as refused:
        tables.put_item(
            TableName=stack.tables["ledger"], Item={**key, "text": {"S": "x" * MAX_ITEM_BYTES}}
        )
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "Item size has exceeded the maximum allowed size",
    }
    assert "Item" not in tables.get_item(TableName=stack.tables["ledger"], Key=key)


def test_a_transaction_of_more_than_100_actions_is_refused(
    stack: StackFile, tables: DynamoDBClient
) -> None:
    table = stack.tables["ledger"]
    with pytest.raises(ClientError, match="less than or equal to 100"):
        tables.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": {"pk": {"S": f"test#{number}"}}}}
                for number in range(MAX_TRANSACTION_ACTIONS + 1)
            ]
        )
    assert "Item" not in tables.get_item(TableName=table, Key={"pk": {"S": "test#0"}})


def test_a_run_ends_done_while_the_tables_are_throttled_for_five_seconds(
    stack: StackFile, control: GatewayControl
) -> None:
    sales, marketing, ops = SalesPerson(stack), Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    sales.add("Lead", Email="throttled@example.com", LastName="Roi", Company="Roi SA")
    before = control.counts()["refusals"].get("ProvisionedThroughputExceededException", 0)
    control.throttle(THROTTLED_SECONDS)

    run = ops.fire_schedule()

    assert run["state"] == "done", run["message"]
    assert control.counts()["refusals"]["ProvisionedThroughputExceededException"] > before
    assert "throttled@example.com" in marketing.contacts()
