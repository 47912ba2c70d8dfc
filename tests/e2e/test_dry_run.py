"""A preview of many people on the deployed stack: nothing moves, and the real run keeps to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from connector.aws.dynamodb.journal import parse_entries
from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile

pytestmark = pytest.mark.stack

PEOPLE = int(os.environ.get("PEOPLE", "1600"))
"""`make dry-run-of-5000` previews five thousand; the tests of every day eight batches of 200."""
BATCH = 200
NOT_OF_PEOPLE = ("run#", "calls#", "state#")


def items(aws: EmbeddedAws, table: str) -> Iterator[dict[str, Any]]:
    for page in aws.tables.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def fingerprint(aws: EmbeddedAws, stack: StackFile) -> list[str]:
    """Every link, pointer and cursor of the ledger, to the byte."""
    kept = items(aws, stack.tables["ledger"])
    return sorted(
        json.dumps(item, sort_keys=True)
        for item in kept
        if not item["pk"]["S"].startswith(NOT_OF_PEOPLE)
    )


def lines(aws: EmbeddedAws, stack: StackFile, run: str) -> set[tuple[str, ...]]:
    """What the journal says of a run: person, what, side, field, and the value written.

    What Plezi itself gives a new contact (address, score, state) is not known before.
    """
    return {
        (
            line.email,
            line.kind,
            line.side,
            line.field,
            "?" if "new contact" in str(line.after) else str(line.after),
        )
        for item in items(aws, stack.tables["journal"])
        if item.get("run_id", {}).get("S") == run  # the audit lies in the same table
        for line in parse_entries(item)
        if line.kind != "duplicate"
    }


def test_a_dry_run_of_many_people_changes_nothing_and_the_real_run_does_what_it_said(
    stack: StackFile, aws: EmbeddedAws
) -> None:
    sales, marketing, ops = SalesPerson(stack), Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    for person in (sales, marketing):  # what other tests typed is not read again as recent
        person.simulate("POST", "clock", {"advance": 1200})
    ops.fire_schedule()
    marketing.simulate("POST", "load", {"contacts": PEOPLE // 2, "first": 100_000})
    sales.simulate("POST", "load", {"leads": PEOPLE // 2, "first": 100_000 + PEOPLE // 2})
    before = (fingerprint(aws, stack), sales.simulate("GET", "counts"), marketing.contacts())
    sales.simulate("POST", "mark")
    marketing.simulate("POST", "mark")

    dry = ops.request_run(kind="dry_run")

    assert dry["state"] == "done", dry["message"]
    assert dry["counts"]["salesforce"]["created"] == PEOPLE // 2
    assert dry["counts"]["plezi"]["created"] == PEOPLE // 2
    after = (fingerprint(aws, stack), sales.simulate("GET", "counts"), marketing.contacts())
    assert after == before
    assert sales.simulate("GET", "calls")["writes"] == 0
    assert marketing.simulate("GET", "calls")["writes"] == 0

    sales.simulate("POST", "mark")
    marketing.simulate("POST", "mark")
    real = ops.request_run(kind="changes")

    assert real["state"] == "done", real["message"]
    told = lines(aws, stack, dry["run_id"])
    done = lines(aws, stack, real["run_id"])
    unknown = {line[:4] for line in told if line[4] == "?"}
    assert {line for line in told if line[4] != "?"} == {
        line for line in done if line[:4] not in unknown
    }
    assert unknown <= {line[:4] for line in done}
    # A run that does not end in one invocation breaks off a batch, which the next one takes up.
    pauses = real["invocations"] - 1
    for side, person in (("salesforce", sales), ("plezi", marketing)):
        calls, foretold = person.simulate("GET", "calls"), dry["counts"][side]
        writes = foretold["predicted_write_calls"]
        assert writes <= calls["writes"] <= writes + 2 * pauses
        # What was read more than a minute ago is read again before it is written on: a run on a
        # busy machine makes a few reads more, one for each batch of 200 at most.
        reads = foretold["predicted_calls"] - writes
        assert reads <= calls["reads"] <= reads + PEOPLE // BATCH
