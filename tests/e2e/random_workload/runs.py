"""Runs at random times while users type; the worker is killed now and then."""

from __future__ import annotations

import threading
import time
from collections import Counter
from random import Random
from typing import Any, Final

from local.actors import Operator
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from tests.e2e.killable_worker import KillableWorker

ABANDONED_SECONDS: Final = 15
"""The time-out of the worker here: longer than a form worker needs for the write of one person."""
STALE_SECONDS: Final = 62.0
"""After this time, a write to Plezi that had no response is recovered (one minute, assumed)."""
LONGEST_PAUSE: Final = 1.5
KILLED: Final = 0.25
FULL: Final = 0.12
"""The shares of the runs that are killed, and that read all records."""
MAX_WRITES_BEFORE_KILL: Final = 30
PHASES: Final = ("read", *("resolve",) * 8)
ENDED: Final = ("done", "halted", "failed", "paused", "not_started")
SETTLING_RUNS: Final = 20
QUIET_RUNS: Final = 2
"""Full runs in a row that must change nothing, before the final records are examined."""


class Runs:
    """Requests runs and works on them in a thread of its own, until it is stopped."""

    def __init__(self, stack: StackFile, aws: EmbeddedAws, seed: int) -> None:
        self._stack, self._aws = stack, aws
        self._worker, self._ops = KillableWorker(stack, aws), Operator(stack)
        self._random = Random(seed)  # noqa: S311  # moments of runs, not secrets
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._error: BaseException | None = None
        self.kills: list[float] = []
        self.counted: Counter[str] = Counter()
        self.mapping_changed = threading.Event()

    @property
    def worker(self) -> KillableWorker:
        """The deployed worker."""
        return self._worker

    def start(self) -> None:
        """Start to run."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the present run. Raises what went wrong."""
        self._stopped.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _repeat(self) -> None:
        try:
            while not self._stopped.wait(self._random.uniform(0.0, LONGEST_PAUSE)):
                if self._random.random() < KILLED:
                    self._run_and_kill()
                else:
                    is_full = self.mapping_changed.is_set() or self._random.random() < FULL
                    self.mapping_changed.clear()
                    self.run(full=is_full)
        except BaseException as error:  # noqa: BLE001  # the test raises it in its own thread
            self._error = error

    def _run_and_kill(self) -> None:
        writes = self._random.randrange(MAX_WRITES_BEFORE_KILL)
        if self._worker.is_killed_at_work(writes):
            self.kills.append(time.time())
            self.counted["killed"] += 1
        else:
            self.counted["done before its kill"] += 1

    def run(self, *, full: bool) -> dict[str, Any]:
        """Request a run and work on it to its end; an admin lets go on what stopped itself."""
        if full:
            answer = self._aws.invoke(self._stack.functions["manual_sync"], {"kind": "full"})
            run = str(answer["run_id"])
        else:
            run = self._worker.request()
        for phase in PHASES:
            self._worker.work(run, phase)
            if self._worker.state(run) in ENDED:
                break
        state = self._worker.state(run)
        self.counted[f"{'full' if full else 'changes'}: {state}"] += 1
        record = self._ops.admin("GET", f"/admin/runs/{run}") if full or state != "done" else {}
        if state == "halted":
            self._ops.admin("POST", "/admin/breaker/release", {"intended": True})
            self.counted[f"released: {record.get('reason')}"] += 1
        return record

    def finish(self) -> None:
        """Repeat full runs until they change nothing any more.

        Raises:
            AssertionError: when they still do.
        """
        time.sleep(STALE_SECONDS)
        self._ops.wait_for_forms()
        quiet = 0
        record: dict[str, Any] = {}
        for _ in range(SETTLING_RUNS):
            record = self.run(full=True)
            counts = record.get("counts", {}).values()
            changes = sum(side.get(kind, 0) for side in counts for kind in ("created", "updated"))
            quiet = quiet + 1 if record.get("state") == "done" and not changes else 0
            if quiet == QUIET_RUNS:
                return
            time.sleep(1.0 if changes else 5.0)
        raise AssertionError(f"the runs still change records: {record}")
