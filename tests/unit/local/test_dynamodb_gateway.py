"""The gateway to DynamoDB, in front of a DynamoDB in memory that speaks the wire protocol."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.dynamodb_gateway.application import Gateway
from local.dynamodb_gateway.control import GatewayControl, is_ready
from local.dynamodb_gateway.protocol import error_body, operation_of, parse_request
from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from local.serving import ServedApplication

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DEFINITION: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "work", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "work",
            "KeySchema": [{"AttributeName": "work", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
METHODS = {
    "PutItem": "put_item",
    "GetItem": "get_item",
    "UpdateItem": "update_item",
    "Query": "query",
    "TransactWriteItems": "transact_write_items",
}
LARGE = "x" * 300_000


class Emulator:
    """A DynamoDB without limits of its own, over HTTP; `received` are the operations it did."""

    def __init__(self) -> None:
        self.database = Database({"People": DEFINITION}, lambda: 0.0)
        self.client: Any = MemoryDynamoDB(self.database)
        self.received: list[str] = []
        self.hosts: list[str] = []

    def describe_table(self, *, TableName: str) -> Mapping[str, Any]:  # noqa: N803  # as botocore
        if TableName != "People":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeTable")
        return {"Table": DEFINITION}

    def get_item(self, **request: Any) -> Any:
        return self.client.get_item(**request)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        operation = operation_of(environ["HTTP_X_AMZ_TARGET"])
        self.received.append(operation)
        self.hosts.append(environ["HTTP_HOST"])
        status, content = "200 OK", b""
        try:
            answer = getattr(self.client, METHODS[operation])(**parse_request(body))
            content = json.dumps(answer, default=lambda it: b64encode(it).decode()).encode()
        except ClientError as error:
            status = "400 Bad Request"
            content = error_body(error.response["Error"]["Code"], str(error))
        start_response(status, [("Content-Length", str(len(content)))])
        return [content]


class Stand:
    """A gateway in front of an emulator, its clock, and a client of it."""

    def __init__(self, emulator: Emulator, upstream: str) -> None:
        self.time = 0.0
        tables: Any = emulator
        self.emulator = emulator
        self.served = ServedApplication(Gateway(upstream, tables, lambda: self.time))
        self.url = self.served.start()
        self.control = GatewayControl(self.url)
        self.client: Any = boto3.client(
            "dynamodb",
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="embedded",
            aws_secret_access_key="embedded",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    def put(self, key: str, **attributes: Any) -> None:
        self.client.put_item(TableName="People", Item={"pk": {"S": key}, **attributes})

    def get(self, key: str) -> Any:
        return self.client.get_item(TableName="People", Key={"pk": {"S": key}}).get("Item")

    def working(self) -> list[str]:
        response = self.client.query(
            TableName="People",
            IndexName="work",
            KeyConditionExpression="#work = :work",
            ExpressionAttributeNames={"#work": "work"},
            ExpressionAttributeValues={":work": {"S": "dirty"}},
        )
        return [item["pk"]["S"] for item in response["Items"]]


@pytest.fixture
def stand() -> Iterator[Stand]:
    emulator = Emulator()
    with ServedApplication(emulator) as upstream:
        found = Stand(emulator, upstream.url)
        yield found
        found.served.stop()


def test_a_request_is_passed_on_unchanged_with_the_signed_host(stand: Stand) -> None:
    stand.put("a", photo={"B": b"\x00\xff"})
    assert stand.get("a") == {"pk": {"S": "a"}, "photo": {"B": b"\x00\xff"}}
    assert stand.emulator.hosts == [stand.url.removeprefix("http://")] * 2


def test_an_update_that_makes_an_item_too_large_is_refused(stand: Stand) -> None:
    stand.put("a", text={"S": LARGE})
    with pytest.raises(ClientError, match="Item size") as refused:
        stand.client.update_item(
            TableName="People",
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET more = :more",
            ExpressionAttributeValues={":more": {"S": LARGE}},
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert stand.emulator.received == ["PutItem"]


def test_a_transaction_above_4_mib_is_refused(stand: Stand) -> None:
    puts = [
        {"Put": {"TableName": "People", "Item": {"pk": {"S": str(number)}, "text": {"S": LARGE}}}}
        for number in range(15)
    ]
    with pytest.raises(ClientError, match="Transaction item size has exceeded"):
        stand.client.transact_write_items(TransactItems=puts)
    assert stand.emulator.received == []


def test_a_table_that_does_not_exist_is_left_to_the_server(stand: Stand) -> None:
    with pytest.raises(stand.client.exceptions.ResourceNotFoundException):
        stand.client.get_item(TableName="Nothing", Key={"pk": {"S": "a"}})


def test_requests_are_throttled_for_the_injected_time(stand: Stand) -> None:
    stand.control.throttle(5)
    stand.time = 4.9
    with pytest.raises(stand.client.exceptions.ProvisionedThroughputExceededException):
        stand.put("a")
    with pytest.raises(stand.client.exceptions.TransactionCanceledException) as cancelled:
        stand.client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "People", "Item": {"pk": {"S": key}}}} for key in "ab"
            ]
        )
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["ThrottlingError", "None"]
    stand.time = 5.0
    stand.put("a")
    assert stand.emulator.received == ["PutItem"]
    counts = stand.control.counts()
    assert counts["refusals"] == {"ProvisionedThroughputExceededException": 2}
    assert counts["calls"] == {"PutItem": 2, "TransactWriteItems": 1}


def test_an_index_misses_a_fresh_item_for_the_injected_time(stand: Stand) -> None:
    stand.put("a", work={"S": "dirty"})
    stand.control.delay_indexes(2)
    stand.put("b", work={"S": "dirty"})
    stand.time = 1.9
    assert stand.working() == ["a"]
    stand.time = 2.0
    assert stand.working() == ["a", "b"]


def test_a_gateway_that_does_not_run_is_not_ready(stand: Stand) -> None:
    assert is_ready(stand.url)
    assert not is_ready("http://127.0.0.1:9")
