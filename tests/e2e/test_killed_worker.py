"""The deployed worker's process is killed again and again; all ends as if it never had been.

Two equal populations get the same work in the same waves. The runs of the first are undisturbed. In
those of the second the worker is killed, each time while it works on a run that it has begun, after
as many writes as chance says.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from connector.journal.dynamo import lines_of
from connector.ledger.dynamo import DynamoLedger
from connector.model import Value, Values
from local.embedded_aws import EmbeddedAws
from local.stack.admin_calls import call_admin
from local.stack.commands import StackCommands
from local.stack.record import Stack
from local.visitors import Marketer, Operator, SalesPerson
from tests.e2e.populations import (
    PLEZI_AHEAD_SECONDS,
    POLICIES,
    Population,
    is_old,
    outcome_of,
)

pytestmark = pytest.mark.stack

KILLS = int(os.environ.get("KILLS", "3"))
"""`make kill-worker` kills it twenty times, in 2,000 people; the tests of every day three times."""
EVENTS = Path("events")
EVENT = json.loads((EVENTS / "runs_queue.json").read_text("utf-8"))
ATTEMPTS = 12
GIVEN_UP_SECONDS = 2
RUN_SECONDS = 60.0
POLL_SECONDS = 0.005
BOTH_WAYS = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Company": "company",
    "Phone": "phone",
    "MobilePhone": "mobile",
}
IDENTITIES = {"Email", "email", "plezi_url__c", "url"}
WAVES_TO_REST = 5
"""Waves until a run is left alone: a run that empties the fields of over 100 people stops to ask,
and what twenty waves had left undone would come near."""
LATEST, LATEST_BEHIND = 0.9, 0.5
"""When a kill comes at the latest, of the writes of an undisturbed run; sooner once one missed."""


class Worker:
    """The deployed worker, which is invoked, and killed."""

    def __init__(self, stack: Stack, aws: EmbeddedAws) -> None:
        self._stack, self._aws = stack, aws
        self._name = stack.functions["sync_worker"]
        self._sides = (SalesPerson(stack), Marketer(stack))

    @contextmanager
    def mortal(self) -> Iterator[None]:
        """Have its dead given up after two seconds: it is killed here, so that is true."""
        told = self._aws.functions.get_function_configuration(FunctionName=self._name)
        before = told["Environment"]["Variables"]
        self._configure({**before, "WORKER_TIMEOUT_SECONDS": str(GIVEN_UP_SECONDS)})
        [source] = self._aws.functions.list_event_source_mappings(FunctionName=self._name)[
            "EventSourceMappings"
        ]
        # The queue would wait for a minute before it hands over again what a dead one had taken.
        self._aws.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
        yield
        self._aws.queues.purge_queue(QueueUrl=self._stack.queues["runs"])
        self._aws.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)
        self._configure(before)

    def _configure(self, variables: dict[str, str]) -> None:
        self._aws.functions.update_function_configuration(
            FunctionName=self._name, Environment={"Variables": variables}
        )

    def work(self, run: str, part: str = "observe") -> None:
        """Hand it one message, as the queue would; it may die over it."""
        record = {**EVENT["Records"][0], "body": json.dumps({"run_id": run, "part": part})}
        with suppress(Exception):
            self._aws.invoke(self._name, {"Records": [record]})

    def request(self) -> str:
        """Let the clock ask for a run; return its id."""
        event = json.loads((EVENTS / "scheduler.json").read_text("utf-8"))
        return str(self._aws.invoke(self._stack.functions["scheduled_sync"], event)["run_id"])

    def is_killed_at_work(self, after: int) -> bool:
        """Begin a run and kill its process after some writes; return whether that hit it.

        It did when the run had begun, was not done, and is not done by the dead one either.
        """
        self.mark()
        run = self.request()
        invocation = threading.Thread(target=self.work, args=(run,), daemon=True)
        invocation.start()
        until = time.monotonic() + RUN_SECONDS
        while (state := self._state(run)) != "done" and time.monotonic() < until:
            if state == "running" and self.writes() >= after:
                break
            time.sleep(POLL_SECONDS)
        killed = self._kill() if state == "running" else 0
        invocation.join(RUN_SECONDS)
        return killed > 0 and self._state(run) == "running"

    def mark(self) -> None:
        """Count writes from here."""
        for side in self._sides:
            side.simulate("POST", "mark")

    def writes(self) -> int:
        """Return how many calls have written on either side since the mark."""
        return sum(int(side.simulate("GET", "calls")["writes"]) for side in self._sides)

    def _state(self, run: str) -> str:
        found = self._aws.tables.get_item(
            TableName=self._stack.tables["ledger"], Key={"pk": {"S": f"run#{run}"}}
        )
        return found["Item"]["state"]["S"]

    def _kill(self) -> int:
        """Kill its processes; return how many. They know the address of this stack's simulator."""
        host = self._stack.salesforce.url.removeprefix("https://")
        wanted = (f"AWS_LAMBDA_FUNCTION_NAME={self._name}", f"SALESFORCE_TRUSTED_HOST={host}")
        killed = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                said = (folder / "environ").read_bytes().split(b"\0")
                if all(word.encode() in said for word in wanted):
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed += 1
        return killed

    def settle(self, ops: Operator) -> None:
        """Run undisturbed until a run ends done and changes nothing, whatever the queue holds."""
        record: dict[str, Any] = {}
        for _ in range(ATTEMPTS):
            time.sleep(GIVEN_UP_SECONDS + 0.5)
            run = self.request()
            for part in ("observe", "reconcile", "reconcile"):
                self.work(run, part)
                record = ops.admin("GET", f"/admin/runs/{run}")
                if record["state"] == "done":
                    break
            counts = record.get("counts", {}).values()
            moved = [it.get(what, 0) for it in counts for what in ("created", "updated")]
            if record["state"] == "done" and not any(moved):
                return
        raise AssertionError(f"not settled: {record}")


