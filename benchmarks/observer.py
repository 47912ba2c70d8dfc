"""Observe all leads of a running stack, once or several times, in a separate process."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3

from benchmarks.memory import peak_mb
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.bootstrap import build_app
from connector.bootstrap.aws_adapters import BotoAdapters
from connector.bootstrap.lambda_runtime import http_session, new_id
from connector.connection_settings import WorkerSettings
from connector.log_events import no_log
from connector.mapping import (
    DEFAULT_MAPPING,
    BoundMapping,
    Direction,
    FieldPair,
    Schema,
    bind_mapping,
)
from connector.model import Counts, Cursor, Progress, RecordKind, RunKind, Side
from connector.retry import RetryPolicy
from connector.salesforce.reader import OBJECT_FIELDS, SYSTEM_FIELDS
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.ports import NO_PROGRESS
from connector.sync.read_phase import ReadPhase
from connector.sync.run_requests import new_run
from connector.sync.work_queue import WorkQueue
from local.stack import stack_file
from local.stack.stack_file import StackFile
from local.template_settings import template_settings

MAPPING = replace(
    DEFAULT_MAPPING,
    pairs=(*DEFAULT_MAPPING.pairs, FieldPair("employees", "employees__c", Direction.BOTH)),
)
FIELDS = tuple(
    dict.fromkeys(
        (
            *SYSTEM_FIELDS,
            *OBJECT_FIELDS[RecordKind.LEAD],
            *(pair.salesforce for pair in MAPPING.pairs),
        )
    )
)
"""The fields that are read of a Lead."""
RUN = "benchmark"
PROGRESS_ROWS = 50_000


class WatchedLedger(DynamoLedger):
    """The ledger; it also sums the counts and records the peak memory at each page."""

    def watch(self) -> None:
        """Reset the counts and the peaks."""
        self.total = Counts()
        self.peaks: list[tuple[int, float]] = []

    def checkpoint(
        self, cursor: Cursor, run: str, counts: Counts, progress: Progress = NO_PROGRESS
    ) -> None:
        """Store the cursor and record the counts."""
        super().checkpoint(cursor, run, counts, progress)
        before = self.total.get(Side.SALESFORCE, "seen")
        self.total.update(counts)
        seen = self.total.get(Side.SALESFORCE, "seen")
        self.peaks.append((seen, peak_mb()))
        if seen // PROGRESS_ROWS > before // PROGRESS_ROWS:
            print(f"  {seen:,} leads observed", file=sys.stderr, flush=True)


def main() -> None:
    """Measure passes over all leads, each from an empty cursor; print one JSON object a pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("passes", type=int)
    options = parser.parse_args()
    stack = stack_file.read(options.folder)
    if stack is None:
        raise SystemExit(f"there is no stack in {options.folder}")
    context = _context(stack)
    ledger = WatchedLedger(
        boto3.client("dynamodb"),
        stack.tables["ledger"],
        RetryPolicy(time.sleep, random.random, time.monotonic),
    )
    schemas: dict[RecordKind, Schema] = {}
    for client in context.clients.values():
        schemas.update(client.schemas())
    bound = bind_mapping(MAPPING, schemas)
    if bound.suspended:
        raise SystemExit(f"the simulator lacks fields: {bound.suspended}")
    for _ in range(options.passes):
        print(json.dumps(_pass(context, ledger, bound)), flush=True)


def _pass(context: SyncContext, ledger: WatchedLedger, bound: BoundMapping) -> dict[str, Any]:
    """Observe all leads; return seconds, counts, and the peak memory by number of rows."""
    ledger.watch()
    ledger.checkpoint(Cursor(RecordKind.LEAD), RUN, Counts())
    watched = replace(context, links=ledger, work=ledger, cursors=ledger)
    run = new_run(RUN, RunKind.FULL, time.time())
    isolation = Isolation(watched, run.id)
    reading = ReadPhase(watched, bound, run, WorkQueue(watched, run), isolation)
    start, processor_start = time.perf_counter(), time.process_time()
    reading.read_changes(ledger.load_cursor(RecordKind.LEAD), lambda: False)
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor_start
    counted = {
        name: ledger.total.get(Side.SALESFORCE, name) for name in ("seen", "changed", "unchanged")
    }
    return {
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "peaks": ledger.peaks,
        **counted,
    }


def _context(stack: StackFile) -> SyncContext:
    os.environ |= {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_ACCESS_KEY_ID": stack.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.aws_secret_access_key,
        "AWS_DEFAULT_REGION": stack.region,
    }
    settings = template_settings(
        WorkerSettings,
        ledger_table=stack.tables["ledger"],
        journal_table=stack.tables["journal"],
        mappings_table=stack.tables["mappings"],
        runs_queue_url=stack.queues["runs"],
        salesforce_secret=stack.secrets["salesforce"],
        plezi_secret=stack.secrets["plezi"],
        plezi_base_url=stack.plezi.url,
        plezi_calls_per_second=0,
        salesforce_trusted_host=stack.salesforce.url.removeprefix("https://"),
        salesforce_ca_pem=Path(stack.salesforce.ca_bundle).read_text(encoding="ascii"),
    )
    return build_app(
        settings,
        aws=BotoAdapters(time.time, new_id, time.sleep, random.random, no_log),
        http=http_session,
        clock=time.time,
        ids=new_id,
        sleep=time.sleep,
        random=random.random,
    ).context


if __name__ == "__main__":
    main()
