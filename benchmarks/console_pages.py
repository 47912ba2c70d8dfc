"""`python -m benchmarks.console_pages`: processor time of the console, as built, by page.

It fills the tables of the running local stack (`make up`) with people, runs and a journal, then
starts the built function in processes of its own, with the settings of the deployed one. The time
of a page is that of the console's process alone: DynamoDB and both systems are other processes.
The stack is of no other use afterwards: `make down`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3

from benchmarks.cold_start import ROOT, Build
from connector.aws.client_config import client_config
from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.link_codec import pack, unpack
from connector.bootstrap.lambda_runtime import in_threads
from connector.bootstrap.retries import retry_policy
from connector.deadline import Deadline
from connector.log_events import no_log
from connector.model import (
    Counts,
    Hold,
    HoldReason,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    Quarantine,
    Run,
    RunKind,
    RunState,
    Side,
)
from local.actors import Marketer, Operator
from local.embedded_aws import EmbeddedAws, sdk_environment
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

PEOPLE: Final = 20_000
EMAIL: Final = "zoe.benchmark@example.com"
"""The person whose link all others are copies of."""
HELD: Final = 20
REFUSED: Final = 50
"""One person in so many has a conflict, or a refused write."""
HISTORY_DAYS: Final = 90
RUN_SECONDS: Final = 7_200.0
FORMS_A_DAY: Final = 150
JOURNAL_ENTRIES: Final = 5_000
"""Entries of the newest run; a tenth of them are about one person."""
COUNTS: Final = {"calls": 6, "seen": 40, "changed": 25, "unchanged": 15, "updated": 12}
"""What a run of changes counts, on each side."""
LIMIT_PAGE_MS: Final = 300.0
LIMIT_COLD_MS: Final = 1_200.0
REMEDY: Final = "shorten the value in Plezi, or make the Salesforce field longer"
BATCH: Final = 25
"""Items of one call (DynamoDB API Reference, "BatchWriteItem")."""
ENTRIES: Final = 1_000


def main() -> int:
    """Fill, build, measure, print a table; return 1 when a page or the start is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console_pages", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE, help="%(default)s")
    parser.add_argument("--first", type=int, default=0, help="the first person that is stored")
    parser.add_argument("--repeat", type=int, default=7, help="visits of each page (%(default)s)")
    arguments = parser.parse_args()
    stack = StackCommands(Path(".local")).running()
    if stack is None:
        parser.error("the stack is not up: make up")
    run_id = Filling(stack).fill(range(arguments.first, arguments.people))
    with tempfile.TemporaryDirectory() as folder:
        build = Build(Path(folder), sys.executable)
        build.make("layers/common", "CommonLayer")
        build.make("functions", "ConsoleFunction")
        found = measure(stack, build, run_id, arguments.repeat)
    for line in report(found):
        print(line)
    over = [name for name, page in found["pages"].items() if page["cpu_ms"] > LIMIT_PAGE_MS]
    return int(bool(over) or found["cold_ms"] > LIMIT_COLD_MS)


