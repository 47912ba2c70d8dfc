"""Observe every lead of a running stack, once or again and again, in a process of its own."""

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
from connector.log_events import no_log
from connector.mapping import (
    DEFAULT_MAPPING,
    BoundMapping,
    Direction,
    FieldPair,
    Schema,
    bind_mapping,
)
from connector.model import Counts, Cursor, RecordKind, Side
from connector.retry import RetryPolicy
from connector.salesforce.reader import OBJECT_FIELDS, SYSTEM_FIELDS
from connector.settings import WorkerSettings
from connector.sync.context import SyncContext
from connector.sync.read_phase import read_changes
from local.stack import stack_file as record
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
            *(line.salesforce for line in MAPPING.pairs),
        )
    )
)
"""What is read of a Lead."""
RUN = "benchmark"
PROGRESS_ROWS = 50_000


class WatchedLedger(DynamoLedger):
    """The ledger, which adds up what is counted and notes the peak of memory at each page."""

    def watch(self) -> None:
        """Begin again with the first row."""
        self.total = Counts()
        self.peaks: list[tuple[int, float]] = []

    def checkpoint(self, cursor: Cursor, run: str, counts: Counts) -> None:
        """Keep the cursor, as ever, and note what was counted."""
        super().checkpoint(cursor, run, counts)
        before = self.total.get(Side.SALESFORCE, "seen")
        self.total.update(counts)
        seen = self.total.get(Side.SALESFORCE, "seen")
        self.peaks.append((seen, peak_mb()))
        if seen // PROGRESS_ROWS > before // PROGRESS_ROWS:
            print(f"  {seen:,} leads observed", file=sys.stderr, flush=True)


def main() -> None:
    """Time passes over all leads, each from an empty cursor; print one JSON object for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("passes", type=int)
    asked = parser.parse_args()
    stack = record.read(asked.folder)
    if stack is None:
        raise SystemExit(f"there is no stack in {asked.folder}")
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
    for _ in range(asked.passes):
        print(json.dumps(_pass(context, ledger, bound)), flush=True)


def _pass(context: SyncContext, ledger: WatchedLedger, bound: BoundMapping) -> dict[str, Any]:
    """Observe all leads; return seconds, counts, and peaks of memory by rows seen."""
    ledger.watch()
    ledger.checkpoint(Cursor(RecordKind.LEAD), RUN, Counts())
    watched = replace(context, links=ledger, cursors=ledger)
    begun, worked = time.perf_counter(), time.process_time()
    read_changes(watched, ledger.load_cursor(RecordKind.LEAD), bound, RUN, lambda: False)
    seconds, processor = time.perf_counter() - begun, time.process_time() - worked
    counted = {
        what: ledger.total.get(Side.SALESFORCE, what) for what in ("seen", "changed", "unchanged")
    }
    return {
        "seconds": seconds,
        "processor_seconds": processor,
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
