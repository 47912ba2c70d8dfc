"""The deployed worker of a stack. A test invokes it, kills it and waits until it is done."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from local.actors import UNFINISHED, Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from tests.e2e.deployed_worker import changed_worker

EVENTS = Path("events")
EVENT = json.loads((EVENTS / "runs_queue.json").read_text("utf-8"))
ATTEMPTS = 12
ABANDONED_SECONDS = 2
RUN_SECONDS = 60.0
POLL_SECONDS = 0.005


class KillableWorker:
    """The deployed worker, invoked and killed by a test."""

    def __init__(self, stack: StackFile, aws: EmbeddedAws) -> None:
        self._stack, self._aws = stack, aws
        self._name = stack.functions["sync_worker"]
        self._sides = (SalesPerson(stack), Marketer(stack))

    @contextmanager
    def killable(self, abandoned_seconds: int = ABANDONED_SECONDS) -> Iterator[None]:
        """Shorten the worker time-out: a killed worker is then abandoned soon."""
        [source] = self._aws.functions.list_event_source_mappings(FunctionName=self._name)[
            "EventSourceMappings"
        ]
        variables = {"WORKER_TIMEOUT_SECONDS": str(abandoned_seconds)}
        with changed_worker(self._stack, self._aws, variables):
            # The queue would deliver the message of a killed worker again only after a minute.
            self._aws.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
            yield
            self._aws.queues.purge_queue(QueueUrl=self._stack.queues["runs"])
            self._aws.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)

    def work(self, run: str, phase: str = "read") -> None:
        """Deliver one message to the worker, as the queue does. It can be killed during this."""
        record = {**EVENT["Records"][0], "body": json.dumps({"run_id": run, "phase": phase})}
        with suppress(Exception):
            self._aws.invoke(self._name, {"Records": [record]})

    def request(self) -> str:
        """Request a run, as the schedule does; return its id."""
        event = json.loads((EVENTS / "scheduler.json").read_text("utf-8"))
        return str(self._aws.invoke(self._stack.functions["scheduled_sync"], event)["run_id"])

    def is_killed_at_work(self, after: int) -> bool:
        """Start a run and kill its process after some writes; return whether that interrupted it.

        The kill interrupted the run when the run was started and not done, before and after it.
        """
        self.mark()
        run = self.request()
        invocation = threading.Thread(target=self.work, args=(run,), daemon=True)
        invocation.start()
        until = time.monotonic() + RUN_SECONDS
        while (state := self.state(run)) in UNFINISHED and time.monotonic() < until:
            if state == "running" and self.writes() >= after:
                break
            time.sleep(POLL_SECONDS)
        killed = self._kill() if state == "running" else 0
        invocation.join(RUN_SECONDS)
        return killed > 0 and self.state(run) == "running"

    def mark(self) -> None:
        """Start to count the writes."""
        for side in self._sides:
            side.simulate("POST", "mark")

    def writes(self) -> int:
        """Return the number of write calls to both sides since the mark."""
        return sum(int(side.simulate("GET", "calls")["writes"]) for side in self._sides)

    def state(self, run: str) -> str:
        """Return the state of a run, as it is stored."""
        response = self._aws.tables.get_item(
            TableName=self._stack.tables["ledger"], Key={"pk": {"S": f"run#{run}"}}
        )
        return response["Item"]["state"]["S"]

    def _kill(self) -> int:
        """Kill the worker's processes; return their number. Their environment names this stack."""
        host = self._stack.salesforce.url.removeprefix("https://")
        expected = (f"AWS_LAMBDA_FUNCTION_NAME={self._name}", f"SALESFORCE_TRUSTED_HOST={host}")
        killed = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                variables = (folder / "environ").read_bytes().split(b"\0")
                if all(variable.encode() in variables for variable in expected):
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed += 1
        return killed

    def wait_until_done(self, ops: Operator) -> None:
        """Repeat runs, uninterrupted, until a run ends as done and without changes."""
        record: dict[str, Any] = {}
        for _ in range(ATTEMPTS):
            time.sleep(ABANDONED_SECONDS + 0.5)
            run = self.request()
            for phase in ("read", "resolve", "resolve"):
                self.work(run, phase)
                record = ops.admin("GET", f"/admin/runs/{run}")
                if record["state"] == "done":
                    break
            counts = record.get("counts", {}).values()
            changes = [side.get(kind, 0) for side in counts for kind in ("created", "updated")]
            if record["state"] == "done" and not any(changes):
                return
        raise AssertionError(f"the runs still change records: {record}")
