"""Each documented limit of DynamoDB is refused by the client in memory, with DynamoDB's code."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.rehearsal.dynamodb.faults import THROTTLING, Throttling
from tests.rehearsal.account import KIB, Account


@pytest.fixture
def account() -> Account:
    return Account()


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def put_action(key: str, size: int = 1, **condition: Any) -> dict[str, Any]:
    item = {"pk": {"S": key}, "text": {"S": "x" * size}}
    return {"Put": {"TableName": "People", "Item": item, **condition}}


def test_an_item_of_400_kb_is_stored_and_a_larger_one_is_refused(account: Account) -> None:
    room = 400 * KIB - len("pk") - len("a") - len("text")
    account.put(text={"S": "x" * room})

    with pytest.raises(ClientError, match="Item size has exceeded") as error:
        account.put(text={"S": "x" * (room + 1)})

    assert refusal(error) == "ValidationException"


def test_the_size_counts_bytes_of_utf_8_and_of_names(account: Account) -> None:
    account.put(text={"S": "文" * (KIB * 400 // 3 - 10)})
    with pytest.raises(ClientError, match="Item size has exceeded"):
        account.put(text={"S": "文" * (KIB * 400 // 3)})
    names: dict[str, Any] = {str(n) * 60 * KIB: {"S": "x"} for n in range(7)}
    with pytest.raises(ClientError, match="Item size has exceeded"):
        account.put("a", **names)


def test_an_update_that_makes_an_item_too_large_is_refused(account: Account) -> None:
    account.put(text={"S": "x" * 300 * KIB})

    with pytest.raises(ClientError, match="Item size to update has exceeded"):
        account.client.update_item(
            TableName="People",
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET more = :more",
            ExpressionAttributeValues={":more": {"S": "x" * 200 * KIB}},
        )

    assert "more" not in account.get()


def test_bytes_are_stored_and_returned(account: Account) -> None:
    account.put(part={"B": b"\x00\xff"})
    assert account.get()["part"] == {"B": b"\x00\xff"}
    with pytest.raises(ClientError, match="Item size has exceeded"):
        account.put(part={"B": bytes(400 * KIB)})


def test_a_transaction_has_100_actions_at_most(account: Account) -> None:
    account.client.transact_write_items(TransactItems=[put_action(str(n)) for n in range(100)])

    with pytest.raises(ClientError, match="length less than or equal to 100") as error:
        account.client.transact_write_items(TransactItems=[put_action(str(n)) for n in range(101)])

    assert refusal(error) == "ValidationException"


def test_a_transaction_has_4_mb_at_most(account: Account) -> None:
    within = [put_action(str(n), 390 * KIB) for n in range(10)]
    account.client.transact_write_items(TransactItems=within)

    with pytest.raises(ClientError, match="Transaction item size has exceeded"):
        account.client.transact_write_items(
            TransactItems=[put_action(f"b{n}", 390 * KIB) for n in range(11)]
        )

    assert account.get("b0") is None


def test_a_transaction_writes_an_item_once(account: Account) -> None:
    with pytest.raises(ClientError, match="multiple operations on one item"):
        account.client.transact_write_items(TransactItems=[put_action("a"), put_action("a")])


def test_a_transaction_with_a_refused_action_stores_nothing(account: Account) -> None:
    account.put("b", text={"S": "old"})
    condition: dict[str, Any] = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }

    with pytest.raises(account.client.exceptions.TransactionCanceledException) as error:
        account.client.transact_write_items(
            TransactItems=[put_action("a"), put_action("b", **condition)]
        )

    first, second = error.value.response["CancellationReasons"]
    assert first == {"Code": "None"}
    assert second["Code"] == "ConditionalCheckFailed"
    assert second["Item"]["text"] == {"S": "old"}
    assert account.get("a") is None


def test_the_same_token_carries_a_transaction_out_once(account: Account) -> None:
    add = {
        "Update": {
            "TableName": "People",
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "ADD calls :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(2):
        account.client.transact_write_items(TransactItems=[add], ClientRequestToken="t")
    assert account.get()["calls"] == {"N": "1"}

    with pytest.raises(ClientError) as error:
        account.client.transact_write_items(TransactItems=[put_action("a")], ClientRequestToken="t")
    assert refusal(error) == "IdempotentParameterMismatchException"

    account.time += 601
    account.client.transact_write_items(TransactItems=[add], ClientRequestToken="t")
    assert account.get()["calls"] == {"N": "2"}


def test_a_batch_reads_100_keys_at_most_and_each_once(account: Account) -> None:
    def read(names: list[str]) -> Any:
        keys = [{"pk": {"S": name}} for name in names]
        return account.client.batch_get_item(RequestItems={"People": {"Keys": keys}})

    read([str(n) for n in range(100)])
    with pytest.raises(ClientError, match="Too many items"):
        read([str(n) for n in range(101)])
    with pytest.raises(ClientError, match="duplicates"):
        read(["a", "a"])
    with pytest.raises(ClientError, match="null or empty"):
        read([])


def test_a_batch_returns_16_mb_and_leaves_the_rest_unprocessed(account: Account) -> None:
    for n in range(50):
        account.put(str(n), text={"S": "x" * 399 * KIB})
    keys = [{"pk": {"S": str(n)}} for n in range(50)]

    response = account.client.batch_get_item(RequestItems={"People": {"Keys": keys}})

    assert len(response["Responses"]["People"]) == 41
    assert response["UnprocessedKeys"]["People"]["Keys"] == keys[41:]


def test_a_batch_writes_25_items_at_most_and_each_once(account: Account) -> None:
    def write(names: list[str]) -> Any:
        puts = [{"PutRequest": {"Item": {"pk": {"S": name}}}} for name in names]
        return account.client.batch_write_item(RequestItems={"People": puts})

    write([str(n) for n in range(25)])
    with pytest.raises(ClientError, match="Too many items"):
        write([str(n) for n in range(26)])
    with pytest.raises(ClientError, match="duplicates"):
        write(["a", "a"])


def test_a_query_returns_1_mb_at_a_time(account: Account) -> None:
    for n in range(6):
        item = {"pk": {"S": "a"}, "at": {"N": str(n)}, "text": {"S": "x" * 300 * KIB}}
        account.client.put_item(TableName="History", Item=item)
    request = {
        "TableName": "History",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "a"}},
    }

    first = account.client.query(**request)
    second = account.client.query(**request, ExclusiveStartKey=first["LastEvaluatedKey"])

    assert [item["at"]["N"] for item in first["Items"]] == ["0", "1", "2", "3"]
    assert [item["at"]["N"] for item in second["Items"]] == ["4", "5"]
    assert "LastEvaluatedKey" not in second


def test_a_limit_that_is_reached_returns_a_last_key(account: Account) -> None:
    item = {"pk": {"S": "a"}, "at": {"N": "10"}}
    account.client.put_item(TableName="History", Item=item)
    response = account.client.query(
        TableName="History",
        KeyConditionExpression="pk = :pk AND #at >= :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":pk": {"S": "a"}, ":at": {"N": "9.5"}},
        Limit=1,
    )
    assert response["LastEvaluatedKey"] == item


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"pk": {"S": ""}}, "empty string value"),
        ({"pk": {"S": "x" * 2049}}, "maximum size limit of 2048 bytes"),
        ({"pk": {"S": "é" * 1025}}, "maximum size limit of 2048 bytes"),
        ({"pk": {"N": "1"}}, "Type mismatch"),
        ({"other": {"S": "a"}}, "Missing the key"),
    ],
)
def test_an_invalid_key_is_refused(account: Account, key: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as error:
        account.client.put_item(TableName="People", Item=key)
    assert refusal(error) == "ValidationException"


def test_a_key_of_an_index_must_not_be_empty(account: Account) -> None:
    with pytest.raises(ClientError, match="empty string value"):
        account.put(work={"S": ""})


@pytest.mark.parametrize(
    ("number", "is_stored"),
    [
        ("1" * 38, True),
        ("1" * 39, False),
        ("1" + "0" * 60, True),
        ("1e125", True),
        ("1e126", False),
        ("1e-130", True),
        ("1e-131", False),
        ("NaN", False),
        ("ten", False),
    ],
)
def test_a_number_has_38_digits_and_a_range(
    account: Account, number: str, *, is_stored: bool
) -> None:
    if is_stored:
        account.put(number={"N": number})
        return
    with pytest.raises(ClientError) as error:
        account.put(number={"N": number})
    assert refusal(error) == "ValidationException"


@pytest.mark.parametrize(
    "value",
    [{}, {"S": "a", "N": "1"}, {"S": 1}, {"SS": []}, {"SS": ["a", "a"]}, {"B": "text"}, {"X": "1"}],
)
def test_a_value_that_is_no_attribute_is_refused(account: Account, value: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        account.put(value=value)
    assert refusal(error) == "ValidationException"


def test_an_index_shows_a_change_after_its_lag(account: Account) -> None:
    account.database.set_index_lag(1.0)
    account.put(work={"S": "dirty"})
    assert account.working() == []
    account.time += 1.0
    assert account.working() == ["a"]
    account.put()
    assert account.working() == ["a"]
    account.time += 1.0
    assert account.working() == []


def test_an_index_is_never_read_consistently(account: Account) -> None:
    with pytest.raises(ClientError, match="Consistent reads are not supported"):
        account.client.query(
            TableName="People",
            IndexName="work",
            KeyConditionExpression="work = :work",
            ExpressionAttributeValues={":work": {"S": "dirty"}},
            ConsistentRead=True,
        )


def test_throttled_tables_refuse_every_call_in_a_burst(account: Account) -> None:
    account.database.faults.throttling = (Throttling(2.0, start=1.0, every=10.0),)
    account.put()
    for account.time in (1.0, 2.9, 11.5):
        with pytest.raises(account.client.exceptions.ProvisionedThroughputExceededException):
            account.get()
        with pytest.raises(account.client.exceptions.TransactionCanceledException) as error:
            account.client.transact_write_items(TransactItems=[put_action("a")])
        assert error.value.response["CancellationReasons"][0]["Code"] == "ThrottlingError"
    account.time = 3.0
    account.get()


def test_a_burst_can_throttle_one_operation(account: Account) -> None:
    burst = Throttling(1.0, operations=frozenset({"PutItem"}), code=THROTTLING)
    account.database.faults.throttling = (burst,)
    account.get()
    with pytest.raises(ClientError) as error:
        account.put()
    assert refusal(error) == THROTTLING


def test_a_part_of_a_batch_can_stay_unprocessed(account: Account) -> None:
    account.database.faults.unprocessed_every = 1
    puts = [{"PutRequest": {"Item": {"pk": {"S": str(n)}}}} for n in range(4)]
    written = account.client.batch_write_item(RequestItems={"People": puts})
    assert written["UnprocessedItems"] == {"People": puts[2:]}
    keys = [{"pk": {"S": str(n)}} for n in range(4)]
    read = account.client.batch_get_item(RequestItems={"People": {"Keys": keys}})
    assert read["UnprocessedKeys"]["People"]["Keys"] == keys[2:]
    assert len(read["Responses"]["People"]) == 2


def test_a_transaction_can_meet_another_one(account: Account) -> None:
    account.database.faults.conflict_every = 2
    account.client.transact_write_items(TransactItems=[put_action("a")])
    with pytest.raises(account.client.exceptions.TransactionCanceledException) as error:
        account.client.transact_write_items(TransactItems=[put_action("b")])
    assert error.value.response["CancellationReasons"][0]["Code"] == "TransactionConflict"
    assert account.get("b") is None


def test_a_write_whose_response_is_lost_was_carried_out(account: Account) -> None:
    account.database.faults.lost_every = 1
    with pytest.raises(ReadTimeoutError):
        account.put()
    assert account.get() is not None


@pytest.mark.parametrize(
    ("condition", "names", "values", "message"),
    [
        ("attribute_exists(pk", {}, {}, "Syntax error"),
        ("state = :a", {}, {":a": {"S": "x"}}, "reserved keyword"),
        ("pk = :a", {}, {}, "not defined"),
        ("attribute_exists(pk)", {}, {":a": {"S": "x"}}, "unused in expressions"),
        ("attribute_exists(pk)", {"#a": "b"}, {}, "unused in expressions"),
        ("begins_with(pk)", {}, {}, "number of operands"),
        ("texts[0] = :a", {}, {":a": {"S": "x"}}, "Syntax error"),
        ("pk == :a", {}, {":a": {"S": "x"}}, "Syntax error"),
        ("", {}, {}, "can not be empty"),
    ],
)
def test_an_expression_that_cannot_be_read_is_refused(
    account: Account, condition: str, names: dict[str, str], values: Any, message: str
) -> None:
    request = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    with pytest.raises(ClientError, match=message) as error:
        account.client.put_item(
            TableName="People",
            Item={"pk": {"S": "a"}},
            ConditionExpression=condition,
            **{name: members for name, members in request.items() if members},
        )
    assert refusal(error) == "ValidationException"


def test_a_request_that_is_not_simulated_is_an_error_of_the_test(account: Account) -> None:
    with pytest.raises(TypeError, match="ReturnValues"):
        account.client.put_item(
            TableName="People", Item={"pk": {"S": "a"}}, ReturnValues="UPDATED_OLD"
        )


def test_a_put_returns_the_item_that_it_replaces(account: Account) -> None:
    put = partial(account.client.put_item, TableName="People", ReturnValues="ALL_OLD")
    assert "Attributes" not in put(Item={"pk": {"S": "a"}})
    assert put(Item={"pk": {"S": "a"}, "n": {"N": "1"}})["Attributes"] == {"pk": {"S": "a"}}


def test_an_update_may_not_change_a_key(account: Account) -> None:
    with pytest.raises(ClientError, match="part of the key"):
        account.client.update_item(
            TableName="People",
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET pk = :b",
            ExpressionAttributeValues={":b": {"S": "b"}},
        )


def test_a_scan_goes_on_behind_an_item_that_was_deleted(account: Account) -> None:
    """The start key names a place in the table (Amazon DynamoDB API Reference, Scan)."""
    keys = {f"key{number}" for number in range(9)}
    for key in keys:
        account.put(key)

    found: list[str] = []
    request: dict[str, Any] = {"TableName": "People", "Limit": 2}
    while True:
        page = account.client.scan(**request)
        found += [item["pk"]["S"] for item in page["Items"]]
        for item in page["Items"]:
            account.client.delete_item(TableName="People", Key={"pk": item["pk"]})
        if not (last := page.get("LastEvaluatedKey")):
            break
        request["ExclusiveStartKey"] = last

    assert sorted(found) == sorted(keys)
