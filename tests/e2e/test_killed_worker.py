"""The deployed worker's process is killed again and again; nothing is lost and nothing doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
from local.stack.record import Stack
from local.visitors import Marketer, Operator, SalesPerson

pytestmark = pytest.mark.stack

KILLS = int(os.environ.get("KILLS", "3"))
"""`make kill-worker` kills it twenty times; the tests of every day three times."""
EACH = 50
PEOPLE = 2 * EACH * KILLS
FIRST = 60_000
EVENT = json.loads(Path("events/runs_queue.json").read_text("utf-8"))
ATTEMPTS = 12


@pytest.fixture
def mortal_worker(stack: Stack, aws: EmbeddedAws) -> Iterator[str]:
    """A worker whose dead are given up after two seconds: it is killed here, so that is true."""
    name = stack.functions["sync_worker"]
    before = aws.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    mortal = {**before, "WORKER_TIMEOUT_SECONDS": "2"}
    aws.functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": mortal}
    )
    yield name
    aws.functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": before}
    )


def processes(function: str, stack: Stack) -> list[int]:
    """Return the processes of a function of this stack: they know its simulator's address."""
    host = stack.salesforce.url.removeprefix("https://")
    wanted = (f"AWS_LAMBDA_FUNCTION_NAME={function}", f"SALESFORCE_TRUSTED_HOST={host}")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (folder / "environ").read_bytes().split(b"\0")
            if all(word.encode() in said for word in wanted):
                found.append(int(folder.name))
    return found


def work(aws: EmbeddedAws, function: str, run: str, part: str) -> None:
    """Hand the worker one message, as the queue would; it may die over it."""
    record = {**EVENT["Records"][0], "body": json.dumps({"run_id": run, "part": part})}
    with suppress(Exception):
        aws.invoke(function, {"Records": [record]})


def test_a_worker_killed_again_and_again_loses_nothing_and_doubles_nothing(
    stack: Stack, aws: EmbeddedAws, mortal_worker: str
) -> None:
    sales, marketing, ops = SalesPerson(stack), Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    ops.fire_schedule()
    chance = random.Random(4)  # noqa: S311  # instants, not secrets
    kills = loaded = 0
    while kills < KILLS or loaded < PEOPLE:
        if loaded < PEOPLE:  # new work for each of them
            marketing.simulate("POST", "load", {"contacts": EACH, "first": FIRST + loaded})
            sales.simulate("POST", "load", {"leads": EACH, "first": FIRST + loaded + EACH})
            loaded += 2 * EACH
        asked = aws.invoke(stack.functions["scheduled_sync"], _schedule())
        worker = threading.Thread(
            target=work, args=(aws, mortal_worker, asked["run_id"], "observe"), daemon=True
        )
        worker.start()
        time.sleep(chance.uniform(0.3, 3.0))
        for process in processes(mortal_worker, stack):
            os.kill(process, signal.SIGKILL)
            kills += 1
        worker.join(30)
    _let_it_settle(aws, mortal_worker, ops, stack)

    people = {e: p for e, p in marketing.people().items() if e.startswith("person006")}
    rows = _leads(sales)
    assert len(people) == PEOPLE
    assert len(rows) == PEOPLE
    leads = {row["Email"]: row for row in rows}
    for email, person in people.items():
        lead = leads[email]
        assert lead["plezi_url__c"].endswith(person["id"])
        assert (lead["Phone"], lead["LastName"]) == (person["phone"], person["last_name"])


def _schedule() -> Any:
    return json.loads(Path("events/scheduler.json").read_text("utf-8"))


def _let_it_settle(aws: EmbeddedAws, function: str, ops: Operator, stack: Stack) -> None:
    """Run undisturbed until a run ends done and changes nothing, whatever the queue still holds."""
    for _ in range(ATTEMPTS):
        time.sleep(2.5)  # the dead are given up
        run = aws.invoke(stack.functions["scheduled_sync"], _schedule())["run_id"]
        for part in ("observe", "reconcile", "reconcile"):
            work(aws, function, run, part)
            record = ops.admin("GET", f"/admin/runs/{run}")
            if record["state"] == "done":
                break
        counts = record.get("counts", {})
        moved = [it.get(what, 0) for it in counts.values() for what in ("created", "updated")]
        if record["state"] == "done" and not any(moved):
            return
    raise AssertionError(f"not settled: {record}")


def _leads(sales: SalesPerson) -> list[dict[str, Any]]:
    answer = sales.ask(
        "GET",
        "query",
        q="SELECT Email, Phone, LastName, plezi_url__c FROM Lead WHERE Email LIKE 'person006%'",
    )
    return list(answer["records"])
