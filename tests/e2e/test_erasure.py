"""The erasure of a person on the deployed stack: its storage is scanned, and a full run follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from tests.component.person_history import decoded, found_in

pytestmark = pytest.mark.stack

EMAIL = "zenobie.oubli@example.com"
TRACES = (EMAIL, "Zenobie", "Oubliette", "5550777", "5550888")
"""The address and the values of the person; none is a part of anybody else's."""
MAX_MESSAGES = 10


def stored_texts(stack: StackFile, aws: EmbeddedAws) -> dict[str, str]:
    """Return every item of every table, decompressed and decoded, and every message."""
    texts: dict[str, str] = {}
    for table in stack.tables.values():
        for page in aws.tables.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                key = "/".join(item[name]["S"] for name in ("pk", "sk") if name in item)
                texts[f"{table}/{key}"] = f"{key} {json.dumps(decoded(item))}"
    for queue in stack.queues.values():
        read = aws.queues.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=MAX_MESSAGES, VisibilityTimeout=0
        )
        for number, message in enumerate(read.get("Messages", ())):
            texts[f"{queue}/{number}"] = message["Body"]
    return texts


def left_of_the_person(stack: StackFile, aws: EmbeddedAws) -> dict[str, list[str]]:
    texts = stored_texts(stack, aws)
    return {trace: keys for trace in TRACES if (keys := found_in(texts, trace))}


def erase(ops: Operator) -> None:
    body: dict[str, Any] = {"email": EMAIL, "preview": False}
    while True:
        answer = ops.admin("POST", "/admin/people/erase", body)
        if not answer["next"]:
            assert answer["complete"]
            return
        body["next"] = answer["next"]


def test_no_byte_of_an_erased_person_is_left_and_a_full_run_does_not_bring_it_back(
    stack: StackFile, aws: EmbeddedAws, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.submit_form(email=EMAIL, first_name="Zenobie", last_name="Oubliette", phone="5550777")
    lead = sales.wait_for_lead(EMAIL)
    ops.wait_for_forms()
    sales.edit("Lead", lead["Id"], Phone="5550888")
    ops.fire_schedule()
    assert set(left_of_the_person(stack, aws)) == set(TRACES)

    erase(ops)

    assert left_of_the_person(stack, aws) == {}
    full = ops.request_run(kind="full")
    assert full["state"] == "done", full["message"]
    assert left_of_the_person(stack, aws) == {}
    assert sales.leads(EMAIL)[0]["Phone"] == "5550888"
