"""An item of one person that no version has stored stops nobody else, and is listed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from connector.model import RunKind, RunState
from tests.component.altered_answers import let_hours_pass
from tests.component.harness import REGION, Harness
from tests.component.operation import Operation
from tests.component.people_fixtures import ANA, BOB, lead_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


def table() -> DynamoDBClient:
    return boto3.client("dynamodb", region_name=REGION)


def stored_item(key: str) -> Item:
    response = table().query(
        TableName="LedgerTable",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": key}},
    )
    [item] = response["Items"]
    return dict(item)


def store(item: Item) -> None:
    table().put_item(TableName="LedgerTable", Item=item)


def without(name: str) -> Callable[[Item], Item]:
    return lambda item: {key: it for key, it in item.items() if key != name}


def with_attribute(name: str, attribute: Mapping[str, object]) -> Callable[[Item], Item]:
    return lambda item: {**item, name: attribute}


def with_part(name: str, part: object) -> Callable[[Item], Item]:
    """Return what replaces one part of the JSON of a link."""

    def change(item: Item) -> Item:
        tree = json.loads(zlib.decompress(bytes(item["body"]["B"])))
        body = zlib.compress(json.dumps({**tree, name: part}).encode())
        return {**item, "body": {"B": body}}

    return change


def with_contact(**members: object) -> Callable[[Item], Item]:
    """Return what replaces members of the observation of the contact."""

    def change(item: Item) -> Item:
        contact = json.loads(zlib.decompress(bytes(item["body"]["B"])))["plezi"]
        return with_part("plezi", {**contact, **members})(item)

    return change


SHAPES: dict[str, Callable[[Item], Item]] = {
    "no revision": without("revision"),
    "a text as revision": with_attribute("revision", {"S": "7"}),
    "a fraction as revision": with_attribute("revision", {"N": "1.5"}),
    "a text as schema": with_attribute("schema", {"S": "5"}),
    "a fraction as schema": with_attribute("schema", {"N": "1.5"}),
    "no body": without("body"),
    "a text as body": with_attribute("body", {"S": "x"}),
    "a body that is no JSON": with_attribute("body", {"B": zlib.compress(b"[" * 99_999)}),
    "a text as number": with_part("unanswered", "x"),
    "a truth value as number": with_part("unanswered", True),
    "a number as text": with_part("primary_lead", 5),
    "a number as truth value": with_part("shared", 1),
    "a text as time": with_contact(as_of="soon"),
    "no time": with_contact(as_of=None),
    "a number as version": with_contact(version=5),
    "no version": with_contact(version=None),
    "a number as e-mail": with_contact(email=5),
    "a list as values": with_contact(values=[1]),
    "a number in a list of names": with_contact(unreadable=[3]),
    "a member of another version": with_contact(novelty=1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_damaged_item_of_one_person_stops_nobody_and_is_listed(
    harness: Harness, ana: str, shape: str
) -> None:
    bob = harness.add_person(email=BOB, last_name="B", phone="1")
    harness.sync()
    let_hours_pass(harness)
    damaged = SHAPES[shape](stored_item(f"contact#{ANA}"))
    store(damaged)
    harness.edit_person(ana, phone="222")
    harness.edit_person(bob, phone="333")

    assert harness.sync().state is RunState.DONE
    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE

    assert lead_of(harness, BOB)["Phone"] == "333"
    link = harness.ledger.load_links([ANA])[ANA]
    assert not link.readable
    assert stored_item(f"contact#{ANA}").get("body") == damaged.get("body")
    if shape != "a text as schema":  # no write may touch such an item: it is in the log only
        assert stored_item(f"contact#{ANA}")["attention"] == {"S": "quarantine"}


@pytest.mark.parametrize("attribute", [{"N": "5"}, {"NULL": True}, {"S": ""}, None])
@pytest.mark.parametrize("new_email", [ANA, "ana.new@example.com"])
def test_a_damaged_pointer_of_one_record_stops_nobody(
    harness: Harness, ana: str, attribute: Mapping[str, object] | None, new_email: str
) -> None:
    bob = harness.add_person(email=BOB, last_name="B", phone="1")
    harness.sync()
    let_hours_pass(harness)
    pointer = without("email")(stored_item(f"record#{ana}"))
    store(pointer if attribute is None else {**pointer, "email": attribute})
    harness.edit_person(ana, email=new_email, phone="222")
    harness.edit_person(bob, phone="333")

    assert harness.sync().state is RunState.DONE
    assert lead_of(harness, BOB)["Phone"] == "333"


def test_a_damaged_item_does_not_stop_the_schedule(operation: Operation) -> None:
    harness = operation.harness
    bob = harness.add_person(email=BOB, last_name="B", phone="1")
    operation.tick()
    let_hours_pass(harness)
    store(SHAPES["no revision"](stored_item(f"contact#{ANA}")))
    harness.edit_person(harness.people()[ANA]["id"], phone="2")
    for phone in ("31", "32", "33"):
        harness.edit_person(bob, phone=phone)
        operation.tick()
        let_hours_pass(harness)

        assert lead_of(harness, BOB)["Phone"] == phone