def measure(stack: StackFile, build: Build, run_id: str, repeat: int) -> dict[str, Any]:
    """Return the measurement of the process with the least processor time at its start."""
    aws = EmbeddedAws(stack.aws_endpoint)
    deployed = aws.functions.get_function_configuration(FunctionName=stack.functions["console"])
    paths = [
        *("/", "/review", "/review?kind=quarantine", "/people", "/people/{person}", "/mapping"),
        *("/mapping/pair?key=Phone", "/mapping/history", "/runs", f"/runs/{run_id}", "/setup"),
        *("/audit", "/settings"),
    ]
    layer = build.folder / "CommonLayer" / "python"
    environment = {
        **deployed["Environment"]["Variables"],
        **sdk_environment(stack.aws_endpoint),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(build.folder / "ConsoleFunction"), str(layer))),
        "VISITS": json.dumps({"person": EMAIL, "paths": paths, "repeat": repeat}),
    }
    code = (ROOT / "benchmarks/console_visit.py").read_text(encoding="utf-8")
    found = []
    for _ in range(3):
        done = subprocess.run(  # our own code
            [build.python, "-s", "-P", "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    best: dict[str, Any] = min(found, key=lambda it: float(it["cold_ms"]))
    for name, page in best["pages"].items():
        page["cpu_ms"] = min(it["pages"][name]["cpu_ms"] for it in found)
    return best


def report(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"cold start: {found['cold_ms']:.0f} ms, of which the import: {found['import_ms']:.0f} ms"
    yield "| page | status | own time, ms | with the emulators, ms |"
    yield "| --- | --- | --- | --- |"
    for name, page in found["pages"].items():
        place = "/runs/{id}" if name.startswith("/runs/") else name
        yield (f"| `{place}` | {page['status']} | {page['cpu_ms']:.0f} | {page['clock_ms']:.0f} |")


class Filling:
    """Fills the tables of a stack with what a year of synchronization leaves."""

    def __init__(self, stack: StackFile) -> None:
        os.environ.update(sdk_environment(stack.aws_endpoint))
        self._stack = stack
        self._table = stack.tables["ledger"]
        self._client: Any = boto3.client(
            "dynamodb",
            endpoint_url=stack.dynamodb_endpoint,
            config=client_config(validate=False),
        )
        retry = retry_policy(time.sleep, random.random, time.time, no_log, Deadline(time.time))
        self.ledger = DynamoLedger(self._client, self._table, retry, in_threads)
        self._journal = DynamoJournal(self._client, stack.tables["journal"], 365, retry, in_threads)

    def fill(self, people: range) -> str:
        """Store links, runs and a journal; return the id of the run with the journal."""
        model = self._synchronize_one()
        key = {"pk": {"S": f"contact#{EMAIL}"}}
        stored = self._client.get_item(TableName=self._table, Key=key)["Item"]
        items = [item_of(copy_of(model, number), stored) for number in people]
        parts = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
        in_threads([partial(self._put, part) for part in parts])
        return self._store_runs()

    def _put(self, items: Sequence[Mapping[str, Any]]) -> None:
        left = [{"PutRequest": {"Item": item}} for item in items]
        while left:
            answer = self._client.batch_write_item(RequestItems={self._table: left})
            left = answer.get("UnprocessedItems", {}).get(self._table, [])

    def _synchronize_one(self) -> Link:
        operator = Operator(self._stack)
        operator.admin("POST", "/admin/start")
        if EMAIL not in self.ledger.load_links([EMAIL]):
            Marketer(self._stack).add(
                email=EMAIL, first_name="Zoé", last_name="Martin", company="Conserverie d'Armor",
                phone="+33 1 44 55 66 77", mobile="+33 6 44 55 66 77", function="CEO",
            )  # fmt: skip
            operator.fire_schedule()
        return self.ledger.load_links([EMAIL])[EMAIL]

    def _store_runs(self) -> str:
        now = time.time()
        ages = [(RunKind.CHANGES, age * RUN_SECONDS) for age in range(HISTORY_DAYS * 12)]
        ages += [(RunKind.FORM, age * 86_400 / FORMS_A_DAY) for age in range(7 * FORMS_A_DAY)]
        runs = [
            Run(run_id(now - age, number), kind, RunState.REQUESTED, now - age)
            for number, (kind, age) in enumerate(ages)
        ]
        in_threads([partial(self._store_run, run) for run in runs])
        newest = run_id(now, 0)
        entries = [
            JournalEntry(
                EMAIL if number % 10 == 0 else f"person{number}@example.com",
                now - number,
                newest,
                JournalKind.WRITTEN,
                Side.SALESFORCE,
                f"00Q{number:012d}AAA",
                "Phone",
                "+33 1 44 55 66 77",
                f"+33 1 {number:08d}",
                MergeRule.CHANGED,
            )
            for number in range(JOURNAL_ENTRIES)
        ]
        for start in range(0, JOURNAL_ENTRIES, ENTRIES):
            self._journal.write(entries[start : start + ENTRIES])
        return newest

    def _store_run(self, run: Run) -> None:
        self.ledger.create_run(run)
        counts = Counts()
        for side in Side:
            for name, number in COUNTS.items():
                counts.add(side, name, number)
        self.ledger.add_counts(run.id, counts)
        self.ledger.finish_run(run.id, RunState.DONE, run.requested_at + 60)


def run_id(at: float, number: int) -> str:
    """Return an id that sorts by time, as those of real runs do."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at))}000000-{number:08x}"


def item_of(link: Link, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored form of a link, like that of another one."""
    waiting = {"attention": {"S": "+".join(link.attention)}} if link.attention else {}
    body = {"B": pack(link)}
    return {**stored, "pk": {"S": f"contact#{link.email}"}, "body": body, **waiting}


def copy_of(model: Link, number: int) -> Link:
    """Return the link of another person; one in so many waits for a decision."""
    email = f"person{number}@example.com"
    text = zlib.decompress(pack(model)).decode()
    for old, new in ((EMAIL, email), *((it, f"{it[:-7]}{number:07d}") for it in model.record_ids)):
        text = text.replace(old, new)
    link = unpack(email, zlib.compress(text.encode()), revision=0)
    link = replace(link, indexed=frozenset())
    if number % HELD == 0:
        values = dict.fromkeys(sorted(link.record_ids), "+33 6 11 11 11 11")
        hold = Hold(HoldReason.CONFLICT, time.time(), values)
        return replace(link, holds={"MobilePhone": hold})
    if number % REFUSED == 1:
        refusal = Quarantine(Side.SALESFORCE, "STRING_TOO_LONG", REMEDY, ("Title",), time.time())
        return replace(link, quarantine=refusal)
    return link


if __name__ == "__main__":
    sys.exit(main())
