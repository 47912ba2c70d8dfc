"""Read and write units are counted as the Amazon DynamoDB Developer Guide describes them."""

from __future__ import annotations

from typing import Any

import pytest

from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from tests.rehearsal.account import DEFINITIONS, KIB, Account

COMPLETE: Any = {
    "People": {
        **DEFINITIONS["People"],
        "GlobalSecondaryIndexes": [
            {
                **DEFINITIONS["People"]["GlobalSecondaryIndexes"][0],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }
}


@pytest.fixture
def account() -> Account:
    return Account()


def item(size: int, key: str = "a", **attributes: Any) -> dict[str, Any]:
    """Return an item of a size in bytes, without the other attributes."""
    return {"pk": {"S": key}, "t": {"S": "x" * (size - 4)}, **attributes}


def writes(account: Account) -> dict[str, float]:
    """Return the write units by index ('': the table), and count from zero again."""
    units = account.database.units
    found = {kind.index: number for kind, _, number in units.rows() if number}
    units.clear()
    return found


def put(account: Account, stored: dict[str, Any]) -> None:
    account.client.put_item(TableName="People", Item=stored)


@pytest.mark.parametrize(("size", "units"), [(1, 1), (KIB, 1), (KIB + 1, 2), (10 * KIB, 10)])
def test_a_write_costs_one_unit_for_each_kilobyte(account: Account, size: int, units: int) -> None:
    put(account, item(max(4, size)))
    assert writes(account) == {"": units}


def test_the_larger_of_the_sizes_before_and_after_counts(account: Account) -> None:
    put(account, item(3 * KIB))
    writes(account)
    put(account, item(4))
    assert writes(account) == {"": 3}


def test_a_transaction_costs_double_in_the_table_and_not_in_the_index(account: Account) -> None:
    action = {"Put": {"TableName": "People", "Item": item(KIB, work={"S": "dirty"})}}
    account.client.transact_write_items(TransactItems=[action])
    assert writes(account) == {"": 4, "work": 1}


def test_a_write_whose_condition_fails_costs_the_item(account: Account) -> None:
    put(account, item(2 * KIB))
    writes(account)
    with pytest.raises(account.client.exceptions.ConditionalCheckFailedException):
        account.client.put_item(
            TableName="People",
            Item=item(4),
            ConditionExpression="attribute_not_exists(pk)",
        )
    assert writes(account) == {"": 2}


def test_an_index_costs_a_write_when_an_item_enters_or_leaves_it(account: Account) -> None:
    put(account, item(4, work={"S": "dirty"}))
    assert writes(account) == {"": 1, "work": 1}
    put(account, item(4))
    assert writes(account) == {"": 1, "work": 1}
    put(account, item(5))
    assert writes(account) == {"": 1}


def test_an_index_costs_two_writes_when_its_key_changes(account: Account) -> None:
    put(account, item(4, work={"S": "dirty"}))
    writes(account)
    put(account, item(4, work={"S": "waiting"}))
    assert writes(account) == {"": 1, "work": 2}


def test_an_index_costs_nothing_while_what_it_holds_is_unchanged(account: Account) -> None:
    put(account, item(4, work={"S": "dirty"}))
    writes(account)
    put(account, item(500, work={"S": "dirty"}))
    assert writes(account) == {"": 1}


def test_an_index_of_all_attributes_costs_a_write_for_each_kilobyte() -> None:
    account = Account()
    account.database = Database(COMPLETE, lambda: 0.0)
    account.client = MemoryDynamoDB(account.database)
    put(account, item(2 * KIB, work={"S": "dirty"}))
    assert writes(account) == {"": 3, "work": 3}
    put(account, item(4 * KIB, work={"S": "dirty"}))
    assert writes(account) == {"": 5, "work": 5}


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(4 * KIB, True, 1), (4 * KIB + 1, True, 2), (4 * KIB, False, 0.5), (None, True, 1)],
)
def test_a_read_costs_one_unit_for_four_kilobytes_and_half_if_eventually_consistent(
    account: Account, size: int | None, *, consistent: bool, units: float
) -> None:
    if size is not None:
        put(account, item(size))
    account.client.get_item(TableName="People", Key={"pk": {"S": "a"}}, ConsistentRead=consistent)
    assert account.database.units.total_reads == units


def test_a_batch_of_reads_rounds_each_item_up_and_a_query_their_sum(account: Account) -> None:
    for number in range(8):
        put(account, item(200, str(number), work={"S": "dirty"}))
        stored = {"pk": {"S": "a"}, "at": {"N": str(number)}, "t": {"S": "x" * KIB}}
        account.client.put_item(TableName="History", Item=stored)
    keys = [{"pk": {"S": str(number)}} for number in range(8)]
    account.client.batch_get_item(RequestItems={"People": {"Keys": keys, "ConsistentRead": True}})
    assert account.database.units.total_reads == 8

    account.database.units.clear()
    account.client.query(
        TableName="History",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
        ConsistentRead=True,
    )
    assert account.database.units.total_reads == 3

    account.database.units.clear()
    account.working()
    assert account.database.units.total_reads == 0.5


def test_units_are_counted_by_table_operation_and_kind_of_key(account: Account) -> None:
    put(account, item(4, "contact#ana@x.fr"))
    put(account, item(4, "contact#bob@x.fr"))
    put(account, item(4, "record#1"))
    found = {
        (kind.table, kind.operation, kind.kind): number
        for kind, _, number in account.database.units.rows()
    }
    assert found == {("People", "PutItem", "contact"): 2, ("People", "PutItem", "record"): 1}