@pytest.fixture
def decided_by_policy(stack: Stack, commands: StackCommands) -> Iterator[None]:
    """A mapping by which no conflict is decided by the instant of a write."""

    def put(lines: list[dict[str, Any]]) -> None:
        now = call_admin(commands, "GET", "/admin/mapping", None).json()
        body = json.dumps({**now, "lines": lines}).encode()
        answer = call_admin(commands, "PUT", "/admin/mapping", body)
        assert answer.ok, answer.text

    before = call_admin(commands, "GET", "/admin/mapping", None).json()["lines"]
    changed = [
        {**line, "policy": POLICIES.get(line["salesforce"], line["policy"])}
        | ({"direction": "to_salesforce"} if line["salesforce"] == "Title" else {})
        for line in before
    ]
    Marketer(stack).simulate("POST", "clock", {"advance": PLEZI_AHEAD_SECONDS})
    put(changed)
    yield
    put(before)


@pytest.mark.usefixtures("decided_by_policy")
def test_a_worker_killed_again_and_again_leaves_what_an_undisturbed_one_leaves(
    stack: Stack, aws: EmbeddedAws
) -> None:
    ops, worker = Operator(stack), Worker(stack, aws)
    ops.admin("POST", "/admin/start")
    calm, struck = (Population(stack, name, waves=KILLS) for name in ("calm", "struck"))
    for each in (calm, struck):
        each.found()
    ops.fire_schedule()
    undisturbed = []
    for wave in range(KILLS):
        calm.work(wave)
        worker.mark()
        run = ops.fire_schedule()
        assert run["state"] == "done", run["message"]
        undisturbed.append(worker.writes())
    chance = random.Random(4)  # noqa: S311  # instants, not secrets
    kills = 0
    with worker.mortal():
        for wave in range(KILLS):
            struck.work(wave)
            while kills <= wave:
                latest = LATEST if wave == kills < KILLS - 1 else LATEST_BEHIND
                if not worker.is_killed_at_work(chance.randrange(int(latest * min(undisturbed)))):
                    break  # the run was done sooner: there is work again in the next wave
                kills += 1
            if wave % WAVES_TO_REST == WAVES_TO_REST - 1:
                worker.settle(ops)
        worker.settle(ops)

    assert kills >= KILLS
    assert_both_sides_agree(calm)
    assert_both_sides_agree(struck)
    assert struck.contacts().words == calm.contacts().words
    assert struck.leads().words == calm.leads().words
    assert links(struck, stack, aws) == links(calm, stack, aws)
    assert lost(struck, stack, aws) == lost(calm, stack, aws)


def assert_both_sides_agree(population: Population) -> None:
    """Each person once on each side, bound to each other, and edited as the edits foretell."""
    contacts, leads = population.contacts(), population.leads()
    everybody = set(population.numbers)
    assert contacts.words.keys() == leads.words.keys() == everybody
    for number, lead in leads.words.items():
        assert leads.pages[number].endswith(contacts.ids[number])
        contact = contacts.words[number]
        assert [lead[field] for field in BOTH_WAYS] == [
            contact[name] for name in BOTH_WAYS.values()
        ]
        outcome = outcome_of(number) if is_old(number) else {}
        assert {field: lead[field] for field in outcome} == outcome


def links(population: Population, stack: Stack, aws: EmbeddedAws) -> dict[int | None, Any]:
    """Return what the ledger holds of each person, ids, addresses and time stamps apart."""
    ledger = DynamoLedger(aws.tables, stack.tables["ledger"])
    found = ledger.links(population.email(number) for number in population.numbers)
    return {
        population.number(email): {
            "waits": (dict(link.holds), link.quarantine, link.intent, link.dirty),
            "seen": [(seen.kind, apart(seen.values)) for seen in link.observations()],
            "base": [(seen.kind, apart(link.base[seen.id])) for seen in link.observations()],
        }
        for email, link in found.items()
    }


def apart(values: Values) -> dict[str, Value]:
    """Return words without those by which two people differ."""
    return {field: word for field, word in values.items() if field not in IDENTITIES}


def lost(population: Population, stack: Stack, aws: EmbeddedAws) -> set[tuple[Any, ...]]:
    """Return what the journal says that people typed in vain."""
    pages = aws.tables.get_paginator("scan").paginate(TableName=stack.tables["journal"])
    return {
        (number, line.side, line.field, line.before, line.after, line.rule)
        for page in pages
        for item in page["Items"]
        if "run_id" in item and (number := population.number(item["email"]["S"])) is not None
        for line in lines_of(item)
        if line.what == "lost"
    }
