"""A dry run of many people on the deployed stack: it changes nothing and predicts the real run."""

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

pytestmark = [pytest.mark.stack, pytest.mark.nightly]

PEOPLE = int(os.environ.get("PEOPLE", "1600"))
"""`make dry-run-of-5000` uses 5,000 people; the usual tests eight batches of 200."""
BATCH = 200
ORDER_CALL = 1
"""The call that shows whether the tenant sorts its list: a process makes it once (decision 149), so
that the real run spares what the dry run predicts, where one process works on both."""
NOT_ABOUT_PEOPLE = ("run#", "calls#", "state#", "preview#")
"""Keys of items that a dry run may change; `preview#` holds what it predicts, and expires."""


def items(aws: EmbeddedAws, table: str) -> Iterator[dict[str, Any]]:
    for page in aws.tables.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def fingerprint(aws: EmbeddedAws, stack: StackFile) -> list[str]:
    """Return every link, pointer and cursor of the ledger, byte by byte."""
    stored = items(aws, stack.tables["ledger"])
    return sorted(
        json.dumps(item, sort_keys=True, default=bytes.hex)
        for item in stored
        if not item["pk"]["S"].startswith(NOT_ABOUT_PEOPLE)
    )


def entries(aws: EmbeddedAws, stack: StackFile, run: str) -> set[tuple[str, ...]]:
    """Return the journal of a run: e-mail, kind, side, field, and the written value.

    The values that Plezi sets on a new contact (address, score, state) are not known before.
    """
    return {
        (
            entry.email,
            entry.kind,
            entry.side,
            entry.field,
            "?" if "new contact" in str(entry.after) else str(entry.after),
        )
        for item in items(aws, stack.tables["journal"])
        if item.get("run_id", {}).get("S") == run  # the audit log is in the same table
        for entry in parse_entries(item)
        if entry.kind != "duplicate"
    }


def test_a_dry_run_of_many_people_changes_nothing_and_predicts_the_real_run(
    stack: StackFile, aws: EmbeddedAws
) -> None:
    sales, marketing, ops = SalesPerson(stack), Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    for actor in (sales, marketing):  # the edits of other tests are then not recent any more
        actor.simulate("POST", "clock", {"advance": 1200})
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
    predicted = entries(aws, stack, dry["run_id"])
    done = entries(aws, stack, real["run_id"])
    unknown = {entry[:4] for entry in predicted if entry[4] == "?"}
    assert {entry for entry in predicted if entry[4] != "?"} == {
        entry for entry in done if entry[:4] not in unknown
    }
    assert unknown <= {entry[:4] for entry in done}
    # A run of several invocations interrupts a batch in each; the next one continues it.
    pauses = real["invocations"] - 1
    for side, actor in (("salesforce", sales), ("plezi", marketing)):
        calls, counts = actor.simulate("GET", "calls"), dry["counts"][side]
        writes = counts["predicted_write_calls"]
        assert writes <= calls["writes"] <= writes + 2 * pauses
        # A record that was read more than a minute ago is read again before a write: on a busy
        # machine a run makes a few more reads, at most one per batch of 200.
        reads = counts["predicted_calls"] - writes
        spared = ORDER_CALL if side == "plezi" else 0
        assert reads - spared <= calls["reads"] <= reads + PEOPLE // BATCH
